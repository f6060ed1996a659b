"""Accelerated gradient steps, scaled by curvatures: cheap progress far from the minimum."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sparsebp.problems import Differentiable


def descend(
    objective: Differentiable,
    curvature: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    n_steps: int,
) -> np.ndarray:
    """Minimize parabolas that lie above an objective, each from where momentum led.

    Parameters
    ----------
    objective : Differentiable
        Value and gradient at a matrix.
    curvature : callable
        ``curvature(point)`` returns, for each element of a point p, how strongly a parabola bends
        that touches the objective at p and lies above it; all positive.
    start : ndarray of shape (n_rows, n_columns)
        The starting point.
    n_steps : int
        Number of steps, with one evaluation each.

    Returns
    -------
    point : ndarray of shape (n_rows, n_columns)
        The best point evaluated, so it is never worse than the start.

    Notes
    -----
    The momentum is that of FISTA (Beck & Teboulle 2009), whose proximal step is replaced by the
    minimum of a parabola in each element.

    Examples
    --------
    >>> class Bowl:
    ...     def value_and_gradient(self, point):
    ...         return float((point**2).sum()), 2 * point
    >>> descend(Bowl(), lambda point: 2 + 0 * point, np.ones((1, 2)), n_steps=1)
    array([[1., 1.]])
    >>> descend(Bowl(), lambda point: 2 + 0 * point, np.ones((1, 2)), n_steps=2)
    array([[0., 0.]])
    """
    best, lowest = start, np.inf
    here = ahead = start
    age = 1.0
    for _ in range(n_steps):
        value, gradient = objective.value_and_gradient(ahead)
        if not np.isfinite(value):
            break
        if value < lowest:
            best, lowest = ahead, value
        there = ahead - gradient / curvature(ahead)
        older = (1 + np.sqrt(1 + 4 * age * age)) / 2
        here, ahead, age = there, there + float((age - 1) / older) * (there - here), older
    return best
