"""Minimization over the manifold of matrices with orthonormal rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsebp.minimizers.lbfgs import WINDOW, Callback, settled, status_without_descent
from sparsebp.minimizers.result import Result, Status
from sparsebp.minimizers.two_loop import (
    DECREASE,
    CurvaturePair,
    product_along,
    quasi_newton_direction,
)
from sparsebp.problems import Differentiable, OrthonormalRows
from sparsebp.samples import one_blas_thread

#: Share of the slope that a step may leave (weak Wolfe).
_LEFT = 0.9
_TRIALS = 40
_MEMORY = 10
#: Size of a row's first step, while no curvature is known.
_FIRST = 0.1


class _Iterate(NamedTuple):
    """A matrix with orthonormal rows, F there, and the gradient's part in which it can move."""

    point: np.ndarray
    value: float
    slope: np.ndarray


@one_blas_thread()
def minimize_orthonormal(
    objective: Differentiable,
    start: np.ndarray,
    *,
    max_iter: int = 200,
    tol: float = 1e-6,
    callback: Callback | None = None,
) -> Result:
    """Minimize F(W) subject to WWᵀ = I: L-BFGS in the tangent space, then W ← (WWᵀ)^(−½)W.

    F never increases; the start is projected first.

    Parameters
    ----------
    objective : Differentiable
        Value and gradient at a matrix.
    start : ndarray of shape (n_components, n_features)
        The starting point, of full row rank, n_components ≤ n_features.
    max_iter : int
        Maximum number of iterations.
    tol : float
        Stop when an iteration lowers F by less than tol · |F|, on average over ten, where |F|
        counts as at least a millionth of its initial value.
    callback : callable, optional
        ``callback(iteration, value, point)``; returning True stops the search.

    Returns
    -------
    result : Result
        The last point, which is the best.

    Notes
    -----
    The algorithm of the ICA chapter, with the direction of L-BFGS instead of the gradient. Its
    starter code reduces the required decrease instead of the step, and never projects the initial
    W. Past moves and slopes follow W by projection onto the space in which it can move (Absil,
    Mahony & Sepulchre, *Optimization Algorithms on Matrix Manifolds*, 2008, chapter 8).

    Examples
    --------
    >>> class Linear:
    ...     def value_and_gradient(self, w):
    ...         return float(w[0, 0]), np.array([[1.0, 0.0]])
    >>> round(minimize_orthonormal(Linear(), np.array([[1.0, 1.0]])).value, 6)
    -1.0
    """
    here = _look(objective, OrthonormalRows.project(start))
    history = [here.value]
    if not (np.isfinite(here.value) and np.isfinite(here.slope).all()):
        return Result(here.point, here.value, 0, Status.NOT_FINITE, tuple(history))
    pairs: list[CurvaturePair] = []
    status = Status.ITERATION_LIMIT
    try:
        for _ in range(max_iter):
            there = _descend(objective, here, _direction(here, pairs))
            if there is None:
                stuck = status_without_descent(here.slope, history, tol)
                if stuck is Status.CONVERGED or not pairs:
                    status = stuck
                    break
                pairs = []  # the memory may be misleading
                continue
            pairs, here = _carried(pairs, here, there), there
            history.append(here.value)
            if callback is not None and callback(len(history) - 1, here.value, here.point):
                status = Status.STOPPED
                break
            if settled(history, tol, WINDOW):
                status = Status.CONVERGED
                break
    except KeyboardInterrupt:
        status = Status.INTERRUPTED
    return Result(here.point, here.value, len(history) - 1, status, tuple(history))


def _look(objective: Differentiable, point: np.ndarray) -> _Iterate:
    value, gradient = objective.value_and_gradient(point)
    return _Iterate(point, float(value), _tangent(point, gradient))


def _tangent(w: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Return the projection of a direction onto the tangent space."""
    product = direction @ w.T
    return direction - 0.5 * (product + product.T) @ w


def _direction(here: _Iterate, pairs: list[CurvaturePair]) -> np.ndarray:
    """Compute the direction of L-BFGS; the first step has the length that is usual for a row."""
    if not pairs:
        length = float(np.linalg.norm(here.slope)) / np.sqrt(here.slope.shape[0])
        return here.slope * here.slope.dtype.type(-_FIRST / max(length, 1e-12))
    newest = pairs[-1]
    size = 1 / float(newest.weight * np.vdot(newest.change, newest.change))
    return quasi_newton_direction(here.slope, pairs, np.vdot, lambda q: q * size)


def _carried(pairs: list[CurvaturePair], here: _Iterate, there: _Iterate) -> list[CurvaturePair]:
    """Return what is remembered, the step from here to there too, as seen from there."""
    last = (there.point - here.point, there.slope - here.slope)
    carried = []
    for pair in [*((pair.step, pair.change) for pair in pairs), last][-_MEMORY:]:
        step, change = (_tangent(there.point, each) for each in pair)
        bend, usable = product_along(step, change, np.vdot)
        if usable:
            carried.append(CurvaturePair(step, change, 1 / float(bend)))
    return carried


def _descend(objective: Differentiable, here: _Iterate, direction: np.ndarray) -> _Iterate | None:
    """Bisect between a step that is too long and one that is too short; None without descent."""
    promised = float(np.vdot(here.slope, direction))
    hidden = float(np.finfo(here.point.dtype).eps) * abs(here.value)
    short, long, step, found = 0.0, np.inf, 1.0, None
    for _ in range(_TRIALS):
        if not -step * promised > hidden:  # the rest is below rounding error
            break
        moved = here.point + here.point.dtype.type(step) * direction
        there = _look(objective, OrthonormalRows.project(moved))
        if not there.value <= here.value + DECREASE * step * promised:
            long = step
        elif np.vdot(there.slope, direction) < _LEFT * promised:
            found, short = there, step
        else:
            return there
        step = 2 * step if np.isinf(long) else (short + long) / 2
    return found
