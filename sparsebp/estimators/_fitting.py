"""What every `fit` is wrapped in, and what it asks of a result."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from sparsebp._dispatch import learning_where_x_is
from sparsebp.minimizers import Result, Status
from sparsebp.samples import one_blas_thread


def restore_on_error(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `fit`: BLAS uses one thread, and an error leaves the estimator unchanged.

    So does an interrupt before there is anything to keep.
    What is learned is in the library and on the device of X, by `learning_where_x_is`.
    With one BLAS thread in all of a fit, including whitening, its result does not depend on
    ``n_jobs``.
    """

    @wraps(fit)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = vars(self).copy()
        try:
            with one_blas_thread():
                return fit(self, *args, **kwargs)
        except (Exception, KeyboardInterrupt) as error:
            # An interrupt, or a warning that is raised as an error, may come when there is a
            # result, which is then kept.
            learned = vars(self).get("components_") is not before.get("components_")
            if not (isinstance(error, Warning | KeyboardInterrupt) and learned):
                vars(self).clear()
                vars(self).update(before)
            raise

    return learning_where_x_is(wrapped)


def require_success(result: Result) -> None:
    """Raise an error for an unusable result, before any attribute is set."""
    if result.status is Status.INTERRUPTED and not result.n_iter:  # nothing was learned
        raise KeyboardInterrupt
    require_usable(result.point, result.value)


def require_usable(point: np.ndarray, value: float) -> None:
    """Raise an error for a point or an objective that is not finite."""
    if not (np.isfinite(value) and np.isfinite(point).all()):
        raise ValueError(
            "The objective is infinite or NaN already at the start: the values of X are too "
            "large. Scale X to about unit variance."
        )
