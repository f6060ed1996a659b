"""Objectives against time, and costs against size, as pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.timing import Curve

_COLORS = ("#0b5394", "#cc6600", "#38761d", "#85200c", "#674ea7", "#444444")


def draw_curves(panels: Mapping[str, Mapping[str, Curve]], path: Path) -> None:
    """Draw the relative distance of each method to the best objective, against time.

    Parameters
    ----------
    panels : mapping of str to mapping of str to Curve
        Curves by title and contender.
    path : Path
        The PNG file.
    """
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(5.6 * len(panels), 4.6), layout="constrained")
        for axes, (title, curves) in zip(
            figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True
        ):
            _draw_panel(axes, title, curves)
        figure.savefig(path, dpi=130)


def _draw_panel(axes: Any, title: str, curves: Mapping[str, Curve]) -> None:
    best = min(curve.best for curve in curves.values())
    floor = 1e-5
    for (name, curve), color in zip(curves.items(), _COLORS, strict=False):
        excess = np.maximum(np.array(curve.values) / best - 1, floor)
        single = len(excess) == 1
        axes.plot(curve.seconds, excess, "o" if single else "-", color=color, lw=2, label=name)
    axes.set(xscale="log", yscale="log", xlabel="seconds", title=title)
    axes.set_ylabel("relative distance to the best objective (≥ 1e-5)")
    axes.grid(alpha=0.25, which="major")
    axes.legend(frameon=False, labelcolor="linecolor", loc="lower left")


def draw_scaling(
    sweeps: Mapping[str, Mapping[str, Sequence[tuple[int, float, float]]]], path: Path
) -> None:
    """Draw time and memory against what grows, a column for each sweep.

    Parameters
    ----------
    sweeps : mapping of str to mapping of str to sequence of (size, seconds, megabytes)
        Costs by what grows and estimator.
    path : Path
        The PNG file.
    """
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(5 * len(sweeps), 7.5), layout="constrained")
        grid = figure.subplots(2, len(sweeps), squeeze=False, sharex="col", sharey="row")
        for column, (what, costs) in enumerate(sweeps.items()):
            for row, label in enumerate(("seconds of a fit", "peak MB beyond the data")):
                axes = grid[row, column]
                for (name, points), color in zip(costs.items(), _COLORS, strict=False):
                    sizes, *values = zip(*points, strict=True)
                    axes.plot(sizes, values[row], "o-", color=color, lw=2, ms=4, label=name)
                _label_sizes(axes, sizes, what if row else "", "" if column else label)
        handles, names = grid[0, 0].get_legend_handles_labels()
        figure.legend(
            handles,
            names,
            loc="outside upper center",
            ncols=4,
            frameon=False,
            labelcolor="linecolor",
        )
        figure.savefig(path, dpi=130)


def _label_sizes(axes: Any, sizes: Sequence[int], xlabel: str, ylabel: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=ylabel)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.25, which="major")
