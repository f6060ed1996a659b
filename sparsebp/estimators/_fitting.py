"""What every `fit` is wrapped in, and what it asks of a result."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from sparsebp.minimizers import Result, Status
from sparsebp.samples import one_blas_thread


def restore_on_error(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `fit`: an error leaves the estimator unchanged, and BLAS uses one thread.

    With one BLAS thread in all of a fit, including whitening, its result does not depend on
    ``n_jobs``.
    """

    @wraps(fit)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = vars(self).copy()
        try:
            with one_blas_thread():
                return fit(self, *args, **kwargs)
        except Warning:  # a warning raised as an error comes after the fit
            raise
        except Exception:
            vars(self).clear()
            vars(self).update(before)
            raise

    return wrapped


def require_success(result: Result) -> None:
    """Raise an error for an unusable result, before any attribute is set."""
    if result.status is Status.INTERRUPTED and not result.history:
        raise KeyboardInterrupt
    if not (np.isfinite(result.value) and np.isfinite(result.point).all()):
        raise ValueError(
            "The objective is infinite or NaN already at the start: the values of X are too "
            "large. Scale X to about unit variance."
        )
