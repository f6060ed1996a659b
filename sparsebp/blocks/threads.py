"""Threads: one for BLAS around SciPy's optimisers, several for blocks of samples."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

_Item = TypeVar("_Item")
_Outcome = TypeVar("_Outcome")

_lock = Lock()
_inside: list[Any] = []  # one limiter, and a None for every other search within


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds, so it is done once.
    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Return a context in which BLAS runs on one thread.

    NumPy's and SciPy's thread pools spin against each other around the small products of an
    L-BFGS loop, which makes it many times slower than a single thread. The number of threads
    belongs to the whole process, so of searches that overlap, in several threads too, the first
    limits it and the last restores it.

    Examples
    --------
    >>> with one_blas_thread():
    ...     pass
    """
    with _lock:
        limiter = None if _inside else _controller().limit(limits=1, user_api="blas")
        _inside.append(limiter)
    try:
        yield
    finally:
        with _lock:
            limiter = _inside.pop()
            if limiter is not None:
                limiter.restore_original_limits()


def count_threads(n_jobs: int | None) -> int:
    """Return how many threads scikit-learn's ``n_jobs`` stands for.

    Parameters
    ----------
    n_jobs : int or None
        None: as many as BLAS may use now, so that limits set for it (by the environment,
        threadpoolctl, or joblib in its workers) hold here too. Negative: as many as there are
        processors for this process, less |n_jobs| − 1.

    Returns
    -------
    n_threads : int
        At least 1.

    Examples
    --------
    >>> count_threads(3), count_threads(-1) >= 1
    (3, True)
    """
    if n_jobs is None:
        limits = [lib["num_threads"] for lib in _controller().info() if lib["user_api"] == "blas"]
        return min(limits, default=1)
    affinity = getattr(os, "sched_getaffinity", None)
    n_processors = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return n_jobs if n_jobs > 0 else max(n_processors + 1 + n_jobs, 1)


def in_order(
    function: Callable[[_Item], _Outcome], items: Iterable[_Item], n_threads: int
) -> Iterator[_Outcome]:
    """Yield ``function(item)`` for every item, in the items' order, several at work at a time.

    Parameters
    ----------
    function : callable
        Called in threads, with BLAS on one thread in each; NumPy's error state is the caller's. It
        must not call `in_order` with as many threads itself: both would wait for the same pool.
    items : iterable
        What to call it with.
    n_threads : int
        Calls at work at the same time. With 1, or a single item, no other thread is used.

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
    if n_threads <= 1 or len(items) <= 1:
        yield from map(function, items)
        return
    errors = np.geterr()

    def call(item: _Item) -> _Outcome:
        with np.errstate(**errors):
            return function(item)

    waiting: deque[Future[_Outcome]] = deque()
    with one_blas_thread():
        try:
            for item in items:
                waiting.append(_pool(n_threads).submit(call, item))
                if len(waiting) > n_threads:
                    waiting[0].result()  # stays in line until it ends, should a Ctrl-C come
                    yield waiting.popleft().result()
            while waiting:
                waiting[0].result()
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
            # Limits that another thread is the last to lift stay: calls at work must end first.
            wait(waiting)


@cache
def _pool(n_threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(n_threads, thread_name_prefix="sparsebp")


if hasattr(os, "register_at_fork"):  # a forked process has the pools but not their threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
