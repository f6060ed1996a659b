"""Penalties on overlapping groups of coefficients, which order the features on a map."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import Any, cast

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._checks import check_integer, check_matrix, check_number, check_shape, mistake
from sparsebp._memory import check_memory
from sparsebp.penalties.grid import GridGrouping
from sparsebp.penalties.grouped import Grouped


@dataclass(frozen=True, eq=False)
class Topographic(Grouped):
    """S(s) = Σ √(V(s∘s) + ε), where V sums over each feature's neighborhood on a grid.

    Group r has the features of the neighborhood of feature r (V[r, c] = 1 if group r holds
    feature c), so groups overlap, and neighbors become active together and similar.

    Parameters
    ----------
    grid_shape : (int, int)
        Rows and columns of the map; feature r * columns + c stands at (r, c).
    neighborhood : int or (int, int)
        Rows and columns of a group, centered on its feature where they are odd (an even one
        reaches further down and to the right); 3 is the tutorial's 3×3, 1 is smoothed L1.
    wrap : bool
        Whether the map is a torus; otherwise groups at the border are smaller.
    epsilon : float
        ε > 0.

    Raises
    ------
    ValueError
        If a size is not a positive whole number, or epsilon is not positive.

    Notes
    -----
    *Sparse Coding: Autoencoder Interpretation*, topographic sparse coding; the formula stands
    there with V s sᵀ, which has neither the right shape nor the right sign.

    Examples
    --------
    >>> Topographic((3, 4)).grouping.sum(axis=1)
    array([9., 9., 9., 9., 9., 9., 9., 9., 9., 9., 9., 9.])
    >>> Topographic.from_groups([[1, 1, 0], [0, 1, 1]]).grouping.shape
    (2, 3)
    """

    grid_shape: tuple[int, int] | None
    neighborhood: int | tuple[int, int] = 3
    wrap: bool = True
    epsilon: float = 1e-2

    def __post_init__(self) -> None:
        object.__setattr__(self, "epsilon", check_number("epsilon", self.epsilon, above=0))
        if self.grid_shape is None:
            advice = " Or use Topographic.from_groups(V)."
            raise TypeError(mistake("grid_shape", "(rows, columns)", None, advice))
        object.__setattr__(self, "grid_shape", check_shape("grid_shape", self.grid_shape))
        check = check_integer if isinstance(self.neighborhood, Real) else check_shape
        object.__setattr__(self, "neighborhood", check("neighborhood", self.neighborhood))
        object.__setattr__(self, "wrap", bool(self.wrap))

    @cached_property
    def _weight(self) -> Any:  # type: ignore[override]
        # Made when asked for: a file may name a grid of any size.
        size = self.neighborhood
        size = (size, size) if isinstance(size, int) else size
        return GridGrouping.of(cast(Any, self.grid_shape), size, wrap=self.wrap)

    @cached_property
    def grouping(self) -> np.ndarray:  # type: ignore[override]
        """Return the grouping matrix V, of shape (n_groups, n_components)."""
        shape = cast(Any, self.grid_shape)
        check_memory("grid_shape", shape, *2 * [2 * [math.prod(shape)]])
        return _read_only(self._weight.toarray())

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made of: groups that were given, too."""
        state = super().__getstate__()
        if self.grid_shape is None:
            state |= dict.fromkeys(("grouping", "_weight"), self.grouping)
        return state

    @classmethod
    def from_groups(cls, groups: Any, *, epsilon: float = 1e-2) -> Topographic:
        """Return the penalty for any grouping matrix.

        Parameters
        ----------
        groups : array-like of shape (n_groups, n_components)
            V ≥ 0: how strongly each group holds each feature.
        epsilon : float
            ε > 0.

        Returns
        -------
        penalty : Topographic
            With ``grid_shape`` None.

        Raises
        ------
        ValueError
            If V is not a non-empty matrix of finite numbers ≥ 0, or epsilon is not positive.
        """
        epsilon = check_number("epsilon", epsilon, above=0)
        groups = groups.toarray() if hasattr(groups, "toarray") else groups
        grouping = check_matrix("groups", groups).astype(np.float64) + 0.0  # −0 becomes 0
        if grouping.min() < 0:
            raise ValueError(mistake("groups", "numbers ≥ 0", float(grouping.min())))
        penalty = object.__new__(cls)
        values = {"grid_shape": None, "neighborhood": 1, "wrap": False, "epsilon": epsilon}
        matrices = dict.fromkeys(("grouping", "_weight"), _read_only(grouping))
        for name, value in {**values, **matrices}.items():
            object.__setattr__(penalty, name, value)
        return penalty

    def check_components(self, n_components: int) -> None:
        """Refuse a number of components other than the map's or the groups'."""
        grid = self.grid_shape
        expected = self.grouping.shape[1] if grid is None else grid[0] * grid[1]
        if n_components == expected:
            return
        what = "groups" if self.grid_shape is None else f"{self.grid_shape} grid"
        raise ValueError(
            f"n_components is {n_components} but the penalty's {what} holds {expected} features; "
            "make the two agree."
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy; its grouping is as read-only as the original's."""
        vars(self).update(state)
        if "grouping" in state:
            _read_only(self.grouping)

    def __eq__(self, other: object) -> bool:
        """Compare the parameters and the grouping matrix."""
        return (
            isinstance(other, Topographic)
            and (self.grid_shape, self.epsilon) == (other.grid_shape, other.epsilon)
            and np.array_equal(self.grouping, other.grouping)
        )

    def __hash__(self) -> int:
        return hash((self.grid_shape, self.epsilon, self.grouping.tobytes()))


def squarest_grid(n_components: int) -> tuple[int, int]:
    """Return (rows, columns) with rows · columns = n_components and rows ≤ columns, closest.

    Parameters
    ----------
    n_components : int
        At least 1. A prime number gives one row.

    Returns
    -------
    grid_shape : (int, int)
        The squarest grid that holds just so many features.

    Raises
    ------
    ValueError
        If n_components is not a positive whole number.

    Examples
    --------
    >>> squarest_grid(121), squarest_grid(12), squarest_grid(13)
    ((11, 11), (3, 4), (1, 13))
    """
    check_integer("n_components", n_components)
    rows = next(r for r in range(int(n_components**0.5) + 1, 0, -1) if n_components % r == 0)
    return min(rows, n_components // rows), max(rows, n_components // rows)


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array
