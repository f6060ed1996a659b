"""Exact L1 codes of samples of which a part is missing: accelerated proximal steps."""

from __future__ import annotations

import numpy as np

from sparsebp.blocks import filled, product, taken
from sparsebp.penalties import L1
from sparsebp.problems import MASKED_RECONSTRUCTION, Objective, Term

#: Steps from one look at the subgradient to the next.
_LOOK = 10


def gradient_scale(x: np.ndarray, basis: np.ndarray, alpha: float) -> np.ndarray:
    """Compute the largest slope at s = 0 of each sample, or α if that is larger.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns, zero where they are missing.
    basis : ndarray of shape (n_features, n_components)
        A.
    alpha : float
        α ≥ 0.

    Returns
    -------
    scale : ndarray of shape (n_samples,)
        What tolerances are relative to.
    """
    return np.maximum(np.abs(product(2 * basis.T, x)).max(axis=0, initial=0.0), max(alpha, 1e-12))


def encode_masked(  # noqa: PLR0913  (what a search begins with, and its limits)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: L1,
    alpha: float,
    *,
    mask: np.ndarray,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, int]:
    """Compute argmin over s of ‖M ∘ (As − x)‖² + α ‖s‖₁ for each sample by itself.

    What a sample misses differs from sample to sample, and with it the equations between its
    coefficients, so none are solved: steps go along the gradient and through the proximal map.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns, zero where they are missing.
    basis : ndarray of shape (n_features, n_components)
        A, atoms in columns.
    penalty : L1
        With positive codes, or not.
    alpha : float
        α ≥ 0.
    mask : ndarray of shape (n_features, n_samples)
        M, 1 where x is known and 0 elsewhere.
    start : ndarray of shape (n_components, n_samples)
        Where to begin.
    tol : float
        A sample is done when no element of its least subgradient exceeds tol times
        `gradient_scale`.
    max_iter : int
        Steps at most.

    Returns
    -------
    codes : ndarray of shape (n_components, n_samples)
        Coefficients in columns.
    n_unfinished : int
        Samples that met the limit first.

    Notes
    -----
    Beck & Teboulle (2009), FISTA, restarted for a sample whose last step went against its
    momentum (O'Donoghue & Candès 2015).
    """
    target = tol * gradient_scale(x, basis, alpha)
    bend = 2 * max(float(np.linalg.norm(basis, 2)) ** 2, float(np.finfo(basis.dtype).tiny))
    out, columns = start.copy(), filled(np.arange(x.shape[1]))
    codes = ahead = taken(start, columns)
    age = np.ones(columns.size, dtype=x.dtype)
    distance = _distance(taken(x, columns), basis, taken(mask, columns))
    for iteration in range(max_iter + 1):
        if iteration % _LOOK == 0 or iteration == max_iter:
            out[:, columns] = codes
            gradient = distance.values_and_gradient(codes)[1]
            unfinished = penalty.violation(codes, gradient, alpha) > target[columns]
            left = filled(np.flatnonzero(unfinished))
            columns, age = columns[left], age[left]
            if columns.size == 0 or iteration == max_iter:
                break
            codes, ahead = taken(codes, left), taken(ahead, left)
            distance = _distance(taken(x, columns), basis, taken(mask, columns))
        gradient = distance.values_and_gradient(ahead)[1]
        new = penalty.proximal(ahead - gradient / bend, alpha / bend)
        against = np.einsum("ij,ij->j", ahead - new, new - codes) > 0
        older = np.where(against, 1, (1 + np.sqrt(1 + 4 * age * age)) / 2).astype(x.dtype)
        momentum = np.where(against, 0, (age - 1) / older).astype(x.dtype)
        codes, ahead, age = new, new + momentum * (new - codes), older
    return out, np.unique(columns).size


def _distance(x: np.ndarray, basis: np.ndarray, mask: np.ndarray) -> Objective:
    return Objective("s", (Term(1.0, MASKED_RECONSTRUCTION, {"A": basis, "x": x, "M": mask}),))
