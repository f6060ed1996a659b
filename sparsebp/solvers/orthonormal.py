"""Minimisation over matrices with orthonormal rows by projected gradient steps."""

from __future__ import annotations

import numpy as np

from sparsebp.objectives import Differentiable, orthonormalized
from sparsebp.solvers.lbfgs import Callback
from sparsebp.solvers.result import Result, Status

_DECREASE = 1e-4
_SHRINK = 0.5
_HALVINGS = 40


def minimize_orthonormal(
    objective: Differentiable,
    start: np.ndarray,
    *,
    max_iter: int = 200,
    tol: float = 1e-6,
    callback: Callback | None = None,
) -> Result:
    """Minimise F(W) subject to WWᵀ = I: a gradient step, then W ← (WWᵀ)^(−½)W.

    The step begins at Barzilai and Borwein's length and is shortened until F decreases by enough
    (Armijo), so F never rises; the start is projected first.

    Parameters
    ----------
    objective : Differentiable
        Value and gradient at a matrix.
    start : ndarray of shape (n_components, n_features)
        Where to begin, of full row rank, n_components ≤ n_features.
    max_iter : int
        Iterations at most.
    tol : float
        Stop when ten iterations together lower F by less than 10 · tol · max(|F|, 1).
    callback : callable, optional
        ``callback(iteration, value, point)``; returning True stops the search.

    Returns
    -------
    result : Result
        The last point, which is the best.

    Notes
    -----
    The ICA chapter's algorithm. Its starter code shrinks the demanded decrease instead of the
    step, and never projects the first W.

    Examples
    --------
    >>> class Linear:
    ...     def value_and_gradient(self, w):
    ...         return float(w[0, 0]), np.array([[1.0, 0.0]])
    >>> minimize_orthonormal(Linear(), np.array([[1.0, 1.0]])).point.round(3)
    array([[-1.,  0.]])
    """
    point = orthonormalized(start)
    value, gradient = objective.value_and_gradient(point)
    history = [float(value)]
    if not np.isfinite(value):
        return Result(point, value, 0, Status.NOT_FINITE, tuple(history))
    slope = _tangent(point, gradient)
    step = 0.1 / max(float(np.linalg.norm(slope)) / np.sqrt(slope.shape[0]), 1e-12)
    status = Status.ITERATION_LIMIT
    try:
        for iteration in range(1, max_iter + 1):
            found = _descend(objective, point, value, slope, step)
            if found is None:
                status = _status_where_stuck(value, slope, tol)
                break
            step, new, value, gradient = found
            new_slope = _tangent(new, gradient)
            step = _barzilai_borwein(new - point, new_slope - slope, step)
            point, slope = new, new_slope
            history.append(float(value))
            if callback is not None and callback(iteration, float(value), point):
                status = Status.STOPPED
                break
            if _settled(history, tol):
                status = Status.CONVERGED
                break
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return Result(point, float(value), len(history) - 1, status, tuple(history))


def _tangent(w: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Return the part of the gradient along which W can move and stay orthonormal."""
    product = gradient @ w.T
    return gradient - 0.5 * (product + product.T) @ w


def _descend(
    objective: Differentiable, point: np.ndarray, value: float, slope: np.ndarray, step: float
) -> tuple[float, np.ndarray, float, np.ndarray] | None:
    """Shorten the step until F decreases by enough; None if no step does."""
    wanted = _DECREASE * float((slope * slope).sum())
    if wanted == 0:
        return None
    for _ in range(_HALVINGS):
        candidate = orthonormalized(point - point.dtype.type(step) * slope)
        new_value, gradient = objective.value_and_gradient(candidate)
        if np.isfinite(new_value) and new_value <= value - step * wanted:
            return step, candidate, new_value, gradient
        step *= _SHRINK
    return None


def _status_where_stuck(value: float, slope: np.ndarray, tol: float) -> Status:
    """Tell rounding, which hides any descent that is left, from failure.

    A slope σ lowers F by about σ² / curvature, so what rounding and tol hide is a slope of the
    order of their square root.
    """
    hidden = max(tol, 16 * float(np.finfo(slope.dtype).eps)) * max(abs(float(value)), 1.0)
    return Status.CONVERGED if np.abs(slope).max() ** 2 <= hidden else Status.STALLED


def _barzilai_borwein(moved: np.ndarray, turned: np.ndarray, step: float) -> float:
    curvature = abs(float((moved * turned).sum()))
    proposal = float((moved * moved).sum()) / curvature if curvature > 0 else 2 * step
    return min(max(proposal, 1e-3 * step), 1e3 * step)


def _settled(history: list[float], tol: float) -> bool:
    if len(history) <= 10:
        return False
    return history[-11] - history[-1] <= 10 * tol * max(abs(history[-1]), 1.0)
