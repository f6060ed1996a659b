import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from sparsebp.minimizers import Status, minimize_lbfgs


class Function:
    """An objective that counts its evaluations, and may misbehave from one of them on."""

    def __init__(self, function, *, after=10**9, then=None):
        self.function, self.after, self.then, self.n = function, after, then, 0
        self.values = []

    def value_and_gradient(self, point):
        self.n += 1
        if self.n > self.after:
            return self.then(point)
        value, gradient = self.function(point)
        self.values.append(value)
        return value, gradient


def quadratic(shape, condition=1e3, seed=0):
    """½⟨P − T, H(P − T)⟩ with its minimum 0 at T."""
    rng = np.random.default_rng(seed)
    target = rng.normal(size=shape)
    vectors = np.linalg.qr(rng.normal(size=(shape[0], shape[0])))[0]
    hessian = (vectors * np.geomspace(1, condition, shape[0])) @ vectors.T

    def function(point):
        gradient = hessian.astype(point.dtype) @ (point - target.astype(point.dtype))
        return 0.5 * np.vdot(point - target, gradient).item(), gradient

    return function, target


def rosenbrock(point):
    a, b = point.ravel()
    gradient = np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)])
    return (1 - a) ** 2 + 100 * (b - a * a) ** 2, gradient.reshape(point.shape)


HARD = np.array([[-1.2, 1.0]])


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (2, 7), (20, 5)])
def test_finds_the_minimum_of_a_quadratic(shape, seed):
    function, target = quadratic(shape, seed=seed)
    result = minimize_lbfgs(Function(function), np.zeros(shape), max_iter=1000, tol=1e-15)
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(result.point, target, atol=1e-5)
    assert result.value == function(result.point)[0]


@pytest.mark.parametrize("gamma", [1e-2, 1.0, 100.0])
def test_agrees_with_ridge_regression_in_closed_form(gamma):
    rng = np.random.default_rng(0)
    x, s = rng.normal(size=(5, 60)), rng.normal(size=(8, 60))
    expected = x @ s.T @ np.linalg.inv(s @ s.T + gamma * np.eye(8))

    def ridge(a):
        error = a @ s - x
        return (error**2).sum() + gamma * (a**2).sum(), 2 * error @ s.T + 2 * gamma * a

    result = minimize_lbfgs(Function(ridge), np.zeros((5, 8)), max_iter=500, tol=1e-14)
    np.testing.assert_allclose(result.point, expected, atol=1e-5)


def test_history_begins_at_the_start_and_holds_every_iteration():
    calls = []
    result = minimize_lbfgs(Function(rosenbrock), HARD, callback=lambda *a: calls.append(a))
    assert len(result.history) == result.n_iter + 1 > 10
    assert result.history[0] == rosenbrock(HARD)[0]
    assert (np.diff(result.history) <= 0).all()
    assert [i for i, _, _ in calls] == list(range(1, result.n_iter + 1))
    assert [value for _, value, _ in calls] == list(result.history[1:])
    assert all(point.shape == HARD.shape for _, _, point in calls)
    assert all(rosenbrock(point)[0] == value for _, value, point in calls)
    assert result.value == min(result.history)


def test_the_iteration_limit_is_a_status_and_no_iteration_more_is_made():
    result = minimize_lbfgs(Function(rosenbrock), HARD, max_iter=5)
    assert (result.status, result.n_iter) == (Status.ITERATION_LIMIT, 5)
    assert len(result.history) == 6


@pytest.mark.parametrize("exponent", [-40, -10, 10, 40])
def test_the_unit_of_the_objective_changes_nothing(exponent):
    # With a large constant, like the reconstruction error: gains are small shares of F.
    function, _ = quadratic((6, 4))

    def search(unit):
        def in_units(point):
            value, gradient = function(point)
            return unit * (1 + value), unit * gradient

        return minimize_lbfgs(Function(in_units), np.zeros((6, 4)))

    unit = 2.0**exponent
    plain, scaled = search(1.0), search(unit)
    np.testing.assert_array_equal(scaled.point, plain.point)
    assert (scaled.n_iter, scaled.status) == (plain.n_iter, plain.status)
    np.testing.assert_array_equal(scaled.history, unit * np.array(plain.history))


def test_a_looser_tolerance_stops_earlier():
    loose, tight = (minimize_lbfgs(Function(rosenbrock), HARD, tol=t) for t in (1e-1, 1e-12))
    assert loose.status is tight.status is Status.CONVERGED
    assert loose.n_iter < tight.n_iter
    np.testing.assert_allclose(tight.point, 1, atol=1e-4)


@pytest.mark.parametrize("tol", [1e-3, 1e-5])
def test_over_a_window_the_mean_gain_stops_the_search(tol):
    function, _ = quadratic((20, 5), condition=1e3)

    def raised(point):
        value, gradient = function(point)
        return 1 + value, gradient

    start = np.zeros((20, 5))
    single, ten = (
        minimize_lbfgs(Function(raised), start, max_iter=500, tol=tol, window=w) for w in (1, 10)
    )
    assert ten.status is Status.CONVERGED
    assert ten.value < single.value
    history = np.array(ten.history)
    means = (history[:-10] - history[10:]) / 10 / history[10:]
    assert means[-1] <= tol
    assert (means[:-1] > tol).all()


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_callback_that_returns_true_stops(stop_at):
    result = minimize_lbfgs(Function(rosenbrock), HARD, callback=lambda i, *_: i == stop_at)
    assert (result.status, result.n_iter) == (Status.STOPPED, stop_at)
    assert len(result.history) == stop_at + 1


