"""Shape displays: number and length of the stripes of filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from sparsebp.displays._axes import PALE, RING, plain, take_axes
from sparsebp.displays._gabors import FittedDisplay, shown, why_pale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Filters beyond stand at the edge: their stripes run through the patch.
LARGEST = 1.5
INCHES = (5.4, 3.2)


class ShapeDisplay(FittedDisplay):
    """Ringach's plane: n_x, the cycles under the envelope, and n_y, the length of the stripes.

    Blobs are near zero, edges at n_x up to 1 / (2 pi), and gratings with more stripes further
    right; filters above the diagonal are longer than wide.

    No region of cells is drawn, since we know of no published limits. Ringach found that features
    of independent component analysis and sparse coding have more stripes than receptive fields of
    macaques, and that only these include broadly tuned, low-pass ones.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Filters as rows, flattened in C order from (height, width) or (height, width, 3).
    patch_shape : (height, width) or (height, width, 3), default None
        None takes square gray patches or, where n_features is three times a square, square
        color patches.
    fit : GaborFit, default None
        What `sparsebp.metrics.gabor_fit` found for the components. None fits them now.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Raises
    ------
    TypeError
        If fit is not a GaborFit, or an estimator is given in place of the components.
    ValueError
        If the components are not a finite real matrix, the patch shape or the fit does not fit
        them, or n_features is no square to infer the patch shape from.

    See Also
    --------
    GaborDisplay : Orientation, frequency and place of the same fits.

    References
    ----------
    Ringach 2002, "Spatial structure and symmetry of simple-cell receptive fields in macaque
    primary visual cortex".

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import ShapeDisplay
    >>> ShapeDisplay(np.random.default_rng(0).normal(size=(6, 16))).fit.n_x.shape
    (6,)
    """

    def plot(
        self, ax: Axes | None = None, *, min_r_squared: float = 0.5, label: str | None = None
    ) -> ShapeDisplay:
        """Draw a point for each filter.

        Filters that are not Gabor functions or poorly determined (see
        `sparsebp.metrics.GaborFit.well_determined`) are pale rings. Filters beyond 1.5 stand at
        the edge as triangles.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure. Several models may share one.
        min_r_squared : float in [0, 1], default 0.5
            Share of a filter's variance that its Gabor function must explain.
        label : str, default None
            Name in the legend.

        Raises
        ------
        TypeError
            If min_r_squared is not a number.
        ValueError
            If it is out of range, or ax is not one matplotlib Axes.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import ShapeDisplay
        >>> display = ShapeDisplay(np.random.default_rng(0).normal(size=(6, 16))).plot()
        >>> display.ax_.get_xlabel()
        '$n_x$, cycles under the envelope'
        """
        valid = shown(self.fit, min_r_squared)
        pale = ~valid & (self.fit.amplitude > 0)
        (ax,) = take_axes(ax, 1, lambda: plt.subplots(figsize=INCHES, layout="constrained")[1])
        points = np.stack([self.fit.n_x, self.fit.n_y], axis=1)
        beyond = (points > LARGEST).any(axis=1)
        ax.axline((0, 0), slope=1, color=PALE, linewidth=0.8, linestyle="--", zorder=1)
        color = ax.scatter(*_within(points[valid & ~beyond]), s=14, alpha=0.7, linewidths=0)
        color.set_label(label)
        edge = {"s": 20, "alpha": 0.7, "linewidths": 0, "marker": "^", "clip_on": False}
        ax.scatter(*_within(points[valid & beyond]), color=color.get_facecolor()[:1], **edge)
        if pale.any():
            reason = why_pale(self.fit, min_r_squared)
            ax.scatter(*_within(points[pale]), label=reason, clip_on=False, zorder=1, **RING)
        _name(ax)
        ax.set(xlim=(0, LARGEST), ylim=(0, LARGEST), aspect="equal")
        ax.set_xlabel("$n_x$, cycles under the envelope")
        ax.set_ylabel("$n_y$, length of the stripes")
        plain(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _name(ax: Axes) -> None:
    """Say beside the Axes what the points are, each name once."""
    handles, labels = ax.get_legend_handles_labels()
    names = dict(zip(labels, handles, strict=True))
    if names:
        place = {"loc": "upper left", "bbox_to_anchor": (1.02, 1.02), "handletextpad": 0.1}
        ax.legend(list(names.values()), list(names), frameon=False, fontsize="small", **place)


def _within(points: NDArray) -> NDArray:
    return np.minimum(points, LARGEST).T
