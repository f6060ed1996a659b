import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from thinning import first_fast
from threadpoolctl import threadpool_info, threadpool_limits

from sparsebp.samples import ArraySamples, count_threads, in_order, one_blas_thread


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


def test_limits_and_restores_the_threads_also_when_nested():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        with one_blas_thread():
            with one_blas_thread():
                assert set(blas_threads()) == {1}
            assert set(blas_threads()) == {1}
        assert blas_threads() == before


def search_until(entered, leave):
    with one_blas_thread():
        entered.set()
        leave.wait(10)


def test_overlapping_searches_restore_the_threads_when_the_last_one_ends():
    entered, leave = threading.Event(), threading.Event()
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        other = threading.Thread(target=search_until, args=(entered, leave))
        with one_blas_thread():
            other.start()
            assert entered.wait(10)
        assert set(blas_threads()) == {1}
        leave.set()
        other.join(10)
        assert blas_threads() == before


def test_a_search_in_one_thread_leaves_others_free_to_limit_blas():
    """Threadpoolctl lets one thread at a time control BLAS; control must not be kept."""
    seen = []

    def limited():
        with one_blas_thread():
            seen.append(set(blas_threads()))
        with threadpool_limits(3, user_api="blas"):
            seen.append(set(blas_threads()))

    with one_blas_thread():
        pass
    with threadpool_limits(2, user_api="blas"):
        pass
    other = threading.Thread(target=limited)
    other.start()
    other.join(10)
    assert seen == [{1}, {3}]


def test_the_number_of_jobs_is_what_blas_may_use_outside_a_search():
    with threadpool_limits(2, user_api="blas"):
        expected = min(blas_threads())
        with one_blas_thread():
            assert count_threads(None) == expected


def test_no_thread_of_a_pool_stays():
    before = threading.active_count()
    for n_threads in (2, 3, 9):
        list(in_order(lambda n: n, range(20), n_threads))
    assert threading.active_count() == before


