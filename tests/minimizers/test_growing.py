from itertools import pairwise

import numpy as np
import pytest
from thinning import first_fast

from sparsebp.minimizers import WINDOW, Status, minimize_lbfgs
from sparsebp.minimizers.growing import growing_subsets, minimize_growing
from sparsebp.penalties import LogCosh
from sparsebp.problems import OrthonormalRows, orthonormal_ica
from sparsebp.samples import ArraySamples

N = 3
MANY = 5_000  # for three rows the stages below
STAGES = (48, 225, 1062, 5000)


def regression(m, n=N, seed=0):
    """Targets and inputs, stacked: an objective with one minimum, known in closed form."""
    rng = np.random.default_rng([seed, m])
    inputs = rng.normal(size=(n + 1, m)) * np.arange(1, n + 2)[:, None]
    return np.vstack([rng.normal(size=(n, n + 1)) @ inputs + rng.normal(size=(n, m)), inputs])


def start_of(n=N):
    return np.full((n, n + 1), 0.5)


class Ridge:
    """Mean of ‖Pz − y‖² over samples, with a little decay."""

    def __init__(self, samples, watch=None):
        self.x, self.watch = samples.block(0, samples.shape[1]), watch

    def parts(self, n):
        return self.x[:n], self.x[n:], self.x.shape[1]

    def value_and_gradient(self, point):
        if self.watch is not None:
            self.watch.append(self.x.shape[1])
        y, z, m = self.parts(len(point))
        error = point @ z - y
        value = (error**2).sum() / m + 0.01 * (point**2).sum()
        return float(value), 2 * error @ z.T / m + 0.02 * point

    def minimum(self, n=N):
        y, z, m = self.parts(n)
        return y @ z.T @ np.linalg.inv(z @ z.T + 0.01 * m * np.eye(len(z)))


def grow(x, start=None, *, objective_of=Ridge, seed=0, **options):
    options = {"max_iter": 200, "tol": 1e-13, **options}
    start = start_of() if start is None else start
    rng = np.random.default_rng(seed)
    stages = growing_subsets(ArraySamples(x), 16 * len(start), rng)
    return minimize_growing(objective_of, stages, start, **options)


class Stages:
    """Makes the objective of each stage, and keeps where it was evaluated and what was told."""

    def __init__(self, objective_of=Ridge, stop_at=None):
        self.objective_of, self.stop_at = objective_of, stop_at
        self.samples, self.evaluated, self.told = [], [], []

    def __call__(self, samples):
        objective, evaluated = self.objective_of(samples), []
        self.samples.append(samples)
        self.evaluated.append(evaluated)
        inside = objective.value_and_gradient

        def value_and_gradient(point):
            value, gradient = inside(point)
            evaluated.append((value, point.copy()))
            return value, gradient

        objective.value_and_gradient = value_and_gradient
        return objective

    def grow(self, x, start=None, **options):
        return grow(x, start, objective_of=self, callback=self.callback, **options)

    def callback(self, iteration, value, point):
        self.told.append((len(self.samples) - 1, value))
        return iteration == self.stop_at

    @property
    def sizes(self):
        return tuple(samples.shape[1] for samples in self.samples)

    def n_iter(self, stage):
        return [told for told, _ in self.told].count(stage)

    def best(self, stage):
        finite = [found for found in self.evaluated[stage] if np.isfinite(found[0])]
        return min(finite, key=lambda found: found[0])


def assert_same(one, other):
    np.testing.assert_array_equal(one.point, other.point)
    assert (one.value, one.n_iter, one.status) == (other.value, other.n_iter, other.status)
    assert one.history == other.history


@pytest.mark.parametrize("m", [1, 20, 16 * 4 * N - 1])
@pytest.mark.parametrize("max_iter", [1, 200])
def test_few_samples_make_one_stage_which_is_the_plain_search(m, max_iter):
    x = regression(m)
    stages = Stages()
    found = stages.grow(x, max_iter=max_iter)
    limits = {"max_iter": max_iter, "tol": 1e-13, "window": WINDOW}
    plain = minimize_lbfgs(Ridge(ArraySamples(x)), start_of(), **limits)
    assert_same(found, plain)
    assert stages.sizes == (m,)


def test_few_samples_leave_the_generator_alone():
    rng = np.random.default_rng(3)
    samples = ArraySamples(regression(50))
    assert growing_subsets(samples, 16 * N, rng) == [samples]
    assert rng.random() == np.random.default_rng(3).random()


