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
    largest = 2 * float(np.abs(pull).max())
    if not largest > 0:
        return
    # Weight decay makes atoms short where nothing uses them, whatever the unit of the samples.
    lengths = np.linalg.norm(A, axis=0)[:, np.newaxis]
    if warn_of_hidden(name, penalty, alpha, pull / np.where(lengths > 0, lengths, 1)):
        return
    if isinstance(penalty, L1 | SmoothL1) and alpha >= largest:
        nearly = "" if isinstance(penalty, L1) else " by more than the rounded corner"
        warnings.warn(
            f"{name}: alpha is {alpha:g}, and no coefficient is other than zero{nearly}; on these "
            f"samples alpha must be below {largest:.2g} (2 max|Aᵀx|). Give about "
            f"{largest / 10:.1g}, or scale X to unit variance.",
            stacklevel=5,
        )


def warn_of_hidden(name: str, penalty: Penalty, alpha: float, responses: np.ndarray) -> bool:
    """Warn where ε is so large that a smoothed penalty does not tell small from large responses.

    Parameters
    ----------
    name : str
        The estimator's.
    penalty : Penalty
        S.
    alpha : float
        Its weight α.
    responses : ndarray of shape (n_components, n_samples) or its transpose
        Products of atoms or filters with samples.

    Returns
    -------
    hidden : bool
        Whether there was a warning.
    """
    square = float(np.square(responses, dtype=np.float64).mean())
    smoothed = isinstance(penalty, SmoothL1 | Topographic)
    if not (smoothed and 0 < square < _HIDDEN * penalty.epsilon):
        return False
    warnings.warn(
        f"{name}: epsilon is {penalty.epsilon:g}, but the products of atoms or filters with these "
        f"samples have the mean square {square:.2g}, so all are hidden in the rounded corner. "
        f"Scale X to unit variance, or give epsilon of about {square / 1000:.1g} and alpha of "
        f"about {alpha * np.sqrt(square):.1g}.",
        stacklevel=6,
    )
    return True
