"""Mosaics: filters laid out side by side in one image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_choice, check_integer, check_matrix, check_shape
from sparsebp._memory import check_memory
from sparsebp._shapes import PatchShape, resolved_patch_shape, split_channels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["each", "all"]

MID_GRAY = 0.5
#: Gaps between volumes, in gaps between their frames.
FRAME_GAPS = 3
WHITE = 1.0
#: Contrast is stretched up to fifty times that of the strongest filter, so that a dead filter,
#: whose values are all but zero, is seen as a flat tile and not as whatever noise is left in it.
FAINT = 0.02


def filter_mosaic(
    components: ArrayLike,
    patch_shape: PatchShape = None,
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
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width), default None
        None takes square gray patches or, where n_features is three times a square, square color
        patches. The frames of a volume, which may have 3 channels behind, stand side by side.
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
    patch = resolved_patch_shape(filters.shape[1], patch_shape)
    grid = check_grid_shape(len(filters), grid_shape, patch)
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
    check_integer("gap", gap, minimum=0)
    pitch = tile_pitch(patch_shape, gap)
    check_memory("gap", gap, (*grid_shape, *pitch, images.shape[1]))
    pictures = tiles(images, patch_shape, gap)
    height, width, *color = pictures.shape[1:]
    between = pitch[0] - height
    rows, columns = grid_shape
    mosaic = np.full((rows * pitch[0] + between, columns * pitch[1] + between, *color), np.nan)
    for index, tile in enumerate(pictures):
        row, column = divmod(index, columns)
        top, left = between + row * pitch[0], between + column * pitch[1]
        mosaic[top : top + height, left : left + width] = tile
    return mosaic


def tile_size(patch_shape: tuple[int, ...], gap: int) -> tuple[int, int]:
    """Return height and width of a filter's picture: a volume's frames stand side by side."""
    (*frames, height, width), _ = split_channels(patch_shape)
    n_frames = math.prod(frames)
    return height, n_frames * (width + gap) - gap


def tile_pitch(patch_shape: tuple[int, ...], gap: int) -> tuple[int, int]:
    """Return how far a filter's picture is from that below and that beside it."""
    between = gap if len(split_channels(patch_shape)[0]) == 2 else gap * FRAME_GAPS
    height, width = tile_size(patch_shape, gap)
    return height + between, width + between


def tiles(images: NDArray, patch_shape: tuple[int, ...], gap: int) -> NDArray:
    """Return flattened patches as pictures; frames side by side, with NaN between them."""
    (*frames, height, width), n_channels = split_channels(patch_shape)
    color = (n_channels,) * (n_channels > 1)
    volumes = images.reshape(-1, math.prod(frames), height, width, *color)
    if not frames:
        return volumes[:, 0]
    size = tile_size(patch_shape, gap)
    strips = np.full((len(volumes), *size, *color), np.nan if gap else 0, images.dtype)
    for frame in range(volumes.shape[1]):
        left = frame * (width + gap)
        strips[:, :, left : left + width] = volumes[:, frame]
    return strips


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
    check_choice("scale", scale, ("each", "all"))
    # float32 and integers near their limits would overflow.
    filters = filters.astype(np.float64)
    largest = np.abs(filters).max(axis=1, keepdims=True)
    strongest = largest.max()
    largest = np.maximum(largest, strongest * (FAINT if scale == "each" else 1.0))
    return MID_GRAY + (1 - MID_GRAY) * (filters / np.where(largest > 0, largest, 1.0))


def check_grid_shape(
    n_components: int, grid_shape: Sequence[int] | None, patch_shape: tuple[int, ...] = (1, 1)
) -> tuple[int, int]:
    """Return the shape of a grid for n_components filters, the squarest mosaic where it is None."""
    if grid_shape is None:
        height, width = tile_size(patch_shape, 1)
        columns = math.ceil(math.sqrt(n_components * height / width))
        return -(-n_components // columns), columns
    rows, columns = check_shape("grid_shape", grid_shape)
    if rows * columns != n_components:
        raise ValueError(
            f"grid_shape={(rows, columns)} has {rows * columns} cells but there are "
            f"{n_components} components; give the shape of the map, or None."
        )
    return rows, columns
