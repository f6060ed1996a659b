"""Second-moment compression: few columns that stand for many."""

from __future__ import annotations

import numpy as np


def second_moment_factor(x: np.ndarray) -> np.ndarray:
    """Return L with LLᵀ = xxᵀ and no more columns than rows.

    A squared distance of linear functions of x sees the samples only through xxᵀ, so a network
    that computes one may run on L instead of x, with the same value and the same gradient.

    Parameters
    ----------
    x : ndarray of shape (n_rows, n_samples)
        Samples in columns.

    Returns
    -------
    factor : ndarray of shape (n_rows, min(n_rows, n_samples))
        L, from the eigenvectors of the moments, which need not have full rank; in x's precision,
        computed in float64.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 2.0], [0.0, 1.0, 0.0]])
    >>> factor = second_moment_factor(x)
    >>> np.allclose(factor @ factor.T, x @ x.T)
    True
    """
    if x.shape[1] <= x.shape[0]:
        return x
    wide = x.astype(np.float64, copy=False)
    eigenvalues, vectors = np.linalg.eigh(wide @ wide.T)
    return (vectors * np.sqrt(np.maximum(eigenvalues, 0))).astype(x.dtype, copy=False)
