"""Mosaics: filters laid out side by side in one image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_matrix, check_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["each", "all"]

MID_GRAY = 0.5
WHITE = 1.0
#: Contrast is stretched up to fifty times that of the strongest filter, so that a dead filter,
#: whose values are all but zero, is seen as a flat tile and not as whatever noise is left in it.
FAINT = 0.02


def filter_mosaic(
    components: ArrayLike,
    patch_shape: Sequence[int] | None = None,
    grid_shape: Sequence[int] | None = None,
    *,
    scale: Scale = "each",
    gap: int = 1,
) -> NDArray[np.float64]:
    """Lay filters out in one image, in row-major order, with white gaps between and around.

    A value w of a filter becomes the brightness 1/2 + w / (2 max |w|), so that 0 is mid-gray. Where
    each filter has its own max |w|, it is taken to be at least a fiftieth of the largest of all:
    a dead filter stays flat.

    Parameters
    ----------
    components : array-like of shape (n_components, n_features)
        Filters as rows, flattened in C order from (height, width) or (height, width, 3).
    patch_shape : (height, width) or (height, width, 3), default None
        None takes square grey patches or, where n_features is three times a square, square
        color patches.
    grid_shape : (rows, columns), default None
        Shape of the mosaic, which must have n_components cells. None takes the squarest grid
        that is no taller than wide; its last cells may stay empty.
    scale : {"each", "all"}, default "each"
        Whether max |w| is taken over each filter alone or over all filters together.
    gap : int >= 0, default 1
        Width of the gaps in pixels of the filters.

    Returns
    -------
    mosaic : ndarray of shape (rows * (height + gap) + gap, columns * (width + gap) + gap[, 3])
        Brightness in [0, 1]; gaps and empty cells are white, filters of zeros mid-gray.

    Raises
    ------
    ValueError
        If the components are not a finite real matrix, a shape does not fit them, n_features
        is no square to infer the patch shape from, or scale or gap is out of range.

    Examples
    --------
    >>> from sparsebp.displays import filter_mosaic
    >>> filter_mosaic([[0, 0, 0, 2], [0, -1, 0, 1]], (2, 2))
    array([[1. , 1. , 1. , 1. , 1. , 1. , 1. ],
           [1. , 0.5, 0.5, 1. , 0.5, 0. , 1. ],
           [1. , 0.5, 1. , 1. , 0.5, 1. , 1. ],
           [1. , 1. , 1. , 1. , 1. , 1. , 1. ]])
    """
    filters = check_matrix("components", components)
    patch = check_patch_shape(filters.shape[1], patch_shape)
    grid = check_grid_shape(len(filters), grid_shape)
    mosaic = lay_out(filters, patch, grid, scale=scale, gap=gap)
    return np.where(np.isnan(mosaic), WHITE, mosaic)


def lay_out(
    filters: NDArray,
    patch_shape: tuple[int, ...],
    grid_shape: tuple[int, int],
    *,
    scale: Scale,
    gap: int,
) -> NDArray[np.float64]:
    """Lay filters out as `filter_mosaic` does, with NaN between them, in a grid with room."""
    return place(brightness(filters, scale), patch_shape, grid_shape, gap=gap)


def place(
    images: NDArray, patch_shape: tuple[int, ...], grid_shape: tuple[int, int], *, gap: int
) -> NDArray[np.float64]:
    """Place flattened images in [0, 1] in a grid with room for them, with NaN between them."""
    if not isinstance(gap, int | np.integer) or isinstance(gap, bool) or gap < 0:
        raise ValueError(f"gap={gap!r}; expected a whole number of pixels, 0 or more.")
    (height, width, *color), (rows, columns) = patch_shape, grid_shape
    mosaic = np.full((rows * (height + gap) + gap, columns * (width + gap) + gap, *color), np.nan)
    for index, image in enumerate(images.reshape(-1, *patch_shape)):
        row, column = divmod(index, columns)
        top, left = gap + row * (height + gap), gap + column * (width + gap)
        mosaic[top : top + height, left : left + width] = image
    return mosaic


def draw_mosaic(ax: Axes, mosaic: NDArray, **imshow_options: Any) -> None:
    """Show a mosaic, through whose gaps the background is seen, whatever its color.

    Vector files get its pixels as they are: resampled to the figure's resolution, some would come
    out twice as wide as others, and drawn one by one, readers would show seams between them.
    """
    if mosaic.ndim == 3:
        gaps = np.isnan(mosaic)
        mosaic = np.concatenate([np.where(gaps, WHITE, mosaic), ~gaps[..., :1]], axis=2)
    options = {"cmap": "gray", "vmin": 0.0, "vmax": 1.0, "interpolation": "none"}
    ax.imshow(mosaic, **(options | imshow_options))


def brightness(filters: NDArray, scale: Scale) -> NDArray[np.float64]:
    """Turn filters into brightness in [0, 1] as `filter_mosaic` does, each still a row."""
    check_scale(scale)
    # float32 and integers near their limits would overflow.
    filters = filters.astype(np.float64)
    largest = np.abs(filters).max(axis=1, keepdims=True)
    strongest = largest.max()
    largest = np.maximum(largest, strongest * (FAINT if scale == "each" else 1.0))
    return MID_GRAY + (1 - MID_GRAY) * (filters / np.where(largest > 0, largest, 1.0))


def check_scale(scale: Scale) -> None:
    """Refuse all but the two ways to stretch contrast."""
    if scale not in ("each", "all"):
        raise ValueError(f"scale={scale!r}; expected 'each' or 'all'.")


def check_patch_shape(n_features: int, patch_shape: Sequence[int] | None) -> tuple[int, ...]:
    """Return the shape of patches with n_features values, inferred where it is None."""
    if patch_shape is None:
        return _inferred_patch_shape(n_features)
    shape = check_shape("patch_shape", patch_shape, (2, 3))
    if math.prod(shape) != n_features:
        raise ValueError(
            f"patch_shape={shape} has {math.prod(shape)} values but each component has "
            f"{n_features}; give the shape of the patches that were flattened."
        )
    if len(shape) == 3 and shape[2] != 3:
        raise ValueError(f"patch_shape={shape}; a third side must be 3, the color channels.")
    return shape


def _inferred_patch_shape(n_features: int) -> tuple[int, ...]:
    side = math.isqrt(n_features)
    if side**2 == n_features:
        return side, side
    side = math.isqrt(n_features // 3)
    if 3 * side**2 == n_features:
        return side, side, 3
    raise ValueError(
        f"Components of {n_features} values are neither square grey patches nor square color "
        "patches; give patch_shape=(height, width) or (height, width, 3)."
    )


def check_grid_shape(n_components: int, grid_shape: Sequence[int] | None) -> tuple[int, int]:
    """Return the shape of a grid for n_components filters, the squarest where it is None."""
    if grid_shape is None:
        columns = math.isqrt(n_components - 1) + 1
        return -(-n_components // columns), columns
    rows, columns = check_shape("grid_shape", grid_shape)
    if rows * columns != n_components:
        raise ValueError(
            f"grid_shape={(rows, columns)} has {rows * columns} cells but there are "
            f"{n_components} components; give the shape of the map, or None."
        )
    return rows, columns
