"""Unused atoms: which they are, and their replacement."""

from __future__ import annotations

import logging

import numpy as np

from sparsebp._checks import RandomSource
from sparsebp._unused import unused_components
from sparsebp.coding.missing import split_missing

logger = logging.getLogger(__name__)


def unused_atoms(basis: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the indices of the atoms that contribute almost nothing.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_components)
        A.
    squares : ndarray of shape (n_components,)
        Mean square of each atom's coefficients.

    Returns
    -------
    unused : ndarray of int
        By `unused_components`.
    """
    return unused_components(squares * np.linalg.norm(basis.astype(np.float64), axis=0) ** 2)


def replaced_atoms(
    x: np.ndarray, basis: np.ndarray, codes: np.ndarray, unused: np.ndarray, rng: RandomSource
) -> np.ndarray:
    """Replace given atoms by residuals of badly reconstructed samples.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns; at missing values, NaN, there is no residual.
    basis : ndarray of shape (n_features, n_components)
        A.
    codes : ndarray of shape (n_components, n_samples)
        Their coefficients.
    unused : ndarray of int
        Indices of the atoms to replace.
    rng : RandomState or Generator
        Draws the samples, in proportion to their squared error.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        A copy, with new atoms of the median norm; the same basis if no atom is unused or every
        sample is reconstructed perfectly.
    """
    if unused.size == 0:
        return basis
    lengths = np.linalg.norm(basis, axis=0)
    x, known = split_missing(x)
    residual = x - basis @ codes
    if known is not None:
        residual *= known
    errors = np.einsum("ij,ij->j", residual, residual, dtype=np.float64)
    unused = unused[: np.count_nonzero(errors)]
    if unused.size == 0 or not np.median(lengths) > 0:
        return basis
    drawn = rng.choice(len(errors), size=unused.size, replace=False, p=errors / errors.sum())
    new = residual[:, drawn] * (np.median(lengths) / np.sqrt(errors[drawn]))
    replaced = basis.copy()
    replaced[:, unused] = new
    logger.info("Replaced %d unused atoms.", unused.size)
    return replaced
