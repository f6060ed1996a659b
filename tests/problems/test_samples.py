"""Objectives of `Samples`, taken a block at a time, beside the same ones of the plain array."""

from itertools import product

import numpy as np
import oracles
import pytest
from oracles import relative_error
from penalties.registry import CASES
from thinning import first_fast

from sparsebp.network import check_gradient
from sparsebp.penalties import SmoothL1, Topographic
from sparsebp.problems import (
    Objective,
    OrthonormalRows,
    Term,
    UnitRows,
    orthonormal_ica,
    reconstruction_ica,
    sparsity_network,
)
from sparsebp.samples import ArraySamples, Samples, second_moment_factor
from sparsebp.samples.samples import BLOCK

ALPHA = 0.7
#: (n_features, n_components, n_samples): one block or less, one more, several.
SIZES = (
    (3, 5, 1),
    (4, 3, 20),
    (3, 3, BLOCK),
    (2, 4, BLOCK + 1),
    (3, 4, 3 * BLOCK + 7),
)
LONG = (3, 4, 3 * BLOCK + 7)


def sparsity(x, penalty, scale):
    return orthonormal_ica(penalty).objective("W", {"x": x}, scale=scale)


def reconstruction(x, penalty, scale):
    return reconstruction_ica(penalty, ALPHA).objective("W", {"x": x}, scale=scale)


def compressed(x, penalty, scale):
    return reconstruction_ica(penalty, ALPHA).objective("W", {"x": x}, scale=scale, compressed=True)


BUILDERS = (sparsity, reconstruction, compressed)


def data(sizes, dtype=np.float64):
    n, k, m = sizes
    rng = np.random.default_rng(sizes)
    x, w = rng.normal(size=(n, m)), rng.normal(size=(k, n))
    return x.astype(dtype), w.astype(dtype)


def assert_equal(found, expected, rtol=1e-12, where=None):
    assert found[0] == pytest.approx(expected[0], rel=rtol), where
    assert relative_error(found[1], expected[1]) < rtol, where


@pytest.mark.parametrize("build", BUILDERS)
def test_an_objective_of_samples_is_that_of_the_array(build):
    for case, sizes in product(CASES, SIZES):
        x, w = data(sizes)
        penalty, scale = case.build(sizes[1]), 1 / sizes[2]
        found = build(ArraySamples(x), penalty, scale).value_and_gradient(w)
        assert_equal(found, build(x, penalty, scale).value_and_gradient(w), where=(case, sizes))
        assert type(found[0]) is float
        assert found[1].dtype == np.float64


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_an_objective_of_samples_is_the_closed_form(case):
    x, w = data(LONG)
    penalty = case.build(len(w))
    expected = (
        oracles.ica_reconstruction(w, x) + ALPHA * case.value(w @ x),
        oracles.ica_reconstruction_in_filters(w, x)
        + ALPHA * oracles.penalty_in_filters(case.gradient, w, x),
    )
    assert_equal(reconstruction(ArraySamples(x), penalty, 1.0).value_and_gradient(w), expected)


@pytest.mark.parametrize("build", BUILDERS)
def test_ordered_and_mapped_samples_are_the_array_made_of_them(build):
    x, w = data(LONG)
    order = np.random.default_rng(0).permutation(x.shape[1])[: 2 * BLOCK + 3]
    mapping = np.random.default_rng(1).normal(size=(3, 3)), np.full((3, 1), 0.5)
    plain = mapping[0] @ (x[:, order] - mapping[1])
    found = build(
        ArraySamples(x, 2).select(order).transform(*mapping), SmoothL1(), 0.01
    ).value_and_gradient(w)
    assert_equal(found, build(plain, SmoothL1(), 0.01).value_and_gradient(w))


