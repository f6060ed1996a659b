"""The atoms of a model, and atoms learned from the image itself."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from sparsebp.coding import learn_by_pursuit, pursue
from sparsebp.images._patches import Patches, channel_means

#: Side of the patches without a model.
_SIDE = 8
#: Initial cosines along a side of n pixels, in units of n.
_OVERCOMPLETE = 2
#: Training patches, and iterations of learning.
_LEARNED_FROM, _ITERATIONS = 20_000, 10
#: Squared error per pixel, in units of σ², at which pursuit stops during learning.
_BOUND = 1.15**2


def atoms_of(model: Any) -> np.ndarray:
    """Return what each component of a model adds to a sample, in unit-norm columns.

    Any model with a linear `inverse_transform` works, including pipelines and scikit-learn's.
    """
    if not hasattr(model, "inverse_transform"):
        raise TypeError(
            f"model is a {type(model).__name__}, which has no inverse_transform; give a model that "
            "reconstructs patches from its coefficients."
        )
    last = model[-1] if hasattr(model, "steps") else model
    if not hasattr(last, "components_"):
        raise TypeError(
            f"model is a {type(last).__name__}, which has no components_ and so no atoms; give a "
            "model with atoms, such as SparseCoding."
        )
    codes = np.eye(last.components_.shape[0])
    made = np.asarray(model.inverse_transform(codes)) - model.inverse_transform(0 * codes[:1])
    return made.T.astype(np.float64)


def learned_atoms(patches: Patches, sigma: float, n_threads: int) -> np.ndarray:
    """Learn atoms from the patches of a noisy image, starting from cosines."""
    n_channels = patches.image.shape[-1]
    # Evenly spread instead of random, with a step coprime to the length of a row.
    step = max(len(patches) // _LEARNED_FROM, 1)
    samples = patches.take(np.arange(0, len(patches), step)).astype(np.float64)
    x = np.ascontiguousarray((samples - channel_means(samples, n_channels)).T)
    atoms = cosines(patches.sides, n_channels)
    bound = len(x) * _BOUND * sigma**2
    return learn_by_pursuit(x, atoms, max_energy=bound, n_iter=_ITERATIONS, n_threads=n_threads)


def approximated(
    samples: np.ndarray, atoms: np.ndarray, n_channels: int, min_gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Approximate patches by their means and few atoms; also return weights, larger for fewer.

    An atom is used if it explains more than ``min_gain`` of the squares of a patch.
    """
    means = channel_means(samples, n_channels)
    codes = pursue((samples - means).T, atoms, min_gain=min_gain).T
    return codes @ atoms.T + means, 1 / (1 + np.count_nonzero(codes, axis=1))


def cosines(sides: tuple[int, ...], n_channels: int) -> np.ndarray:
    """Return unit-norm products of cosines, none of them constant, in columns.

    Brightness has twice as many frequencies along each side as differences between channels.
    """
    across = _waves(n_channels, n_channels)
    fine, coarse = (
        reduce(np.kron, [_waves(side, k * side) for side in sides])[:, 1:]
        for k in (_OVERCOMPLETE, 1)
    )
    return np.hstack([np.kron(fine, across[:, :1]), np.kron(coarse, across[:, 1:])])


def _waves(n: int, n_frequencies: int) -> np.ndarray:
    """Return cosines of unit length on n points; all but the first have the mean zero."""
    waves = np.cos(np.pi / n_frequencies * np.outer(np.arange(n) + 0.5, np.arange(n_frequencies)))
    waves[:, 1:] -= waves[:, 1:].mean(axis=0)
    return waves / np.linalg.norm(waves, axis=0)


def sides_without_model(image: np.ndarray) -> tuple[int, int]:
    """Return the sides of the patches of an image (height, width, n_channels) without a model."""
    side = min(_SIDE, *image.shape[:2])
    if side < 3:
        raise ValueError(
            f"The image of {image.shape[0]} × {image.shape[1]} pixels is too small for patches of "
            "3 × 3 pixels; give a model."
        )
    return side, side
