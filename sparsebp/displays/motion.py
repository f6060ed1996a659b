"""Motion displays: slices through space and time, speeds and directions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from sparsebp._checks import check_number
from sparsebp._magnitudes import in_range
from sparsebp._shapes import PatchShape, as_volumes
from sparsebp.displays._axes import PALE, RING, take_axes
from sparsebp.displays._measured import MeasuredDisplay
from sparsebp.displays.mosaic import brightness, check_grid_shape, draw_mosaic, place
from sparsebp.metrics import MotionTuning, motion_tuning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (7.6, 3.7)


class MotionDisplay(MeasuredDisplay):
    """Slices through space and time, and the speeds and directions that filters prefer.

    Parameters
    ----------
    components : array-like of shape (n_components, frames * height * width [* 3])
        Filters as rows, flattened in C order.
    patch_shape : (frames, height, width) or (frames, height, width, 3)
        Of at least 2 frames.

    Attributes
    ----------
    tuning : MotionTuning
        What `sparsebp.metrics.motion_tuning` measured.
    slices : ndarray of shape (n_components, frames, n_places, n_channels)
        Of each filter, over the places along the direction in which it prefers motion: the mean
        across this direction. Motion at the preferred velocity goes to the right.
    axes_ : list of two matplotlib Axes
        After `plot`; the second is polar.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError
        If an estimator, or what was measured, is given in place of the components.
    ValueError
        If the components are not a finite real matrix, or have less than two frames.

    See Also
    --------
    BasisDisplay : The frames of each filter, side by side.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import MotionDisplay
    >>> MotionDisplay(np.random.default_rng(0).normal(size=(6, 48)), (3, 4, 4)).slices.shape
    (6, 3, 4, 1)
    """

    tuning: MotionTuning
    _shape_needed = ("(frames, height, width) or (frames, height, width, 3)", "has no motion")

    def __init__(self, components: ArrayLike, patch_shape: PatchShape = None) -> None:
        super().__init__(components, patch_shape)
        scaled, _ = in_range(self.components)
        volumes = zip(as_volumes(scaled, self.patch_shape), self.tuning.direction, strict=True)
        self.slices = np.stack([_slice(volume, direction) for volume, direction in volumes])

    def _measure(self) -> MotionTuning:
        return motion_tuning(self.components, self.patch_shape)

    def plot(
        self, ax: Axes | Sequence[Axes] | None = None, *, min_direction_index: float = 0.5
    ) -> MotionDisplay:
        """Draw the slices, time running down, and the velocities in polar coordinates.

        In a slice, what moves is oblique: a stripe that moves by a pixel per frame runs from the
        upper left to the lower right at 45 degrees, a faster one is flatter, and what stands still
        is vertical. In the polar panel the angle is the direction in which the filter prefers
        motion, as pictures show it, and the distance from the center the speed.

        Parameters
        ----------
        ax : two matplotlib Axes, the second of them polar, or one, default None
            One gives its place to two. None makes a new figure.
        min_direction_index : float in [0, 1], default 0.5
            Filters with a lower index, which hardly distinguish a direction from the opposite one,
            are pale rings.

        Raises
        ------
        TypeError
            If min_direction_index is not a number.
        ValueError
            If it is out of range, or ax is something else.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import MotionDisplay
        >>> components = np.random.default_rng(0).normal(size=(6, 48))
        >>> display = MotionDisplay(components, (3, 4, 4)).plot()
        >>> [ax.name for ax in display.axes_]
        ['rectilinear', 'polar']
        """
        least = check_number("min_direction_index", min_direction_index, minimum=0, maximum=1)
        slices, polar = take_axes(ax, 2, _new_axes, (None, "polar"))
        if polar.name != "polar":
            raise ValueError(
                f"The second of ax is {polar.name}; make it with "
                'figure.add_subplot(projection="polar").'
            )
        frames, n_places, n_channels = self.slices.shape[1:]
        shape = (frames, n_places, n_channels)[: 2 + (n_channels > 1)]
        rows = brightness(self.slices.reshape(len(self.slices), -1), "each")
        draw_mosaic(slices, place(rows, shape, check_grid_shape(len(rows), None, shape), gap=1))
        slices.set_axis_off()
        slices.set_title("Slices: motion →, time ↓")
        self._draw_velocities(polar, least)
        self.axes_, self.figure_ = [slices, polar], slices.figure
        self.ax_ = slices
        return self

    def _draw_velocities(self, ax: Any, least: float) -> None:
        selective = self.tuning.direction_index >= least
        velocity = np.stack([self.tuning.direction, self.tuning.speed])
        dots = {"s": 14, "alpha": 0.7, "linewidths": 0, "zorder": 3, "clip_on": False}
        ax.scatter(*velocity[:, selective], **dots)
        if not selective.all():
            label = f"direction index < {least:g}"
            ax.scatter(*velocity[:, ~selective], label=label, **RING)
            below: Any = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.08)}
            ax.legend(**below, frameon=False, fontsize="small", handletextpad=0.1, borderpad=0)
        ax.set_rmin(0)
        ax.yaxis.get_major_locator().base.set_params(nbins=3)
        ax.tick_params(labelsize="small", pad=1)
        ax.grid(visible=True, color=PALE, linewidth=0.5, alpha=0.35)
        ax.set_title("Direction and speed\n(pixels per frame)")


def _new_axes() -> list[Axes]:
    """Make a figure; a layout engine would make the slices as small as the circle."""
    figure = plt.figure(figsize=INCHES)
    slices = figure.add_axes((0.01, 0.02, 0.5, 0.88))
    return [slices, figure.add_axes((0.61, 0.16, 0.31, 0.65), projection="polar")]


def _slice(volume: NDArray, direction: float) -> NDArray[np.float64]:
    """Return the mean of a volume across a direction, (frames, places along it, channels)."""
    height, width = volume.shape[1:3]
    length = max(height, width)
    along, across = np.mgrid[:length, :length] - (length - 1) / 2
    cos, sin = np.cos(direction), np.sin(direction)
    # Up is towards lower rows.
    rows = (height - 1) / 2 - sin * along - cos * across
    columns = (width - 1) / 2 + cos * along - sin * across
    pictures = np.moveaxis(volume.astype(np.float64), 3, 1)
    seen = [
        [ndimage.map_coordinates(picture, [rows, columns], order=1).mean(axis=1) for picture in one]
        for one in pictures
    ]
    return np.moveaxis(np.array(seen), 1, 2)
