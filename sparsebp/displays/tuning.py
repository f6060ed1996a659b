"""Tuning displays: what simple and complex cells respond to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import mistake
from sparsebp._shapes import PatchShape, given_or_kept, resolved_patch_shape
from sparsebp.displays._axes import check_panels, plain, take_axes
from sparsebp.displays._features import require
from sparsebp.metrics import GratingResponses, grating_responses

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = ("orientation", "frequency", "phase", "modulation")
#: Panels of harmonics: which one, and the ratio that is a dashed line, between simple and complex
#: cells and of the magnitude of one filter.
RATIOS = {"modulation": (1, 1.0), "second_harmonic": (2, 2 / 3)}
STYLES = ("-", "--", ":", "-.")
#: Octaves and points of the curve over frequency, and the share of the units in a band.
OCTAVES, N_POINTS, BAND = 2.0, 33, (10, 90)


class TuningDisplay:
    """Tuning of cells to the orientation, frequency and phase of gratings, F1 / F0 and F2 / F0.

    Parameters
    ----------
    responses : GratingResponses, or mapping from name to such
        What `sparsebp.metrics.grating_responses` returned, for one or several kinds of cells.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        After `plot`, one for each panel.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError, ValueError
        If responses are something else, or an empty mapping.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import TuningDisplay
    >>> from sparsebp.metrics import grating_responses
    >>> filters = np.random.default_rng(0).normal(size=(4, 36))
    >>> simple = grating_responses(filters, 6)
    >>> complex_ = grating_responses(filters, 6, groups=np.kron(np.eye(2), [[1, 1]]))
    >>> list(TuningDisplay({"filters": simple, "pairs": complex_}).responses)
    ['filters', 'pairs']
    """

    def __init__(self, responses: GratingResponses | Mapping[str, GratingResponses]) -> None:
        named = dict(responses) if isinstance(responses, Mapping) else {"": responses}
        if not named:
            raise ValueError("responses is an empty mapping; give at least one kind of cells.")
        for one in named.values():
            if not isinstance(one, GratingResponses):
                wanted = "the result of grating_responses, or a mapping to such"
                raise TypeError(mistake("responses", wanted, responses))
        self.responses = named

    @classmethod
    def from_estimator(cls, estimator: Any, *, patch_shape: PatchShape = None) -> TuningDisplay:
        """Measure the filters of a fitted estimator and, if its penalty has groups, the groups.

        Parameters
        ----------
        estimator : object with ``components_``
            Its filters are measured, which take samples as they are given to it. With a penalty
            that has a ``grouping`` ("subspace" or "topographic"), so are complex cells, the norms
            of the responses of a group.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.

        Raises
        ------
        AttributeError
            If the estimator is not fitted.
        TypeError, ValueError
            As for `sparsebp.metrics.grating_responses`.

        Examples
        --------
        >>> from sparsebp import load_basis
        >>> from sparsebp.displays import TuningDisplay
        >>> list(TuningDisplay.from_estimator(load_basis("topographic-10x10")).responses)
        ['filters', 'groups']
        """
        filters = require(estimator, "components_")
        given = given_or_kept(patch_shape, estimator)
        shape = resolved_patch_shape(filters.shape[1], given)
        responses = {"filters": grating_responses(filters, shape)}
        groups = getattr(getattr(estimator, "penalty_", None), "grouping", None)
        if groups is not None:
            responses["groups"] = grating_responses(filters, shape, groups=groups)
        return cls(responses)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        panels: str | Sequence[str] = PANELS,
    ) -> TuningDisplay:
        """Draw tuning curves about each cell's best grating, and histograms of harmonics.

        Curves are medians over the cells, each relative to its largest response, and the bands
        around them have 80 % of the cells. Cells that do not respond are left out.

        "modulation" is F1 / F0, with a dashed line at 1, between complex and simple cells. For
        filters and norms it is the same for all; "second_harmonic", F2 / F0, then tells how much
        a cell depends on the phase: 0 is not at all, and the dashed line, 2/3, is the magnitude of
        a single filter.

        Parameters
        ----------
        ax : as many matplotlib Axes as there are panels, or one, default None
            One gives its place to all. None makes a new figure.
        panels : sequence of str, default ("orientation", "frequency", "phase", "modulation")
            Which of these four and "second_harmonic" are drawn, in this order; one name draws one.

        Raises
        ------
        ValueError
            If a panel is unknown, or there are not as many Axes as panels.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import TuningDisplay
        >>> from sparsebp.metrics import grating_responses
        >>> filters = np.random.default_rng(0).normal(size=(4, 36))
        >>> display = TuningDisplay(grating_responses(filters, 6)).plot(panels="phase")
        >>> display.ax_.get_xlabel().splitlines()
        ['Phase', 'from best (°)']
        """
        names = check_panels(panels, (*PANELS, "second_harmonic"))
        make = {"figsize": (min(2.6 * len(names) + 0.4, 8), 2.8), "layout": "constrained"}
        axes = take_axes(ax, len(names), lambda: plt.subplots(1, len(names), **make)[1])
        for number, (panel, name) in enumerate(zip(axes, names, strict=True)):
            if name in RATIOS:
                self._draw_ratios(panel, *RATIOS[name])
            else:
                self._draw_curves(panel, name, labeled=number == 0)
            plain(panel)
        if "" not in self.responses:
            self._add_legend(axes[0], len(names))
        self.axes_, self.figure_ = axes, axes[0].figure
        self.ax_ = axes[0]
        return self

    def _add_legend(self, ax: Axes, n_panels: int) -> None:
        """Name the cells above the panels; a blank title keeps the place, not a wider panel."""
        columns = min(len(self.responses), 2 * n_panels - 1)
        above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": columns, "borderpad": 0.0}
        legend = ax.legend(frameon=False, fontsize="small", handlelength=1.5, **above)
        legend.set_in_layout(False)
        ax.set_title("\n".join([" "] * -(-len(self.responses) // columns)))

    def _draw_curves(self, ax: Axes, name: str, *, labeled: bool) -> None:
        x: Any = (0.0, 1.0)
        for number, (label, one) in enumerate(self.responses.items()):
            x, curves = _CURVES[name](one)
            largest = curves.max(axis=1, initial=0.0, where=np.isfinite(curves))
            curves = curves[largest > 0] / largest[largest > 0, np.newaxis]
            if not len(curves):
                continue
            known = np.isfinite(curves).sum(axis=0) >= max(1, len(curves) // 4)
            low, middle, high = np.nanpercentile(curves[:, known], (BAND[0], 50, BAND[1]), axis=0)
            ax.plot(x[known], middle, label=label, linewidth=1.5, **_line(number))
            ax.fill_between(x[known], low, high, color=f"C{number}", alpha=0.2, linewidth=0)
        ax.margins(x=0)
        ax.set(ylim=(0, 1.02), xlabel=_LABELS[name])
        if name != "frequency":
            ax.set(xlim=(x[0], x[-1]), xticks=np.linspace(x[0], x[-1], 3))
        if labeled:
            ax.set_ylabel("Relative response")

    def _draw_ratios(self, ax: Axes, order: int, mark: float) -> None:
        found = [one.harmonic_ratio(order) for one in self.responses.values()]
        found = [np.clip(ratios[np.isfinite(ratios)], 0, 2) for ratios in found]
        widest = max(ratios.max(initial=0.0) for ratios in found)
        edges = np.linspace(0, 2 if order == 1 or widest > 1 else 1, 21)
        for number, (label, ratios) in enumerate(zip(self.responses, found, strict=True)):
            shares = np.histogram(ratios, edges)[0] / max(len(ratios), 1)
            ax.bar(edges[:-1], shares, np.diff(edges), align="edge", color=f"C{number}", alpha=0.2)
            outline = np.repeat(edges, 2), [0, *np.repeat(shares, 2), 0]
            ax.plot(*outline, label=label, linewidth=1.5, **_line(number))
        ax.axvline(mark, color=plt.rcParams["text.color"], linestyle=(0, (6, 4)), linewidth=0.8)
        ax.set(xlim=(0, edges[-1]), ylim=(0, None), xlabel=f"F{order} / F0")
        ax.set_ylabel("Share of the cells")


def _line(number: int) -> dict[str, Any]:
    """Return the style of a kind of cells, in all panels."""
    return {"color": f"C{number}", "linestyle": STYLES[number % len(STYLES)]}


def _about_best(x: NDArray, curves: NDArray, period: float) -> tuple[NDArray, NDArray]:
    """Center curves over a whole period of x at their largest values."""
    n = len(x)
    places = (curves.argmax(axis=1)[:, np.newaxis] + np.arange(-(n // 2), n - n // 2 + 1)) % n
    offsets = np.arange(-(n // 2), n - n // 2 + 1) * period / n
    return offsets, np.take_along_axis(curves, places, axis=1)


def _over_orientation(responses: GratingResponses) -> tuple[NDArray, NDArray]:
    return _about_best(responses.orientations, responses.orientation_tuning, 180.0)


def _over_phase(responses: GratingResponses) -> tuple[NDArray, NDArray]:
    return _about_best(responses.phases, responses.phase_tuning, 360.0)


def _over_frequency(responses: GratingResponses) -> tuple[NDArray, NDArray]:
    """Interpolate curves over octaves from the best frequency; NaN beyond what was measured."""
    octaves, offsets = np.log2(responses.frequencies), np.linspace(-OCTAVES, OCTAVES, N_POINTS)
    best = np.log2(responses.frequency)
    outside = {"left": np.nan, "right": np.nan}
    curves = [
        np.interp(offsets + at, octaves, curve, **outside)
        for at, curve in zip(best, responses.frequency_tuning, strict=True)
    ]
    return offsets, np.array(curves)


_CURVES = {"orientation": _over_orientation, "frequency": _over_frequency, "phase": _over_phase}
_LABELS = {
    "orientation": "Orientation\nfrom best (°)",
    "frequency": "Frequency\nfrom best (octaves)",
    "phase": "Phase\nfrom best (°)",
}
