"""Published methods that no other package here has, written after their papers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsebp.coding import pursue
from sparsebp.images._patches import Patches, channel_means

#: Sides of the patches.
SIDES = (8, 8)


def ksvd(
    x: np.ndarray, basis: np.ndarray, n_iter: int, rng: np.random.Generator, **limits: Any
) -> np.ndarray:
    """Return the basis that K-SVD learns (Aharon, Elad & Bruckstein 2006), atoms in columns.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        Where to start, normalized.
    n_iter : int
        Iterations.
    rng : Generator
        Draws the order of the atoms.
    **limits
        Of the pursuit, as of `sparsebp.coding.pursue`.
    """
    for _ in range(n_iter):
        basis = _ksvd_turn(x, basis, rng, limits)
    return basis


def _ksvd_turn(
    x: np.ndarray, basis: np.ndarray, rng: np.random.Generator, limits: dict[str, Any]
) -> np.ndarray:
    """Update each atom by one step of power iteration instead of a singular value decomposition."""
    codes, basis = pursue(x, basis, **limits), basis.copy()
    residual = x - basis @ codes
    for j in rng.permutation(basis.shape[1]):
        users = np.flatnonzero(codes[j])
        if users.size == 0:
            worst = np.square(residual).sum(axis=0).argmax()
            basis[:, j] = x[:, worst] / np.linalg.norm(x[:, worst])
            continue
        without = residual[:, users] + np.outer(basis[:, j], codes[j, users])
        atom = without @ codes[j, users]
        basis[:, j] = atom / np.linalg.norm(atom)
        codes[j, users] = basis[:, j] @ without
        residual[:, users] = without - np.outer(basis[:, j], codes[j, users])
    return basis


def denoised(
    noisy: np.ndarray,
    sigma: float,
    learn: Callable[[np.ndarray, float], np.ndarray],
    n_learned: int,
) -> np.ndarray:
    """Return an image denoised as by Elad & Aharon (2006): pursuit to (1.15 σ)², some of the image.

    Parameters
    ----------
    noisy : ndarray of shape (height, width)
        The image.
    sigma : float
        Standard deviation of the noise.
    learn : callable
        Called with patches in columns, without their means, and the bound on their squared error;
        returns normalized atoms in columns.
    n_learned : int
        The number of patches to learn from.
    """
    patches = Patches(noisy[:, :, np.newaxis], SIDES, 1)
    bound = np.prod(SIDES) * (1.15 * sigma) ** 2
    drawn = np.random.default_rng(0).permutation(len(patches))[:n_learned]
    samples = patches.take(drawn)
    basis = learn((samples - channel_means(samples, 1)).T, bound)

    def described(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        samples = patches.take(numbers)
        means = channel_means(samples, 1)
        codes = pursue((samples - means).T, basis, max_energy=bound)
        return (basis @ codes).T + means, np.ones(len(numbers))

    average = patches.averaged(described, False)[:, :, 0]
    every = patches.pixels(np.arange(len(patches)))
    weight = np.bincount(every.ravel(), minlength=noisy.size).reshape(noisy.shape)
    return (weight * average + 30 / sigma * noisy) / (weight + 30 / sigma)
