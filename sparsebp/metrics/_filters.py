"""Filters as pictures of one scale, for measures that do not depend on it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_matrix
from sparsebp._shapes import PatchShape, as_volumes, resolved_patch_shape


def unit_volumes(
    filters: ArrayLike, patch_shape: PatchShape
) -> tuple[NDArray[np.float64], tuple[int, ...]]:
    """Return filters of unit norm, (n_filters, frames, height, width, channels), and their shape.

    Zero filters stay zero.
    """
    matrix = check_matrix("filters", filters).astype(np.float64)
    shape = resolved_patch_shape(matrix.shape[1], patch_shape, "each filter")
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    scaled = matrix / np.where(largest > 0, largest, 1)  # their squares stay in range
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    return as_volumes(scaled / np.where(norm > 0, norm, 1), shape), shape


def peak_offset(below: NDArray, at: NDArray, above: NDArray) -> NDArray[Any]:
    """Return how far the top of a parabola through three neighboring values is from the middle."""
    curvature = 2 * at - below - above
    return np.where(curvature > 0, (above - below) / (2 * np.where(curvature > 0, curvature, 1)), 0)
