"""Clusters of the components of several fits, and how stable each cluster is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from sparsebp.metrics.recovery import reaches

#: Mean similarity down to which clusters are joined. Two Gaussian sources are any orthogonal pair
#: in a plane, and each is within 45° of one of any other pair: 0.7 would join those of all runs.
JOINED = 0.85
#: Index from which a component counts as reproducible.
REPRODUCIBLE = 0.8


@dataclass(frozen=True, eq=False, repr=False)
class Stability:
    """Clusters of the components of several fits, the most stable cluster first.

    Attributes
    ----------
    index : ndarray of shape (n_clusters,)
        Stability of each cluster, in decreasing order: (within - between) / (1 - between). It is 1
        if all runs have the same component; a component of a share p of the runs has about p^2.
        A component that was found in a single run has 0 or less.
    within : ndarray of shape (n_clusters,)
        Similarity of a cluster's components from two runs, in [0, 1]: the mean over all pairs of
        runs, 0 for a pair of which one has no component in the cluster.
    between : ndarray of shape (n_clusters,)
        Mean similarity of its components and all others, in [0, 1].
    components, features : ndarray of shape (n_clusters, n_features)
        The centrotype of each cluster, its component with the largest sum of similarities to the
        others: its row of ``components_``, and what it adds to a sample. They are the same for
        atoms, and differ for an ICA.
    labels : ndarray of shape (n_runs, n_components)
        Cluster of each run's components.
    """

    index: NDArray[np.float64]
    within: NDArray[np.float64]
    between: NDArray[np.float64]
    components: NDArray[np.floating]
    features: NDArray[np.floating]
    labels: NDArray[np.intp]

    def __repr__(self) -> str:
        shares = f"n_clusters={len(self.index)}, n_reproducible={self.n_reproducible}"
        return f"<Stability n_runs={len(self.labels)}, {shares}>"

    @property
    def n_reproducible(self) -> int:
        """Number of clusters whose index is at least 0.8: they are the first ones."""
        return int(reaches(self.index, REPRODUCIBLE).sum())


def clustered(
    similarity: NDArray, n_runs: int, components: NDArray, features: NDArray
) -> Stability:
    """Cluster the components of all runs, one run after another, by their similarity (n, n)."""
    run = np.repeat(np.arange(n_runs), len(components) // n_runs)
    tree = linkage(squareform(1 - similarity, checks=False), "average")
    found = fcluster(tree, 1 - JOINED, "distance") - 1
    clusters = [np.flatnonzero(found == cluster) for cluster in range(found.max() + 1)]
    within = np.array([_within(similarity, members, run) for members in clusters])
    between = np.array([_between(similarity, members) for members in clusters])
    index = (within - between) / (1 - between)
    order = np.argsort(-index, kind="stable")
    central = [m[np.argmax(similarity[np.ix_(m, m)].sum(axis=1))] for m in clusters]
    typical = np.array(central)[order]
    labels = np.argsort(order)[found].reshape(n_runs, -1)
    index, within, between = index[order], within[order], between[order]
    return Stability(index, within, between, components[typical], features[typical], labels)


def _within(similarity: NDArray, members: NDArray, run: NDArray) -> float:
    """Return the mean over pairs of runs of the largest similarity of their members."""
    n_runs = int(run[-1]) + 1
    largest = np.zeros((n_runs, n_runs))
    runs = np.ix_(run[members], run[members])
    np.maximum.at(largest, runs, similarity[np.ix_(members, members)])
    return float(largest[~np.eye(n_runs, dtype=bool)].mean())


def _between(similarity: NDArray, members: NDArray) -> float:
    """Return the mean similarity of members and others; 0 without others."""
    others = np.setdiff1d(np.arange(len(similarity)), members)
    return float(similarity[np.ix_(members, others)].mean()) if len(others) else 0.0