@pytest.mark.parametrize(("m", "sizes"), [(16 * 4 * N, (48, 192)), (MANY, STAGES)])
def test_the_stages_grow_and_each_begins_where_the_last_one_ended(m, sizes):
    stages = Stages()
    result = stages.grow(regression(m))
    assert stages.sizes == sizes
    starts = [evaluated[0][1] for evaluated in stages.evaluated]
    np.testing.assert_array_equal(starts[0], start_of())
    for stage, start in enumerate(starts[1:]):
        np.testing.assert_array_equal(start, stages.best(stage)[1])
    assert result.n_iter == len(stages.told)


def test_early_stages_end_as_with_a_tolerance_of_5e_5_or_that_which_is_asked_for_if_larger():
    for asked, used in ((1e-13, 5e-5), (1e-2, 1e-2)):
        stages = Stages()
        stages.grow(regression(MANY), tol=asked)
        for stage, samples in enumerate(stages.samples):
            last = samples.shape[1] == MANY
            start, tol = stages.evaluated[stage][0][1], asked if last else used
            limits = {"max_iter": 200, "tol": tol, "window": WINDOW if last else 1}
            plain = minimize_lbfgs(Ridge(samples), start, **limits)
            assert stages.n_iter(stage) == plain.n_iter


def test_the_stages_hold_random_samples_each_within_the_next():
    seen = []

    def objective_of(samples):
        seen.append(samples)
        return Ridge(samples)

    x = regression(MANY)
    grow(x, objective_of=objective_of)
    *early, last = (s.block(0, s.shape[1]) for s in seen)
    assert last is x or np.shares_memory(last, x)
    orders = [np.searchsorted(np.sort(x[0]), part[0]) for part in early]  # values are unique
    for few, more in pairwise(orders):
        assert set(few) < set(more)
    for order in orders:
        assert len(set(order)) == len(order)
        assert 0.3 < np.mean(order) / MANY < 0.7


@pytest.mark.parametrize("seed", range(4))
def test_the_result_is_the_minimum_of_all_samples(seed):
    x = regression(MANY, seed=seed)
    objective = Ridge(ArraySamples(x))
    result = grow(x, seed=seed)
    value, gradient = objective.value_and_gradient(result.point)
    assert result.status is Status.CONVERGED
    assert result.value == value
    assert np.abs(gradient).max() < 1e-4
    np.testing.assert_allclose(result.point, objective.minimum(), atol=1e-5)
    plain = minimize_lbfgs(objective, start_of(), max_iter=200, tol=1e-13)
    assert result.value == pytest.approx(plain.value, rel=1e-10)


def test_all_samples_are_evaluated_less_often_than_by_the_plain_search():
    evaluated = []

    def objective_of(samples):
        return Ridge(samples, watch=evaluated)

    x = regression(20_000)
    grow(x, objective_of=objective_of, tol=1e-6)
    n_growing, evaluated[:] = evaluated.count(20_000), []
    limits = {"max_iter": 200, "tol": 1e-6, "window": WINDOW}
    minimize_lbfgs(objective_of(ArraySamples(x)), start_of(), **limits)
    assert n_growing < evaluated.count(20_000)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_the_precision_and_the_start(dtype):
    start = start_of().astype(dtype)
    start.flags.writeable = False
    result = grow(regression(MANY).astype(dtype), start, tol=1e-6)
    assert result.point.dtype == dtype
    np.testing.assert_array_equal(start, 0.5)


@pytest.mark.parametrize("max_iter", first_fast([1, 2, 3, 5, 8, 13, 500], 4))
def test_the_iterations_of_all_stages_are_counted_together(max_iter):
    x = np.random.default_rng(0).laplace(size=(N, MANY))
    calls = []

    def objective_of(samples):
        sparsity = orthonormal_ica(LogCosh()).objective("W", {"x": samples})
        return OrthonormalRows(sparsity)

    start = OrthonormalRows.project(np.random.default_rng(1).normal(size=(N, N)))
    result = grow(
        x,
        start,
        objective_of=objective_of,
        max_iter=max_iter,
        callback=lambda *a: calls.append(a),
    )
    assert result.n_iter <= max_iter
    assert [i for i, _, _ in calls] == list(range(1, result.n_iter + 1))
    assert [value for _, value, _ in calls] == list(result.history[1:])
    assert len(result.history) == result.n_iter + 1
    expected = Status.CONVERGED if max_iter == 500 else Status.ITERATION_LIMIT
    assert result.status is expected
    value = objective_of(ArraySamples(x)).value_and_gradient(result.point)[0]
    assert result.value == pytest.approx(value, rel=1e-12)


def test_the_last_iteration_is_on_all_samples_where_they_run_out():
    stages = Stages()
    result = stages.grow(regression(MANY), max_iter=4)
    assert stages.sizes[-1] == MANY
    assert stages.n_iter(len(stages.sizes) - 1) == 1
    assert (result.n_iter, result.status) == (4, Status.ITERATION_LIMIT)


