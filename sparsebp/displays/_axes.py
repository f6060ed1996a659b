"""Axes that displays draw on: made where none are given, checked where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Seen on light and on dark backgrounds, for what stands back.
PALE = "0.55"


def take_axes(ax: Any, count: int, make: Callable[[], Any]) -> list[Axes]:
    """Return as many Axes as a display has panels.

    Parameters
    ----------
    ax : Axes, array-like of Axes, or None
        What the caller was given.
    count : int
        How many panels there are.
    make : callable
        Makes the Axes where ax is None.

    Returns
    -------
    list of Axes

    Raises
    ------
    ValueError
        If the number of Axes is another.
    """
    axes = list(np.ravel(make() if ax is None else ax))
    if len(axes) != count or not all(hasattr(one, "transAxes") for one in axes):
        wanted = "one matplotlib Axes" if count == 1 else f"{count} matplotlib Axes, one a panel"
        raise ValueError(f"ax={ax!r}; expected {wanted}, or None for a new figure.")
    return axes


def plain(ax: Axes) -> None:
    """Leave an Axes its two axes and a faint grid."""
    ax.grid(visible=True, color=PALE, linewidth=0.5, alpha=0.35)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def bare(ax: Axes) -> None:
    """Leave an Axes nothing but its title and its label below."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)
