import numpy as np
import pytest

from sparsebp.estimators._signs import SignRule, minimize_choosing_signs
from sparsebp.minimizers import Result, Status
from sparsebp.penalties import LogCosh, Signed, SmoothL1
from sparsebp.samples import ArraySamples

RNG = np.random.default_rng(0)
SOURCES = np.stack([RNG.laplace(size=3000), RNG.uniform(-1, 1, size=3000), np.zeros(3000)])
START = np.eye(3)
RULE = SignRule(LogCosh(), ArraySamples(SOURCES), lambda point: point)


def test_the_excess_is_negative_for_sparse_responses():
    found = RULE.excess_at(np.eye(3))
    assert found.excess[0] < -0.003 < 0.003 < found.excess[1]
    assert (found.noise < 1e-12).all()
    scaled = SignRule(LogCosh(1 / 10), ArraySamples(10 * SOURCES), np.asarray).excess_at(np.eye(3))
    np.testing.assert_allclose(scaled.excess, 10 * found.excess, rtol=1e-3)


def test_the_standard_error_is_that_of_gaussian_responses():
    noise = np.random.default_rng(0).normal(size=(400, 900))
    found = SignRule(SmoothL1(), ArraySamples(noise), np.asarray).excess_at(np.eye(400))
    assert np.std(found.excess / found.error) == pytest.approx(1, abs=0.1)


def test_signs_are_those_of_the_responses_and_stay_where_nothing_speaks():
    assert RULE.signs_at(np.eye(3), (1, 1, 1)) == (1, -1, 1)
    assert RULE.signs_at(np.eye(3), (-1, 1, -1)) == (1, -1, -1)


@pytest.mark.parametrize("offset", [5.0, -5.0])
def test_a_mean_is_no_sparseness(offset):
    rule = SignRule(LogCosh(), ArraySamples(SOURCES[:2] + offset), lambda point: point)
    assert rule.signs_at(np.eye(2), (1, 1)) == (1, -1)


def test_no_signs_leave_the_penalty_as_it_is():
    assert RULE.signed((1, 1)) == LogCosh()
    assert RULE.signed((1, -1)) == Signed(LogCosh(), (1, -1))


class Alternating(SignRule):
    """A rule whose signs never settle."""

    def signs_at(self, point, signs, *, doubt=0.0):
        return tuple(-sign for sign in signs)

    def rotated_to_start(self, point, start, signs):
        return point


ALTERNATING = Alternating(LogCosh(), ArraySamples(SOURCES), lambda point: point)


def steps(n_iter, status):
    def search(penalty, start, *, near, max_iter, callback):
        done = 0
        for done in range(1, min(n_iter, max_iter) + 1):
            if callback(done, 0.0, start):
                return Result(start, 0.0, done, Status.STOPPED, (0.0,) * (done + 1))
        ended = status if done == n_iter else Status.ITERATION_LIMIT
        return Result(start, 0.0, done, ended, (0.0,) * (done + 1))

    return search


def choose(search, rule, *, max_iter=1000, callback=lambda *args: False):
    return minimize_choosing_signs(
        search, rule, START, drawn=True, max_iter=max_iter, callback=callback
    )


def test_signs_that_never_settle_are_told_and_iterations_are_limited():
    result, penalty = choose(steps(3, Status.CONVERGED), ALTERNATING)
    assert result.status is Status.UNSETTLED
    assert (len(result.history), result.n_iter) == (61, 60)
    assert penalty == LogCosh()
    result, _ = choose(steps(3, Status.CONVERGED), ALTERNATING, max_iter=10)
    assert (result.status, result.n_iter) == (Status.ITERATION_LIMIT, 10)


def test_the_callback_is_told_of_every_iteration_and_of_the_signs():
    told = []
    result, penalty = choose(
        steps(6, Status.CONVERGED), RULE, callback=lambda i, v, at: told.append((i, at.penalty))
    )
    assert [i for i, _ in told] == list(range(1, result.n_iter + 1))
    assert told[-1][1] == penalty == Signed(LogCosh(), (1, -1, 1))
    assert result.status is Status.CONVERGED


def test_the_callback_may_stop_and_a_failure_ends_the_search():
    result, _ = choose(steps(6, Status.CONVERGED), RULE, callback=lambda i, v, at: i == 2)
    assert (result.status, result.n_iter) == (Status.STOPPED, 2)
    for status in (Status.STALLED, Status.NOT_FINITE, Status.INTERRUPTED):
        assert choose(steps(3, status), RULE)[0].status is status


def test_rounding_is_no_reason_for_a_sign():
    rule = SignRule(
        SmoothL1(0.3), ArraySamples(np.zeros((4, 5001), np.float32)), lambda point: point
    )
    for signs in ((1,) * 4, (-1,) * 4):
        assert rule.signs_at(np.eye(4, dtype=np.float32), signs) == signs