def test_history_begins_at_the_start_on_the_first_stage():
    stages = Stages()
    result = stages.grow(regression(MANY))
    assert result.history[0] == stages.evaluated[0][0][0]
    assert list(result.history[1:]) == [value for _, value in stages.told]
    for stage, value in stages.told:
        assert value in [found for found, _ in stages.evaluated[stage]]


@pytest.mark.parametrize("stop_at", [1, 3])
def test_a_callback_that_returns_true_stops_in_an_early_stage(stop_at):
    stages = Stages(stop_at=stop_at)
    result = stages.grow(regression(MANY))
    assert (result.status, result.n_iter) == (Status.STOPPED, stop_at)
    assert stages.sizes == STAGES[:1]
    plain = minimize_lbfgs(Ridge(stages.samples[0]), start_of(), max_iter=stop_at, tol=1e-13)
    np.testing.assert_array_equal(result.point, plain.point)
    assert result.history == plain.history


def test_a_callback_that_returns_true_stops_in_a_later_stage():
    whole = Stages()
    history = whole.grow(regression(MANY)).history
    stages = Stages(stop_at=whole.n_iter(0) + 1)
    result = stages.grow(regression(MANY))
    assert (result.status, result.n_iter) == (Status.STOPPED, stages.stop_at)
    assert stages.sizes == STAGES[:2]
    assert result.history == history[: stages.stop_at + 1]


def breaks_in(stage, what):
    """Makes objectives of which one stage's breaks down at its third evaluation."""

    def objective_of(samples):
        objective = Ridge(samples)
        inside, n_calls = objective.value_and_gradient, 0

        def value_and_gradient(point):
            nonlocal n_calls
            n_calls += 1
            broken = samples.shape[1] == STAGES[stage] and n_calls > 2
            return what(point) if broken else inside(point)

        objective.value_and_gradient = value_and_gradient
        return objective

    return objective_of


def interrupt(point):
    raise KeyboardInterrupt


def not_finite(point):
    return np.nan, point


@pytest.mark.parametrize(
    ("what", "status"), [(interrupt, Status.INTERRUPTED), (not_finite, Status.NOT_FINITE)]
)
@pytest.mark.parametrize("stage", range(len(STAGES)))
def test_a_breakdown_in_any_stage_ends_the_search(stage, what, status):
    x = regression(MANY)
    stages = Stages(breaks_in(stage, what))
    result = stages.grow(x)
    assert result.status is status
    assert stages.sizes == STAGES[: stage + 1]
    assert len(result.history) == result.n_iter + 1
    assert np.isfinite(result.history).all()
    assert np.isfinite(result.point).all()
    value, point = stages.best(stage)
    assert result.value == value
    np.testing.assert_array_equal(result.point, point)


def test_a_start_that_is_not_finite_ends_the_first_stage():
    stages = Stages()
    result = stages.grow(regression(MANY), np.full((N, N + 1), np.nan))
    assert (result.status, result.n_iter) == (Status.NOT_FINITE, 0)
    assert stages.sizes == STAGES[:1]
    assert len(result.history) == 1


def test_an_early_stage_that_stalls_is_followed_by_the_others():
    def objective_of(samples):
        objective = Ridge(samples)
        if samples.shape[1] == MANY:
            return objective
        inside = objective.value_and_gradient
        objective.value_and_gradient = lambda p: (inside(p)[0], -inside(p)[1])
        return objective

    stages = Stages(objective_of)
    result = stages.grow(regression(MANY))
    assert stages.n_iter(0) == 0
    assert stages.sizes == STAGES
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(
        result.point, Ridge(ArraySamples(regression(MANY))).minimum(), atol=1e-5
    )


@pytest.mark.parametrize("make", [np.random.default_rng, np.random.RandomState])
def test_the_same_seed_gives_the_same_result(make):
    samples = ArraySamples(regression(MANY))

    def run(seed):
        stages = growing_subsets(samples, 16 * N, make(seed))
        return minimize_growing(Ridge, stages, start_of(), max_iter=100, tol=1e-6)

    assert_same(run(5), run(5))
    assert run(5).history != run(6).history


def test_an_interrupt_between_stages_keeps_the_last_stage():
    prepared = []

    def objective_of(samples):
        prepared.append(samples.shape[1])
        if len(prepared) == 3:
            raise KeyboardInterrupt
        return Ridge(samples)

    result = grow(regression(MANY), objective_of=objective_of)
    assert result.status is Status.INTERRUPTED
    expected = Ridge(ArraySamples(regression(MANY)))
    assert (
        expected.value_and_gradient(result.point)[0] < (expected.value_and_gradient(start_of())[0])
    )


def test_an_interrupt_before_the_first_stage_is_reraised():
    def objective_of(samples):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grow(regression(MANY), objective_of=objective_of)
