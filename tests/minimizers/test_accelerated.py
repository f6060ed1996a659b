import numpy as np
import pytest

from sparsebp.coding import starting_codes
from sparsebp.minimizers import descend, minimize_lbfgs
from sparsebp.penalties import Cauchy, LogCosh, SmoothL1, Topographic, Welsch
from sparsebp.problems import sparse_coding

PENALTIES = [SmoothL1(1e-3), LogCosh(), Cauchy(), Welsch(), Topographic((4, 4), epsilon=1e-3)]


def problem(penalty, alpha=0.5, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(9, 16)).astype(dtype)
    basis /= np.linalg.norm(basis, axis=0)
    x = rng.laplace(size=(9, 50)).astype(dtype)
    objective = sparse_coding(penalty, alpha).objective("s", {"x": x, "A": basis}, scale=1)
    largest = 2 * np.linalg.norm(basis, 2) ** 2

    def curvature(codes):
        return largest + codes.dtype.type(alpha) * penalty.curvature(codes)

    return objective, curvature, starting_codes(x, basis)


class Quadratic:
    """½ xᵀ diag(h) x − bᵀx."""

    def __init__(self, h, b):
        self.h, self.b = h, b

    def value_and_gradient(self, point):
        return float(((self.h * point / 2 - self.b) * point).sum()), self.h * point - self.b


def test_parabolas_of_the_function_itself_end_in_one_step():
    rng = np.random.default_rng(0)
    h, b = rng.uniform(1, 9, (3, 4)), rng.normal(size=(3, 4))
    found = descend(Quadratic(h, b), lambda point: h, rng.normal(size=(3, 4)), 2)
    np.testing.assert_allclose(found, b / h)


def test_momentum_beats_plain_steps():
    """k plain steps leave a share (1 − h / H)ᵏ of a direction: 0.6 in the flattest one here."""
    h = np.array([[100.0, 0.5]])
    found = descend(Quadratic(h, h), lambda point: 100 + 0 * point, np.zeros((1, 2)), 101)
    assert abs(found - 1).max() < (1 - 0.5 / 100) ** 100 / 2


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_comes_as_near_as_twenty_iterations_of_lbfgs(penalty, dtype):
    for seed in range(3):
        objective, curvature, start = problem(penalty, seed=seed, dtype=dtype)
        found = descend(objective, curvature, start, 20)
        assert found.dtype == dtype
        found = minimize_lbfgs(objective, found, memory=5, max_iter=5, tol=0).value
        assert found <= minimize_lbfgs(objective, start, memory=5, max_iter=20, tol=0).value * 1.002


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: type(p).__name__)
def test_no_point_is_worse_than_the_start(penalty):
    objective, curvature, start = problem(penalty)
    values = [
        objective.value_and_gradient(descend(objective, curvature, start, n))[0] for n in range(12)
    ]
    assert values == sorted(values, reverse=True)
    best = minimize_lbfgs(objective, start, max_iter=500, tol=1e-14).point
    again = descend(objective, curvature, best, 5)
    assert objective.value_and_gradient(again)[0] <= objective.value_and_gradient(best)[0]


def test_curvatures_that_are_too_small_do_no_harm():
    objective, _, start = problem(SmoothL1(1e-3))
    with np.errstate(all="ignore"):
        found = descend(objective, lambda codes: np.full_like(codes, 1e-150), start, 50)
    np.testing.assert_array_equal(found, start)


def test_the_start_is_not_changed():
    objective, curvature, start = problem(SmoothL1(1e-3))
    before = start.copy()
    descend(objective, curvature, start, 5)
    np.testing.assert_array_equal(start, before)
