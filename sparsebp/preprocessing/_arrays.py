"""Rows and images as the preprocessing functions take them, or refusals that say what came."""

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray
from sklearn.utils import check_array

from sparsebp._checks import check_unmasked, with_nan
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._shapes import COLORS, image_number_axis, is_photograph

# Its inferred types come from its defaults and are too narrow.
_check_array: Any = check_array
_ABOUT_MISSING = (
    " For missing pixels: sparsebp.images.inpaint fills them, ConvolutionalSparseCoding takes NaN "
    "in images, and SparseCoding and remove_mean take NaN in patches, which can be cut by "
    "numpy.lib.stride_tricks.sliding_window_view."
)


def check_images(
    images: Iterable[Any], n_sides: int = 2, *, missing: bool = False
) -> list[NDArray[Any]]:
    """Return the images as C-ordered numeric arrays, all gray or all color, without copying.

    Each is (height, width) or (height, width, 3), or with n_sides=3 a volume (frames, height,
    width[, 3]); one array of several images is a sequence of them. With `missing`, pixels may be
    NaN or masked. Anything else is an error, also an array that looks like a stack with its
    images last.
    """
    if isinstance(images, str | bytes | dict) or not isinstance(images, Iterable):
        raise TypeError(f"images must be a sequence of arrays, got a {type(images).__name__}.")
    images = with_nan(images) if missing else images
    check_unmasked("images", images)
    _check_stack(getattr(images, "shape", None), getattr(images, "dtype", None), n_sides)
    checked = [_check_image(image, index, n_sides, missing) for index, image in enumerate(images)]
    if not checked:
        raise ValueError("images must be at least one image, got none.")
    if len({image.ndim for image in checked}) > 1:
        shapes = sorted({image.shape for image in checked}, key=len)
        raise ValueError(
            f"images are partly gray and partly color, such as {shapes[0]} and {shapes[-1]}: "
            "make all of them gray or all of them color"
        )
    return checked


def are_movies(images: Any) -> bool:
    """Return whether images have frames: they are three-dimensional and not in color, or more."""
    shape = getattr(images, "shape", None)
    if shape is None and isinstance(images, list | tuple) and images:
        shape = (len(images), *getattr(images[0], "shape", ()))
    return shape is not None and (len(shape) > 4 or (len(shape) == 4 and shape[-1] != COLORS))


def check_movies(images: Iterable[Any]) -> list[NDArray[Any]]:
    """Return movies as `check_images` does; a stack of images with their number last is refused."""
    movies = check_images(images, 3)
    for index, movie in enumerate(movies):
        frames, height, width = movie.shape[:3]
        if is_photograph(frames, height) and not is_photograph(height, width):
            raise ValueError(
                f"images[{index}] has shape {movie.shape}, which looks like images with their "
                "number last: give (frames, height, width), by np.moveaxis(images, -1, 0)"
            )
    return movies


def _check_stack(shape: tuple[int, ...] | None, dtype: Any, n_sides: int) -> None:
    """Refuse one array whose first axis does not count images."""
    if shape is None or (len(shape) == 1 and getattr(dtype, "kind", "") == "O"):  # arrays
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


def _check_image(image: Any, index: int, n_sides: int, missing: bool) -> NDArray[Any]:
    image = with_nan(image) if missing else image
    check_unmasked(f"images[{index}]", image)
    try:
        with ignore_float_warnings():
            array = _check_array(
                image,
                dtype="numeric",
                order="C",
                ensure_2d=False,
                allow_nd=True,
                ensure_all_finite="allow-nan" if missing else True,
                ensure_min_samples=0,
                ensure_min_features=0,
            )
        if array.dtype.kind not in "biuf":
            raise ValueError(f"its type is {array.dtype}")
    except (ValueError, TypeError, OverflowError) as error:
        advice = _ABOUT_MISSING if "NaN" in str(error) else ""
        wanted = "an array of finite numbers"
        reason = str(error).partition("\n")[0]  # the rest is the array itself
        raise ValueError(f"images[{index}] must be {wanted}: {reason}{advice}") from error
    color = array.ndim == n_sides + 1 and array.shape[-1] == COLORS
    if array.size == 0 or not (array.ndim == n_sides or color):
        frames = "frames, " * (n_sides == 3)
        advice = _about_axes(array.shape) if n_sides == 2 else ""
        if array.ndim < n_sides:
            advice = "; if images are the frames of a movie, give [np.stack(images)]"
        raise ValueError(
            f"images[{index}] has shape {array.shape}: give ({frames}height, width) or "
            f"({frames}height, width, {COLORS}){advice if array.ndim != n_sides else ''}"
        )
    return array


def _about_axes(shape: tuple[int, ...]) -> str:
    """Return advice about an array of three or more axes that is no image, or none."""
    if len(shape) == 3 and shape[2] == 1:
        return "; if the last axis is a single channel, give image[..., 0]"
    if len(shape) == 3 and shape[0] in (1, COLORS):
        first = "image[0]" if shape[0] == 1 else "np.moveaxis(image, 0, -1)"
        return f"; if the first axis counts the channels, which are last here, give {first}"
    return "; sample_patches takes frames or other channels, by a patch_shape of three sides"
