import numpy as np
import pytest
from scipy.optimize import minimize
from thinning import first_fast

from sparsebp.minimizers import columnwise
from sparsebp.minimizers.columnwise import AtPoints, minimize_columns


def minimize_all(function, start, targets, *, max_iter):
    """Minimize ``function(points, columns)`` with the curvature one everywhere."""

    def objective(columns):
        return lambda points: AtPoints(*function(points, columns), np.ones_like(points))

    return minimize_columns(objective, start, targets, max_iter=max_iter)


class Regressions:
    """½‖A p − b‖² + Σ √(p² + ε) of each column with a b of its own: convex, none alike."""

    def __init__(self, n_rows=6, n_columns=30, seed=0, dtype=np.float64):
        rng = np.random.default_rng(seed)
        self.a = rng.normal(size=(n_rows + 2, n_rows)).astype(dtype)
        scales = np.geomspace(0.1, 100, n_columns)
        self.b = (rng.normal(size=(n_rows + 2, n_columns)) * scales).astype(dtype)
        self.calls = []

    def __call__(self, points, columns):
        self.calls.append(columns)
        error = self.a @ points - self.b[:, columns]
        roots = np.sqrt(points**2 + points.dtype.type(1e-2))
        values = 0.5 * (error**2).sum(axis=0) + roots.sum(axis=0)
        return values, self.a.T @ error + points / roots

    def only(self, order):
        other = Regressions()
        other.a, other.b = self.a, self.b[:, order]
        return other

    def minimum(self, column):
        def one(p):
            value, gradient = self(p[:, None], np.array([column]))
            return value[0], gradient[:, 0]

        options = {"ftol": 0, "gtol": 1e-9, "maxiter": 5000, "maxfun": 50000}
        start = np.zeros(self.a.shape[1])
        return minimize(one, start, jac=True, method="L-BFGS-B", options=options).x


def target(problem, tol=1e-8):
    return np.full(problem.b.shape[1], tol)


def solve(problem, start=None, max_iter=500):
    shape = problem.a.shape[1], problem.b.shape[1]
    start = np.zeros(shape) if start is None else start
    return minimize_all(problem, start, target(problem), max_iter=max_iter)


@pytest.mark.parametrize("n_rows", first_fast([1, 2, 6, 20], 3))
def test_equals_scipy_column_by_column(n_rows):
    problem = Regressions(n_rows, 12, seed=n_rows)
    points, n_unfinished = solve(problem)
    expected = np.stack([problem.minimum(j) for j in range(12)], axis=1)
    assert n_unfinished == 0
    np.testing.assert_allclose(points, expected, rtol=1e-6, atol=1e-6)


def test_every_gradient_meets_its_own_target():
    problem = Regressions()
    targets = np.random.default_rng(0).permutation(np.geomspace(1e-8, 1e-1, 30))
    points, n_unfinished = minimize_all(problem, np.zeros((6, 30)), targets, max_iter=500)
    largest = np.abs(problem(points, np.arange(30))[1]).max(axis=0)
    assert n_unfinished == 0
    assert (largest <= targets).all()
    assert largest[targets > 1e-2].max() > 1e-6


@pytest.mark.parametrize(
    "order",
    [[7], [29, 3], list(range(29, -1, -1)), [4] * 5, list(range(10, 20))],
    ids=["alone", "two", "reversed", "repeated", "ten"],
)
def test_a_column_does_not_see_its_neighbors(order):
    problem = Regressions()
    together, _ = solve(problem)
    apart, _ = solve(problem.only(order))
    np.testing.assert_allclose(apart, together[:, order], rtol=1e-9, atol=1e-9)