def test_calls_are_made_here_where_no_thread_starts(monkeypatch):
    def refuse(self, *_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(ThreadPoolExecutor, "submit", refuse)
    assert list(in_order(lambda n: n * n, range(5), 2)) == [0, 1, 4, 9, 16]
    with pytest.raises(ZeroDivisionError):
        list(in_order(lambda n: 1 // n, range(5), 2))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_has_no_limits_of_threads_that_it_lacks():
    entered, leave = threading.Event(), threading.Event()
    with threadpool_limits(2, user_api="blas"):
        expected = blas_threads()
        other = threading.Thread(target=search_until, args=(entered, leave))
        other.start()
        assert entered.wait(10)
        pid = os.fork()
        if pid == 0:
            os._exit(0 if blas_threads() == expected else 1)
        leave.set()
        other.join(10)
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.parametrize("limit", [1, 2])
def test_no_number_of_jobs_is_what_blas_may_use(limit):
    with threadpool_limits(limit, user_api="blas"):
        assert count_threads(None) == min(blas_threads()) == limit


def test_negative_numbers_of_jobs_count_from_the_processors():
    affinity = getattr(os, "sched_getaffinity", None)
    n_processors = len(affinity(0)) if affinity else os.cpu_count()
    assert count_threads(-1) == n_processors
    assert count_threads(-2) == max(n_processors - 1, 1)
    assert count_threads(-n_processors - 5) == 1


@pytest.mark.parametrize("n_jobs", [0, 1.0, True, "2", np.ones(2)])
def test_no_other_numbers_of_jobs_are_taken(n_jobs):
    with pytest.raises((TypeError, ValueError), match="n_jobs must be a number of threads, −1 f"):
        count_threads(n_jobs)


@pytest.mark.parametrize("n_jobs", [1, 5])
def test_positive_numbers_of_jobs_are_themselves(n_jobs):
    with threadpool_limits(1, user_api="blas"):
        assert count_threads(n_jobs) == n_jobs


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity")
def test_processors_that_are_not_ours_do_not_count():
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert (count_threads(-1), count_threads(-2)) == (1, 1)
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 8])
def test_the_order_is_kept_where_early_items_are_slow(n_threads):
    def slow_at_first(n):
        time.sleep(0.01 if n % 3 == 0 else 0)
        return n * n

    for n_items in (0, 1, 2, 3, 20):
        outcomes = list(in_order(slow_at_first, iter(range(n_items)), n_threads))
        assert outcomes == [n * n for n in range(n_items)]


def test_several_items_are_at_work_at_the_same_time():
    meeting = threading.Barrier(3)
    assert len(list(in_order(lambda n: meeting.wait(10), range(6), 3))) == 6


@pytest.mark.parametrize(("n_threads", "n_items"), [(1, 5), (3, 1), (0, 2)])
def test_one_thread_or_item_stays_in_the_caller(n_threads, n_items):
    threads = set(in_order(lambda n: threading.get_ident(), range(n_items), n_threads))
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("n_threads", first_fast([2, 1, 3], 2))
@pytest.mark.parametrize(
    ("bad", "error"), [(0, ZeroDivisionError), (4, KeyboardInterrupt), (9, ZeroDivisionError)]
)
def test_errors_go_through_after_the_outcomes_before_them(bad, n_threads, error):
    def fail(n):
        if n == bad:
            raise error(n)
        return n

    seen, before = [], blas_threads()
    with threadpool_limits(2, user_api="blas"):
        limited = blas_threads()
        with pytest.raises(error):
            seen.extend(in_order(fail, range(10), n_threads))
        assert blas_threads() == limited
    assert blas_threads() == before
    assert list(in_order(lambda n: n, range(10), n_threads)) == list(range(10))


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_error_state_is_the_callers(n_threads):
    def divide(n):
        return np.array([1.0]) / np.array([0.0])

    with np.errstate(divide="ignore"):
        assert all(np.isinf(q) for q in in_order(divide, range(4), n_threads))
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        list(in_order(divide, range(4), n_threads))


@pytest.mark.parametrize("n_threads", [2, 3])
def test_few_outcomes_wait_for_a_slow_reader(n_threads):
    started = []
    for n_read, _ in enumerate(in_order(started.append, range(40), n_threads), start=1):
        time.sleep(0.002)
        assert len(started) - n_read <= n_threads + 1
    assert len(started) == 40


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_a_reader_who_leaves_early_restores_blas_and_starts_nothing_more(n_threads):
    started = []
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        outcomes = in_order(started.append, range(40), n_threads)
        next(outcomes)
        outcomes.close()
        assert blas_threads() == before
    n_started = len(started)
    time.sleep(0.02)
    assert len(started) <= n_started + n_threads
    assert len(started) <= n_threads + 2


def test_blas_runs_on_one_thread_in_every_call():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        for counts in in_order(lambda n: blas_threads(), range(6), 2):
            assert set(counts) == {1}
        assert blas_threads() == before


def test_calls_within_calls_do_not_wait_for_each_other_for_ever():
    """Of another number of threads: the inner calls have a pool of their own."""

    def inner(n):
        return sum(in_order(lambda k: n * k, range(4), 3))

    assert list(in_order(inner, range(6), 2)) == [6 * n for n in range(6)]


def test_several_callers_at_once_get_their_own_outcomes():
    found = {}

    def call(shift):
        found[shift] = list(in_order(lambda n: n + shift, range(30), 2))

    callers = [threading.Thread(target=call, args=(1000 * i,)) for i in range(4)]
    before = blas_threads()
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    assert found == {s: [n + s for n in range(30)] for s in range(0, 4000, 1000)}
    assert blas_threads() == before


def total_of(x):
    return ArraySamples(x, 2).sum(lambda block: (block.sum(),))[0]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_has_threads_again():
    x = np.ones((2, 10_000))
    expected = total_of(x)  # the parent's pool has its threads now
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(float(total_of(x))), daemon=True)
    child.start()
    try:
        assert receiver.poll(10), "the child hangs"
        assert receiver.recv() == expected
        child.join(10)
        assert child.exitcode == 0
    finally:
        if child.is_alive():
            child.kill()
            child.join(10)
    assert total_of(x) == expected


def test_calls_at_work_end_before_an_interrupt_is_reraised():
    """Limits on BLAS' threads stay where another thread is the last to lift them."""
    begun, ended = threading.Event(), []

    def call(item):
        if item == 0:
            assert begun.wait(30)
            raise KeyboardInterrupt
        begun.set()
        time.sleep(0.2)
        ended.append(item)

    with pytest.raises(KeyboardInterrupt):
        list(in_order(call, [0, 1], n_threads=2))
    assert ended == [1]


def test_an_interrupt_while_waiting_lets_the_call_waited_for_end():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    begun, ended = threading.Event(), []

    def call(item):
        if item == 0:
            assert begun.wait(30)
            os.kill(os.getpid(), signal.SIGINT)
        begun.set()
        time.sleep(0.2)
        ended.append(item)

    try:
        with pytest.raises(KeyboardInterrupt):
            list(in_order(call, [0, 1], n_threads=2))
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(ended) == [0, 1]
