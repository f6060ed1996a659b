"""Gabor fits, inpainting and feature maps as one would write them with SciPy and scikit-learn."""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares  # noqa: TID251  (what one would call)
from sklearn.decomposition import sparse_encode
from sklearn.feature_extraction.image import extract_patches_2d
from sklearn.linear_model import Lasso


def gabor_r_squared(filters: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the R² of Gabor functions fitted by `least_squares`, one filter at a time.

    The best of three starts is kept: at the center of energy, with the frequency and the direction
    at which the spectrum peaks, and three widths.

    Parameters
    ----------
    filters : ndarray of shape (n_filters, height * width)
        Filters in rows.
    shape : (height, width)
        Of a filter.
    """
    row, column = np.mgrid[: shape[0], : shape[1]].reshape(2, -1).astype(float)
    found = []
    for image in filters:
        target = image - image.mean()
        target = target / np.linalg.norm(target)
        power = np.abs(np.fft.rfft2(target.reshape(shape), (64, 64)))
        down, right = np.unravel_index(power.argmax(), power.shape)
        wave = np.array([np.fft.fftfreq(64)[down], right / 64])
        energy = target**2
        center = [energy @ row, energy @ column]

        def residual(p: np.ndarray, target: np.ndarray = target) -> np.ndarray:
            y, x = row - p[0], column - p[1]
            u, v = x * np.cos(p[2]) + y * np.sin(p[2]), y * np.cos(p[2]) - x * np.sin(p[2])
            envelope = np.exp(-(u**2) / (2 * p[4] ** 2) - v**2 / (2 * p[5] ** 2))
            phase = 2 * np.pi * p[3] * u
            return envelope * (p[6] * np.cos(phase) + p[7] * np.sin(phase)) + p[8] - target

        direction = [np.arctan2(wave[0], wave[1]), np.hypot(*wave)]
        left = [
            least_squares(residual, [*center, *direction, width, width, 0.3, 0.3, 0.0]).cost
            for width in (1.0, 2.0, 4.0)
        ]
        found.append(1 - 2 * min(left))
    return np.array(found)


def inpainted(
    image: np.ndarray, missing: np.ndarray, atoms: np.ndarray, alpha: float
) -> np.ndarray:
    """Fill missing pixels by the L1 codes of each patch's known pixels, and average.

    Patches with more known pixels have larger weights.

    Parameters
    ----------
    image : ndarray of shape (height, width)
        What its missing pixels hold does not matter.
    missing : ndarray of bool of that shape
        Which they are.
    atoms : ndarray of shape (n_atoms, side * side)
        In rows.
    alpha : float
        Weight of the L1 norm relative to the squared error.
    """
    side = round(atoms.shape[1] ** 0.5)
    total, weight = np.zeros(image.shape), np.zeros(image.shape)
    for row, column in np.ndindex(image.shape[0] - side + 1, image.shape[1] - side + 1):
        at = np.s_[row : row + side, column : column + side]
        known = ~missing[at].ravel()
        if not known.any():
            continue
        pixels = image[at].ravel()[known]
        lasso = Lasso(alpha / 2 / known.sum(), fit_intercept=False, tol=1e-4)
        lasso.fit(atoms.T[known], pixels - pixels.mean())
        made = (lasso.coef_ @ atoms + pixels.mean()).reshape(side, side)
        total[at] += known.mean() ** 2 * made
        weight[at] += known.mean() ** 2
    return np.where(missing, total / np.where(weight == 0, 1, weight), image)


def feature_map(image: np.ndarray, atoms: np.ndarray, alpha: float, every: int) -> np.ndarray:
    """Return the L1 codes of patches of an image, less their means.

    Parameters
    ----------
    image : ndarray of shape (height, width)
        The image.
    atoms : ndarray of shape (n_atoms, side * side)
        In rows.
    alpha : float
        Weight of the L1 norm relative to the squared error.
    every : int
        Distance between patches that are encoded, row by row.
    """
    side = round(atoms.shape[1] ** 0.5)
    samples = extract_patches_2d(image, (side, side))[::every].reshape(-1, side * side)
    samples = samples - samples.mean(axis=1, keepdims=True)
    return sparse_encode(samples, atoms, algorithm="lasso_cd", alpha=alpha / 2, max_iter=1000)
