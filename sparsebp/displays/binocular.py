"""Binocular displays: eyes and disparities that filters prefer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from sparsebp._checks import check_number
from sparsebp.displays._axes import RING, plain, take_axes
from sparsebp.displays._measured import MeasuredDisplay
from sparsebp.metrics import BinocularTuning, binocular_tuning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (7.0, 2.8)


class BinocularDisplay(MeasuredDisplay):
    """Ocular dominance and preferred disparity of binocular filters.

    Parameters
    ----------
    components : array-like of shape (n_components, 2 * height * width [* 3])
        Filters as rows: of the left eye's patch, then of the right eye's.
    patch_shape : (2, height, width) or (2, height, width, 3)
        In pixels.

    Attributes
    ----------
    tuning : BinocularTuning
        What `sparsebp.metrics.binocular_tuning` measured.
    axes_ : list of two matplotlib Axes
        After `plot`.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError
        If an estimator, or what was measured, is given in place of the components.
    ValueError
        If the components are not a finite real matrix, or not of two eyes.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import BinocularDisplay
    >>> display = BinocularDisplay(np.random.default_rng(0).normal(size=(6, 32)), (2, 4, 4))
    >>> display.tuning.dominance.shape
    (6,)
    """

    tuning: BinocularTuning
    _shape_needed = ("(2, height, width) or (2, height, width, 3)", "is not of two eyes")

    def _measure(self) -> BinocularTuning:
        return binocular_tuning(self.components, self.patch_shape)

    def plot(
        self, ax: Axes | Sequence[Axes] | None = None, *, min_correlation: float = 0.5
    ) -> BinocularDisplay:
        """Draw disparity and ocular dominance, and the tuning curves.

        On the right each row is the curve of a feature: the correlation of what its two halves
        show, one of them moved by a disparity, from -1 in black to 1 in white, as the bar says.

        Parameters
        ----------
        ax : two matplotlib Axes, or one, default None
            One gives its place to two. None makes a new figure.
        min_correlation : float in [0, 1], default 0.5
            Correlation of the two halves, one of them moved, from which a filter has a disparity.
            Others are pale rings on the left and have no row on the right.

        Raises
        ------
        TypeError
            If min_correlation is not a number.
        ValueError
            If it is out of range, or ax is something else.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import BinocularDisplay
        >>> components = np.random.default_rng(0).normal(size=(6, 32))
        >>> display = BinocularDisplay(components, (2, 4, 4)).plot()
        >>> display.ax_.get_xlabel()
        'Preferred disparity (pixels)'
        """
        least = check_number("min_correlation", min_correlation, minimum=0, maximum=1)
        points, curves = take_axes(
            ax, 2, lambda: plt.subplots(1, 2, figsize=INCHES, layout="constrained")[1]
        )
        has_one = np.isfinite(self.tuning.disparity)
        tuned = has_one & (self.tuning.correlation >= least)
        self._draw_points(points, tuned, has_one & ~tuned, f"correlation < {least:g}")
        self._draw_curves(curves, tuned)
        for one in (points, curves):
            one.set_xlim(-self.patch_shape[2] / 2, self.patch_shape[2] / 2)
        self.axes_, self.figure_ = [points, curves], points.figure
        self.ax_ = points
        return self

    def _draw_points(self, ax: Axes, tuned: np.ndarray, untuned: np.ndarray, label: str) -> None:
        places = np.stack([self.tuning.disparity, self.tuning.dominance])
        ax.scatter(*places[:, tuned], s=14, alpha=0.7, linewidths=0)
        if untuned.any():
            ax.scatter(*places[:, untuned], label=label, zorder=1, **RING)
            ax.legend(frameon=False, fontsize="small", handletextpad=0.1, loc="upper left")
        ax.set(xlabel="Preferred disparity (pixels)", ylim=(-1.05, 1.05), yticks=[-1, 0, 1])
        ax.set_yticklabels(["left eye", "both", "right eye"])
        plain(ax)

    def _draw_curves(self, ax: Axes, tuned: np.ndarray) -> None:
        order = np.argsort(self.tuning.disparity)
        rows = self.tuning.curves[order[tuned[order]]]
        if rows.size:
            first, last = self.tuning.disparities[[0, -1]] + (-0.5, 0.5)
            place: Any = {"extent": (first, last, len(rows), 0), "aspect": "auto"}
            shown = ax.imshow(rows, cmap="gray", vmin=-1, vmax=1, interpolation="none", **place)
            ax.figure.colorbar(shown, ax=ax, ticks=[-1, 0, 1], label="Correlation of the eyes")
        ax.set(xlabel="Disparity (pixels)", ylabel="Features, by disparity", yticks=[])
