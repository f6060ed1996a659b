"""Where a search for subspaces begins: single components, in groups that depend on each other.

In a minimum of the penalty of groups, parts of one subspace may stand in the groups of two others:
any small change costs. From random filters nearly every search ends there, since the components of
a subspace begin scattered. Independent components are components of subspaces as well (the
separation theorem of Szabó, Póczos & Lőrincz, *Pattern Recognition* 45, 2012, conjectured by
Cardoso in 1998), and which ones share a subspace shows in the correlations of their squares.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sparsebp._namespaces import sum_along, to_numpy
from sparsebp.coding import BasisSearch, BasisState, encode
from sparsebp.minimizers import Status
from sparsebp.penalties import SmoothL1, Subspace
from sparsebp.samples import Samples

#: Samples by whose codes atoms are grouped: for each atom, and at least.
_SAMPLES_PER_ATOM, _FEWEST = 16, 2000


def atoms_in_groups(
    search: BasisSearch, samples: Samples, state: BasisState, seed: int
) -> BasisState:
    """Return where a search for a basis begins: for subspaces, atoms of single coefficients.

    They are searched for as those of subspaces would be, from a state that was drawn at random, and
    put into groups. If the search is interrupted, KeyboardInterrupt is raised.
    """
    penalty = search.penalty
    if not isinstance(penalty, Subspace):
        return state
    each = replace(search, penalty=SmoothL1(penalty.epsilon))
    found = each.run(samples, state, seed)
    if found.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    some = samples.take_evenly(max(_SAMPLES_PER_ATOM * state.basis.shape[1], _FEWEST))
    rule = (each.penalty, each.alpha)
    codes = encode(some, found.point, *rule, tol=1e-3, n_threads=search.n_threads).points
    order = grouped(energy_correlations(Samples.of(codes)), penalty.group_size)
    return BasisState.empty(np.ascontiguousarray(found.point[:, order]))


def energy_correlations(responses: Samples) -> np.ndarray:
    """Compute the correlations of squared responses (n_components, n_samples), 0 to themselves."""

    def sums(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        energies = codes * codes
        return sum_along(energies, 1), energies @ energies.T

    totals = responses.sum(sums)
    mean, products = (np.asarray(to_numpy(t), np.float64) / responses.shape[1] for t in totals)
    covariance = products - np.outer(mean, mean)
    deviation = np.sqrt(np.clip(covariance.diagonal(), 0, None))
    scale = np.where(deviation > 0, deviation, np.inf)
    correlations = covariance / np.outer(scale, scale)
    np.fill_diagonal(correlations, 0)
    return correlations


def grouped(similarity: np.ndarray, size: int) -> np.ndarray:
    """Return an order of items in which groups of a size, one after the other, are most similar.

    Groups are filled with the most similar item left, and then pairs of items are exchanged as long
    as that raises the sum of similarities (symmetric, with a diagonal of 0) within groups.

    Examples
    --------
    >>> similarity = np.array([[0, 0, 5, 0], [0, 0, 0, 4], [5, 0, 0, 0], [0, 4, 0, 0]])
    >>> grouped(similarity, 2)
    array([0, 2, 1, 3])
    """
    groups = _filled(similarity, size)
    n_items, n_groups = len(groups), len(groups) // size
    for _ in range(n_items**2):
        to_groups = similarity @ np.eye(n_groups)[groups]
        own = to_groups[np.arange(n_items), groups]
        moved = to_groups[:, groups] - own[:, np.newaxis]
        gain = moved + moved.T - 2 * similarity
        gain[groups[:, np.newaxis] == groups] = 0
        first, second = np.unravel_index(gain.argmax(), gain.shape)
        if gain[first, second] <= 1e-9 * np.abs(similarity).max():
            break
        groups[[first, second]] = groups[[second, first]]
    return np.argsort(groups, kind="stable")


def _filled(similarity: np.ndarray, size: int) -> np.ndarray:
    """Return a group for each item: each begins with the most similar pair of those left."""
    n_items = len(similarity)
    groups, left = np.full(n_items, -1), np.arange(n_items)
    for number in range(n_items // size):
        among = similarity[np.ix_(left, left)]
        members = [left[among.max(axis=1).argmax()]]
        for _ in range(size):
            groups[members[-1]] = number
            left = left[groups[left] < 0]
            if len(members) < size:
                members.append(left[similarity[np.ix_(left, members)].sum(axis=1).argmax()])
    return groups
