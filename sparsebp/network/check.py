"""Checking a gradient against numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

ValueAndGradient = Callable[[np.ndarray], tuple[Any, np.ndarray]]

_EXACT = 1e-8

# Errors of functions that do not accept complex points; the last if warnings are errors.
_NOT_COMPLEX = (TypeError, ValueError, ArithmeticError, np.exceptions.ComplexWarning)


def check_gradient(function: ValueAndGradient, point: np.ndarray) -> float:
    """Compute how far a gradient is from the derivatives of its function.

    ‖numeric − g‖ / (‖numeric‖ + ‖g‖). The derivatives are taken by a complex step, exact to
    rounding, where the function can be evaluated at complex points; where that disagrees or
    fails, by central differences with one extrapolation, good to about 1e-9.

    Parameters
    ----------
    function : callable
        Takes an array of the shape of ``point``, returns (value, gradient).
    point : ndarray, any shape
        Where to check; every element is varied separately, so choose it small.

    Returns
    -------
    error : float
        Between 0 and 1; a correct gradient gives about 1e-15 (complex step) or 1e-9
        (differences), a wrong one far more. Zero where both are zero.

    Raises
    ------
    ValueError
        If the point is empty or not finite, or the gradient is not of the point's shape.

    Notes
    -----
    The tutorial's exercise compares ‖num − g‖/‖num + g‖ with 1e-8.

    Examples
    --------
    >>> check_gradient(lambda s: ((s**2).sum(), 2 * s), np.arange(3.0)) < 1e-12
    True
    >>> check_gradient(lambda s: ((s**2).sum(), 3 * s), np.arange(3.0)) > 0.1
    True
    """
    point = np.array(point, dtype=np.float64)
    if point.size == 0 or not np.isfinite(point).all():
        raise ValueError("The point must have at least one element, all of them finite.")
    gradient = np.asarray(function(point.copy())[1])
    if gradient.shape != point.shape:
        raise ValueError(f"The gradient has shape {gradient.shape}, the point {point.shape}.")
    exact = _complex_step(function, point)
    error = 1.0 if exact is None else _distance(exact, gradient)
    if error <= _EXACT:
        return error
    return min(error, _distance(_central_differences(function, point), gradient))


def _distance(numeric: np.ndarray, gradient: np.ndarray) -> float:
    total = np.linalg.norm(numeric) + np.linalg.norm(gradient)
    if not np.isfinite(total):
        return 1.0
    return float(np.linalg.norm(numeric - gradient) / total) if total > 0 else 0.0


def _complex_step(function: ValueAndGradient, point: np.ndarray) -> np.ndarray | None:
    step = 1e-30

    def slope(i: int) -> float:
        shifted = point.astype(complex)
        shifted.flat[i] += 1j * step
        return complex(function(shifted)[0]).imag / step

    try:
        slopes = np.array([slope(i) for i in range(point.size)])
    except _NOT_COMPLEX:
        return None
    return slopes.reshape(point.shape) if np.isfinite(slopes).all() else None


def _central_differences(function: ValueAndGradient, point: np.ndarray) -> np.ndarray:
    scale = 1e-3

    def difference(i: int, h: float) -> float:
        up, down = point.copy(), point.copy()
        up.flat[i] += h
        down.flat[i] -= h
        return (float(function(up)[0]) - float(function(down)[0])) / (up.flat[i] - down.flat[i])

    def slope(i: int) -> float:
        h = scale * max(1.0, abs(point.flat[i]))
        return (4 * difference(i, h / 2) - difference(i, h)) / 3

    return np.array([slope(i) for i in range(point.size)]).reshape(point.shape)
