import numpy as np
import pytest

from sparsebp.coding import least_squares_basis
from sparsebp.minimizers import minimize_lbfgs
from sparsebp.penalties import L1
from sparsebp.problems import sparse_coding

SHAPES = [(1, 1, 1), (5, 8, 60), (8, 5, 60), (6, 6, 6), (4, 10, 5)]


def a_problem(n_features, n_components, n_samples, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_features, n_samples)), rng.normal(size=(n_components, n_samples))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gradient_vanishes_there(shape):
    for gamma in (1e-2, 0.1, 10.0):
        x, codes = a_problem(*shape)
        scale = 1 / x.shape[1]
        basis = least_squares_basis(x, codes, gamma, scale=scale)
        gradient = 2 * scale * (basis @ codes - x) @ codes.T + 2 * gamma * basis
        largest = np.abs(2 * scale * x @ codes.T).max()
        assert np.abs(gradient).max() < 1e-12 * largest


@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_lbfgs_on_the_objective(shape):
    x, codes = a_problem(*shape, seed=1)
    objective = sparse_coding(L1(), 0.0, 0.1).objective("A", {"x": x, "s": codes})
    exact = least_squares_basis(x, codes, 0.1, scale=1 / x.shape[1])
    searched = minimize_lbfgs(objective, np.zeros_like(exact), max_iter=1000, tol=1e-15)
    np.testing.assert_allclose(searched.point, exact, atol=1e-5)
    assert objective.value_and_gradient(exact)[0] <= searched.value * (1 + 1e-12)


@pytest.mark.parametrize(("rank", "n_components"), [(1, 2), (3, 4), (9, 10)])
def test_codes_without_full_rank_have_a_least_norm_solution(rank, n_components):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(5, 40))
        codes = rng.normal(size=(n_components, rank)) @ rng.normal(size=(rank, 40))
        basis = least_squares_basis(x, codes, 0.0, scale=1 / 40)
        np.testing.assert_allclose(basis, x @ np.linalg.pinv(codes, rcond=1e-10), atol=1e-6)


def test_a_component_that_is_never_used_gets_an_atom_of_zeros():
    x, codes = a_problem(4, 3, 30)
    codes[1] = 0
    for gamma in (0.0, 0.1):
        basis = least_squares_basis(x, codes, gamma, scale=1 / 30)
        np.testing.assert_allclose(basis[:, 1], 0, atol=1e-14)
        assert np.linalg.norm(basis[:, 0]) > 0


def test_codes_of_zeros_give_a_basis_of_zeros():
    np.testing.assert_array_equal(
        least_squares_basis(np.ones((3, 5)), np.zeros((2, 5)), 0.0, scale=0.2), 0
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_the_precision_and_the_inputs(dtype):
    x, codes = (a.astype(dtype) for a in a_problem(5, 8, 60))
    for array in (x, codes):
        array.flags.writeable = False
    basis = least_squares_basis(x, codes, 0.1, scale=1 / 60)
    wide = least_squares_basis(x.astype(float), codes.astype(float), 0.1, scale=1 / 60)
    assert basis.dtype == dtype
    assert basis.flags.c_contiguous
    np.testing.assert_allclose(basis, wide, rtol=0, atol=1e-7)


def test_the_weight_decay_is_on_the_scale_of_the_mean():
    """Twice the samples, each given twice, leave the basis where it was."""
    x, codes = a_problem(5, 8, 60)
    once = least_squares_basis(x, codes, 0.1, scale=1 / 60)
    twice = least_squares_basis(np.hstack([x, x]), np.hstack([codes, codes]), 0.1, scale=1 / 120)
    np.testing.assert_allclose(once, twice, atol=1e-12)