def test_a_hopeless_neighbor_changes_nothing():
    problem = Regressions()
    expected, _ = solve(problem)

    def poisoned(points, columns):
        values, gradient = problem(points, columns)
        return np.where(columns == 5, np.nan, values), np.where(columns == 5, np.nan, gradient)

    points, _ = minimize_all(poisoned, np.zeros((6, 30)), target(problem), max_iter=500)
    others = np.arange(30) != 5
    np.testing.assert_allclose(points[:, others], expected[:, others], rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(points[:, 5], 0)


def test_columns_leave_as_they_finish():
    problem = Regressions()
    start, there = np.zeros((6, 30)), np.arange(3, 22)
    start[:, there] = solve(problem)[0][:, there]
    problem.calls.clear()
    points, _ = minimize_all(problem, start, target(problem, 1e-6), max_iter=500)
    assert not any(np.isin(there, columns).any() for columns in problem.calls[1:])
    np.testing.assert_array_equal(points[:, there], start[:, there])
    assert len(problem.calls) < 300


def test_columns_that_wait_take_the_places_of_those_that_have_ended(monkeypatch):
    problem = Regressions(n_columns=100)
    together, _ = solve(problem)
    assert {len(columns) for columns in problem.calls} >= {112, 96}
    problem.calls.clear()
    monkeypatch.setattr(columnwise, "_ELEMENTS", 32 * 6)
    points, n_unfinished = solve(problem)
    assert n_unfinished == 0
    assert max(map(len, problem.calls)) == 32
    assert np.mean([len(columns) for columns in problem.calls]) > 28
    np.testing.assert_allclose(points, together, rtol=1e-9, atol=1e-9)


def test_the_iteration_limit_counts_who_is_left():
    problem = Regressions()
    start = np.zeros((6, 30))
    start[:, 3] = problem.minimum(3)
    before = problem(start, np.arange(30))[0]
    targets = target(problem, 1e-6)
    points, n_unfinished = minimize_all(problem, start, targets, max_iter=2)
    assert n_unfinished == 29
    assert (problem(points, np.arange(30))[0] <= before).all()
    assert minimize_all(problem, start, targets, max_iter=0)[1] == 29


def test_an_ascending_gradient_leaves_the_column_where_it_is():
    start = np.arange(1.0, 7).reshape(2, 3)

    def uphill(points, columns):
        return (points**2).sum(axis=0), -2 * points

    points, _ = minimize_all(uphill, start, np.zeros(3), max_iter=5)
    np.testing.assert_allclose(points, start, rtol=1e-12)


def test_a_valley_that_bends_is_followed():
    """Rosenbrock's function from many starts, each column to the same minimum."""

    def rosenbrock(points, columns):
        a, b = points
        gradient = np.stack([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2, gradient

    start = np.random.default_rng(0).uniform(-2, 2, size=(2, 40))
    points, n_unfinished = minimize_all(rosenbrock, start, np.full(40, 1e-8), max_iter=500)
    assert n_unfinished == 0
    np.testing.assert_allclose(points, 1, atol=1e-6)


@pytest.mark.slow
def test_steps_that_were_too_long_take_nothing_from_the_memory():
    calls = []

    def rosenbrock(points, columns):
        calls.append(columns)
        a, b = points
        gradient = np.stack([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
        return (1 - a) ** 2 + 100 * (b - a * a) ** 2, gradient

    for start in np.random.default_rng(0).uniform(-2, 2, size=(20, 2, 1)):
        minimize_all(rosenbrock, start, np.full(1, 1e-8), max_iter=500)
    assert len(calls) < 42 * 20  # 39 for each, and 45 if pairs are put back in another order


def test_a_step_that_was_too_long_is_no_iteration():
    def steep(points, columns):
        return 50 * (points**2).sum(axis=0), 100 * points

    start = np.ones((2, 3))
    points, n_unfinished = minimize_all(steep, start, np.full(3, 1e-9), max_iter=1)
    assert n_unfinished == 3
    assert (np.abs(points) < 0.99).all()


@pytest.mark.parametrize("n_columns", [0, 1])
def test_few_columns(n_columns):
    def bowl(points, columns):
        return (points**2).sum(axis=0), 2 * points

    start = np.ones((3, n_columns))
    points, n_unfinished = minimize_all(bowl, start, np.full(n_columns, 1e-9), max_iter=50)
    assert n_unfinished == 0
    np.testing.assert_allclose(points, np.zeros((3, n_columns)), atol=1e-9)


def test_keeps_float32_and_the_start():
    problem = Regressions(dtype=np.float32)
    start = np.zeros((6, 30), dtype=np.float32)
    start.flags.writeable = False
    targets = np.abs(problem(start, np.arange(30))[1]).max(axis=0) * 1e-5
    problem.calls.clear()
    points, n_unfinished = minimize_all(problem, start, targets, max_iter=500)
    assert (points.dtype, n_unfinished) == (np.float32, 0)
    expected = np.stack([problem.minimum(j) for j in range(30)], axis=1)
    # A gradient that small leaves an error of no more than its length over the least curvature.
    least = np.linalg.svd(problem.a)[1].min() ** 2
    assert (np.linalg.norm(points - expected, axis=0) <= np.sqrt(6) * targets / least).all()
