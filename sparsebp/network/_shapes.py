"""Checks of the shapes of variables."""

from __future__ import annotations

import numpy as np

from sparsebp._namespaces import sum_along


def require_product(symbol: str, weight: tuple[int, ...], operand: tuple[int, ...]) -> None:
    """Raise an error if the inner dimensions of a product differ."""
    if len(weight) != 2 or weight[1] != operand[0]:
        raise ValueError(
            f"The weight {symbol} has shape {weight} but its input has shape {operand}: "
            f"it needs {operand[0]} columns. Check the shapes of the variables."
        )


def require_same(name: str, target: tuple[int, ...], z: tuple[int, ...]) -> None:
    """Raise an error if a subtrahend does not broadcast to the shape of the minuend."""
    fits = len(target) == len(z) and all(t in (1, n) for t, n in zip(target, z, strict=True))
    if not fits:
        raise ValueError(
            f"{name} has shape {target} but is subtracted from an array of shape {z}: "
            "each dimension must agree or be 1. Check the shapes of the variables."
        )


def unbroadcast(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Sum a gradient over the dimensions along which its variable was repeated."""
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    return sum_along(gradient, axes, keepdims=True) if axes else gradient
