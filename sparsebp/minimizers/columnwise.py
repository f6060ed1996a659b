"""Many small minimizations in parallel: one L-BFGS per column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sparsebp.minimizers.result import ColumnResult
from sparsebp.minimizers.two_loop import (
    DECREASE,
    CurvaturePair,
    product_along,
    quasi_newton_direction,
)
from sparsebp.samples import filled, taken

#: Maps (points (n_rows, n), the numbers (n,) of their columns) to values (n,) and gradient.
ColumnObjective = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
#: Maps points (n_rows, n) to approximate curvatures along each row, all positive.
Curvature = Callable[[np.ndarray], np.ndarray]

#: With the curvature as a scale, longer memories cost more than they save.
_MEMORY = 4
#: Trial steps of a line search, at most.
_SEARCHES = 30
#: Rounding may end a line search before the target is met: a column has still converged if no
#: element of its gradient exceeds so many times the target.
_NEARLY = 100


def minimize_columns(
    objective: ColumnObjective,
    curvature: Curvature,
    start: np.ndarray,
    target: np.ndarray,
    *,
    max_iter: int,
) -> ColumnResult:
    """Minimize a function of each column independently.

    Parameters
    ----------
    objective : callable
        ``objective(points, columns)`` returns the value and the gradient of each given column.
        Points are in C order; a column may come several times, so that their number is a multiple
        of 16 and rounding does not depend on which columns have not converged.
    curvature : callable
        ``curvature(points)`` returns the scale of every element, of the points' shape.
    start : ndarray of shape (n_rows, n_columns)
        The starting point.
    target : ndarray of shape (n_columns,)
        A column has converged when no element of its gradient exceeds its target, or at a failed
        line search 100 times that.
    max_iter : int
        Maximum number of iterations.

    Returns
    -------
    result : ColumnResult
        The minima; a column whose line search finds no descent stays where it is.

    Notes
    -----
    Nocedal & Wright, *Numerical Optimization*, algorithms 7.4 and 3.1.
    """
    out = start.copy()
    columns = filled(np.arange(start.shape[1]))
    points = taken(out, columns)
    state = _State(points, *objective(points, columns), columns, [])
    n_failed = 0
    for iteration in range(max_iter + 1):
        steepness = np.abs(state.gradient).max(axis=0, initial=0.0)
        finished = steepness <= target[state.columns]
        finished |= state.stuck
        steep = ~(steepness <= _NEARLY * target[state.columns])
        n_failed += np.unique(state.columns[finished & steep]).size
        if finished.any():
            out[:, state.columns[finished]] = state.points[:, finished]
            state = state.only(filled(np.flatnonzero(~finished)))
        if state.columns.size == 0 or iteration == max_iter:
            break
        state = _iterate(objective, curvature, state)
    out[:, state.columns] = state.points
    return ColumnResult(out, np.unique(state.columns).size + n_failed)


@dataclass(frozen=True)
class _State:
    """The columns that have not converged, and the pairs of their past steps, newest last."""

    points: np.ndarray
    values: np.ndarray
    gradient: np.ndarray
    columns: np.ndarray
    pairs: list[CurvaturePair]
    stuck: np.ndarray | bool = False

    def only(self, keep: np.ndarray) -> _State:
        pairs = [CurvaturePair(*(taken(a, keep) for a in pair)) for pair in self.pairs]
        points, gradient = taken(self.points, keep), taken(self.gradient, keep)
        return _State(points, self.values[keep], gradient, self.columns[keep], pairs)


def _iterate(objective: ColumnObjective, curvature: Curvature, state: _State) -> _State:
    direction = _direction(state, curvature(state.points))
    slope = _dot(state.gradient, direction)
    uphill = slope >= 0
    if uphill.any():
        direction[:, uphill] = -state.gradient[:, uphill]
        slope = _dot(state.gradient, direction)
    step = np.ones_like(slope)
    points, values, gradient, stuck = _line_search(objective, state, direction, slope, step)
    s, y = points - state.points, gradient - state.gradient
    bend, usable = product_along(s, y, _dot)
    # A pair without positive curvature is skipped for its column by weight 0.
    weight = np.where(usable, 1 / np.where(usable, bend, 1), 0).astype(s.dtype)
    pairs = [*state.pairs, CurvaturePair(s, y, weight)][-_MEMORY:]
    return _State(points, values, gradient, state.columns, pairs, stuck)


def _direction(state: _State, curvature: np.ndarray) -> np.ndarray:
    """Compute the direction of L-BFGS for each column, around 1 / curvature."""

    def scaled(q: np.ndarray) -> np.ndarray:
        q = q / curvature
        if not state.pairs:
            return q
        newest = state.pairs[-1]
        length = _dot(newest.change, newest.change / curvature) * newest.weight
        return q * np.where(length > 0, 1 / np.where(length > 0, length, 1), 1)

    return quasi_newton_direction(state.gradient, state.pairs, _dot, scaled)


def _line_search(
    objective: ColumnObjective,
    state: _State,
    direction: np.ndarray,
    slope: np.ndarray,
    step: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Shorten each column's step until its value decreases by enough (Armijo)."""
    points, values = state.points.copy(), state.values.copy()
    gradient = state.gradient.copy()
    pending = np.arange(points.shape[1])
    for _ in range(_SEARCHES):
        along = taken(direction, pending)
        tried = taken(state.points, pending) + step[pending] * along
        new_values, new_gradient = objective(tried, state.columns[pending])
        good = _is_descent(
            state.values[pending],
            new_values,
            slope[pending],
            step[pending],
            _dot(new_gradient, along),
        )
        there = pending[good]
        points[:, there], values[there] = tried[:, good], new_values[good]
        gradient[:, there] = new_gradient[:, good]
        pending = pending[~good]
        if pending.size == 0:
            break
        rise = new_values[~good] - state.values[pending]
        step[pending] = _shorter(step[pending], slope[pending], rise)
        pending = filled(pending)
    stuck = np.zeros(points.shape[1], dtype=bool)
    stuck[pending] = True
    return points, values, gradient, stuck


def _is_descent(
    value: np.ndarray,
    new_value: np.ndarray,
    slope: np.ndarray,
    step: np.ndarray,
    new_slope: np.ndarray,
) -> np.ndarray:
    """Whether each value decreases enough or, if rounding hides that, its slope does.

    The second test is the approximate Wolfe condition of Hager & Zhang (2005): it allows
    convergence to the precision of the gradient rather than to its square root.
    """
    enough = new_value <= value + DECREASE * step * slope
    rounding = 4 * np.finfo(value.dtype).eps * np.abs(value)
    return enough | ((new_value <= value + rounding) & (new_slope <= (2 * DECREASE - 1) * slope))


def _shorter(step: np.ndarray, slope: np.ndarray, rise: np.ndarray) -> np.ndarray:
    """Minimize the interpolating parabola, between a tenth and a half of the step."""
    bend = 2 * (rise - step * slope)
    best = np.where(bend > 0, -slope * step**2 / np.where(bend > 0, bend, 1), 0.5 * step)
    return np.clip(best, 0.1 * step, 0.5 * step)


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", a, b)
