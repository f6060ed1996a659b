"""Coefficients of samples for a given basis, each sample independently.

A sample's coefficients do not depend, to the last bit, on the other samples: each has its own steps
and stopping criterion, and the same rounding as alone (in double precision, on whole panels of
columns; see `sparsebp.samples.columns`). L1 codes of fewer than 16 steps, which only online
learning takes, are an exception: they are in single precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp._namespaces import is_foreign
from sparsebp.coding.gram import Gram
from sparsebp.coding.l1 import FIRST_STEPS, encode_l1, encode_together
from sparsebp.coding.l1_missing import encode_l1_missing
from sparsebp.coding.missing import split_missing
from sparsebp.coding.proximal import encode_proximally
from sparsebp.coding.pursuit import Pursuit
from sparsebp.coding.smooth import encode_smoothly
from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import L1, Penalty
from sparsebp.samples import in_blocks, one_blas_thread

#: Most samples of a block. Those of exact L1 fit the cache; smaller ones spend their time in calls
#: of NumPy, during which threads wait for each other. Of a smooth penalty's block some columns are
#: minimized at a time while the others wait: the longer they can take the places of those that have
#: ended, the better.
_L1_BLOCK, _SMOOTH_BLOCK = 512, 4096
#: Samples of exact L1 for which a thread of their own is worth the while.
_FEWEST = 128
#: In arrays of other libraries: relative duality gap, of second order in the error of the codes,
#: and maximum number of steps, which are cheap and many.
_TIGHT, _MANY = 1e-8, 20_000


def encode(  # noqa: PLR0913  (how a search begins, and three limits)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty | Pursuit,
    alpha: float,
    *,
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
    n_threads: int = 1,
) -> ColumnResult:
    """Compute argmin over s of ‖As − x‖² + α S(s) for each sample independently.

    Of a sample with missing values, NaN, only the known ones count: ‖M ∘ (As − x)‖² + α S(s), where
    M is 1 for these and 0 elsewhere. α is the same. A sample without any known value has codes 0.

    Smooth penalties take one L-BFGS per sample, exact L1 steps that find the signs and equations
    for the values, other penalties with a corner proximal steps, all on blocks of samples at once.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns; NaN is missing.
    basis : ndarray of shape (n_features, n_components)
        A, atoms in columns. With a penalty its layout in memory does not matter.
    penalty : Penalty or Pursuit
        S; a pursuit limits ‖s‖₀ or ‖As − x‖² instead, and needs no other parameter.
    alpha : float
        α ≥ 0.
    start : ndarray of shape (n_components, n_samples), optional
        Where to start; by default where accelerated steps lead from `starting_codes`, or zero where
        the penalty has a corner.
    tol : float
        A sample has converged when no element of its (sub)gradient exceeds tol times the largest at
        s = 0 (or α, if that is larger), or at a failed line search 100 times that; at least 20
        times the rounding error of x. Samples of other libraries than NumPy have converged at a
        relative duality gap of at most 1e-8.
    max_iter : int
        Maximum number of iterations. In arrays of other libraries it is 20,000, whatever is given,
        and of tol only values below 1e-8 count.
    n_threads : int
        Number of threads over blocks of samples.

    Returns
    -------
    codes : ColumnResult
        Of shape (n_components, n_samples), and the number of samples that have not converged.
    """
    # The layout reaches the numbers: BLAS adds in another order, and where an iteration stops
    # depends on it. Estimators have atoms in rows.
    if not (is_foreign(x) or isinstance(penalty, (Pursuit, L1))):
        basis = np.asfortranarray(basis)
    limits: dict[str, Any] = {"tol": tol, "max_iter": max_iter, "n_threads": n_threads}
    return encode_in_layout(x, basis, penalty, alpha, start=start, **limits)


def encode_in_layout(  # noqa: PLR0913  (as `encode`)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty | Pursuit,
    alpha: float,
    *,
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
    n_threads: int = 1,
) -> ColumnResult:
    """Encode as `encode` does, with the basis in the layout in memory that it has.

    For fits, which have atoms in columns: a copy for each batch would take time.
    """
    if is_foreign(x):
        return _encode_elsewhere(x, basis, penalty, alpha, tol, plain=start is None)
    tol = max(tol, 20 * float(np.finfo(x.dtype).eps))
    limits: dict[str, Any] = {"tol": tol, "max_iter": max_iter}
    filled, known = split_missing(x)
    if known is None:
        return _encode_alike(x, basis, penalty, alpha, None, start, limits, n_threads)
    codes, n_unfinished = np.empty((basis.shape[1], x.shape[1]), dtype=x.dtype), 0
    complete = known.all(axis=0)
    for columns, mask in ((complete, None), (~complete, known[:, ~complete])):
        if columns.any():
            first = None if start is None else start[:, columns]
            samples = filled[:, columns]
            codes[:, columns], unfinished = _encode_alike(
                samples, basis, penalty, alpha, mask, first, limits, n_threads
            )
            n_unfinished += unfinished
    return ColumnResult(codes, n_unfinished)


def _encode_alike(  # noqa: PLR0913  (as `encode`)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty | Pursuit,
    alpha: float,
    mask: np.ndarray | None,
    start: np.ndarray | None,
    limits: dict[str, Any],
    n_threads: int,
) -> ColumnResult:
    """Encode complete samples, or with a mask samples that all have missing values, which are 0."""
    if isinstance(penalty, Pursuit):
        return ColumnResult(penalty(x, basis, n_threads, known=mask), 0)
    codes = np.empty((basis.shape[1], x.shape[1]), dtype=x.dtype)
    gram = Gram.of(basis) if isinstance(penalty, L1) and mask is None else None
    order = "F" if isinstance(penalty, L1) else "K"
    wide = basis.astype(np.float64, order=order) if gram is None else basis

    def solve(block: slice) -> ColumnResult:
        samples = np.array(x[:, block], dtype=np.float64, order="C")
        known = None if mask is None else np.array(mask[:, block], dtype=np.float64, order="C")
        first = None
        if start is not None:
            first = np.array(start[:, block], dtype=np.float64, order="C")
        if penalty.is_smooth:
            return encode_smoothly(samples, wide, penalty, alpha, mask=known, start=first, **limits)
        if first is None:
            first = np.zeros((wide.shape[1], samples.shape[1]))  # most coefficients stay there
        if isinstance(penalty, L1) and gram is not None:
            return encode_l1(samples, gram, penalty, alpha, start=first, **limits)
        if isinstance(penalty, L1) and known is not None:
            return encode_l1_missing(
                samples, wide, penalty, alpha, mask=known, start=first, **limits
            )
        return encode_proximally(samples, wide, penalty, alpha, mask=known, start=first, **limits)

    if isinstance(penalty, L1) and limits["max_iter"] < FIRST_STEPS:
        size = _L1_BLOCK  # not exact, so rounded, in single precision, by the place in a block
    elif isinstance(penalty, L1):
        size = max(_equal_share(x.shape[1], n_threads, _L1_BLOCK), _FEWEST)
    else:
        size = _equal_share(x.shape[1], n_threads, _SMOOTH_BLOCK)
    n_unfinished = 0
    with one_blas_thread():
        for block, found in in_blocks(solve, x.shape[1], size, n_threads):
            codes[:, block], unfinished = found
            n_unfinished += unfinished
    return ColumnResult(codes, n_unfinished)


def _equal_share(n_samples: int, n_threads: int, most: int) -> int:
    """Return the size of the largest blocks, up to `most`, of which every thread gets as many."""
    n_blocks = n_threads * -(-n_samples // (n_threads * most))
    return -(-n_samples // max(n_blocks, 1)) or 1


def _encode_elsewhere(
    x: Any,
    basis: np.ndarray,
    penalty: Penalty | Pursuit,
    alpha: float,
    tol: float,
    *,
    plain: bool,
) -> ColumnResult:
    """Encode samples in an array of another library."""
    if not (plain and isinstance(penalty, L1)):
        raise ValueError(
            f"{type(penalty).__name__}, and starts, are for arrays of NumPy: "
            "arrays of other libraries are encoded with L1 only. Give X as an ndarray."
        )
    limits: dict[str, Any] = {"tol": min(tol, _TIGHT), "max_iter": _MANY}
    return encode_together(x, basis, penalty, alpha, **limits)
