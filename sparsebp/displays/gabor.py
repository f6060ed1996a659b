"""Gabor displays: orientations, frequencies and positions of the filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from sparsebp._checks import check_number
from sparsebp.displays._axes import PALE, RING, bare, take_axes
from sparsebp.displays._gabors import FittedDisplay, bar_direction, shown, why_pale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 0.1  # of the patch's longer side, around the patch
# A half circle leaves empty a quarter of its square box above and a quarter below.
HALF_CIRCLE = (0.25, 0.75)


class GaborDisplay(FittedDisplay):
    """Orientation and frequency of filters in polar coordinates, and their positions in the patch.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Filters as rows, flattened in C order from (height, width) or (height, width, 3).
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width), default None
        None takes square gray patches or, where n_features is three times a square, square color
        patches.
    fit : GaborFit, default None
        What `sparsebp.metrics.gabor_fit` found for the components. None fits them now.

    Attributes
    ----------
    axes_ : list of two matplotlib Axes
        After `plot`: the polar one, and the patch.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError
        If fit is not a GaborFit, or an estimator is given in place of the components.
    ValueError
        If the components are not a finite real matrix, the patch shape or the fit does not fit
        them, or n_features is no square to infer the patch shape from.

    See Also
    --------
    MapDisplay : The same parameters on a topographic map.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import GaborDisplay
    >>> GaborDisplay(np.random.default_rng(0).normal(size=(6, 16))).fit.patch_shape
    (4, 4)
    """

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        min_r_squared: float = 0.5,
        bar_length: float = 0.5,
    ) -> GaborDisplay:
        """Draw both panels.

        In the polar one a point's angle is that of the filter's bars, counter-clockwise from
        horizontal, and its distance from the center the frequency in cycles per pixel at which
        the filter's spectrum peaks. In the patch a dot is the center of a filter, with a line as
        long as the filter's bars are. Filters that are not Gabor functions or poorly determined
        (see `sparsebp.metrics.GaborFit.well_determined`) are pale rings in the first, absent in
        the second.

        Parameters
        ----------
        ax : two matplotlib Axes, the first of them polar, or one, default None
            One gives its place to two. None makes a new figure.
        min_r_squared : float in [0, 1], default 0.5
            Share of a filter's variance that its Gabor function must explain.
        bar_length : float >= 0, default 0.5
            Length of the lines in standard deviations of the envelope along the bars; none is
            longer than half the patch.

        Raises
        ------
        TypeError
            If min_r_squared or bar_length is not a number.
        ValueError
            If it is out of range, or ax is something else.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import GaborDisplay
        >>> display = GaborDisplay(np.random.default_rng(0).normal(size=(6, 16))).plot()
        >>> [ax.name for ax in display.axes_]
        ['polar', 'rectilinear']
        """
        valid = shown(self.fit, min_r_squared)
        length = check_number("bar_length", bar_length, minimum=0)
        polar, patch = take_axes(ax, 2, _new_axes, ("polar", None))
        if polar.name != "polar":
            raise ValueError(
                f"The first of ax is {polar.name}; make it with "
                'figure.add_subplot(projection="polar").'
            )
        self._draw_polar(polar, valid, why_pale(self.fit, min_r_squared))
        self._draw_patch(patch, valid, length)
        self.axes_, self.figure_ = [polar, patch], polar.figure
        self.ax_ = self.axes_[0]
        return self

    def _draw_polar(self, ax: Any, valid: NDArray, pale_label: str) -> None:
        angle, frequency = self.fit.bar_angle, self.fit.frequency
        dots = {"s": 14, "alpha": 0.7, "linewidths": 0, "zorder": 3, "clip_on": False}
        ax.scatter(angle[valid], frequency[valid], **dots)
        # Constant filters have no wave at all.
        pale = ~valid & (self.fit.amplitude > 0)
        if pale.any():
            ax.scatter(
                angle[pale], frequency[pale], label=pale_label.replace(" or ", " or\n"), **RING
            )
            place = {
                "loc": "upper left",
                "bbox_to_anchor": (-0.05, HALF_CIRCLE[0] - 0.04),
                "borderpad": 0,
            }
            ax.legend(**place, frameon=False, fontsize="small", handletextpad=0.1)
        ax.set(thetamin=0, thetamax=180, rmin=0, rmax=_round_up(frequency[valid | pale]))
        ax.set_xticks(np.radians([0, 45, 90, 135, 180]))
        ax.yaxis.get_major_locator().base.set_params(nbins=3)
        ax.tick_params(labelsize="small", pad=1)
        ax.grid(visible=True, color=PALE, linewidth=0.5, alpha=0.35)
        ax.set_title("Orientation and frequency", y=HALF_CIRCLE[1] + 0.1)
        below = {"transform": ax.transAxes, "ha": "center", "va": "top", "fontsize": "small"}
        ax.text(0.75, HALF_CIRCLE[0] - 0.09, "cycles per pixel", **below)

    def _draw_patch(self, ax: Axes, valid: NDArray, bar_length: float) -> None:
        height, width = self.fit.patch_shape
        center = self.fit.center[valid, None, ::-1]
        # Bars that run right through the patch have no end to be seen: the fit's is anywhere.
        length = np.minimum(bar_length * self.fit.sigma[valid, 1], max(height, width) / 2)
        reach = length[:, None, None] * bar_direction(self.fit)[valid, None]
        bars = center + np.array([[-0.5], [0.5]]) * reach
        drawn = LineCollection(list(bars), colors="C0", linewidths=1.2, alpha=0.8)
        ax.add_collection(drawn)
        ax.scatter(*center[:, 0].T, s=7, color="C0", linewidths=0)
        edge = plt.rcParams["axes.edgecolor"]
        frame = {"facecolor": "none", "edgecolor": edge, "linewidth": 1.2}
        # Bars end at the patch: what a fit says outside of it is not seen.
        drawn.set_clip_path(ax.add_patch(Rectangle((-0.5, -0.5), width, height, **frame)))
        bare(ax)
        margin = 0.5 + MARGIN * max(height, width)
        ax.set(xlim=(-margin, width - 1 + margin), ylim=(height - 1 + margin, -margin))
        ax.set_aspect("equal")
        ax.set_title("Places in the patch")


def _new_axes() -> list[Axes]:
    """Make a figure; no layout engine knows how much of its box a half circle leaves empty."""
    figure = plt.figure(figsize=(6.0, 2.5))
    polar = figure.add_axes((0.075, -0.1, 0.48, 1.152), projection="polar")
    return [polar, figure.add_axes((0.63, 0.04, 0.35, 0.84))]


def _round_up(frequency: NDArray) -> float:
    """Return the end of the frequency axis, a tenth of a cycle above the highest at most."""
    return float(np.ceil(max(frequency.max(initial=0.0), 0.05) * 10 + 1e-9) / 10)
