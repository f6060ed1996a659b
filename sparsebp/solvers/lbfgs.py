"""SciPy's L-BFGS on a matrix, with the ends it can come to told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from scipy.optimize import minimize

from sparsebp.solvers.result import Result, Status
from sparsebp.solvers.threads import one_blas_thread


class Differentiable(Protocol):
    """What the solvers ask of an objective."""

    def value_and_gradient(self, point: np.ndarray, /) -> tuple[Any, np.ndarray]:
        """Compute the value and the gradient at a point."""
        ...


#: Called with (iteration, value, point) after each iteration; True asks to stop.
Callback = Callable[[int, float, np.ndarray], Any]

_ABNORMAL = 2


def minimize_lbfgs(
    objective: Differentiable,
    start: np.ndarray,
    *,
    max_iter: int = 100,
    tol: float = 1e-6,
    memory: int = 10,
    callback: Callback | None = None,
) -> Result:
    """Minimise an objective of a matrix by SciPy's L-BFGS.

    The best point evaluated is what is returned, so the result is never worse than the start.
    A search that ends abnormally is taken up once from its best point with its memory cleared.

    Parameters
    ----------
    objective : Differentiable
        Value and gradient at a matrix.
    start : ndarray of shape (n_rows, n_columns)
        Where to begin; its precision is that of the evaluations.
    max_iter : int
        Iterations at most.
    tol : float
        Stop when an iteration lowers the objective by less than tol · max(|F|, 1).
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
    search = _Search(objective, start.shape, start.dtype, callback)

    with one_blas_thread():
        status = search.run(start, max_iter, tol, memory)
        if status is Status.STALLED and search.n_iter < max_iter:
            before = search.best_value
            status = search.run(search.best_point, max_iter - search.n_iter, tol, memory)
            gained = before - search.best_value
            if status is Status.STALLED and gained <= tol * max(abs(before), 1.0):
                status = Status.CONVERGED if search.is_flat(tol) else Status.STALLED
    return Result(
        search.best_point, search.best_value, search.n_iter, status, tuple(search.history)
    )


@dataclass
class _Search:
    """One minimisation: the evaluations made, the best of them, the history."""

    objective: Differentiable
    shape: tuple[int, ...]
    dtype: Any
    callback: Callback | None
    best_value: float = np.inf
    best_point: np.ndarray = field(default_factory=lambda: np.empty(0))
    best_slope: float = np.inf
    n_iter: int = 0
    history: list[float] = field(default_factory=list)
    met_not_finite: bool = False

    def run(self, start: np.ndarray, max_iter: int, tol: float, memory: int) -> Status:
        options = {"maxiter": max_iter, "maxcor": memory, "ftol": tol, "gtol": 0.0}
        options["maxfun"] = 20 * max_iter + 20
        x0 = start.astype(np.float64).ravel()
        if not self.history:
            self.evaluate(x0)
            self.best_point = start.copy() if self.best_point.size == 0 else self.best_point
            self.history.append(self.best_value)
        try:
            end = minimize(
                self.evaluate,
                x0,
                jac=True,
                method="L-BFGS-B",
                options=options,
                callback=self.after_iteration,
            )
        except KeyboardInterrupt:
            return Status.INTERRUPTED
        return self.status(end)

    def evaluate(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        point = flat.reshape(self.shape).astype(self.dtype)
        value, gradient = self.objective.value_and_gradient(point)
        value = float(value)
        if not (np.isfinite(value) and np.isfinite(gradient).all()):
            self.met_not_finite = True
            return np.finfo(float).max, np.zeros(flat.size)
        if value < self.best_value:
            self.best_value, self.best_point = value, point
            self.best_slope = float(np.abs(gradient).max(initial=0.0))
        return value, gradient.astype(np.float64).ravel()

    def after_iteration(self, intermediate_result: Any) -> None:
        self.n_iter += 1
        value = float(intermediate_result.fun)
        self.history.append(value)
        if self.callback is not None:
            point = intermediate_result.x.reshape(self.shape).astype(self.dtype)
            if self.callback(self.n_iter, value, point):
                raise StopIteration

    def status(self, end: Any) -> Status:
        if self.met_not_finite and end.status != 0:
            return Status.NOT_FINITE
        if "StopIteration" in str(end.message) or end.status == 99:
            return Status.STOPPED
        if end.status == _ABNORMAL:
            return Status.STALLED
        return Status.CONVERGED if end.status == 0 else Status.ITERATION_LIMIT

    def is_flat(self, tol: float) -> bool:
        """Whether rounding hides any descent that is left: precision, not failure."""
        scale = max(abs(self.best_value), 1.0)
        return self.best_slope <= max(tol, np.sqrt(np.finfo(self.dtype).eps)) * scale
