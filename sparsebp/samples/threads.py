"""Threads: one for BLAS during a fit, several for blocks of samples."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

from sparsebp._checks import is_flag, mistake

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

# What follows belongs to the process. The lock may be taken again by the thread that has it: a
# generator that is collected while it is held lifts limits too.
_lock = threading.RLock()
_inside: set[int] = set()  # threads that need BLAS on one thread
_before: list[tuple[Any, int]] = []  # BLAS libraries, and the threads of each before that
_pools: dict[int, ThreadPoolExecutor] = {}  # by size; they end with the limits
_this = threading.local()  # whether this thread is one of a pool


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Return a context, or a decorator, in which BLAS runs on one thread.

    NumPy's and SciPy's thread pools compete for the cores during the small products of an
    L-BFGS loop, which makes it many times slower than a single thread. With one thread everywhere
    in a fit its result does not depend on how many BLAS could use, nor on ``n_jobs``, to the last
    bit. The number of threads belongs to the whole process, so of searches that overlap in several
    threads the first limits it and the last restores it. A process forked meanwhile has the limit
    only where the thread that forks it does.
    """
    me = threading.get_ident()
    if me in _inside or _is_in_pool():  # whoever waits for a pool has limited BLAS
        yield
        return
    try:
        _limit(me)
        yield
    finally:
        _inside.discard(me)  # first, and by one call: a Ctrl-C may come at any later one
        _lift()


def _limit(thread: int) -> None:
    with _lock:
        _inside.add(thread)
        if not _before:
            _before[:] = [(library, library.num_threads) for library in _blas()]
        _set_threads([(library, 1) for library, _ in _before])


def _lift() -> None:
    """Where no thread needs the limits any more, restore BLAS and end the pools."""
    with _lock:
        if _inside:
            return
        _set_threads(_before)
        _before.clear()
        pools = list(_pools.values())
        _pools.clear()
    for pool in pools:
        pool.shutdown()


def _set_threads(numbers: list[tuple[Any, int]]) -> None:
    for library, n_threads in numbers:
        # Newer versions of threadpoolctl obey the first thread alone until it lets go. Here the
        # thread that restores may be another than the one that limited, and neither keeps control.
        let_go = getattr(library, "clear_controlling_thread", None)
        if let_go is not None:
            let_go(force=True)
        library.set_num_threads(n_threads)
        if let_go is not None:
            let_go(force=True)


def _blas() -> list[Any]:
    # Looking for the libraries takes milliseconds; another one may come with any import.
    return _blas_of(len(sys.modules))


@lru_cache(maxsize=1)
def _blas_of(n_modules: int) -> list[Any]:
    return [lib for lib in ThreadpoolController().lib_controllers if lib.user_api == "blas"]


def count_threads(n_jobs: int | None) -> int:
    """Return how many threads scikit-learn's ``n_jobs`` stands for.

    Parameters
    ----------
    n_jobs : int or None
        None: as many as BLAS may use outside `one_blas_thread`, so that limits set for it (by the
        environment, threadpoolctl, or joblib in its workers) hold here too. Negative: as many as
        there are processors for this process, less |n_jobs| − 1.

    Returns
    -------
    n_threads : int
        At least 1.

    Raises
    ------
    ValueError, TypeError
        If `n_jobs` is 0, or no integer.

    Examples
    --------
    >>> count_threads(3), count_threads(-1) >= 1
    (3, True)
    """
    whole = isinstance(n_jobs, Integral) and not is_flag(n_jobs)
    if n_jobs is not None and not (whole and n_jobs):
        wanted = "a number of threads, −1 for one per processor, or None for as many as BLAS uses"
        raise (ValueError if whole else TypeError)(mistake("n_jobs", wanted, n_jobs))
    if n_jobs is None:
        with _lock:
            limits = [n for _, n in _before] or [library.num_threads for library in _blas()]
        return min(limits, default=1)
    affinity = getattr(os, "sched_getaffinity", None)
    n_processors = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return n_jobs if n_jobs > 0 else max(n_processors + 1 + n_jobs, 1)


