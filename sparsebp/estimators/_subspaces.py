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
from scipy.special import roots_genlaguerre

from sparsebp._namespaces import namespace, sum_along, to_numpy
from sparsebp._warnings import warn_user
from sparsebp.coding import BasisSearch, BasisState
from sparsebp.coding.encoding import encode_in_layout
from sparsebp.estimators._signs import largest_excess_of_noise
from sparsebp.minimizers import Status
from sparsebp.penalties import SmoothL1, Subspace
from sparsebp.samples import Samples

#: Samples by whose codes atoms are grouped: for each atom, and at least.
_SAMPLES_PER_ATOM, _FEWEST = 16, 2000
#: Nodes of a quadrature.
_NODES = 64
#: Groups of noise are sparser than a Gaussian by this factor more than single components: of fits
#: to 2 to 60 directions, groups of 2 to 10, and 200 to 4,000 samples, by up to 1.11.
_OF_GROUPS = 1.25


def atoms_in_groups(
    search: BasisSearch, samples: Samples, seed: int, state: BasisState
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
    codes = encode_in_layout(some, found.point, *rule, tol=1e-3, n_threads=search.n_threads).points
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


def sparseness_of_groups(penalty: Subspace, responses: Samples) -> np.ndarray:
    """Compute by how many standard errors norms of groups are sparser than those of a Gaussian.

    The Gaussian has the same variance, and the error is that of what the variance does not tell.
    """
    n_groups, size, n_samples = penalty.n_groups, penalty.group_size, responses.shape[1]

    def sums(codes: np.ndarray) -> tuple[np.ndarray, ...]:
        squares = sum_along(namespace(codes).reshape(codes * codes, (n_groups, size, -1)), 1)
        norms = (squares + penalty.epsilon) ** 0.5
        return tuple(sum_along(a, 1) for a in (squares, norms, squares**2, squares * norms))

    totals = responses.sum(sums)
    square, norm, fourth, both = (np.asarray(to_numpy(t), float) / n_samples for t in totals)
    variance = np.maximum(fourth - square**2, np.finfo(float).tiny)
    rest = square + penalty.epsilon - norm**2 - (both - square * norm) ** 2 / variance
    error = np.sqrt(np.maximum(rest, np.finfo(float).tiny) / n_samples)
    return (gaussian_norm(penalty, square / size) - norm) / error


def warn_if_chance(name: str, penalty: Subspace, responses: Samples, n_directions: int) -> None:
    """Warn if norms of groups are no sparser than those of groups fitted to Gaussian noise."""
    n_samples = responses.shape[1]
    found = float(sparseness_of_groups(penalty, responses).max())
    noise = _OF_GROUPS * largest_excess_of_noise(n_directions, n_samples)
    if found < noise:
        warn_user(
            f"{name}: the groups may be chance. Their norms are sparser than those of a Gaussian "
            f"by at most {found:.1f} standard errors, and those of Gaussian noise by up to "
            f"{noise:.1f} for {n_samples} samples in {n_directions} directions. Give more samples, "
            "or fewer directions. Subspaces less sparse than a Gaussian are not found; then give "
            "penalty='smooth_l1', whose signs='auto' finds such components."
        )


def gaussian_norm(penalty: Subspace, variance: np.ndarray) -> np.ndarray:
    """Compute E √(‖s‖² + ε) of groups of Gaussian coefficients with these variances.

    Examples
    --------
    >>> gaussian_norm(Subspace(1, 2, epsilon=1e-9), np.array([1.0])).round(2)  # √(π/2)
    array([1.25])
    """
    halves, weights = roots_genlaguerre(_NODES, penalty.group_size / 2 - 1)  # of ‖s‖² / variance
    norms = np.sqrt(2 * np.multiply.outer(variance, halves) + penalty.epsilon)
    return norms @ (weights / weights.sum())
