"""Axes that displays draw on: made where none are given, checked where they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import LogFormatter, MaxNLocator

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


def whole_numbers(ax: Axes) -> None:
    """Let a horizontal axis that counts have whole numbers, one at least."""
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1, steps=[1, 2, 5, 10]))


def plain_logarithms(ax: Axes) -> None:
    """Make a vertical axis logarithmic, with numbers such as 20 or 0.1."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(_PlainNumbers())
    ax.yaxis.set_minor_formatter(_PlainNumbers(minor_thresholds=(2.0, 0.5)))


class _PlainNumbers(LogFormatter):
    """Labels the ticks that LogFormatter would, but not as 2 x 10^1 or 1e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""
