"""Rows and images as the preprocessing functions take them, or refusals that say what came."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

from sparsebp._checks import refuse_masked
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._shapes import COLORS, image_number_axis

# Its inferred types come from its defaults and are too narrow.
_check_array: Any = check_array


def check_rows(name: str, rows: ArrayLike) -> NDArray[Any]:
    """Return `rows` as a finite float32 or float64 table, without copying if it is one.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    rows : array-like of shape (n_rows, n_columns)
        What the caller was given.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        float32 if `rows` is float32, else float64.

    Raises
    ------
    ValueError
        If `rows` is not a finite, non-empty table of numbers.
    """
    refuse_masked(name, rows)
    try:
        with ignore_float_warnings():  # scikit-learn sums the rows to look for infinities
            return _check_array(rows, dtype=[np.float64, np.float32], input_name=name)
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"{name} is not a finite table of numbers: {error}") from error


def check_images(images: Iterable[Any], n_sides: int = 2) -> list[NDArray[Any]]:
    """Return the images as C-ordered numeric arrays, all gray or all color, without copying.

    Parameters
    ----------
    images : sequence of array-like, each (height, width) or (height, width, 3)
        What the caller was given. An array of shape (n_images, height, width[, 3]) is a sequence.
    n_sides : int, default=2
        Axes of an image in space and time: 3 for volumes (frames, height, width[, 3]).

    Returns
    -------
    list of ndarray
        Data types are kept.

    Raises
    ------
    TypeError
        If `images` is not a sequence.
    ValueError
        If there is no image, if one is not a finite numeric array of such a shape, if gray
        and color images are mixed, or if one array looks like a stack with its images last.
    """
    if isinstance(images, str | bytes | dict) or not isinstance(images, Iterable):
        raise TypeError(f"images is a {type(images).__name__}: give a sequence of arrays")
    refuse_masked("images", images)
    _check_stack(getattr(images, "shape", None), n_sides)
    checked = [_check_image(image, index, n_sides) for index, image in enumerate(images)]
    if not checked:
        raise ValueError("images is empty: give at least one image")
    if len({image.ndim for image in checked}) > 1:
        shapes = sorted({image.shape for image in checked}, key=len)
        raise ValueError(
            f"images are partly gray and partly color, such as {shapes[0]} and {shapes[-1]}: "
            "make all of them gray or all of them color"
        )
    return checked


def _check_stack(shape: tuple[int, ...] | None, n_sides: int) -> None:
    """Refuse one array whose first axis does not count images."""
    if shape is None:
        return
    # A color image has a third axis, too: taken for a stack, its rows would be the images.
    color = len(shape) == n_sides + 1 and shape[-1] == COLORS
    if len(shape) <= n_sides or color:
        raise ValueError(f"images is one array of shape {shape}: put it into a list, [image]")
    if len(shape) == 3 and 0 not in shape and image_number_axis(shape) == 2:
        height, width, n_images = shape
        raise ValueError(
            f"images is one array of shape {shape}, which looks like {n_images} images of "
            f"{height} x {width} with their number last: give np.moveaxis(images, -1, 0), or "
            f"list(images) if it is {height} images of {width} x {n_images}"
        )


def _check_image(image: Any, index: int, n_sides: int) -> NDArray[Any]:
    refuse_masked(f"images[{index}]", image)
    try:
        with ignore_float_warnings():
            array = _check_array(
                image,
                dtype="numeric",
                order="C",
                ensure_2d=False,
                allow_nd=True,
                ensure_min_samples=0,
                ensure_min_features=0,
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"its type is {array.dtype}")
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"images[{index}] is not a finite numeric array: {error}") from error
    color = array.ndim == n_sides + 1 and array.shape[-1] == COLORS
    if array.size == 0 or not (array.ndim == n_sides or color):
        frames = "frames, " * (n_sides == 3)
        volume = "; for frames or other channels, give all three sides of patch_shape"
        raise ValueError(
            f"images[{index}] has shape {array.shape}: give ({frames}height, width) or "
            f"({frames}height, width, {COLORS}){volume if array.ndim > n_sides else ''}"
        )
    return array
