"""Penalties by name."""

from __future__ import annotations

from collections.abc import Callable

from sparsebp._checks import check_choice, check_integer
from sparsebp.penalties.base import Penalty
from sparsebp.penalties.elementwise import L1, Cauchy, LogCosh, SmoothL1, Welsch
from sparsebp.penalties.subspace import Subspace
from sparsebp.penalties.topographic import Topographic, squarest_grid

#: Name → what builds the penalty for a number of components, with an ε and a size of groups.
NAMES: dict[str, Callable[[int, float, int], Penalty]] = {
    "l1": lambda n, epsilon, size: L1(),
    "smooth_l1": lambda n, epsilon, size: SmoothL1(epsilon),
    "topographic": lambda n, epsilon, size: Topographic(squarest_grid(n), epsilon=epsilon),
    "subspace": lambda n, epsilon, size: Subspace.of(n, size, epsilon=epsilon),
    "log_cosh": lambda n, epsilon, size: LogCosh(),
    "cauchy": lambda n, epsilon, size: Cauchy(),
    "welsch": lambda n, epsilon, size: Welsch(),
}


def make_penalty(
    penalty: str | Penalty, n_components: int, epsilon: float, group_size: int = 4
) -> Penalty:
    """Return a penalty for so many components, given one or its name.

    Parameters
    ----------
    penalty : {"l1", "smooth_l1", "topographic", "subspace", "log_cosh", "cauchy", "welsch"} or \
            Penalty
        A name builds the penalty with ``epsilon`` and, where it needs a grid, the squarest one
        that fits; a penalty is checked and returned.
    n_components : int
        Number of coefficients of a sample, at least 1.
    epsilon : float
        ε > 0 for the smoothed penalties.
    group_size : int
        Features of a group of "subspace", at least 1; it must divide n_components.

    Returns
    -------
    penalty : Penalty
        The penalty.

    Raises
    ------
    ValueError
        If there is no penalty of that name, or it cannot take so many components.
    TypeError
        If it is neither a name nor a penalty.

    Examples
    --------
    >>> make_penalty("topographic", 12, 0.1)
    Topographic(grid_shape=(3, 4), neighborhood=3, wrap=True, epsilon=0.1)
    """
    check_integer("group_size", group_size)
    if not isinstance(penalty, Penalty):
        check_choice("penalty", penalty, NAMES, also=", or a Penalty object")
        penalty = NAMES[penalty](n_components, epsilon, group_size)
    penalty.check_components(n_components)
    return penalty
