"""Exact L1 coefficients of samples with missing values."""

from __future__ import annotations

import numpy as np

from sparsebp.coding.exchange import exchange_atoms
from sparsebp.coding.l1 import EXACT
from sparsebp.coding.proximal import encode_proximally
from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import L1

#: Proximal steps that guess the signs, and how often atoms are then exchanged: all of them, and per
#: component single ones.
_STEPS, _EXCHANGES, _SINGLE = 30, 6, 3


def encode_l1_missing(  # noqa: PLR0913  (as `encode_proximally`)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: L1,
    alpha: float,
    *,
    mask: np.ndarray,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> ColumnResult:
    """Compute argmin over s of ‖M ∘ (As − x)‖² + α‖s‖₁ for each sample; see `encode_proximally`.

    Each sample has its own Gram matrix, that of the rows of A for its known values. A few proximal
    steps guess the signs; equations, as for complete samples, find the exact codes.
    """
    limits = {"tol": tol, "max_iter": min(max_iter, _STEPS)}
    guess = encode_proximally(x, basis, penalty, alpha, mask=mask, start=start, **limits).points
    codes, left = guess.T.copy(), []
    for number, known in enumerate(mask.T > 0):
        sample = x[known, number]
        if not _solve(codes[number : number + 1], sample, basis[known], penalty, alpha):
            left.append(number)
    if not left:
        return ColumnResult(codes.T, 0)
    known, start = mask[:, left], codes[left].T
    limits = {"tol": tol, "max_iter": max_iter}
    rest = encode_proximally(x[:, left], basis, penalty, alpha, mask=known, start=start, **limits)
    codes[left] = rest.points.T
    return ColumnResult(codes.T, rest.n_unfinished)


def _solve(
    code: np.ndarray, sample: np.ndarray, atoms: np.ndarray, penalty: L1, alpha: float
) -> bool:
    """Write the exact code (1, n_components) over a guess; return whether it was found."""
    pull = 2 * (sample @ atoms)
    steepest = max(float(np.abs(pull).max(initial=0.0)), alpha, float(np.finfo(pull.dtype).tiny))
    gram = 2 * atoms.T @ atoms
    scale = float(gram.diagonal().mean()) or 1.0
    # In units as in `encode_l1`.
    found = code * (scale / steepest)
    rounds = (_EXCHANGES, _SINGLE * len(pull))
    problem = (pull[np.newaxis] / steepest, np.array([alpha / steepest]), gram / scale)
    exact = bool(exchange_atoms(found, *problem, EXACT, penalty.positive, rounds)[0])
    if exact:
        code[:] = found * (steepest / scale)
    return exact
