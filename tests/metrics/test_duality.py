import numpy as np
import pytest
from sklearn.linear_model import Lasso

from sparsebp.metrics import duality_gap


def a_problem(seed, n_samples=20):
    rng = np.random.default_rng(seed)
    atoms = rng.normal(size=(7, 5))
    return rng.normal(size=(n_samples, 5)), atoms / np.linalg.norm(atoms, axis=1, keepdims=True)


def best_codes(X, atoms, alpha, positive):
    lasso = Lasso(
        alpha / 2 / X.shape[1], fit_intercept=False, positive=positive, tol=1e-12, max_iter=100_000
    )
    return np.array([lasso.fit(atoms.T, x).coef_ for x in X])


def value(X, atoms, codes, alpha):
    return ((X - codes @ atoms) ** 2).sum(axis=1) + alpha * np.abs(codes).sum(axis=1)


@pytest.mark.parametrize("positive", [False, True])
@pytest.mark.parametrize("alpha", [0.05, 0.5, 3.0])
def test_it_vanishes_at_the_optimum_and_bounds_what_is_lost_elsewhere(alpha, positive):
    X, atoms = a_problem(seed=int(10 * alpha))
    best = best_codes(X, atoms, alpha, positive)
    assert duality_gap(X, atoms, best, alpha, positive=positive).max() < 1e-7
    rng = np.random.default_rng(1)
    for size in (1e-3, 0.1, 1.0):
        codes = best + size * rng.normal(size=best.shape)
        codes = np.maximum(codes, 0) if positive else codes
        lost = value(X, atoms, codes, alpha) - value(X, atoms, best, alpha)
        gap = duality_gap(X, atoms, codes, alpha, positive=positive)
        assert (gap >= lost / value(X, atoms, codes, alpha) - 1e-9).all()
        assert (gap <= 1 + 1e-12).all()


def test_nothing_to_save_is_no_gap():
    np.testing.assert_array_equal(duality_gap(np.zeros((2, 3)), np.eye(3), np.zeros((2, 3)), 1), 0)


def test_shapes_and_weights_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="do not fit"):
        duality_gap(np.ones((2, 3)), np.eye(3), np.ones((2, 2)), 1.0)
    with pytest.raises(ValueError, match="alpha"):
        duality_gap(np.ones((2, 3)), np.eye(3), np.ones((2, 3)), -1.0)


@pytest.mark.parametrize("alpha", ["much", True, np.inf, np.nan, np.ones(2)])
def test_weights_that_are_no_numbers_are_refused(alpha):
    with pytest.raises((TypeError, ValueError), match="alpha must be a finite number ≥ 0, got "):
        duality_gap(np.ones((2, 3)), np.eye(3), np.ones((2, 3)), alpha)


def test_what_says_neither_yes_nor_no_is_refused():
    with pytest.raises((TypeError, ValueError), match="positive must be True or False, got 'no'"):
        duality_gap(np.ones((2, 3)), np.eye(3), np.ones((2, 3)), 1.0, positive="no")


def test_numbers_whose_squares_overflow_are_refused_with_a_message():
    with pytest.raises(ValueError, match="overflow"):
        duality_gap(1e200 * np.ones((2, 3)), np.eye(3), np.ones((2, 3)), 1.0)


def test_negative_codes_are_no_codes_of_positive_ones():
    with pytest.raises(ValueError, match="codes must be ≥ 0"):
        duality_gap([[-2.0]], [[1.0]], [[-1.5]], alpha=1.0, positive=True)


def test_missing_values_are_told_what_to_give():
    X, atoms, codes = np.ones((4, 3)), np.eye(3), np.ones((4, 3))
    missing = np.where(np.eye(4, 3) > 0, np.nan, X)
    with pytest.raises(ValueError, match=r"X must be finite.* give X\[keep\] and codes\[keep\]"):
        duality_gap(missing, atoms, codes, 1.0)
    with pytest.raises(ValueError, match=r"codes must be finite, got NaN .* Encode these samples"):
        duality_gap(X, atoms, missing, 1.0)
