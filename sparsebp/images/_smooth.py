"""Smooth (biharmonic) inpainting."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import spsolve


def filled_smoothly(image: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """Fill holes by minimizing the sum of the squared Laplacian: biharmonic inpainting.

    Image and holes have the shape (height, width, n_channels). In each channel some pixels are
    known, of which only those near a hole are used.
    """
    filled = np.where(holes, 0, image).astype(np.float64)
    for channel in range(image.shape[2]):
        missing = holes[:, :, channel]
        if missing.any():
            laplacian = _laplacian_near(missing)
            unknown = missing.ravel()
            equations = laplacian[:, unknown]
            known = filled[:, :, channel].ravel()
            pull = -equations.T @ (laplacian @ known)
            solution: Any = spsolve((equations.T @ equations).tocsc(), pull)
            filled[missing, channel] = solution
    return filled


def _laplacian_near(missing: np.ndarray) -> csr_array:
    """Return the rows of the Laplacian that involve a hole, with a replicated border."""
    numbers = np.arange(missing.size).reshape(missing.shape)
    pairs = [(numbers[1:], numbers[:-1]), (numbers[:, 1:], numbers[:, :-1])]
    one = np.concatenate([np.concatenate([a.ravel(), b.ravel()]) for a, b in pairs])
    other = np.concatenate([np.concatenate([b.ravel(), a.ravel()]) for a, b in pairs])
    seen = missing.ravel()
    near = seen.copy()
    near[one[seen[other]]] = True
    one, other = one[near[one]], other[near[one]]
    rows = np.cumsum(near) - 1
    values = np.concatenate([np.ones(one.size), -np.ones(one.size)])
    places = (np.concatenate([rows[one], rows[one]]), np.concatenate([other, one]))
    return csr_array((values, places), shape=(int(near.sum()), missing.size))
