"""Separation: how far an unmixing is from the inverse of the true mixing."""

import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import check_integer, check_matrix


def amari_distance(unmixing: ArrayLike, mixing: ArrayLike, *, group_size: int = 1) -> float:
    """Compute how far unmixing @ mixing is from a scaled permutation.

    With P = |unmixing @ mixing| of shape (n, n), or for subspaces the Frobenius norms of its blocks
    of group_size rows and columns, n being the number of subspaces,

    distance = [sum_i (sum_j P_ij / max_j P_ij - 1) + sum_j (sum_i P_ij / max_i P_ij - 1)]
    / (2 n (n - 1)),

    which is 0 when the sources are found up to order, sign and scale, and 1 at worst, when
    all entries of P are equal. A row or column of zeros counts as all entries equal. Between
    subspaces it is 0 if the subspaces are found, whatever their bases.

    Parameters
    ----------
    unmixing : array-like of shape (n_sources, n_features)
        Filters as rows: what maps the features that were mixed to sources, whitening included.
    mixing : array-like of shape (n_features, n_sources)
        True mixing, one source per column.
    group_size : int, default 1
        Dimension of the independent subspaces; sources of a subspace follow each other. It must
        divide the number of sources.

    Returns
    -------
    distance : float in [0, 1]
        0 for a single source, or subspace, that is not lost.

    Raises
    ------
    ValueError
        If an argument is not a finite real matrix, the two do not multiply to a square, or groups
        are not full.

    References
    ----------
    Amari, Cichocki & Yang 1996, "A new learning algorithm for blind signal separation",
    section 4, here divided by its largest value. Theis 2005, "Blind signal separation into groups
    of dependent signals using joint block diagonalization", has it for subspaces.

    Examples
    --------
    >>> from sparsebp.metrics import amari_distance
    >>> amari_distance([[0, -3], [2, 0]], [[1, 0], [0, 1]])
    0.0
    >>> amari_distance([[1, 1], [1, 1]], [[1, 0], [0, 1]])
    1.0
    """
    filters, mixers = check_matrix("unmixing", unmixing), check_matrix("mixing", mixing)
    if filters.shape != mixers.shape[::-1]:
        raise ValueError(
            f"unmixing has shape {filters.shape} and mixing {mixers.shape}; expected "
            "(n_sources, n_features) and (n_features, n_sources). Transpose one of them?"
        )
    # Scale does not matter, and numbers of size 1 cannot overflow.
    filters, mixers = (m.astype(np.float64) / (np.abs(m).max() or 1.0) for m in (filters, mixers))
    leakage = _block_norms(filters @ mixers, group_size)
    n_sources = len(leakage)
    if n_sources == 1:
        return 0.0 if leakage[0, 0] > 0 else 1.0
    excess = 0.0
    for axis in (0, 1):
        largest = leakage.max(axis=axis, keepdims=True)
        shares = np.divide(leakage, largest, out=np.ones_like(leakage), where=largest > 0)
        excess += shares.sum() - n_sources
    return float(np.clip(excess / (2 * n_sources * (n_sources - 1)), 0.0, 1.0))


def _block_norms(product: np.ndarray, group_size: int) -> np.ndarray:
    n_groups, rest = divmod(len(product), check_integer("group_size", group_size))
    if rest:
        raise ValueError(
            f"group_size is {group_size} but there are {len(product)} sources; give a number that "
            "divides them."
        )
    blocks = product.reshape(n_groups, group_size, n_groups, group_size)
    return np.sqrt(np.square(blocks).sum(axis=(1, 3)))
