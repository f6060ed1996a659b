"""Stability displays: which components are found again, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np

from sparsebp._checks import mistake
from sparsebp._shapes import PatchShape, given_or_kept, resolved_patch_shape
from sparsebp.displays._axes import RING, plain, take_axes, whole_numbers
from sparsebp.displays._features import last_step
from sparsebp.displays.mosaic import WHITE, brightness, check_grid_shape, draw_mosaic, place
from sparsebp.metrics import Stability, stability
from sparsebp.metrics._clusters import REPRODUCIBLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Contrast of centrotypes that are not reproducible.
FAINT = 0.3


class StabilityDisplay:
    """Stability of components over several fits, and the patches that were found again.

    Parameters
    ----------
    stability : Stability
        What `sparsebp.metrics.stability` returned.
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width), default None
        Shape of the features, if they are patches; None draws no features.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        After `plot`, one for the indices and, for patches, one for the features.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError
        If stability is something else.
    ValueError
        If the patch shape does not fit the features.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp import OrthonormalICA
    >>> from sparsebp.displays import StabilityDisplay
    >>> from sparsebp.metrics import stability
    >>> X = np.random.default_rng(0).laplace(size=(1000, 4))
    >>> found = stability(OrthonormalICA(), X, 4, random_state=0)
    >>> StabilityDisplay(found, (2, 2)).stability.n_reproducible
    4
    """

    def __init__(self, stability: Stability, patch_shape: PatchShape = None) -> None:
        if not isinstance(stability, Stability):
            wanted = "what sparsebp.metrics.stability returned"
            raise TypeError(mistake("stability", wanted, stability))
        self.stability = stability
        n_features = stability.features.shape[1]
        given = patch_shape is not None
        self.patch_shape = resolved_patch_shape(n_features, patch_shape) if given else None

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, *, patch_shape: PatchShape = None, **options: Any
    ) -> StabilityDisplay:
        """Fit an estimator several times.

        Parameters
        ----------
        estimator : object with ``fit``, and ``components_`` after it
            As for `sparsebp.metrics.stability`.
        X : array-like of shape (n_samples, n_features)
            Samples.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.
        **options : Any
            Passed on to `sparsebp.metrics.stability`, such as n_runs and random_state.

        Raises
        ------
        TypeError, ValueError, AttributeError
            As for `sparsebp.metrics.stability` and the constructor.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp import OrthonormalICA
        >>> from sparsebp.displays import StabilityDisplay
        >>> X = np.random.default_rng(0).laplace(size=(1000, 4))
        >>> model = OrthonormalICA(patch_shape=2)
        >>> StabilityDisplay.from_estimator(model, X, n_runs=4, random_state=0).patch_shape
        (2, 2)
        """
        shape = given_or_kept(patch_shape, last_step(estimator))
        return cls(stability(estimator, X, **options), shape)

    def plot(self, ax: Axes | Sequence[Axes] | None = None) -> StabilityDisplay:
        """Draw the stability index of the clusters and, for patches, their features beside it.

        As many clusters are drawn as a fit has components, the most stable first; the label of the
        axis says if there are more. Those below the threshold, the dashed line, are rings, and
        their features pale. Indices below 0, as of components that were found in a single run, are
        triangles at 0.

        Parameters
        ----------
        ax : matplotlib Axes or, for patches, two, default None
            One gives its place to two. None makes a new figure.

        Raises
        ------
        ValueError
            If ax is something else.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp import OrthonormalICA
        >>> from sparsebp.displays import StabilityDisplay
        >>> X = np.random.default_rng(0).laplace(size=(1000, 4))
        >>> display = StabilityDisplay.from_estimator(OrthonormalICA(), X, n_runs=4, random_state=0)
        >>> display.plot().ax_.get_ylabel()
        'Stability index'
        """
        n_panels = 1 if self.patch_shape is None else 2
        make = {"figsize": (3.2 * n_panels, 3.0), "layout": "constrained"}
        axes = take_axes(ax, n_panels, lambda: plt.subplots(1, n_panels, **make)[1])
        self._draw_indices(axes[0])
        if n_panels == 2:
            self._draw_features(axes[1])
        self.axes_, self.figure_ = axes, axes[0].figure
        self.ax_ = self.axes_[0]
        return self

    @property
    def _n_shown(self) -> int:
        """As many clusters as a fit has components, and all that are reproducible."""
        found = self.stability
        return max(min(found.labels.shape[1], len(found.index)), found.n_reproducible)

    def _draw_indices(self, ax: Axes) -> None:
        found, n_shown = self.stability, self._n_shown
        index, rank = found.index[:n_shown], np.arange(1, n_shown + 1)
        stable, cut = rank <= found.n_reproducible, index < 0
        rings = ~stable & ~cut
        dots = {"s": 16, "zorder": 3, "clip_on": False}
        label = f"{found.n_reproducible} reproducible"
        ax.scatter(rank[stable], index[stable], color="C0", linewidths=0, label=label, **dots)
        label = f"{rings.sum()} not reproducible" if rings.any() else "_"
        ax.scatter(rank[rings], index[rings], label=label, **{**RING, **dots})
        if cut.any():
            label = f"{cut.sum()} not reproducible, index < 0"
            ax.scatter(rank[cut], 0 * rank[cut], marker="v", label=label, **{**RING, **dots})
        color = plt.rcParams["text.color"]
        ax.axhline(REPRODUCIBLE, color=color, linestyle="--", linewidth=1.0)
        plain(ax)
        whole_numbers(ax)
        ax.set(xlim=(0, n_shown + 1), ylim=(0, 1))
        all_shown = n_shown == len(found.index)
        which = "" if all_shown else f" ({n_shown} most stable of {len(found.index)})"
        ax.set(xlabel=f"Cluster{which}", ylabel="Stability index")
        ax.legend(loc="lower left", frameon=False, fontsize="small", handletextpad=0.1)

    def _draw_features(self, ax: Axes) -> None:
        assert self.patch_shape is not None
        shades = brightness(self.stability.features[: self._n_shown], "each")
        pale = slice(self.stability.n_reproducible, None)
        shades[pale] = WHITE - FAINT * (WHITE - shades[pale])
        grid = check_grid_shape(len(shades), None, self.patch_shape)
        draw_mosaic(ax, place(shades, self.patch_shape, grid, gap=1))
        ax.set_axis_off()
