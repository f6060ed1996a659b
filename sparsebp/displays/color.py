"""Color displays: the colors that filters oppose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.patches import Circle

from sparsebp.displays._axes import PALE, bare, take_axes
from sparsebp.displays._measured import MeasuredDisplay
from sparsebp.metrics import ColorTuning, color_tuning
from sparsebp.metrics.color import OPPONENT_AXES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INCHES = (3.6, 3.6)
#: Of the colors of dots, so that they are vivid but within what screens show.
VIVID = 0.6


class ColorDisplay(MeasuredDisplay):
    """The plane of opponent colors: red against green, blue against yellow.

    Parameters
    ----------
    components : array-like of shape (n_components, height * width * 3)
        Filters as rows, flattened in C order, channels last.
    patch_shape : int, (height, width, 3) or (frames, height, width, 3), default None
        None takes square patches.

    Attributes
    ----------
    tuning : ColorTuning
        What `sparsebp.metrics.color_tuning` measured.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`.

    Raises
    ------
    TypeError
        If an estimator, or what was measured, is given in place of the components.
    ValueError
        If the components are not a finite real matrix, or not in color.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import ColorDisplay
    >>> ColorDisplay(np.random.default_rng(0).normal(size=(6, 48))).tuning.hue.shape
    (6,)
    """

    tuning: ColorTuning

    def _measure(self) -> ColorTuning:
        return color_tuning(self.components, self.patch_shape)

    def plot(self, ax: Axes | None = None) -> ColorDisplay:
        """Draw a line for each filter between the two colors that it opposes.

        Its direction is the hue, and its half length the square root of the share that is not
        achromatic: gray filters are dots in the center, and filters without any gray in them end at
        the circle.

        Parameters
        ----------
        ax : matplotlib Axes, default None
            None makes a new figure.

        Raises
        ------
        ValueError
            If ax is not one matplotlib Axes.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import ColorDisplay
        >>> display = ColorDisplay(np.random.default_rng(0).normal(size=(6, 48))).plot()
        >>> len(display.ax_.collections[1].get_offsets())
        12
        """
        (ax,) = take_axes(ax, 1, lambda: plt.subplots(figsize=INCHES, layout="constrained")[1])
        chroma = np.sqrt(self.tuning.red_green + self.tuning.blue_yellow)
        along = np.stack([np.cos(self.tuning.hue), np.sin(self.tuning.hue)], axis=1)
        ends = np.stack([along, -along], axis=1) * chroma[:, np.newaxis, np.newaxis]
        colors = np.clip(0.5 + VIVID * ends.reshape(-1, 2) @ OPPONENT_AXES[1:], 0, 1)
        ax.add_patch(Circle((0, 0), 1, fill=False, edgecolor=PALE, linewidth=0.8))
        ax.add_collection(LineCollection(list(ends), colors=PALE, linewidths=0.6, zorder=1))
        ax.scatter(*ends.reshape(-1, 2).T, s=22, c=colors, edgecolors=PALE, linewidths=0.4)
        names = {"red": (1, 0), "green": (-1, 0), "blue": (0, 1), "yellow": (0, -1)}
        for name, (right, up) in names.items():
            ax.annotate(
                name,
                (1.06 * right, 1.06 * up),
                annotation_clip=False,
                ha=("center", "left", "right")[right],
                va=("center", "bottom", "top")[up],
            )
        ax.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal")
        bare(ax)
        self.ax_, self.figure_ = ax, ax.figure
        return self
