"""Accelerated gradient steps, scaled by curvatures: cheap progress far from the minimum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsebp.minimizers.columnwise import AtPoints

#: Rounding errors of a value that is a sum of some hundred terms, in units of the last place.
_ROUNDING = 64


def descend(
    evaluate: Callable[[np.ndarray], AtPoints], start: np.ndarray, n_steps: int
) -> np.ndarray:
    """Minimize parabolas that touch a function of each column, from where momentum leads.

    Parameters
    ----------
    evaluate : callable
        Returns the values, the gradient and the curvatures at points (n_rows, n_columns): how
        strongly parabolas bend that touch the function there and lie above it.
    start : ndarray of shape (n_rows, n_columns)
        The starting point.
    n_steps : int
        Number of steps, with one evaluation each and one more at the end.

    Returns
    -------
    points : ndarray of shape (n_rows, n_columns)
        The last points; of a column whose value is not lower there, beyond rounding, the start.

    Notes
    -----
    The momentum is that of FISTA (Beck & Teboulle 2009), whose proximal step is replaced by the
    minimum of a parabola in each element.

    Examples
    --------
    >>> def bowl(points):
    ...     return AtPoints((points**2).sum(axis=0), 2 * points, np.full_like(points, 2))
    >>> descend(bowl, np.ones((1, 2)), n_steps=1)
    array([[0., 0.]])
    """
    here = ahead = start
    age, values = 1.0, None
    for _ in range(n_steps):
        at = evaluate(ahead)
        values = at.values if values is None else values
        there = ahead - at.gradient / at.curvature
        older = (1 + np.sqrt(1 + 4 * age * age)) / 2
        here, ahead, age = there, there + float((age - 1) / older) * (there - here), older
    if values is None:
        return start
    rounding = _ROUNDING * np.finfo(values.dtype).eps * np.abs(values)
    return np.where(evaluate(here).values < values - rounding, here, start)
