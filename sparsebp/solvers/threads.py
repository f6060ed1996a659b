"""BLAS threads around SciPy's optimisers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from threadpoolctl import ThreadpoolController

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