@pytest.mark.parametrize("wrap", [UnitRows, OrthonormalRows])
@pytest.mark.parametrize("build", BUILDERS)
def test_constraints_go_around_an_objective_of_samples(build, wrap):
    x, w = data((4, 3, 2 * BLOCK + 5))
    pair = (wrap(build(s, SmoothL1(), 0.01)).value_and_gradient(w) for s in (ArraySamples(x), x))
    assert_equal(*pair)


@pytest.mark.parametrize("build", BUILDERS)
def test_float32_stays_float32_and_agrees_with_float64(build):
    for case, sizes in product(CASES, SIZES):
        x, w = data(sizes, np.float32)
        penalty, scale = case.build(sizes[1]), 1 / sizes[2]
        value, gradient = build(ArraySamples(x), penalty, scale).value_and_gradient(w)
        wide = build(x.astype(float), penalty, scale).value_and_gradient(w.astype(float))
        assert gradient.dtype == np.float32
        assert type(value) is float
        assert_equal((value, gradient), wide, rtol=1e-5, where=(case, sizes))


@pytest.mark.parametrize("case", CASES, ids=repr)
@pytest.mark.parametrize("build", first_fast(BUILDERS))
def test_a_complex_step_goes_through_the_blocks(build, case):
    x, w = data((2, 3, 2 * BLOCK + 5))
    objective = build(ArraySamples(x), case.build(len(w)), 1 / x.shape[1])
    assert check_gradient(objective.value_and_gradient, w) < 1e-12
    value, gradient = objective.value_and_gradient(w + 0j)
    assert type(value) is complex
    assert gradient.dtype == np.complex128
    assert_equal((value.real, gradient.real), objective.value_and_gradient(w))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("build", BUILDERS)
def test_the_threads_do_not_change_a_bit(build, dtype):
    x, w = data((3, 4, 5 * BLOCK + 7), dtype)
    for case in (CASES[0], CASES[2]):  # one element by element, and one whose columns meet
        penalty = case.build(4)
        first, *others = (
            build(ArraySamples(x, n), penalty, 1 / x.shape[1]).value_and_gradient(w)
            for n in (1, 2, 3)
        )
        for value, gradient in others:
            assert value == first[0]
            np.testing.assert_array_equal(gradient, first[1])


def test_a_term_of_samples_stands_beside_terms_of_arrays():
    x, w = data(LONG)
    penalty = Topographic((2, 2))
    network, own = sparsity_network(penalty), penalty.variables
    mixed = Objective(
        "W",
        (
            Term(0.3, network, {**own, "x": ArraySamples(x)}),
            Term(0.2, network, {**own, "x": x[:, :9]}),
        ),
    )
    plain = [
        orthonormal_ica(penalty).objective("W", {"x": part}, scale=scale).value_and_gradient(w)
        for part, scale in ((x, 0.3), (x[:, :9], 0.2))
    ]
    assert_equal(mixed.value_and_gradient(w), [sum(parts) for parts in zip(*plain, strict=True)])


@pytest.mark.parametrize("sizes", [*SIZES, (5, 1, 5), (5, 1, 6), (1, 1, 2 * BLOCK + 1)])
def test_the_second_moments_of_samples_are_those_of_the_array(sizes):
    for dtype, n_threads in product((np.float32, np.float64), (1, 2)):
        x = data(sizes, dtype)[0]
        factor = second_moment_factor(ArraySamples(x, n_threads))
        assert factor.dtype == dtype
        assert factor.shape == (sizes[0], min(sizes[0], sizes[2]))
        wide = x.astype(float)
        tolerance = 1e-6 if dtype == np.float32 else 1e-13
        assert relative_error(factor.astype(float) @ factor.T, wide @ wide.T) < tolerance


def test_the_compressed_reconstruction_of_samples_holds_few_columns():
    x = data(LONG)[0]
    terms = compressed(ArraySamples(x), SmoothL1(), 1.0).terms
    assert terms[0].fixed["x"].shape == (3, 3)
    assert isinstance(terms[1].fixed["x"], Samples)
