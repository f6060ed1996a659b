import numpy as np
import pytest
from scipy import integrate, stats
from thinning import first_fast

from sparsebp.penalties import (
    L1,
    Cauchy,
    LogCosh,
    Signed,
    SmoothL1,
    Topographic,
    Welsch,
    gaussian_reference,
    values_of_each,
)

FORMULAS = {
    L1(): np.abs,
    SmoothL1(1e-2): lambda s: np.sqrt(s**2 + 1e-2),
    SmoothL1(1e-6): lambda s: np.sqrt(s**2 + 1e-6),
    LogCosh(2): lambda s: np.log(np.cosh(2 * s)) / 2,
    Cauchy(): lambda s: np.log1p(s**2),
    Welsch(): lambda s: 1 - np.exp(-(s**2) / 2),
}
every = pytest.mark.parametrize("penalty", first_fast(FORMULAS, 4), ids=repr)


def mean_over_a_gaussian(function, deviation):
    density = stats.norm(0, deviation).pdf
    around = [k * deviation for k in (-9, -1, 0, 1, 9)]
    return integrate.quad(
        lambda s: function(s) * density(s), min(around), max(around), points=around, limit=300
    )[0]


@every
def test_the_value_is_the_integral(penalty):
    for deviation in (1e-3, 1, 7):
        expected = mean_over_a_gaussian(FORMULAS[penalty], deviation)
        found = gaussian_reference(penalty, np.array([deviation])).value
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@every
def test_the_spread_is_the_scatter_of_means_over_gaussian_samples(penalty):
    codes = np.random.default_rng(0).normal(size=(400, 1000))
    codes -= codes.mean(axis=1, keepdims=True)
    reference = gaussian_reference(penalty, codes.std(axis=1))
    excess = values_of_each(penalty, codes).mean(axis=1) - reference.value
    scores = excess / (reference.spread / np.sqrt(1000))
    assert abs(scores.mean()) < 0.2
    assert 0.9 < scores.std() < 1.1


def test_a_constant_is_its_own_reference():
    reference = gaussian_reference(SmoothL1(0.25), np.zeros(2))
    np.testing.assert_allclose(reference.value, 0.5, atol=1e-12)
    np.testing.assert_allclose(reference.spread, 0, atol=1e-12)


def test_penalties_that_join_coefficients_are_told_apart():
    assert all(penalty.is_elementwise for penalty in FORMULAS)
    assert not Topographic((2, 2)).is_elementwise
    assert not Signed(L1(), (1, -1)).is_elementwise
