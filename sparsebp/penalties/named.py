"""Penalties by name."""

from __future__ import annotations

from collections.abc import Callable

from sparsebp._checks import check_choice
from sparsebp.penalties.base import Penalty
from sparsebp.penalties.elementwise import L1, Cauchy, LogCosh, SmoothL1, Welsch
from sparsebp.penalties.topographic import Topographic, squarest_grid

#: Name → what builds the penalty for a number of components, with an ε.
NAMES: dict[str, Callable[[int, float], Penalty]] = {
    "l1": lambda n_components, epsilon: L1(),
    "smooth_l1": lambda n_components, epsilon: SmoothL1(epsilon),
    "topographic": lambda n_components, epsilon: Topographic(
        squarest_grid(n_components), epsilon=epsilon
    ),
    "log_cosh": lambda n_components, epsilon: LogCosh(),
    "cauchy": lambda n_components, epsilon: Cauchy(),
    "welsch": lambda n_components, epsilon: Welsch(),
}


def make_penalty(penalty: str | Penalty, n_components: int, epsilon: float) -> Penalty:
    """Return a penalty for so many components, given one or its name.

    Parameters
    ----------
    penalty : {"l1", "smooth_l1", "topographic", "log_cosh", "cauchy", "welsch"} or Penalty
        A name builds the penalty with ``epsilon`` and, where it needs a grid, the squarest one
        that fits; a penalty is checked and returned.
    n_components : int
        Number of coefficients of a sample, at least 1.
    epsilon : float
        ε > 0 for the smoothed penalties.

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
    if not isinstance(penalty, Penalty):
        check_choice("penalty", penalty, NAMES, also=", or a Penalty object")
        penalty = NAMES[penalty](n_components, epsilon)
    penalty.check_components(n_components)
    return penalty
