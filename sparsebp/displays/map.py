"""Map displays: preferred orientation and frequency on a topographic map of filters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.collections import PolyCollection
from numpy.typing import ArrayLike, NDArray

from sparsebp._shapes import PatchShape, given_or_kept, resolved_patch_shape
from sparsebp._warnings import warn_user
from sparsebp.displays._axes import PALE, bare, check_panels, take_axes
from sparsebp.displays._features import check_components, last_step, learned_features
from sparsebp.displays._gabors import (
    bar_direction,
    fitted_gabors,
    orientation_colors,
    shown,
    why_pale,
)
from sparsebp.displays.mosaic import check_grid_shape, draw_mosaic, lay_out
from sparsebp.metrics import GaborFit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = ("filters", "orientation", "frequency")

MAP_INCHES = 2.0
COLORBAR_INCHES = 0.5
TITLE_INCHES = 0.45
WIDE_INCHES, WIDE_BAR_INCHES = 6.0, 0.85
BAR_LENGTH, BAR_WIDTH = 0.7, 0.12


class MapDisplay:
    """Filters on their map, with the preferred orientation and frequency of each.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Filters as rows in row-major order of the map, flattened in C order from (height, width)
        or (height, width, 3).
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width), default None
        None takes square gray patches or, where n_features is three times a square, square color
        patches.
    grid_shape : (rows, columns), default None
        Layout of the map. None takes the squarest grid.
    fit : GaborFit, default None
        What `sparsebp.metrics.gabor_fit` found for the components. None fits them now.

    Attributes
    ----------
    axes_ : list of matplotlib Axes
        After `plot`, one for each panel.
    ax_, figure_ : matplotlib Axes and Figure
        After `plot`, the first of the Axes.

    Raises
    ------
    TypeError
        If fit is not a GaborFit, or an estimator is given in place of the components.
    ValueError
        If the components are not a finite real matrix, a shape or the fit does not fit them, or
        n_features is no square to infer the patch shape from.

    See Also
    --------
    sparsebp.metrics.topography_index : The map's order in numbers.
    GaborDisplay : The same parameters, not on the map.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.displays import MapDisplay
    >>> rng = np.random.default_rng(0)
    >>> display = MapDisplay(rng.normal(size=(6, 16)), grid_shape=(2, 3))
    >>> display.grid_shape, display.fit.frequency.shape
    ((2, 3), (6,))
    """

    def __init__(
        self,
        components: ArrayLike,
        patch_shape: PatchShape = None,
        *,
        grid_shape: Sequence[int] | None = None,
        fit: GaborFit | None = None,
    ) -> None:
        self.components = check_components(components, type(self).__name__)
        self.patch_shape = resolved_patch_shape(self.components.shape[1], patch_shape)
        self.grid_shape = check_grid_shape(len(self.components), grid_shape, self.patch_shape)
        self.fit = fitted_gabors(self.components, self.patch_shape, fit)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        patch_shape: PatchShape = None,
        grid_shape: Sequence[int] | None = None,
        fit: GaborFit | None = None,
    ) -> MapDisplay:
        """Take the filters and the map of a fitted estimator, or of a pipeline.

        Parameters
        ----------
        estimator : object with ``components_``, or with ``steps`` as a scikit-learn Pipeline
            What `BasisDisplay.from_estimator` draws is fitted.
        patch_shape : int or tuple of int, default None
            None takes that of the estimator, if it was given one.
        grid_shape : (rows, columns), default None
            None takes the map of ``estimator.penalty_``; a warning says if it has none.
        fit : GaborFit, default None

        Raises
        ------
        AttributeError
            If the estimator is not fitted, or a step of the pipeline has no inverse.
        TypeError, ValueError
            As for the constructor.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.decomposition import FastICA
        >>> from sparsebp.displays import MapDisplay
        >>> X = np.random.default_rng(0).laplace(size=(500, 16))
        >>> ica = FastICA(6, random_state=0).fit(X)
        >>> MapDisplay.from_estimator(ica, grid_shape=(3, 2)).grid_shape
        (3, 2)
        """
        components, learned_shape = learned_features(estimator)
        shape = learned_shape if grid_shape is None else grid_shape
        if shape is None:
            warn_user(
                f"{type(last_step(estimator)).__name__} has no topographic map, so the places of "
                "its features mean nothing. Fit it with penalty='topographic', give grid_shape, "
                "or take GaborDisplay."
            )
        return cls(components, given_or_kept(patch_shape, estimator), grid_shape=shape, fit=fit)

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        panels: str | Sequence[str] = PANELS,
        min_r_squared: float = 0.5,
    ) -> MapDisplay:
        """Draw the mosaic of the filters and the maps beside it.

        A cell's color is the orientation of the filter's bars, counter-clockwise from
        horizontal, which a black bar in the cell repeats, or the frequency at which its spectrum
        peaks. Filters that are not Gabor functions or poorly determined (see
        `sparsebp.metrics.GaborFit.well_determined`) are hatched and have no color.

        Parameters
        ----------
        ax : as many matplotlib Axes as there are panels, or one, default None
            One gives its place to all. None makes a new figure of a size that fits the map.
        panels : sequence of {"filters", "orientation", "frequency"}, default all three
            Which are drawn, in this order; one name draws one.
        min_r_squared : float in [0, 1], default 0.5
            Share of a filter's variance that its Gabor function must explain.

        Raises
        ------
        TypeError
            If min_r_squared is not a number.
        ValueError
            If it is out of range, a panel is unknown, or there are not as many Axes as panels.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.displays import MapDisplay
        >>> display = MapDisplay(np.random.default_rng(0).normal(size=(6, 16))).plot()
        >>> [ax.get_title() for ax in display.axes_]
        ['Filters', 'Orientation', 'Frequency']
        """
        names = check_panels(panels, PANELS)
        valid = shown(self.fit, min_r_squared)
        axes = take_axes(ax, len(names), lambda: _fitting_axes(names, self.grid_shape))
        for name, one in zip(names, axes, strict=True):
            if name == "filters":
                features = self.components, self.patch_shape, self.grid_shape
                draw_mosaic(one, lay_out(*features, scale="each", gap=1))
            else:
                self._draw_map(one, name, valid)
                if hatched := why_pale(self.fit, min_r_squared):
                    beside_bar: Any = {"loc": "right"} if _is_wide(self.grid_shape) else {}
                    one.set_xlabel(f"hatched: {hatched}", fontsize="small", **beside_bar)
            bare(one)
            one.set_title(name.capitalize())
        self.axes_, self.figure_ = axes, axes[0].figure
        self.ax_ = self.axes_[0]
        return self

    def _draw_map(self, ax: Axes, name: str, valid: NDArray) -> None:
        turning = name == "orientation"
        if turning:
            values = np.degrees(self.fit.bar_angle)
            options: Any = {"cmap": orientation_colors(), "vmin": 0.0, "vmax": 180.0}
        else:
            values = self.fit.frequency
            options = _frequency_scale(values[valid])
        cells = np.ma.masked_all(self.grid_shape)
        cells.flat[: len(values)] = np.ma.masked_where(~valid, values)
        image = ax.imshow(cells, interpolation="none", **options)
        _, columns = self.grid_shape
        places = np.stack(np.divmod(np.arange(len(values)), columns)[::-1], axis=1)
        if turning:
            bars = _rectangles(places[valid], bar_direction(self.fit)[valid], BAR_LENGTH, BAR_WIDTH)
            ax.add_collection(PolyCollection(bars, facecolors="black", linewidths=0))
        upright = np.tile([1.0, 0.0], (int((~valid).sum()), 1))
        hatched = _rectangles(places[~valid], upright, 1.0, 1.0)
        style = {"facecolors": "none", "edgecolors": PALE, "linewidths": 0, "hatch": "/////"}
        ax.add_collection(PolyCollection(hatched, **style))
        _color_bar(ax, image, turning, self.grid_shape)


def _fitting_axes(names: list[str], grid_shape: tuple[int, int]) -> Any:
    rows, columns = grid_shape
    if _is_wide(grid_shape):
        size = (WIDE_INCHES, len(names) * (WIDE_INCHES * rows / columns + WIDE_BAR_INCHES))
        return plt.subplots(len(names), 1, figsize=size, layout="compressed")[1]
    height = MAP_INCHES * min(rows / columns, 2.0)
    n_maps = len([name for name in names if name != "filters"])
    width = MAP_INCHES * len(names) + COLORBAR_INCHES * n_maps
    size = (width, height + TITLE_INCHES)
    # Narrow maps pushed together would have titles that overlap.
    layout = "compressed" if rows <= 1.5 * columns else "constrained"
    return plt.subplots(1, len(names), figsize=size, layout=layout)[1]


def _frequency_scale(frequency: NDArray) -> dict[str, Any]:
    low, high = (frequency.min(), frequency.max()) if frequency.size else (0.0, 0.5)
    if high - low < 1e-9:  # all alike: a scale around it
        low, high = low - 0.05, high + 0.05
    return {"cmap": "viridis", "vmin": low, "vmax": high}


def _rectangles(
    centers: NDArray, directions: NDArray, length: float, width: float
) -> list[NDArray]:
    along = directions[:, None] * length / 2
    across = np.stack([-directions[:, 1], directions[:, 0]], axis=1)[:, None] * width / 2
    signs = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]])[None, :, :, None]
    return list(centers[:, None] + signs[:, :, 0] * along + signs[:, :, 1] * across)


def _color_bar(ax: Axes, image: Any, turning: bool, grid_shape: tuple[int, int]) -> None:
    if _is_wide(grid_shape):  # a map as flat as a line leaves no height for a bar beside it
        unit = grid_shape[1] / grid_shape[0]  # the map's width in heights
        place, direction = (0.25, -0.035 * unit, 0.5, 0.013 * unit), "horizontal"
    else:
        place, direction = (1.03, 0.0, 0.05, 1.0), "vertical"
    bar = ax.figure.colorbar(image, cax=ax.inset_axes(place), orientation=direction)
    bar.outline.set_visible(False)
    if turning:
        bar.set_ticks([0, 45, 90, 135, 180], labels=["0°", "45°", "90°", "135°", "180°"])
    else:
        bar.set_label("cycles per pixel", fontsize="small")
    bar.ax.tick_params(labelsize="small", length=2)


def _is_wide(grid_shape: tuple[int, int]) -> bool:
    rows, columns = grid_shape
    return columns >= 3 * rows