def has_interpreter_lock() -> bool:
    """Return whether only one thread at a time runs Python: unless it is a free-threaded build."""
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def in_order(
    function: Callable[[_Item], _Outcome], items: Iterable[_Item], n_threads: int
) -> Iterator[_Outcome]:
    """Yield ``function(item)`` for every item, in the items' order, several at a time.

    Parameters
    ----------
    function : callable
        Called with BLAS on one thread, and NumPy's error state is the caller's. Where it calls
        `in_order` itself, the inner calls stay in its thread.
    items : iterable
        What to call it with.
    n_threads : int
        Number of calls at the same time. With 1, or a single item, no other thread is used.

    Yields
    ------
    outcome : object
        No more than n_threads + 1 wait, so that memory does not grow with the items.

    Examples
    --------
    >>> list(in_order(lambda n: n * n, range(4), n_threads=2))
    [0, 1, 4, 9]
    """
    items = list(items)
    if n_threads <= 1 or len(items) <= 1 or _is_in_pool():
        yield from map(one_blas_thread()(function), items)  # no limits while the reader computes
    else:
        with one_blas_thread():
            yield from _in_threads(function, items, n_threads)


def slices(n: int, size: int) -> list[slice]:
    """Return slices of a size that together cover n items, the last of them shorter.

    Examples
    --------
    >>> slices(5, 2)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 5, None)]
    """
    return [slice(first, min(first + size, n)) for first in range(0, n, size)]


def in_blocks(
    function: Callable[[slice], _Outcome], n: int, size: int, n_threads: int
) -> Iterator[tuple[slice, _Outcome]]:
    """Yield each slice of `slices`, and what a function makes of it, as `in_order` does.

    Examples
    --------
    >>> squares = np.empty(5)
    >>> for block, found in in_blocks(lambda b: np.arange(5)[b] ** 2, 5, size=2, n_threads=2):
    ...     squares[block] = found
    >>> squares
    array([ 0.,  1.,  4.,  9., 16.])
    """
    blocks = slices(n, size)
    return zip(blocks, in_order(function, blocks, n_threads), strict=True)


def _in_threads(
    function: Callable[[_Item], _Outcome], items: list[_Item], n_threads: int
) -> Iterator[_Outcome]:
    errors = np.geterr()

    def call(item: _Item) -> _Outcome:
        with np.errstate(**errors):
            return function(item)

    waiting: deque[Future[_Outcome]] = deque()
    try:
        for item in items:
            waiting.append(Future())  # before it starts: a Ctrl-C must find it
            _submit(n_threads, waiting[-1], call, item)
            if len(waiting) > n_threads:
                waiting[0].result()  # stays in the queue until it ends, in case of Ctrl-C
                yield waiting.popleft().result()
        while waiting:
            waiting[0].result()
            yield waiting.popleft().result()
    finally:
        # Limits that another thread is the last to lift stay: calls that run must end first.
        wait([future for future in waiting if not future.cancel()])


def _submit(n_threads: int, *work: Any) -> None:
    """Submit work to a pool, or do it here if no thread can start: at exit, or out of threads."""
    with _lock:
        if n_threads not in _pools:
            _pools[n_threads] = ThreadPoolExecutor(n_threads, "sparsebp", _enter_pool)
        pool = _pools[n_threads]
    try:
        pool.submit(_work, *work)
    except RuntimeError:
        _work(*work)


def _work(future: Future[_Outcome], call: Callable[[_Item], _Outcome], item: _Item) -> None:
    if future.running() or future.done() or not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call(item))
    except BaseException as error:  # it is re-raised where the result is used
        future.set_exception(error)


def _enter_pool() -> None:
    _this.is_in_pool = True


def _is_in_pool() -> bool:
    return getattr(_this, "is_in_pool", False)


def _only_this_thread_is_left() -> None:
    """Reset, in a forked process, the state of threads that do not exist there."""
    _pools.clear()
    _inside.intersection_update({threading.get_ident()})
    _lift()
    _lock.release()


if hasattr(os, "register_at_fork"):
    # A fork waits until no other thread changes this state; otherwise the child's copy of the lock
    # would never be released.
    os.register_at_fork(
        before=_lock.acquire,
        after_in_parent=_lock.release,
        after_in_child=_only_this_thread_is_left,
    )
