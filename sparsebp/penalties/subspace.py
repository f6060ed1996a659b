"""A penalty on the norms of the coefficients' projections on subspaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._checks import check_integer, check_number
from sparsebp._memory import check_memory
from sparsebp.penalties.grid import GridGrouping
from sparsebp.penalties.grouped import Grouped


@dataclass(frozen=True)
class Subspace(Grouped):
    """S(s) = Σ √(s₁² + … + s_d² + ε) over groups of d coefficients that follow each other.

    Makes the norms of groups sparse, and not the coefficients of a group: each group of features
    spans a subspace, as in independent subspace analysis, in which any rotation costs the same.

    Parameters
    ----------
    n_groups : int
        Number of groups, at least 1.
    group_size : int
        d, the number of features of each group, at least 1: the dimension of its subspace. 1 is
        smoothed L1.
    epsilon : float
        ε > 0.

    Raises
    ------
    ValueError
        If a number is not a positive integer, or epsilon is not positive.

    Notes
    -----
    Hyvärinen & Hoyer (2000), "Emergence of phase- and shift-invariant features by decomposition of
    natural images into independent feature subspaces", *Neural Computation* 12, there with ε = 0.

    Examples
    --------
    >>> Subspace(2, 2).grouping
    array([[1., 1., 0., 0.],
           [0., 0., 1., 1.]])
    >>> s = np.array([[3.0], [4.0], [0.0], [5.0]])
    >>> Subspace(2, 2, epsilon=1e-12).values_and_gradient(s)[0].round(6)
    array([10.])
    """

    n_groups: int
    group_size: int = 4
    epsilon: float = 1e-2

    def __post_init__(self) -> None:
        for name in ("n_groups", "group_size"):
            object.__setattr__(self, name, check_integer(name, getattr(self, name)))
        object.__setattr__(self, "epsilon", check_number("epsilon", self.epsilon, above=0))

    @cached_property
    def _weight(self) -> Any:  # type: ignore[override]
        return GridGrouping(np.eye(self.n_groups), np.ones((1, self.group_size)))

    @cached_property
    def grouping(self) -> np.ndarray:  # type: ignore[override]
        """Return the grouping matrix V, of shape (n_groups, n_components)."""
        shape = (self.n_groups, self.n_groups * self.group_size)
        check_memory("n_groups", self.n_groups, shape, shape)
        grouping = self._weight.toarray()
        grouping.flags.writeable = False
        return grouping

    def check_components(self, n_components: int) -> None:
        """Refuse a number of components other than that of all groups."""
        expected = self.n_groups * self.group_size
        if n_components != expected:
            raise ValueError(
                f"n_components is {n_components} but the penalty's {self.n_groups} groups of "
                f"{self.group_size} hold {expected} features; make the two agree."
            )

    @classmethod
    def of(cls, n_components: int, group_size: int, *, epsilon: float) -> Subspace:
        """Return the penalty for so many components, or raise an error if groups leave a rest."""
        check_integer("n_components", n_components)
        n_groups, rest = divmod(n_components, check_integer("group_size", group_size))
        if rest:
            nearest = max(n_groups, 1) * group_size
            raise ValueError(
                f"n_components is {n_components}, which is not a multiple of group_size="
                f"{group_size}: every group must be full. Set n_components={nearest}, or a "
                f"group_size that divides {n_components}."
            )
        return cls(n_groups, group_size, epsilon)