@pytest.mark.parametrize("drawn", [True, False])
def test_a_given_start_is_taken_at_its_word(drawn):
    """Nearly Gaussian responses have signs where filters are given, +1 where they are drawn."""
    noise = ArraySamples(np.random.default_rng(0).normal(size=(20, 900)))
    rule, told = SignRule(LogCosh(), noise, lambda point: point), []
    minimize_choosing_signs(
        steps(1, Status.STALLED),
        rule,
        np.eye(20),
        drawn=drawn,
        max_iter=9,
        callback=lambda i, v, at: told.append(at.penalty),
    )
    assert (told[0] == LogCosh()) == drawn


def test_only_a_search_from_a_minimum_is_near():
    near = []

    def search(penalty, start, **limits):
        near.append(limits["near"])
        return Result(start, 0.0, 3, Status.CONVERGED, (0.0,) * 4)

    choose(search, ALTERNATING, max_iter=9)
    assert near == [False, True, True]


def test_signs_are_there_before_the_search_and_checked_after():
    told = []

    def search(penalty, start, *, near, max_iter, callback):
        told.append((penalty, start))
        point = np.eye(3)[[1, 0, 2]] if len(told) == 1 else start
        return Result(point, 0.0, 3, Status.CONVERGED, (0.0,) * 4)

    _, penalty = choose(search, RULE)
    assert [p.signs for p, _ in told] == [(1, -1, 1), (-1, 1, 1)]
    assert penalty == told[-1][0]


def test_where_all_is_sparse_the_search_begins_at_the_start():
    sparse = SignRule(LogCosh(), ArraySamples(RNG.laplace(size=(3, 900))), lambda point: point)
    begun = []

    def search(penalty, start, **limits):
        begun.append(start)
        return Result(start, 0.0, 1, Status.STOPPED, (0.0,) * 2)

    choose(search, sparse)
    assert begun[0] is START


def test_what_is_in_doubt_counts_as_less_sparse_than_a_gaussian():
    noise = ArraySamples(np.random.default_rng(0).normal(size=(20, 900)))
    rule = SignRule(LogCosh(), noise, lambda point: point)
    assert 1 in rule.signs_at(np.eye(20), (1,) * 20)
    assert rule.signs_at(np.eye(20), (1,) * 20, doubt=4.0) == (-1,) * 20


def test_first_signs_come_from_few_samples():
    many = np.random.default_rng(0).laplace(size=(4, 2000))
    rule = SignRule(LogCosh(), ArraySamples(many), lambda point: point)
    few = rule._on_few_samples().samples.block(0)
    assert few.shape == (4, 256)
    assert set(few[0]) < set(many[0])
    short = SignRule(LogCosh(), ArraySamples(many[:, :500]), lambda point: point)
    assert short._on_few_samples() is short


def test_sparse_filters_are_found_from_a_start_of_responses_that_are_not():
    X = np.random.default_rng(0).laplace(size=(20, 1200))
    X /= np.linalg.norm(X, axis=0)
    rule = SignRule(SmoothL1(1e-3), ArraySamples(X), lambda point: point)
    start = np.linalg.qr(np.random.default_rng(1).normal(size=(20, 20)))[0]
    assert rule.signs_at(start, (1,) * 20).count(-1) > 10
    found = rule.sparse_filters(start, 100)
    assert rule.signs_at(found, (1,) * 20, doubt=2.0) == (1,) * 20
    np.testing.assert_allclose(found @ found.T, np.eye(20), atol=1e-12)


def test_filters_of_sign_minus_one_are_mixed_among_themselves():
    rng = np.random.default_rng(0)
    point, start = (np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(2))
    rule = SignRule(LogCosh(), ArraySamples(rng.normal(size=(4, 50))), lambda point: point)
    mixed = rule.rotated_to_start(point, start, (1, -1, 1, -1))
    np.testing.assert_array_equal(mixed[::2], point[::2])
    np.testing.assert_allclose(mixed @ mixed.T, np.eye(4), atol=1e-12)
    alike = np.trace(mixed[1::2] @ start[1::2].T)
    assert alike > np.trace(point[1::2] @ start[1::2].T)


def test_iterations_are_counted_over_changes_of_signs():
    told = []
    search = steps(3, Status.CONVERGED)
    result, _ = choose(search, ALTERNATING, max_iter=9, callback=lambda i, v, at: told.append(i))
    assert told == list(range(1, 10))
    assert result.n_iter == 9


def test_nearly_gaussian_responses_are_in_doubt_at_first():
    noise = ArraySamples(np.random.default_rng(0).normal(size=(6, 300)))
    rule = SignRule(LogCosh(), noise, lambda point: point)
    certain = rule.signs_at(rule.sparse_filters(np.eye(6), 1), (1,) * 6)
    assert rule.first_signs(np.eye(6), 1)[0].count(-1) > certain.count(-1)


def test_the_search_for_first_signs_can_be_recorded():
    seen = []

    def taped(objective):
        seen.append(objective)
        return objective

    samples = ArraySamples(RNG.laplace(size=(3, 100)))
    SignRule(LogCosh(), samples, lambda point: point, taped).first_signs(np.eye(3), 3)
    assert len(seen) == 1
