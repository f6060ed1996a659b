import numpy as np
import pytest

from sparsebp.minimizers import Status, minimize_lbfgs, minimize_orthonormal
from sparsebp.penalties import Cauchy, LogCosh, SmoothL1, Topographic
from sparsebp.problems import OrthonormalRows, orthonormal_ica


class Function:
    def __init__(self, function):
        self.function, self.points = function, []

    def value_and_gradient(self, point):
        self.points.append(point)
        return self.function(point)


def trace_problem(n_features, seed=0):
    """Tr W C Wᵀ, least where W spans the eigenvectors of the smallest eigenvalues."""
    eigenvalues = np.arange(1.0, n_features + 1)
    vectors = np.linalg.qr(np.random.default_rng(seed).normal(size=(n_features, n_features)))[0]
    c = (vectors * eigenvalues) @ vectors.T
    return lambda w: (np.vdot(w, w @ c).item(), 2 * w @ c), eigenvalues


def brockett(n_features, n_components, seed=0):
    """Σ nᵣ wᵣC wᵣᵀ with falling weights: the rows are the eigenvectors themselves."""
    trace, eigenvalues = trace_problem(n_features, seed)
    weights = np.arange(n_components, 0, -1.0)[:, None]

    def function(w):
        gradient = weights * trace(w)[1]
        return 0.5 * np.vdot(w, gradient).item(), gradient

    return function, (weights.ravel() * eigenvalues[:n_components]).sum()


def a_start(n_components, n_features, seed=1):
    return np.random.default_rng(seed).normal(size=(n_components, n_features))


def white_sources(n=6, m=800, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, n)) @ rng.laplace(size=(n, m))
    vectors, values, _ = np.linalg.svd(x @ x.T / m)
    return vectors / np.sqrt(values) @ vectors.T @ x


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 4), (3, 5), (5, 5), (4, 12)])
def test_finds_the_smallest_eigenvalues(k, n):
    for seed in range(12):
        function, eigenvalues = trace_problem(n, seed)
        start = a_start(k, n, seed)
        result = minimize_orthonormal(Function(function), start, max_iter=500, tol=1e-13)
        assert result.status is Status.CONVERGED, seed
        assert result.value == pytest.approx(eigenvalues[:k].sum(), rel=1e-8), seed


def test_finds_the_optimum_of_brockett():
    function, optimum = brockett(6, 3)
    result = minimize_orthonormal(Function(function), a_start(3, 6), max_iter=1000, tol=1e-13)
    assert result.value == pytest.approx(optimum, rel=1e-6)


@pytest.mark.parametrize("penalty", [SmoothL1(), LogCosh(), Cauchy(), Topographic((2, 3))])
def test_every_point_evaluated_is_orthonormal_and_f_never_rises(penalty):
    x = white_sources()
    function = Function(orthonormal_ica(penalty).objective("W", {"x": x}).value_and_gradient)
    result = minimize_orthonormal(function, a_start(6, 6))
    for w in [*function.points, result.point]:
        np.testing.assert_allclose(w @ w.T, np.eye(6), atol=1e-10)
    assert (np.diff(result.history) <= 0).all()
    assert len(result.history) == result.n_iter + 1
    assert result.value == result.history[-1] == function.function(result.point)[0]


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_start_is_projected_first(scale):
    function, _ = trace_problem(5)
    start = scale * a_start(3, 5)
    before = start.copy()
    spy = Function(function)
    result = minimize_orthonormal(spy, start)
    np.testing.assert_allclose(spy.points[0], OrthonormalRows.project(start), atol=1e-12)
    assert result.history[0] == pytest.approx(function(OrthonormalRows.project(start))[0])
    np.testing.assert_array_equal(start, before)


def test_more_rows_than_columns_are_refused():
    with pytest.raises(ValueError, match="4 rows of 3 elements cannot be orthonormal"):
        minimize_orthonormal(Function(trace_problem(3)[0]), np.ones((4, 3)))


def test_shortens_the_step_rather_than_the_demanded_decrease():
    """A narrow ravine: the first step lands far up the other side, and no rise is accepted."""

    def narrow(w):
        root = np.hypot(w[0, 1], 1e-4)
        return root, np.array([[0.0, w[0, 1] / root]])

    spy = Function(narrow)
    result = minimize_orthonormal(spy, np.array([[1.0, 0.01]]), tol=1e-12)
    tried = [narrow(w)[0] for w in spy.points]
    assert tried[1] > 5 * tried[0]
    assert (np.diff(result.history) <= 0).all()
    assert result.value < 1.01e-4


