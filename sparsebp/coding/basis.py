"""The basis step of sparse coding: the best basis for given coefficients."""

from __future__ import annotations

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from sparsebp._magnitudes import decomposing
from sparsebp.coding.missing import split_missing
from sparsebp.problems import UnitColumns


def least_squares_basis(
    x: np.ndarray,
    codes: np.ndarray,
    gamma: float,
    *,
    scale: float,
    unknown: np.ndarray | None = None,
) -> np.ndarray:
    """Compute argmin over A of scale · ‖As − x‖² + γ ‖A‖².

    A = x sᵀ (s sᵀ + (γ / scale) I)⁻¹, where the gradient vanishes. Missing values, NaN, do not
    count, so a row of A is fitted to the samples in which its feature is known.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns; NaN is missing.
    codes : ndarray of shape (n_components, n_samples)
        s, their coefficients.
    gamma : float
        γ ≥ 0; with 0 the minimum-norm solution is returned if s is rank-deficient.
    scale : float
        1/n_samples for the mean over the samples, as in the tutorial's exercise.
    unknown : ndarray of shape (n_features, n_components), optional
        Rows of A for features that no sample knows; zero by default.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        A, in x's precision, solved in float64.

    Examples
    --------
    >>> codes = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]])
    >>> basis = np.array([[1.0, -1.0]])
    >>> least_squares_basis(basis @ codes, codes, 0.0, scale=1.0).round(12)
    array([[ 1., -1.]])
    """
    x, known = split_missing(x)
    if known is None:
        return _least_squares(x, codes, gamma / scale)
    shape = len(x), len(codes)
    basis = np.zeros(shape, x.dtype) if unknown is None else unknown.astype(x.dtype)
    patterns, numbers = np.unique(known, axis=0, return_inverse=True)
    for number, samples in enumerate(patterns):
        if samples.any():
            rows = numbers.ravel() == number
            here = np.ix_(rows, samples)
            basis[rows] = _least_squares(x[here], codes[:, samples], gamma / scale)
    return basis


def _least_squares(x: np.ndarray, codes: np.ndarray, ridge: float) -> np.ndarray:
    wide = codes.astype(np.float64, copy=False)
    moments = wide @ wide.T
    cross = wide @ x.astype(np.float64, copy=False).T
    diagonal = np.arange(len(moments))
    moments[diagonal, diagonal] += ridge
    try:
        # A Cholesky factorization may succeed for a rank-deficient matrix and be meaningless.
        basis = cho_solve(cho_factor(moments), cross) if ridge > 0 else None
    except LinAlgError:
        basis = None
    if basis is None:
        with decomposing():
            basis = np.linalg.lstsq(moments, cross, rcond=None)[0]
    return np.ascontiguousarray(basis.T, dtype=x.dtype)


def optimal_directions(
    x: np.ndarray, codes: np.ndarray, basis: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Compute argmin over A of ‖As − x‖², with atoms scaled to unit norm.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns; NaN is missing.
    codes : ndarray of shape (n_components, n_samples)
        s, their coefficients.
    basis : ndarray of shape (n_features, n_components)
        Of it atoms that no sample uses, and features that none knows, are kept.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        The atoms.
    lengths : ndarray of shape (n_components,)
        Their norms before; the product of codes and lengths fits the atoms.

    Notes
    -----
    The method of optimal directions (Engan, Aase & Husøy 1999).
    """
    used, basis = codes.any(axis=1), basis.copy()
    inner = codes if used.all() else codes[used]
    best = least_squares_basis(x, inner, 0.0, scale=1.0, unknown=basis[:, used])
    basis[:, used], lengths = UnitColumns.project(best), np.ones(len(codes), codes.dtype)
    lengths[used] = np.linalg.norm(best, axis=0)
    return basis, lengths
