"""Data of the benchmarks: patches of photographs, and a planted dictionary."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from sparsebp.datasets import load_photographs, load_sample_photographs, make_dictionary_signals
from sparsebp.preprocessing import Whitening, remove_mean, sample_patches, whiten_images


def photographs(images: Path | None = None) -> list[np.ndarray]:
    """Return the photographs of a folder, or the two that come with scikit-learn.

    Parameters
    ----------
    images : Path, optional
        The folder.

    Returns
    -------
    photographs : list of ndarray
        Each (height, width).
    """
    return load_sample_photographs() if images is None else load_photographs(images)


@cache
def patches(
    side: int, n: int, images: Path | None = None, dtype: Any = np.float64, seed: int = 0
) -> np.ndarray:
    """Return patches of whitened photographs, without their means, of unit variance.

    Parameters
    ----------
    side : int
        Height and width of a patch.
    n : int
        Number of patches.
    images : Path, optional
        Folder of photographs; by default the two that come with scikit-learn.
    dtype : dtype
        Precision of what is returned.
    seed : int
        Where the positions come from.

    Returns
    -------
    X : ndarray of shape (n, side * side)
        One patch a row.
    """
    drawn = sample_patches(whiten_images(photographs(images)), side, n, random_state=seed)
    X = remove_mean(drawn)
    return (X / X.std()).astype(dtype)


def white_patches(side: int, n: int, images: Path | None = None) -> np.ndarray:
    """Return patches whose covariance is the identity, in the directions of 99 % of the variance.

    Parameters
    ----------
    side : int
        Height and width of a patch.
    n : int
        Number of patches.
    images : Path, optional
        Folder of photographs.

    Returns
    -------
    X : ndarray of shape (n, n_directions)
        Samples in rows, float64.
    """
    return Whitening("pca", n_components=0.99).fit_transform(patches(side, n, images))


def random_rows(shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return a random matrix with unit-norm rows, from which every method starts.

    Parameters
    ----------
    shape : (int, int)
        Its shape.
    seed : int
        Where the numbers come from.

    Returns
    -------
    matrix : ndarray of that shape
        Filters in rows, or atoms.
    """
    matrix = np.random.default_rng(seed).standard_normal(shape)
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


def atoms_from(X: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """Return a basis of normalized samples, as SPAMS and scikit-learn start from.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples in rows.
    n : int
        Number of atoms.
    seed : int
        Which samples.

    Returns
    -------
    basis : ndarray of shape (n_features, n)
        Atoms in columns.
    """
    chosen = X[np.random.default_rng(seed).choice(len(X), n, replace=False)]
    return np.ascontiguousarray((chosen / np.linalg.norm(chosen, axis=1, keepdims=True)).T)


def planted(seed: int, n: int = 1500, n_nonzero: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Return signals of a known dictionary: 20 features, 50 atoms, 20 dB.

    Parameters
    ----------
    seed : int
        Which problem.
    n : int
        Number of signals.
    n_nonzero : int
        Atoms of a signal.

    Returns
    -------
    X : ndarray of shape (n, 20)
        Signals in rows.
    dictionary : ndarray of shape (50, 20)
        The true atoms in rows.
    """
    drawn = make_dictionary_signals(n, 20, 50, n_nonzero=n_nonzero, snr_db=20, random_state=seed)
    return drawn.X, drawn.dictionary
