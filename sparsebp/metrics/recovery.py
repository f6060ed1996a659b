"""Recovery: which atoms of a known dictionary a learned dictionary contains."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from sparsebp._checks import check_matrix, check_number


@dataclass(frozen=True, eq=False)
class Recovery:
    """How much of a known dictionary was found.

    Attributes
    ----------
    n_found : int
        True atoms whose similarity is at least the threshold.
    fraction : float
        n_found / n_components, in [0, 1].
    similarity : ndarray of shape (n_components,)
        |cosine| of each true atom and the learned atom assigned to it, in [0, 1]; 0 for a zero
        atom and for one that no learned atom was left for.
    assignment : ndarray of shape (n_components,)
        Row of the learned atom assigned to each true atom; -1 where none was left.
    """

    n_found: int
    fraction: float
    similarity: NDArray[np.float64]
    assignment: NDArray[np.intp]


def dictionary_recovery(
    dictionary: ArrayLike, learned: ArrayLike, *, threshold: float = 0.99
) -> Recovery:
    """Match learned atoms to true atoms one to one, and count those that agree.

    The assignment a maximizes sum_i |<d_i, l_a(i)>| / (norm(d_i) norm(l_a(i))), so neither
    order nor sign nor scale matters, and no learned atom is counted twice.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        True atoms.
    learned : array-like of shape (n_learned, n_features)
        Learned atoms; their number may differ from n_components.
    threshold : float in (0, 1], default 0.99
        |cosine| from which an atom counts as found.

    Returns
    -------
    Recovery

    Raises
    ------
    ValueError
        If an argument is not a finite real matrix, the numbers of features differ, or the
        threshold is out of range.

    References
    ----------
    Aharon, Elad & Bruckstein 2006, "K-SVD", section V-A, count an atom as found when
    1 - |cosine| < 0.01; here the assignment is one to one.

    Examples
    --------
    >>> from sparsebp.metrics import dictionary_recovery
    >>> found = dictionary_recovery([[1, 0], [0, 1]], [[0, -2], [1, 1]])
    >>> found.n_found, found.fraction, found.assignment.tolist()
    (1, 0.5, [1, 0])
    """
    cosine = cosines("dictionary", dictionary, "learned", learned)
    check_number("threshold", threshold, above=0, maximum=1)
    rows, columns = best_pairs(cosine)
    similarity = np.zeros(len(cosine))
    assignment = np.full(len(cosine), -1, dtype=np.intp)
    similarity[rows], assignment[rows] = cosine[rows, columns], columns
    n_found = int(reaches(similarity, threshold).sum())
    return Recovery(n_found, n_found / len(cosine), similarity, assignment)


def best_pairs(cosine: NDArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns matched one to one such that the sum of their entries is largest."""
    return linear_sum_assignment(cosine, maximize=True)


def reaches(similarity: NDArray, threshold: float) -> NDArray[np.bool_]:
    """Return which similarities are at least the threshold."""
    # Two rounding errors must not lose an atom that was found exactly.
    return similarity >= threshold - 1e-12


def cosines(name: str, first: ArrayLike, other_name: str, second: ArrayLike) -> NDArray[np.float64]:
    """Return |cosine| (n_first, n_second) of two named dictionaries' atoms, 0 for zero atoms."""
    atoms, others = check_matrix(name, first), check_matrix(other_name, second)
    if atoms.shape[1] != others.shape[1]:
        raise ValueError(
            f"{name} has {atoms.shape[1]} features but {other_name} has {others.shape[1]}; "
            "both need atoms of the same length as rows."
        )
    return np.minimum(np.abs(unit_rows(atoms) @ unit_rows(others).T), 1.0)


def unit_rows(atoms: NDArray) -> NDArray[np.float64]:
    """Return the rows scaled to unit norm; zeros stay zeros."""
    atoms = atoms.astype(np.float64)
    # Dividing by the largest entry first keeps the squares from overflowing.
    for size in (np.abs(atoms).max(axis=1), None):
        length = np.linalg.norm(atoms, axis=1) if size is None else size
        atoms = atoms / np.where(length > 0, length, 1.0)[:, None]
    return atoms
