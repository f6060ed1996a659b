"""Comparison: whether two dictionaries have the same atoms, and what chance would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import (
    RandomSource,
    RandomState,
    check_integer,
    check_number,
    random_source,
)
from sparsebp._memory import check_memory
from sparsebp.metrics.recovery import best_pairs, cosines, reaches, unit_rows


@dataclass(frozen=True, eq=False)
class DictionaryComparison:
    """How similar two dictionaries are, and how similar they would be by chance.

    Attributes
    ----------
    pairs : ndarray of shape (n_pairs, 2)
        Rows of the first and of the second dictionary that were matched, the most similar pair
        first; n_pairs is the number of atoms of the smaller dictionary.
    similarity : ndarray of shape (n_pairs,)
        |cosine| of each pair, in [0, 1].
    share : float
        Share of the pairs whose similarity is at least the threshold, in [0, 1].
    chance_similarity : ndarray of shape (n_draws, n_pairs)
        The same for two random dictionaries, in each draw.
    chance_share : float
        Mean share of pairs of random dictionaries that reach the threshold.
    threshold : float
        The threshold, as given.
    """

    pairs: NDArray[np.intp]
    similarity: NDArray[np.float64]
    share: float
    chance_similarity: NDArray[np.float64]
    chance_share: float
    threshold: float


def compare_dictionaries(
    first: ArrayLike,
    second: ArrayLike,
    *,
    threshold: float = 0.9,
    n_draws: int = 20,
    random_state: RandomState = None,
) -> DictionaryComparison:
    """Match the atoms of two dictionaries one to one, and those of random ones as a control.

    The atoms are matched as in `dictionary_recovery`: neither order nor sign nor scale matters.
    Which similarity is high depends on the dictionaries: among many directions of a few dimensions
    some are close, and patches that are not whitened have all their atoms in the few directions of
    low frequency. So the control replaces both by random dictionaries of as many atoms, Gaussian
    with the second moments of all atoms at unit norm. On unrelated dictionaries it is right to
    about 0.05 in the mean similarity: slightly high for white atoms, low for low-pass ones.

    Parameters
    ----------
    first, second : array-like of shape (n_components, n_features)
        Atoms in rows, such as the ``components_`` of two fits or, of an ICA, the ``features_``.
        The numbers of atoms may differ.
    threshold : float in (0, 1], default 0.9
        |cosine| from which two atoms count as the same.
    n_draws : int >= 1, default 20
        Number of pairs of random dictionaries.
    random_state : None, int, RandomState or Generator, default None
        Draws the random dictionaries.

    Returns
    -------
    comparison : DictionaryComparison
        Read ``similarity`` (n_pairs,), the |cosine| of each pair; ``share``, the share of pairs
        that reach the threshold; and ``chance_share``, that of random dictionaries: only a share
        above it says that the two agree. ``pairs`` (n_pairs, 2) are the matched rows.

    Raises
    ------
    TypeError
        If n_draws is not an integer, or a model is given in place of its atoms.
    ValueError
        If a dictionary is not a finite real matrix, the numbers of features differ, or a number is
        out of range.

    See Also
    --------
    dictionary_recovery : How many atoms of a known dictionary were found.
    stability : Which components an estimator finds again and again.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import compare_dictionaries
    >>> atoms = np.random.default_rng(0).normal(size=(30, 20))
    >>> same = compare_dictionaries(atoms, -2 * atoms[::-1], random_state=0)
    >>> same.share, same.chance_share
    (1.0, 0.0)
    """
    check_number("threshold", threshold, above=0, maximum=1)
    n_draws = check_integer("n_draws", n_draws)
    rng = random_source(random_state)
    pairs, similarity = _matched(cosines("first", first, "second", second))
    check_memory("n_draws", n_draws, (n_draws, len(pairs)))
    atoms = np.concatenate([unit_rows(np.asarray(one)) for one in (first, second)])
    numbers = len(np.asarray(first)), len(np.asarray(second))
    draws = ([_with_moments_of(atoms, n, rng) for n in numbers] for _ in range(n_draws))
    chance = np.stack([_matched(cosines("", one, "", other))[1] for one, other in draws])
    share, chance_share = (float(reaches(s, threshold).mean()) for s in (similarity, chance))
    return DictionaryComparison(pairs, similarity, share, chance, chance_share, float(threshold))


def _matched(cosine: NDArray) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return the matched pairs (n_pairs, 2) and their entries, in decreasing order."""
    rows, columns = best_pairs(cosine)
    order = np.argsort(-cosine[rows, columns], kind="stable")
    pairs = np.column_stack([rows, columns])[order]
    return pairs, cosine[tuple(pairs.T)]


def _with_moments_of(atoms: NDArray, n: int, rng: RandomSource) -> NDArray[np.float64]:
    """Draw n Gaussian atoms with the second moments of given ones, as random sums of these."""
    return rng.standard_normal((n, len(atoms))) @ atoms
