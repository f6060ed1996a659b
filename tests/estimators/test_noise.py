"""Whether components could be those of Gaussian noise."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA
from sparsebp.estimators._signs import GaussianExcess, largest_excess_of_noise
from sparsebp.penalties import Topographic

RNG = np.random.default_rng(0)
KINDS = {
    "orthonormal": OrthonormalICA(random_state=0),
    "sharp": OrthonormalICA(epsilon=0.01, random_state=0),
    "manifold": OrthonormalICA(solver="manifold", random_state=0),
    "reconstruction": ReconstructionICA(whiten=True, random_state=0),
    "overcomplete": ReconstructionICA(12, whiten=True, tol=1e-4, random_state=0),
}


def is_chance(model, X):
    """Return whether a fit warns so, and about nothing else."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X)
    assert all("the components may be chance" in str(warning.message) for warning in caught)
    return bool(caught)


@pytest.mark.parametrize("kind", first_fast(KINDS))
@pytest.mark.parametrize("n_samples", [40, 1000])
def test_noise_is_told_from_sources(kind, n_samples):
    mixing = RNG.normal(size=(8, 8))
    noise, sources = RNG.normal(size=(n_samples, 8)), RNG.laplace(size=(n_samples, 8)) ** 3
    assert is_chance(KINDS[kind], noise @ mixing)
    assert not is_chance(KINDS[kind], sources @ mixing)
    sources = np.c_[sources[:, :1], noise[:, 1:]]  # one source suffices
    assert not is_chance(KINDS[kind], sources @ mixing)


def test_sub_gaussian_sources_are_no_noise():
    X = RNG.uniform(size=(500, 4)) @ RNG.normal(size=(4, 4))
    assert not is_chance(KINDS["orthonormal"], X)


def test_few_real_samples_are_no_noise():
    assert not is_chance(OrthonormalICA(random_state=0), load_iris().data)
    assert not is_chance(OrthonormalICA(10, random_state=0), load_digits().data[:200])


def test_the_warning_says_how_far_noise_gets_and_what_to_do():
    with pytest.warns(UserWarning, match=r"of Gaussian noise by up to 5\.4 for 1000 samples in 8 "):
        OrthonormalICA(random_state=0).fit(RNG.normal(size=(1000, 8)))


def test_nothing_is_said_where_it_is_not_known():
    noise = RNG.normal(size=(200, 4))
    assert not is_chance(OrthonormalICA(penalty=Topographic((2, 2)), random_state=0), noise)
    stopped = OrthonormalICA(callback=lambda i, value: True, random_state=0)
    assert not is_chance(stopped, noise)


def test_equal_samples_and_rounding_are_no_excess():
    nothing, error = np.zeros(2), np.array([0.0, 1.0])
    assert GaussianExcess(nothing, error, nothing).largest == 0
    assert GaussianExcess(np.array([0.5, -3.0]), error, np.array([1.0, 0.5])).largest == 2.5


def test_noise_gets_as_far_as_theory_says():
    assert largest_excess_of_noise(100, 10**9) == pytest.approx(10 * np.sqrt(3) + 0.5)
    assert largest_excess_of_noise(4, 4) == 2 * (2 * np.sqrt(3) + 0.5)