@pytest.mark.parametrize("after", [1, 2, 5, 20])
def test_an_interrupt_keeps_the_best_point(after):
    def interrupt(point):
        raise KeyboardInterrupt

    function = Function(rosenbrock, after=after, then=interrupt)
    result = minimize_lbfgs(function, HARD)
    assert result.status is Status.INTERRUPTED
    assert result.value == min(function.values) == rosenbrock(result.point)[0]
    assert len(result.history) == result.n_iter + 1


def test_an_interrupt_in_the_callback_keeps_the_best_point():
    def callback(iteration, value, point):
        if iteration == 4:
            raise KeyboardInterrupt

    function = Function(rosenbrock)
    result = minimize_lbfgs(function, HARD, callback=callback)
    assert (result.status, result.n_iter) == (Status.INTERRUPTED, 4)
    assert result.value == min(function.values)


def test_other_errors_of_the_objective_go_through():
    def fail(point):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        minimize_lbfgs(Function(rosenbrock, after=3, then=fail), HARD)


def bad_value(value):
    return lambda point: (value, np.ones_like(point))


def bad_gradient(value):
    return lambda point: (-1e9, np.full_like(point, value))


@pytest.mark.parametrize(
    "then",
    [bad_value(np.nan), bad_value(np.inf), bad_value(-np.inf), bad_gradient(np.nan)],
    ids=["nan", "inf", "-inf", "nan gradient"],
)
def test_an_objective_that_breaks_down_keeps_the_best_finite_point(then):
    for after in (1, 2, 7):
        function = Function(rosenbrock, after=after, then=then)
        result = minimize_lbfgs(function, HARD)
        assert result.status is Status.NOT_FINITE
        assert result.value == min(function.values) == rosenbrock(result.point)[0]
        assert np.isfinite(result.history).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_start_that_is_not_finite_is_no_convergence(value):
    start = np.ones((2, 3))
    result = minimize_lbfgs(Function(bad_value(value)), start)
    assert result.status is Status.NOT_FINITE
    assert not np.isfinite(result.value)
    np.testing.assert_array_equal(result.point, start)


def test_after_an_infinite_value_a_tenth_of_the_step_is_tried():
    tried = []

    def walled(p):
        tried.append(p.item())
        return (-p.sum(), -np.ones_like(p)) if p.item() < 0.5 else (np.inf, p)

    minimize_lbfgs(Function(walled), np.zeros((1, 1)), max_iter=1)
    np.testing.assert_allclose(tried[:3], [0, 1, 0.1], atol=1e-12)


@pytest.mark.parametrize("start", [0.5, 0.8, 2.0])
def test_a_wall_of_infinity_is_stepped_back_from(start):
    def barrier(p):
        inside = (p > 0).all()
        return ((p - 0.01 * np.log(p)).sum(), 1 - 0.01 / p) if inside else (np.inf, p)

    result = minimize_lbfgs(Function(barrier), np.full((2, 2), start), max_iter=200, tol=1e-13)
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(result.point, 0.01, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_an_ascending_gradient_is_not_silent(scale):
    start = np.ones((2, 2))
    result = minimize_lbfgs(Function(lambda p: (scale * (p**2).sum(), -2 * scale * p)), start)
    assert result.status is Status.STALLED
    assert result.value <= scale * 4


@pytest.mark.parametrize("seed", range(5))
def test_is_never_worse_than_the_start(seed):
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(3, 4))

    def inconsistent(p):
        return float(np.cos(p).sum() + np.abs(p).sum()), rng.normal(size=p.shape) + noise

    start = rng.normal(size=(3, 4))
    result = minimize_lbfgs(Function(inconsistent), start, max_iter=20)
    assert result.value <= result.history[0] == np.cos(start).sum() + np.abs(start).sum()


@pytest.mark.parametrize("max_iter", [1, 50])
def test_a_start_at_the_minimum_converges_there(max_iter):
    function, target = quadratic((3, 2))
    result = minimize_lbfgs(Function(function), target, max_iter=max_iter)
    assert (result.status, result.value) == (Status.CONVERGED, 0)
    np.testing.assert_array_equal(result.point, target)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_the_precision(dtype):
    function, target = quadratic((4, 3), condition=10)
    seen = set()

    def spying(point):
        seen.add(point.dtype)
        return function(point)

    result = minimize_lbfgs(Function(spying), np.zeros((4, 3), dtype=dtype), tol=1e-9)
    assert seen == {np.dtype(dtype)}
    assert result.point.dtype == dtype
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(result.point, target, atol=1e-2 if dtype == np.float32 else 1e-4)


@pytest.mark.parametrize("order", ["C", "F"])
def test_the_start_is_left_alone(order):
    function, target = quadratic((4, 3), condition=10)
    start = np.asarray(np.random.default_rng(0).normal(size=(4, 3)), order=order)
    start.flags.writeable = False
    before = start.copy()
    result = minimize_lbfgs(Function(function), start, tol=1e-12)
    np.testing.assert_array_equal(start, before)
    np.testing.assert_allclose(result.point, target, atol=1e-4)
    assert not np.shares_memory(result.point, start)


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


@pytest.mark.parametrize("error", [None, KeyboardInterrupt, ZeroDivisionError])
def test_blas_runs_on_one_thread_and_is_restored(error):
    seen = []

    def spying(point):
        seen.extend(blas_threads())
        if error is not None and len(seen) > 3:
            raise error
        return rosenbrock(point)

    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        try:
            minimize_lbfgs(Function(spying), HARD)
        except ZeroDivisionError:
            assert error is ZeroDivisionError
        assert blas_threads() == before
    assert seen
    assert set(seen) == {1}
