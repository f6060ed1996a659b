"""SciPy's L-BFGS on a matrix, with a status for how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.optimize import minimize

from sparsebp.minimizers.result import Result, Status
from sparsebp.problems import Differentiable
from sparsebp.samples import one_blas_thread

#: Called with (iteration, value, point) after each iteration; True asks to stop.
Callback = Callable[[int, float, Any], Any]

_ABNORMAL = 2
#: Gains are relative to |F|, or to this fraction of the initial |F| if that is larger.
FLOOR = 2.0**-20
#: The window of searches for components: on the way between two minima single steps may be short.
WINDOW = 10
#: With a window, a single iteration that gains less than this share of tol ends the search, too:
#: only rounding is left, and when ten of its iterations end depends on the library that computes.
_NOTHING = 1e-4


def minimize_lbfgs(
    objective: Differentiable,
    start: np.ndarray,
    *,
    max_iter: int = 100,
    tol: float = 1e-6,
    window: int = 1,
    memory: int = 10,
    callback: Callback | None = None,
) -> Result:
    """Minimize an objective of a matrix by SciPy's L-BFGS.

    The best point evaluated is returned, so the result is never worse than the start. A search that
    ends abnormally is restarted once from its best point with its memory cleared.

    Parameters
    ----------
    objective : Differentiable
        Value and gradient at a matrix.
    start : ndarray of shape (n_rows, n_columns)
        The starting point; its precision is that of the evaluations.
    max_iter : int
        Maximum number of iterations.
    tol : float
        Stop when an iteration lowers the objective by less than tol · |F|, on average over the
        window, where |F| counts as at least a millionth of its initial value.
    window : int
        Number of iterations that are averaged. A single short step does not stop a search over ten,
        unless it gains less than 1e-4 · tol · |F|.
    memory : int
        Number of past steps that L-BFGS remembers.
    callback : callable, optional
        ``callback(iteration, value, point)``; returning True stops the search.

    Returns
    -------
    result : Result
        The best point; ``status`` says why the search ended.

    Examples
    --------
    >>> class Bowl:
    ...     def value_and_gradient(self, point):
    ...         return float((point**2).sum()), 2 * point
    >>> result = minimize_lbfgs(Bowl(), np.ones((2, 2)))
    >>> result.status.name, bool(abs(result.point).max() < 1e-6)
    ('CONVERGED', True)
    """
    with one_blas_thread():
        search = _Search(objective, start.copy(), tol, window, callback)
        if not np.isfinite(search.best_value):
            value, point = search.best_value, search.best_point
            return Result(point, value, 0, Status.NOT_FINITE, (value,))
        status = search.run(max_iter, memory)
        if status is Status.STALLED and search.n_iter < max_iter:
            before = search.best_value
            status = search.run(max_iter - search.n_iter, memory)
            gained = before - search.best_value
            if status is Status.STALLED and gained <= tol * max(abs(before), search.unit):
                status = search.status_where_stuck()
    return Result(
        search.best_point, search.best_value, search.n_iter, status, tuple(search.history)
    )


class _LostError(Exception):
    """SciPy asks for a point that is not finite."""


def settled(history: Sequence[float], tol: float, window: int) -> bool:
    """Return whether the last iterations lowered F by at most tol · |F| on average."""
    if len(history) <= window:
        return False
    return history[-window - 1] - history[-1] <= window * tol * size_of(history)


def size_of(history: Sequence[float]) -> float:
    """Return the |F| to which gains are relative."""
    return max(abs(history[-1]), FLOOR * abs(history[0]))


def status_without_descent(slope: np.ndarray, history: Sequence[float], tol: float) -> Status:
    """Distinguish convergence to rounding error from failure, where no step lowers F.

    A slope σ lowers F by about σ² / curvature, so slopes below about the square root of rounding
    error and tol are negligible.
    """
    hidden = max(tol, 16 * float(np.finfo(slope.dtype).eps)) * size_of(history)
    return Status.CONVERGED if np.abs(slope).max() ** 2 <= hidden else Status.STALLED


class _Search:
    """One minimization: the evaluations made, the best of them, the history."""

    def __init__(
        self,
        objective: Differentiable,
        start: np.ndarray,
        tol: float,
        window: int,
        callback: Callback | None,
    ) -> None:
        self.objective = objective
        self.tol, self.window = tol, window
        self.callback = callback
        self.best_point = start
        value, gradient = objective.value_and_gradient(start)
        self.best_value = float(value) if np.isfinite(gradient).all() else np.nan
        self.best_gradient = gradient.astype(np.float64).ravel()
        self.history = [self.best_value]
        # SciPy compares gains with max(|F|, 1), so F is scaled to be large, by a power of two,
        # which causes no rounding.
        first = abs(self.best_value) * FLOOR
        self.unit = 2.0 ** np.floor(np.log2(first)) if 0 < first < np.inf else 1.0
        self.n_iter = 0
        self.broke_down, self.at_start, self.settled = False, True, False

    def run(self, max_iter: int, memory: int) -> Status:
        """Search from the best point so far."""
        self.broke_down, self.at_start = False, True
        options = {"maxiter": max_iter, "maxfun": 20 * max_iter + 20, "maxcor": memory}
        options |= {"ftol": self.tol if self.window == 1 else _NOTHING * self.tol, "gtol": 0.0}
        try:
            end = minimize(
                self.evaluate_in_units,
                self.best_point.astype(np.float64).ravel(),
                jac=True,
                method="L-BFGS-B",
                options=options,
                callback=self.after_iteration,
            )
        except KeyboardInterrupt:
            return Status.INTERRUPTED
        except _LostError:
            return Status.STALLED
        return self.status(end)

    def evaluate_in_units(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.evaluate(flat)
        return value / self.unit, gradient / self.unit

    def evaluate(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        if self.at_start:  # SciPy first evaluates the start again
            self.at_start = False
            return self.best_value, self.best_gradient
        if not np.isfinite(flat).all():  # products of slopes have overflowed or underflowed
            self.broke_down = True
            raise _LostError
        # SciPy passes a copy, so the point may be kept.
        point = flat.reshape(self.best_point.shape).astype(self.best_point.dtype, copy=False)
        value, gradient = self.objective.value_and_gradient(point)
        value = float(value)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            return self.barrier(flat)
        gradient = gradient.astype(np.float64, copy=False).ravel()
        if value < self.best_value:
            self.best_value, self.best_point, self.best_gradient = value, point, gradient
        return value, gradient

    def barrier(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Return a finite barrier in place of an infinite value.

        It mimics an F with its minimum at a tenth of the way, so that the line search steps back.
        """
        self.broke_down = True
        promised = self.best_gradient @ (flat - self.best_point.astype(np.float64).ravel())
        return self.best_value + 4 * abs(float(promised)), -9 * self.best_gradient

    def after_iteration(self, intermediate_result: Any) -> None:
        self.n_iter += 1
        value = float(intermediate_result.fun) * self.unit
        self.history.append(value)
        if self.callback is not None:
            shape, dtype = self.best_point.shape, self.best_point.dtype
            point = intermediate_result.x.reshape(shape).astype(dtype)
            if self.callback(self.n_iter, value, point):
                raise StopIteration
        self.settled = self.window > 1 and settled(self.history, self.tol, self.window)
        if self.settled:
            raise StopIteration

    def status(self, end: Any) -> Status:
        if self.settled:
            return Status.CONVERGED
        if "StopIteration" in str(end.message) or end.status == 99:
            return Status.STOPPED
        if end.status == _ABNORMAL:
            return Status.STALLED
        return Status.CONVERGED if end.status == 0 else Status.ITERATION_LIMIT

    def status_where_stuck(self) -> Status:
        if self.broke_down:
            return Status.NOT_FINITE
        slope = self.best_gradient.astype(self.best_point.dtype)
        return status_without_descent(slope, (self.history[0], self.best_value), self.tol)
