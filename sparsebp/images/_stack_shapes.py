"""Stacks of images as they are given: their axes, and what looks like something else."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from sparsebp._checks import check_integer, check_readable, check_shape, mistake
from sparsebp._magnitudes import check_magnitude, ignore_float_warnings
from sparsebp._shapes import COLORS, image_number_axis, is_photograph

# Its inferred types come from its defaults and are too narrow.
_check_array: Any = check_array

#: How a stack may be given.
SHAPES = "(n_images, height, width), (n_images, height, width, n_channels) or (n_images, n_pixels)"
ImageShape = tuple[int, int, int]
#: Correlation of neighboring rows above which a matrix is one image: 0.89 to 0.99 in photographs,
#: 0.6 in digits that are sorted by their class.
_ALIKE = 0.75
#: The same of the first axis of three, where neighbors along the last are less alike than this: 0.7
#: along the rows of pieces of a photograph whose number is last, and 0.4 along that axis.
_ROWS, _IMAGES = 0.6, 0.5
#: Numbers along each of two or three axes by which this is judged, and the fewest.
_SEEN, _FEWEST = {2: 1024, 3: 128}, 8


def checked_stack(X: Any, estimator: Any) -> NDArray[Any]:
    """Return a stack as an array of finite numbers of 2, 3 or 4 axes, not copied or converted."""
    readable = check_readable("X", _of_one_shape(X))
    if np.ndim(readable) < 2:
        found = f"a 1D array of shape {np.shape(readable)}" if np.ndim(readable) else repr(X)
        fix = " Reshape your data: a flattened image is image.reshape(1, -1)."
        if isinstance(X, str):
            fix = " Load images from files by sparsebp.datasets.load_photographs."
        raise ValueError(f"X must be {SHAPES}, got {found}.{fix}")
    with ignore_float_warnings():  # scikit-learn sums X to look for infinities
        options = {"dtype": "numeric", "allow_nd": True, "input_name": "X", "estimator": estimator}
        options["ensure_all_finite"] = "allow-nan"  # refused below
        values = _check_array(readable, **options)
    if values.dtype.kind not in "biuf":
        raise ValueError(f"X must be real numbers, got dtype {values.dtype}.")
    if values.ndim > 4 or 0 in values.shape:
        raise ValueError(mistake("the shape of X", SHAPES, values.shape))
    if values.dtype.kind == "f" and np.isnan(values.min()):
        n_incomplete = np.isnan(values).reshape(len(values), -1).any(axis=1).sum()
        raise ValueError(
            f"X must have no missing pixels, got NaN in {n_incomplete} of {len(values)} images. "
            "Fill each of them first by sparsebp.images.inpaint(image), or remove them."
        )
    check_magnitude("X", values, dtype=precision_of_stack(values))
    return values


def _of_one_shape(X: Any) -> Any:
    """Return what is given, unless it is a list of images of different shapes."""
    if isinstance(X, list | tuple) and all(isinstance(image, np.ndarray) for image in X):
        shapes = sorted({image.shape for image in X})
        if len(shapes) > 1:
            raise ValueError(
                f"X must have images of one shape, got shapes {shapes[0]} and {shapes[-1]}. Crop "
                "or resize them to one."
            )
    return X


def precision_of_stack(images: NDArray[Any]) -> Any:
    """Return the data type in which images are computed with."""
    return np.float32 if images.dtype == np.float32 else np.float64


def image_shape_of(values: NDArray[Any], wanted: Any = None) -> ImageShape:
    """Return (height, width, n_channels) of the images of a stack, as `wanted` if it is given.

    Rows are square images by default, gray or in color.
    """
    found = with_channels(values.shape[1:]) if values.ndim > 2 else None
    n_pixels = prod(values.shape[1:])
    if wanted is not None:
        shape = checked_image_shape(wanted)
        if prod(shape) != n_pixels or found not in (None, shape):
            raise ValueError(
                f"image_shape is {wanted!r}, but X has "
                + (f"images of shape {found}." if found else f"rows of {n_pixels} numbers.")
            )
        return shape
    if found is not None:
        _refuse_other_axes(values)
        return found
    for n_channels in (1, COLORS):
        side = isqrt(n_pixels // n_channels)
        if side * side * n_channels == n_pixels:
            _refuse_rows_of_an_image(values, side)
            return side, side, n_channels
    raise ValueError(
        f"X has shape {values.shape}: rows of {n_pixels} numbers, which are not square images of "
        f"one or {COLORS} channels. Give image_shape=(height, width) or (height, width, "
        f"n_channels), or X as {SHAPES}. A single image is X[np.newaxis]."
    )


def check_shape_of_fit(shape: tuple[int, ...], learned: ImageShape) -> None:
    """Raise ValueError for the shape of a stack of other images than those of `fit`, or of one."""
    found = with_channels(shape[1:]) if len(shape) > 2 else learned
    is_single = prod(shape[1:]) != prod(learned) and with_channels(shape) == learned
    if len(shape) < 4 and is_single:
        raise ValueError(
            f"X has shape {shape}, that of a single image of those of fit. Give X[np.newaxis]."
        )
    if found != learned:
        raise ValueError(
            f"X has images of shape {found}, those of fit had {learned} (height, width, "
            "n_channels). Give images of one shape."
        )


def _refuse_rows_of_an_image(values: NDArray[Any], side: int) -> None:
    """Raise ValueError for a single image, whose rows would be taken for flattened images."""
    if is_photograph(*values.shape) and _neighbors(values, 0) > _ALIKE:
        raise ValueError(
            f"X has shape {values.shape}, which looks like a single image, since neighboring rows "
            f"are alike: give X[np.newaxis], or image_shape={side} if it is {len(values)} images "
            f"of {side} × {side}."
        )


def _neighbors(values: NDArray[Any], axis: int) -> float:
    """Compute the correlation of neighbors along an axis of the middle of an array."""
    if min(values.shape) < _FEWEST:
        return 0.0
    seen = _SEEN[values.ndim]
    begin = [max((length - seen) // 2, 0) for length in values.shape]
    middle = values[tuple(slice(first, first + seen) for first in begin)].astype(np.float64)
    middle = middle / (np.abs(middle).max() or 1.0)  # squares stay in range
    middle -= middle.mean(axis=axis, keepdims=True)
    change, size = np.square(np.diff(middle, axis=axis)).mean(), np.square(middle).mean()
    return float(1 - change / (2 * size)) if size > 0 else 0.0


def _refuse_other_axes(values: NDArray[Any]) -> None:
    """Raise ValueError for one color image, and for stacks with their images or channels elsewhere.

    Of images (n_images, 3, height, width) the rows would be taken for channels.
    """
    shape, advice = values.shape, ""
    last = image_number_axis(shape) if len(shape) == 3 else 0
    if last is None:  # by the shape
        last = 2 if _neighbors(values, 2) < _IMAGES and _neighbors(values, 0) > _ROWS else 0
    if len(shape) == 3 and shape[-1] == COLORS:
        advice = "one color image: give X[np.newaxis]"
    elif last == 2:
        height, width, _ = shape
        advice = f"images of {height} × {width} with their number last: give np.moveaxis(X, -1, 0)"
    elif len(shape) == 4 and shape[1] in (1, COLORS) and min(shape[2:]) > COLORS + 1:
        advice = "images with their channels first: give np.moveaxis(X, 1, -1)"
    if advice:
        raise ValueError(
            f"X has shape {shape}, which looks like {advice}, or image_shape={shape[1:]} if it is "
            f"{shape[0]} images."
        )


def checked_image_shape(value: Any) -> ImageShape:
    """Return an image's shape that is given as a side, two sides, or two sides and channels."""
    sides = pair("image_shape", value) if np.ndim(value) == 0 else value
    return with_channels(check_shape("image_shape", sides, (2, 3)))


def with_channels(shape: tuple[int, ...]) -> ImageShape:
    """Return (height, width, n_channels) of a shape with or without channels."""
    height, width, n_channels = (*shape, 1)[:3]
    return height, width, n_channels


def pair(name: str, value: Any) -> tuple[int, int]:
    """Return two integers ≥ 1 that are given as one or two."""
    if np.ndim(value) == 0:
        side = check_integer(name, value)
        return side, side
    first, second = check_shape(name, value)
    return first, second
