"""Dispatch of iterations to the user's callback, ``verbose`` and scikit-learn's callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Any

import numpy as np

from sparsebp._checkpoint import Checkpoint

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn has them from 1.9 on
    CallbackSupportMixin: Any = type("CallbackSupportMixin", (), {})

    def with_callbacks(method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "tell", "watching", "with_callbacks"]

#: Maps the iterate of a solver to the attributes of an estimator fitted there. The iterate is a
#: matrix, a matrix with the current signs, or the state of a search for a basis.
FittedAt = Callable[[Any], dict[str, Any]]


def tell(estimator: Any, iteration: int, value: float, seconds: float) -> bool:
    """Print an iteration if ``verbose``, call the callback, and return whether it asks to stop."""
    _say(estimator, f"iteration {iteration:4d}  objective {value:<10.6g}  {seconds:6.1f} s")
    return estimator.callback is not None and bool(estimator.callback(iteration, value))


def tell_resumed(estimator: Any, where: str) -> None:
    """Print from where a fit resumes if ``verbose``, and call ``callback.resumed`` if there is one.

    The sentence for it is ``"resumed at iteration 7 from 'a.checkpoint'"``.
    """
    text = f"resumed {where} from {str(estimator.checkpoint)!r}"
    _say(estimator, text)
    notify = getattr(estimator.callback, "resumed", None)
    if notify is not None:
        notify(text)


def _say(estimator: Any, text: str) -> None:
    if estimator.verbose:
        print(f"{type(estimator).__name__}  {text}", flush=True)  # noqa: T201


@contextmanager
def watching(
    estimator: Any, X: np.ndarray, fitted_at: FittedAt, checkpoint: Checkpoint
) -> Iterator[Callable[[int, float, Any], bool]]:
    """Yield a solver's callback, ``watch(iteration, value, point)``; it returns whether to stop.

    The estimator's `fit` is decorated by `with_callbacks`; `fitted_at` returns its attributes at a
    point.
    """
    start = perf_counter()
    context: Any = None
    if getattr(estimator, "_skl_callbacks", None):
        context = estimator._init_callback_context(max_subtasks=estimator.max_iter)
        context.call_on_fit_task_begin(estimator=estimator, X=X)

    def watch(iteration: int, value: float, point: Any) -> bool:
        if checkpoint.resumes():
            tell_resumed(estimator, f"at iteration {iteration}")
        stop = tell(estimator, iteration, value, perf_counter() - start)
        if context is None:
            return stop
        task = context.subcontext(task_name="iteration")
        task.call_on_fit_task_begin(estimator=estimator, X=X)

        def attributes() -> dict[str, Any]:
            return {**fitted_at(point), "n_iter_": iteration, "objective_": value}

        arguments = {"estimator": estimator, "X": X, "reconstruction_attributes": attributes}
        return task.call_on_fit_task_end(**arguments) or stop

    yield watch
    if checkpoint.resumes(at_end=True):
        tell_resumed(estimator, "at its end")
    if context is not None:
        context.call_on_fit_task_end(estimator=estimator, X=X)
