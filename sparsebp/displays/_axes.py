"""Axes that displays draw on: created or checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import LogFormatter, MaxNLocator

from sparsebp._checks import mistake

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Visible on light and on dark backgrounds, for the background.
PALE = "0.55"
#: Style of points that are left out of a judgment, to be drawn as pale rings.
RING: dict[str, Any] = {"s": 14, "facecolors": "none", "edgecolors": PALE, "linewidths": 0.8}


def take_axes(
    ax: Any, count: int, make: Callable[[], Any], projections: Sequence[str | None] | None = None
) -> list[Axes]:
    """Return as many Axes as a display has panels; `make` makes them if ax is None.

    One Axes gives its place to all panels, side by side, with the given projections (None is
    rectilinear). Another number of Axes is a ValueError.
    """
    axes = list(np.ravel(make() if ax is None else ax))
    are_axes = all(hasattr(one, "get_subplotspec") for one in axes)
    place = axes[0].get_subplotspec() if are_axes and len(axes) == 1 < count else None
    if place is not None:
        return _divided(axes[0], place.subgridspec(1, count), projections or [None] * count)
    if len(axes) != count or not are_axes:
        wanted = "one matplotlib Axes"
        wanted += "" if count == 1 else f" of a grid of subplots, or {count}, one a panel"
        raise ValueError(mistake("ax", f"{wanted}, or None for a new figure", ax))
    return axes


def _divided(ax: Axes, cells: Any, projections: Sequence[str | None]) -> list[Axes]:
    ax.set_axis_off()
    return [
        ax.figure.add_subplot(cell, projection=projection)
        for cell, projection in zip(cells, projections, strict=True)
    ]


def check_panels(panels: str | Sequence[str], possible: Sequence[str]) -> list[str]:
    """Return the names of panels to draw, of one or several that are possible."""
    names = [panels] if isinstance(panels, str) else list(np.ravel(np.asarray(panels, object)))
    if not names or not all(name in possible for name in names):
        raise ValueError(mistake("panels", f"some of {', '.join(map(repr, possible))}", panels))
    return names


def plain(ax: Axes) -> None:
    """Style an Axes with two axes and a faint grid."""
    ax.grid(visible=True, color=PALE, linewidth=0.5, alpha=0.35)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)


def bare(ax: Axes) -> None:
    """Remove everything but title and x-label from an Axes."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)


def whole_numbers(ax: Axes) -> None:
    """Give a horizontal axis of counts integer ticks."""
    ax.xaxis.set_major_locator(
        MaxNLocator("auto", integer=True, min_n_ticks=1, steps=[1, 2, 5, 10])
    )


def plain_logarithms(ax: Axes) -> None:
    """Make a vertical axis logarithmic, with numbers such as 20 or 0.1."""
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter(_PlainNumbers())
    ax.yaxis.set_minor_formatter(_PlainNumbers(minor_thresholds=(2.0, 0.5)))


class _PlainNumbers(LogFormatter):
    """Labels the ticks that LogFormatter would, but not as 2 x 10^1 or 1e-01."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return f"{x:g}" if super().__call__(x, pos) else ""
