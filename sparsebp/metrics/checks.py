"""Checks of arguments, shared by the metrics."""

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_matrix(values: Any, name: str) -> NDArray[np.floating]:
    """Return real values as a non-empty two-dimensional float array, or refuse.

    float32 stays float32 and every other real type becomes float64. Nothing is copied that
    already fits.
    """
    array = _as_real(values, name)
    if array.ndim != 2:
        raise ValueError(
            f"{name} has shape {array.shape}; expected two dimensions, one row each. "
            "Reshape a single row with .reshape(1, -1)."
        )
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; expected at least one row and column.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity; remove or replace these values.")
    return array


def as_vector(values: Any, name: str) -> NDArray[np.floating]:
    """Return real values as a non-empty one-dimensional float array, or refuse."""
    array = _as_real(values, name)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}; expected a sequence of one number or more."
        )
    return as_matrix(array[None], name)[0]


def _as_real(values: Any, name: str) -> NDArray[np.floating]:
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged; expected rows of equal length.") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}; expected real numbers.")
    kept = array.dtype in (np.dtype(np.float32), np.dtype(np.float64))
    return array if kept else array.astype(np.float64)


def as_shape(shape: Any, name: str, lengths: Sequence[int] = (2,)) -> tuple[int, ...]:
    """Return a shape as a tuple of positive integers of an allowed length, or refuse."""
    wanted = " or ".join(str(length) for length in lengths)
    refusal = f"{name}={shape!r}; expected {wanted} positive integers, such as (8, 8)."
    try:
        sides = tuple(shape)
    except TypeError as error:
        raise ValueError(refusal) from error
    whole = all(isinstance(side, numbers.Integral) and int(side) > 0 for side in sides)
    if len(sides) not in lengths or not whole or isinstance(shape, str):
        raise ValueError(refusal)
    return tuple(int(side) for side in sides)
