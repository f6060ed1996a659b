"""Refusals that the preprocessing functions share, each saying what came and what was needed."""

from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_random_state

RandomState = int | np.random.RandomState | np.random.Generator | None
RandomSource = np.random.RandomState | np.random.Generator

# Its inferred types come from its defaults and are too narrow.
_check_array: Any = check_array


def random_source(random_state: RandomState) -> RandomSource:
    """Turn a seed or a generator into something with ``random`` and ``standard_normal``.

    Parameters
    ----------
    random_state : None, int >= 0, RandomState or Generator
        What the caller was given. Generators are used as they are.

    Returns
    -------
    RandomState or Generator

    Raises
    ------
    ValueError
        If `random_state` is none of these.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    try:
        return check_random_state(random_state)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"random_state={random_state!r} is no seed: give None, an integer from 0 to 2**32 - 1, "
            "a RandomState or a Generator"
        ) from error


def check_count(name: str, value: Any) -> int:
    """Return `value` as an int, refusing whatever is not a positive integer.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : int
        What the caller was given, >= 1.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If `value` is less than 1.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} is not an integer: give a count of at least 1")
    count = int(value)
    if count < 1:
        raise ValueError(f"{name}={value!r} is too small: give a count of at least 1")
    return count


def check_nonnegative(name: str, value: Any) -> float:
    """Return `value` as a float, refusing whatever is not a finite number >= 0.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : float
        What the caller was given, >= 0.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is negative, infinite or NaN.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: give a finite number >= 0")
    number = float(value)
    if not np.isfinite(number) or number < 0:
        raise ValueError(f"{name}={value!r} is out of range: give a finite number >= 0")
    return number


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
