"""Rows and images as the preprocessing functions take them, or refusals that say what came."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array

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
    try:
        return _check_array(rows, dtype=[np.float64, np.float32], input_name=name)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} is not a finite table of numbers: {error}") from error


def check_images(images: Iterable[Any]) -> list[NDArray[Any]]:
    """Return the images as C-ordered numeric arrays, all grey or all color, without copying.

    Parameters
    ----------
    images : sequence of array-like, each (height, width) or (height, width, 3)
        What the caller was given. An array of shape (n_images, height, width[, 3]) is a sequence.

    Returns
    -------
    list of ndarray
        Data types are kept.

    Raises
    ------
    TypeError
        If `images` is not a sequence.
    ValueError
        If there is no image, if one is not a finite numeric array of such a shape, or if grey
        and color images are mixed.
    """
    if isinstance(images, str | bytes | dict) or not isinstance(images, Iterable):
        raise TypeError(f"images is a {type(images).__name__}: give a sequence of arrays")
    # A color image is three-dimensional too: taken for a stack, its rows would be the images.
    shape = getattr(images, "shape", None)
    if shape is not None and (len(shape) < 3 or (len(shape) == 3 and shape[-1] == 3)):
        raise ValueError(f"images is one array of shape {shape}: put it into a list, [image]")
    checked = [_check_image(image, index) for index, image in enumerate(images)]
    if not checked:
        raise ValueError("images is empty: give at least one image")
    if len({image.ndim for image in checked}) > 1:
        shapes = sorted({image.shape for image in checked}, key=len)
        raise ValueError(
            f"images are partly grey and partly color, such as {shapes[0]} and {shapes[-1]}: "
            "make all of them grey or all of them color"
        )
    return checked


def _check_image(image: Any, index: int) -> NDArray[Any]:
    try:
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
    except (ValueError, TypeError) as error:
        raise ValueError(f"images[{index}] is not a finite numeric array: {error}") from error
    color = array.ndim == 3 and array.shape[-1] == 3
    if array.size == 0 or not (array.ndim == 2 or color):
        raise ValueError(
            f"images[{index}] has shape {array.shape}: give (height, width) or (height, width, 3)"
        )
    return array
