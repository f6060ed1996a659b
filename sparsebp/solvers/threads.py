"""BLAS threads around SciPy's optimisers."""

from __future__ import annotations

from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    # Looking for the libraries takes milliseconds, so it is done once.
    return ThreadpoolController()


def one_blas_thread() -> Any:
    """Return a context in which BLAS runs on one thread.

    NumPy's and SciPy's thread pools spin against each other around the small products of an
    L-BFGS loop, which makes it many times slower than a single thread.

    Returns
    -------
    context : context manager
        Restores the former number of threads at its end.

    Examples
    --------
    >>> with one_blas_thread():
    ...     pass
    """
    return _controller().limit(limits=1, user_api="blas")
