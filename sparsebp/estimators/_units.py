"""Warnings of weights that are out of all proportion to the samples, with a number that fits."""

from __future__ import annotations

import warnings

import numpy as np

from sparsebp.penalties import L1, Penalty, SmoothL1, Topographic

#: ε hides coefficients whose mean square is below this share of it.
_HIDDEN = 1e-2
#: Samples looked at.
_ENOUGH = 1000


def warn_of_units(name: str, penalty: Penalty, alpha: float, x: np.ndarray, A: np.ndarray) -> None:
    """Warn where α leaves no coefficient other than zero, or where ε hides all of them.

    Parameters
    ----------
    name : str
        The estimator's.
    penalty : Penalty
        S.
    alpha : float
        Its weight α.
    x : ndarray of shape (n_features, n_samples)
        The samples in columns, of which the first 1000 are looked at.
    A : ndarray of shape (n_features, n_components)
        The basis, atoms in columns.

    Notes
    -----
    Exact L1 codes of a sample are all zero from α = 2 max|Aᵀx| on.
    """
    pull = A.T @ x[:, :_ENOUGH]
    square, largest = float(np.square(pull, dtype=np.float64).mean()), 2 * float(np.abs(pull).max())
    if not square > 0:
        return
    if isinstance(penalty, L1) and alpha >= largest:
        warnings.warn(
            f"{name}: alpha is {alpha:g}, and no coefficient is other than zero; on these samples "
            f"alpha must be below {largest:.2g} (2 max|Aᵀx|). Give about {largest / 10:.1g}, or "
            "scale X to unit variance.",
            stacklevel=5,
        )
    if isinstance(penalty, SmoothL1 | Topographic) and square < _HIDDEN * penalty.epsilon:
        warnings.warn(
            f"{name}: epsilon is {penalty.epsilon:g}, but the atoms' products with these samples "
            f"have the mean square {square:.2g}, so every coefficient is hidden in the rounded "
            f"corner. Give epsilon of about {square / 1000:.1g}, or scale X to unit variance.",
            stacklevel=5,
        )