@pytest.mark.parametrize("k", [3, 6])
@pytest.mark.parametrize("penalty", [SmoothL1(), LogCosh()])
def test_agrees_with_lbfgs_on_the_same_problem(penalty, k):
    objective = orthonormal_ica(penalty).objective("W", {"x": white_sources()})
    start = OrthonormalRows.project(a_start(k, 6))
    steps = minimize_orthonormal(objective, start, max_iter=2000, tol=1e-10)
    free = minimize_lbfgs(OrthonormalRows(objective), start, max_iter=2000, tol=1e-12)
    assert steps.history[0] == pytest.approx(free.history[0], rel=1e-12)
    assert steps.value == pytest.approx(free.value, abs=1e-5)


@pytest.mark.parametrize("penalty", [SmoothL1(), LogCosh()])
def test_needs_about_one_evaluation_a_step_and_few_steps(penalty):
    for seed in range(8):
        objective = orthonormal_ica(penalty).objective("W", {"x": white_sources(seed=seed)})
        spy = Function(objective.value_and_gradient)
        result = minimize_orthonormal(spy, a_start(6, 6, seed))
        assert result.status is Status.CONVERGED, seed
        assert len(spy.points) < 40, seed
        assert len(spy.points) < 1.6 * result.n_iter, seed


def test_the_iteration_limit_is_a_status():
    result = minimize_orthonormal(Function(brockett(6, 3)[0]), a_start(3, 6), max_iter=3)
    assert (result.status, result.n_iter) == (Status.ITERATION_LIMIT, 3)


@pytest.mark.parametrize("stop_at", [1, 4])
def test_a_callback_that_returns_true_stops(stop_at):
    calls = []

    def callback(iteration, value, point):
        calls.append((iteration, value))
        return iteration == stop_at

    result = minimize_orthonormal(Function(brockett(6, 3)[0]), a_start(3, 6), callback=callback)
    assert (result.status, result.n_iter) == (Status.STOPPED, stop_at)
    assert calls == list(enumerate(result.history))[1:]


@pytest.mark.parametrize("after", [2, 3, 8])
def test_an_interrupt_keeps_the_last_point(after):
    function = brockett(6, 3)[0]

    def interrupted(w):
        if len(spy.points) > after:
            raise KeyboardInterrupt
        return function(w)

    spy = Function(interrupted)
    result = minimize_orthonormal(spy, a_start(3, 6))
    assert result.status is Status.INTERRUPTED
    assert result.value == function(result.point)[0] == min(result.history)
    assert len(result.history) == result.n_iter + 1


def test_an_interrupt_in_the_callback_keeps_the_last_point():
    def callback(iteration, value, point):
        raise KeyboardInterrupt

    result = minimize_orthonormal(Function(brockett(6, 3)[0]), a_start(3, 6), callback=callback)
    assert (result.status, result.n_iter) == (Status.INTERRUPTED, 1)


def test_a_start_that_is_not_finite_says_so():
    result = minimize_orthonormal(Function(lambda w: (np.nan, w)), a_start(2, 3))
    assert (result.status, result.n_iter) == (Status.NOT_FINITE, 0)


def test_an_objective_that_breaks_down_keeps_the_best_point():
    function = brockett(6, 3)[0]
    spy = Function(lambda w: function(w) if len(spy.points) <= 4 else (np.nan, w))
    result = minimize_orthonormal(spy, a_start(3, 6))
    assert result.status in {Status.NOT_FINITE, Status.STALLED}
    assert result.value == function(result.point)[0]


def test_an_ascending_gradient_stalls():
    function = trace_problem(5)[0]

    def uphill(w):
        value, gradient = function(w)
        return value, -gradient

    result = minimize_orthonormal(Function(uphill), a_start(3, 5))
    assert (result.status, result.n_iter) == (Status.STALLED, 0)


def test_a_start_at_the_minimum_converges_there():
    c = np.diag(np.arange(1.0, 6))
    result = minimize_orthonormal(
        Function(lambda w: (np.vdot(w, w @ c).item(), 2 * w @ c)), np.eye(2, 5)
    )
    assert (result.status, result.value) == (Status.CONVERGED, 3.0)


def test_keeps_float32():
    x = white_sources().astype(np.float32)
    objective = orthonormal_ica(SmoothL1()).objective("W", {"x": x})
    result = minimize_orthonormal(objective, a_start(6, 6).astype(np.float32))
    assert result.point.dtype == np.float32
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(result.point @ result.point.T, np.eye(6), atol=1e-5)


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
def test_the_unit_of_the_objective_does_not_matter(unit):
    x = np.random.default_rng(0).laplace(size=(6, 400))

    class Scaled:
        def value_and_gradient(self, w):
            value, gradient = (
                orthonormal_ica(SmoothL1(1e-2)).objective("W", {"x": x}).value_and_gradient(w)
            )
            return unit * value, unit * gradient

    start = np.random.default_rng(1).normal(size=(6, 6))
    result = minimize_orthonormal(Scaled(), start)
    assert (
        result.n_iter
        == minimize_orthonormal(
            orthonormal_ica(SmoothL1(1e-2)).objective("W", {"x": x}), start
        ).n_iter
    )
