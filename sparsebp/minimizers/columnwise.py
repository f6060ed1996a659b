"""Many small minimizations in parallel: one L-BFGS per column."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from sparsebp.minimizers.result import ColumnResult
from sparsebp.minimizers.two_loop import (
    DECREASE,
    CurvaturePair,
    product_along,
    quasi_newton_direction,
)
from sparsebp.samples import filled, taken
from sparsebp.samples.columns import PANEL


class AtPoints(NamedTuple):
    """What is known of a function of each column at some points (n_rows, n).

    Parameters
    ----------
    values : ndarray of shape (n,)
        The columns' values.
    gradient : ndarray of shape (n_rows, n)
        The gradient of each column's value.
    curvature : ndarray of shape (n_rows, n)
        Approximate second derivatives along each row, normal positive numbers in single precision,
        too: the scale of the steps.
    """

    values: np.ndarray
    gradient: np.ndarray
    curvature: np.ndarray


#: Maps the numbers (n,) of columns to the function that evaluates points (n_rows, n) of them.
ColumnObjective = Callable[[np.ndarray], Callable[[np.ndarray], AtPoints]]

#: With the curvature as a scale, longer memories cost more than they save.
_MEMORY = 4
#: Steps without descent after which a column is given up.
_SEARCHES = 30
#: Rounding may end a line search before the target is met: a column has still converged if no
#: element of its gradient exceeds so many times the target.
_NEARLY = 100
#: Elements of the matrices of columns that are minimized at the same time: a few stay in the cache.
_ELEMENTS, _MOST_COLUMNS = 2**16, 1024
#: The smallest number whose inverse is taken in single precision.
_SMALLEST = np.float32(1e-30)


def minimize_columns(
    objective: ColumnObjective, start: np.ndarray, target: np.ndarray, *, max_iter: int
) -> ColumnResult:
    """Minimize a function of each column independently.

    Parameters
    ----------
    objective : callable
        ``objective(columns)`` returns the function that evaluates points of the columns with these
        numbers. Points are in C order; a column may come several times, so that their number is a
        multiple of 16 and rounding does not depend on which columns have not converged.
    start : ndarray of shape (n_rows, n_columns)
        The starting point.
    target : ndarray of shape (n_columns,)
        Positive. A column has converged when no element of its gradient exceeds its target, or if
        no step lowers its value any more 100 times that.
    max_iter : int
        Maximum number of iterations.

    Returns
    -------
    result : ColumnResult
        The minima; a column for which no step is a descent stays where it is.

    Notes
    -----
    Nocedal & Wright, *Numerical Optimization*, algorithms 7.4 and 3.1. While a column whose step
    was too long tries a shorter one, the others take their next; a column that has ended makes
    place for one that waits. So every evaluation is of as many columns as fit the cache. Gradients
    are rounded to single precision, in units of the targets, directions and past steps are in it;
    points and values are not.
    """
    n_rows, n_columns = start.shape
    start = np.ascontiguousarray(start)  # of which columns are taken all the time
    out, unfinished = start.copy(), np.zeros(n_columns, dtype=bool)
    waiting = filled(np.arange(n_columns))
    width = max(min(_ELEMENTS // max(n_rows, 1), _MOST_COLUMNS) // PANEL, 1) * PANEL
    work = _Work(objective, start, target, waiting[:width])
    waiting = waiting[width:]
    while work.columns.size:
        work.step()
        converged, given_up = work.ends()
        ended = work.is_open & (converged | given_up | (work.ages >= max_iter))
        if ended.any():
            columns = work.columns[ended]
            out[:, columns], unfinished[columns] = work.points[:, ended], ~converged[ended]
            work.is_open &= ~ended
            places = np.flatnonzero(~work.is_open)
            if places.size >= min(PANEL, work.columns.size):  # a few are not worth the copies
                work.refill(places, waiting[: places.size])
                waiting = waiting[places.size :]
    return ColumnResult(out, int(unfinished.sum()))


class _Work:
    """The columns that are minimized at the same time, each at its own iteration.

    Parameters
    ----------
    objective, start, target
        As in `minimize_columns`.
    columns : ndarray of int, shape (n,)
        The numbers of the first columns, a multiple of 16.
    """

    def __init__(
        self,
        objective: ColumnObjective,
        start: np.ndarray,
        target: np.ndarray,
        columns: np.ndarray,
    ) -> None:
        self.objective, self.start, self.target = objective, start, target
        self.columns, self.is_open = columns.copy(), np.ones(columns.size, dtype=bool)
        self.points = taken(start, columns)
        # Before the first evaluation every column stands still, above its value at the start.
        shape, n = self.points.shape, columns.size
        self.values = np.full(n, np.inf)
        nothing = np.zeros(shape, dtype=np.float32)
        self.gradient, self.direction = nothing.copy(), nothing.copy()
        self.length, self.slope = np.ones(n), np.zeros(n)
        self.ages, self.n_failures = np.full(n, -1), np.zeros(n, dtype=int)
        self.pairs = [
            CurvaturePair(nothing.copy(), nothing.copy(), np.zeros(n, np.float32))
            for _ in range(_MEMORY)
        ]
        self._look()

    def _look(self) -> None:
        """Prepare the evaluation of the columns."""
        self.evaluate = self.objective(self.columns)
        target = self.target[self.columns]
        self.unit = np.where(target > 0, target, 1)  # of gradients and of steps

    def step(self) -> None:
        """Try a step of every column, and choose its next: a shorter one, or a new direction."""
        tried = self.points + (self.length * self.unit) * self.direction
        there = self.evaluate(tried)
        gradient = _single(there.gradient, 1 / self.unit)
        new_slope = _dot(gradient, self.direction) * self.unit**2
        is_good = (self.ages < 0) | _is_descent(
            self.values, there.values, self.slope, self.length, new_slope
        )
        is_good &= np.isfinite(there.values)
        bad = np.flatnonzero(~is_good)
        rise, values = there.values[bad] - self.values[bad], there.values.copy()
        before = (self.points, self.values, self.gradient)
        _put_back(bad, (tried, values, gradient), before)
        self._remember(self.direction * _single(self.length), gradient - self.gradient, bad)
        self.points, self.values, self.gradient = tried, values, gradient
        direction = self._direction(there.curvature)
        slope = _dot(gradient, direction) * self.unit**2
        uphill = slope >= 0
        if uphill.any():
            direction[:, uphill] = -gradient[:, uphill]
            slope = _dot(gradient, direction) * self.unit**2
        length = np.ones_like(slope)
        length[bad] = _shorter(self.length[bad], self.slope[bad], rise)
        _put_back(bad, (direction, slope), (self.direction, self.slope))
        self.direction, self.slope, self.length = direction, slope, length
        self.n_failures = np.where(is_good, 0, self.n_failures + 1)
        self.ages += is_good

    def _remember(self, step: np.ndarray, change: np.ndarray, bad: np.ndarray) -> None:
        """Add a step and its change of the gradient to the memory of all columns but some."""
        bend, usable = product_along(step, change, _dot)
        # A pair without positive curvature is skipped for its column by weight 0.
        weight = _inverse(np.where(usable, bend, 0), 0)
        before = self.pairs
        self.pairs = [*before[1:], CurvaturePair(step, change, weight)]
        for pair, old in zip(self.pairs[::-1], before[::-1], strict=True):
            _put_back(bad, pair, old)

    def _direction(self, curvature: np.ndarray) -> np.ndarray:
        """Compute the direction of L-BFGS for each column, around 1 / curvature."""
        inverse = _single(curvature)
        np.divide(1, inverse, out=inverse)

        def scaled(q: np.ndarray) -> np.ndarray:
            newest = self.pairs[-1]
            q *= inverse
            length = _dot(newest.change, newest.change * inverse) * newest.weight
            q *= _inverse(length, 1)
            return q

        return quasi_newton_direction(self.gradient, self.pairs, _dot, scaled)

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which columns have converged, and which have found no descent."""
        steepness = np.abs(self.gradient).max(axis=0, initial=0.0) * self.unit
        target, stuck = self.target[self.columns], self.n_failures >= _SEARCHES
        is_flat = steepness <= np.where(stuck, _NEARLY, 1) * target
        return is_flat & np.isfinite(self.values), stuck

    def refill(self, places: np.ndarray, columns: np.ndarray) -> None:
        """Begin with waiting columns at places whose own have ended; drop the other places."""
        at = places[: columns.size]
        self.columns[at], self.points[:, at] = columns, taken(self.start, columns)
        self.values[at], self.gradient[:, at], self.direction[:, at] = np.inf, 0, 0
        self.ages[at], self.n_failures[at], self.slope[at], self.length[at] = -1, 0, 0, 1
        for pair in self.pairs:
            for array in pair:
                array[..., at] = 0
        self.is_open[at] = True
        if not self.is_open.all():
            self._keep(filled(np.flatnonzero(self.is_open)))
        self._look()

    def _keep(self, places: np.ndarray) -> None:
        names = "columns points values gradient direction length slope ages n_failures"
        for name in names.split():
            setattr(self, name, taken(getattr(self, name), places))
        self.is_open = np.ones(places.size, dtype=bool)
        self.pairs = [CurvaturePair(*(taken(a, places) for a in pair)) for pair in self.pairs]


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


def _inverse(numbers: np.ndarray, otherwise: float) -> np.ndarray:
    is_safe = numbers > _SMALLEST
    return np.where(is_safe, 1 / np.where(is_safe, numbers, 1), np.float32(otherwise))


def _put_back(columns: np.ndarray, new: Iterable[np.ndarray], old: Iterable[np.ndarray]) -> None:
    for array, before in zip(new, old, strict=True):
        array[..., columns] = before[..., columns]


def _single(array: np.ndarray, factor: np.ndarray | float = 1.0) -> np.ndarray:
    """Return an array, times a factor of each column, in single precision."""
    with np.errstate(over="ignore"):  # steps that are much too long
        single = np.empty(array.shape, dtype=np.float32)
        return np.multiply(array, factor, dtype=array.dtype, casting="same_kind", out=single)
