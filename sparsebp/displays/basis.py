"""Basis displays: mosaics of learned features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import check_integer
from sparsebp._shapes import PatchShape, given_or_kept, resolved_patch_shape, split_channels
from sparsebp._unused import unused_components
from sparsebp.displays._axes import take_axes
from sparsebp.displays._features import check_components, last_step, learned_features
from sparsebp.displays.mosaic import (
    Scale,
    brightness,
    check_grid_shape,
    draw_mosaic,
    place,
    tile_size,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES_PER_FILTER = 0.6
TITLE_INCHES = 0.35
MARGIN_INCHES = 0.05


class BasisDisplay:
    """Picture of learned filters.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Filters as rows, flattened in C order from (height, width) or (height, width, 3).
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width), default None
        None takes square gray patches or, where n_features is three times a square, square color
        patches.
    grid_shape : (rows, columns), default None
        Layout of a topographic map, or of the groups. None takes the squarest grid.
    group_size : int, default 1
        Number of filters that are drawn as a group, side by side.

    Attributes
    ----------
    silent : ndarray of int
        Filters that are drawn as gray tiles: with `from_estimator`, those that contributed almost
        nothing to the samples of `fit`.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Raises
    ------
    TypeError
        If an estimator, or what was measured, is given in place of the components.
    ValueError
        If the components are not a finite real matrix, a shape does not fit them, n_features is no
        square to infer the patch shape from, or groups are not full.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import BasisDisplay
    >>> display = BasisDisplay(np.eye(16))
    >>> display.patch_shape, display.grid_shape
    ((4, 4), (4, 4))
    """

    def __init__(
        self,
        components: ArrayLike,
        patch_shape: PatchShape = None,
        *,
        grid_shape: Sequence[int] | None = None,
        group_size: int = 1,
    ) -> None:
        self.components = check_components(components, type(self).__name__)
        self.patch_shape = resolved_patch_shape(self.components.shape[1], patch_shape)
        self.group_size = _checked_size(group_size, len(self.components))
        n_tiles = len(self.components) // self.group_size
        self.grid_shape = check_grid_shape(n_tiles, grid_shape, self._tile_shape)
        self.silent = np.empty(0, dtype=int)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        patch_shape: PatchShape = None,
        grid_shape: Sequence[int] | None = None,
    ) -> BasisDisplay:
        """Take the filters of a fitted estimator, or of a pipeline as patterns of its input.

        Those of independent subspaces are drawn in groups.

        A pipeline's components are mapped back through the earlier steps:
        inverse_transform(components) - inverse_transform(zeros).

        Parameters
        ----------
        estimator : object with ``components_``, or with ``steps`` as a scikit-learn Pipeline
            Where it has ``features_`` (what each component adds to a sample) they are drawn, not
            the filters that detect them. The earlier steps of a pipeline need
            ``inverse_transform``.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.
        grid_shape : (rows, columns), default None
            None takes the map of ``estimator.penalty_``, if that has one.

        Raises
        ------
        AttributeError
            If the estimator is not fitted, or a step of the pipeline has no inverse.
        ValueError
            As for the constructor.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import FastICA
        >>> from sparsebp.displays import BasisDisplay
        >>> X = np.random.default_rng(0).laplace(size=(500, 16))
        >>> BasisDisplay.from_estimator(FastICA(5, random_state=0).fit(X)).grid_shape
        (2, 3)
        """
        components, learned_shape = learned_features(estimator)
        shape = learned_shape if grid_shape is None else grid_shape
        size = getattr(getattr(last_step(estimator), "penalty_", None), "group_size", 1)
        size = size if grid_shape is None else 1  # places in a grid are those of filters
        given = given_or_kept(patch_shape, estimator)
        display = cls(components, given, grid_shape=shape, group_size=size)
        shares = getattr(last_step(estimator), "contributions_", None)
        if shares is not None and len(shares) == len(components):
            display.silent = unused_components(shares)
        return display

    def plot(
        self,
        ax: Axes | None = None,
        *,
        scale: Scale = "each",
        gap: int = 1,
        title: str | None = None,
        **imshow_options: Any,
    ) -> BasisDisplay:
        """Draw the mosaic of the filters, zero being mid-gray as in `filter_mosaic`.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure of a size that fits the mosaic.
        scale : {"each", "all"}, default "each"
            Whether contrast is stretched for each filter alone or for all together.
        gap : int >= 0, default 1
            Width of the gaps in pixels of the filters, through which the background is seen.
        title : str, default None
        **imshow_options : Any
            Passed on to `matplotlib.axes.Axes.imshow`.

        Raises
        ------
        ValueError
            If scale or gap is out of range, or ax is not one matplotlib Axes.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import BasisDisplay
        >>> display = BasisDisplay(np.eye(16)).plot(title="Pixels")
        >>> display.ax_.get_title()
        'Pixels'
        """
        drawn = self.components.copy()
        drawn[self.silent] = 0
        images = brightness(drawn, scale).reshape(len(drawn) // self.group_size, -1)
        mosaic = place(images, self._tile_shape, self.grid_shape, gap=gap)
        height, width = tile_size(self._tile_shape, 1)
        columns = self.grid_shape[1] * max(width / height, 1)  # of square patches as wide
        (ax,) = take_axes(ax, 1, lambda: _fitting_axes(mosaic, columns))
        draw_mosaic(ax, mosaic, **imshow_options)
        ax.set_axis_off()
        if title is not None:
            ax.set_title(title)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @property
    def _tile_shape(self) -> tuple[int, ...]:
        """Shape of what is drawn together: a filter or, as the frames of a volume, a group."""
        if self.group_size == 1:
            return self.patch_shape
        sides, n_channels = split_channels(self.patch_shape)
        n_frames = self.group_size * math.prod(sides[:-2])
        return (n_frames, *sides[-2:], n_channels)


def _checked_size(group_size: int, n_components: int) -> int:
    if n_components % check_integer("group_size", group_size):
        raise ValueError(
            f"group_size is {group_size} but there are {n_components} components; give a number "
            "that divides them."
        )
    return group_size


def _fitting_axes(mosaic: np.ndarray, columns: float) -> Axes:
    """Make a figure in which each pixel of the mosaic covers a whole number of screen pixels.

    Otherwise some gaps would be wider than others.
    """
    (height, width), dpi = mosaic.shape[:2], plt.rcParams["figure.dpi"]
    inches = min(max(INCHES_PER_FILTER * columns, 2.5), 8.0)
    zoom = max(1, round(inches * dpi / width))
    drawn = np.array([width, height]) * zoom / dpi
    margin = round(MARGIN_INCHES * dpi) / dpi
    title = round(TITLE_INCHES * dpi) / dpi
    total = drawn + np.array([2 * margin, 2 * margin + title])
    left, bottom = margin / total
    right, top = (drawn + margin) / total
    sides = {"left": left, "right": right, "bottom": bottom, "top": top}
    _, ax = plt.subplots(figsize=(total[0], total[1]), gridspec_kw=sides)
    return ax
