"""The overlapping patches of an image: extraction and averaging."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isqrt, prod
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from rich.progress import track
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import check_integer, check_readable
from sparsebp._magnitudes import check_magnitude
from sparsebp._progress import Track, no_progress
from sparsebp._shapes import COLORS, PatchShape, given_or_kept, resolved_patch_shape, split_channels
from sparsebp._warnings import warn_user
from sparsebp.samples import in_order, slices

#: Whether to show a progress bar, or what shows progress.
Progress = bool | Track
#: Distance between patches in pixels, for all sides or for each.
Stride = int | Sequence[int]
#: One photograph's patches are 0.17 to 2.0 times as large as those of 40 photographs together.
_SCALE_RATIO = 6
#: Patches used to measure the scale of an image.
_SPREAD = 1000
#: Patches per block, which bounds the memory; and of those that are averaged, in the cache.
_BLOCK, _AVERAGED = 4096, 1024


class Patches:
    """The overlapping patches of an image or a volume, numbered row by row, a block at a time."""

    def __init__(
        self,
        image: np.ndarray,
        sides: tuple[int, ...],
        stride: Stride,
        *,
        dtype: Any = np.float64,
        to_border: bool = True,
    ) -> None:
        strides = checked_stride(stride, sides, to_border)
        self.image, self.sides, self.dtype = image, sides, dtype
        self.corners: tuple[np.ndarray, ...] = tuple(
            _corners(*axis, to_border) for axis in zip(image.shape, sides, strides, strict=False)
        )

    def __len__(self) -> int:
        return prod(map(len, self.corners))

    def pixels(self, numbers: np.ndarray) -> np.ndarray:
        """Return where in the flattened image the pixels of some patches are, in rows."""
        chosen = np.unravel_index(numbers, [len(corners) for corners in self.corners])
        firsts = [corners[at] for corners, at in zip(self.corners, chosen, strict=True)]
        size, n_channels = self.image.shape[:-1], self.image.shape[-1]
        inside = np.ravel_multi_index(np.indices((*self.sides, n_channels)), self.image.shape)
        return n_channels * np.ravel_multi_index(firsts, size)[:, np.newaxis] + inside.ravel()

    def take(self, numbers: np.ndarray, image: np.ndarray | None = None) -> np.ndarray:
        """Return some patches in rows; of another image of the same size, if one is given."""
        pixels = (self.image if image is None else image).ravel().take(self.pixels(numbers))
        return pixels.astype(self.dtype, copy=False)

    def touching(self, pixels: np.ndarray) -> np.ndarray:
        """Return the indices of the patches that contain at least one of some pixels."""
        counts = pixels.astype(np.int64)
        for axis, (corners, side) in enumerate(zip(self.corners, self.sides, strict=True)):
            ahead = [(int(axis == a), 0) for a in range(counts.ndim)]
            sums = np.pad(np.cumsum(counts, axis=axis), ahead)
            counts = sums.take(corners + side, axis) - sums.take(corners, axis)
        return np.flatnonzero(counts)

    def spread(self) -> np.ndarray:
        """Return the indices of an even subset of the patches."""
        return np.linspace(0, len(self) - 1, min(len(self), _SPREAD)).astype(int)

    def blocks(
        self, progress: Progress, numbers: np.ndarray | None = None, size: int = _BLOCK
    ) -> Iterator[np.ndarray]:
        """Yield the indices of all patches, or of some, in blocks."""
        numbers = np.arange(len(self)) if numbers is None else numbers
        shown = progress if callable(progress) else track if progress else no_progress
        for block in shown(slices(len(numbers), size), "patches"):
            yield numbers[block]

    def averaged(
        self,
        work: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        progress: Progress,
        numbers: np.ndarray | None = None,
        n_threads: int = 1,
    ) -> np.ndarray:
        """Average the processed patches with weights, where there are any; 0 elsewhere.

        Work gets the numbers of patches, in several threads; it returns patches in rows, and a
        weight for each of them.
        """
        total, weight = np.zeros(self.image.size), np.zeros(self.image.size)
        blocks = list(self.blocks(False, numbers, _AVERAGED))
        outcomes = in_order(work, blocks, n_threads)
        shown = self.blocks(progress, numbers, _AVERAGED)
        for block, (made, weights) in zip(shown, outcomes, strict=True):
            pixels = self.pixels(block)
            first, last = pixels.min(), pixels.max()
            pixels -= first
            weights = np.broadcast_to(weights[:, np.newaxis], made.shape)
            for sums, values in ((total, made * weights), (weight, weights)):
                # Ten times as fast as np.add.at.
                sums[first : last + 1] += np.bincount(pixels.ravel(), values.ravel())
        return (total / np.where(weight == 0, 1, weight)).reshape(self.image.shape)


def _corners(length: int, side: int, stride: int, to_border: bool) -> np.ndarray:
    corners = np.arange(0, length - side + 1, min(stride, length))
    missed = to_border and corners[-1] != length - side
    return np.append(corners, length - side) if missed else corners


def channel_means(samples: np.ndarray, n_channels: int) -> np.ndarray:
    """Compute each channel's mean in each patch, repeated for every pixel."""
    means = samples.reshape(len(samples), -1, n_channels).mean(axis=1)
    return np.tile(means, samples.shape[1] // n_channels)


def checked_image(image: ArrayLike, n_sides: int | None = None) -> np.ndarray:
    """Return an image as (height, width, n_channels), with frames in front if it has three sides.

    n_sides is known from the shape of the model's patches; None takes gray or color pictures.
    """
    values = np.asarray(check_readable("image", image))
    n_sides, known = n_sides or 2, n_sides is not None
    is_usable = values.dtype.kind in "fiub" and values.size > 0
    if values.ndim not in (n_sides, n_sides + 1) or not is_usable:
        frames = "frames, " * (n_sides == 3)
        raise ValueError(
            f"The image has shape {values.shape} and dtype {values.dtype}; it must be real numbers "
            f"of shape ({frames}height, width) or ({frames}height, width, 3)."
        )
    if not np.isfinite(values).all():
        raise ValueError("The image contains NaN or infinity; fill these pixels with inpaint.")
    if values.ndim == n_sides + 1 and values.shape[-1] not in (1, COLORS):
        raise ValueError(_readings(values.shape, known))
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    check_magnitude("image", values, dtype=np.float64)
    return values.reshape(*values.shape[:n_sides], -1)


def _readings(shape: tuple[int, ...], known: bool) -> str:
    """Return the error for an array of three axes without colors."""
    if shape[-1] in (2, 4):
        return (
            f"The image has {shape[-1]} channels, the last of them perhaps opacity; remove it, or "
            "give a model and patch_shape with as many channels, (height, width, "
            f"{shape[-1]})."
        )
    patches = "of which the patches have no frames" if known else "whose patches' shape is unknown"
    return (
        f"The image has shape {shape}, {patches}: give a stack of images one by one; for frames or "
        "channels, patch_shape=(frames, height, width) or (height, width, channels), here or to "
        "the model."
    )


def checked_mask(image: np.ndarray, missing: ArrayLike | None) -> np.ndarray:
    """Return which pixels are missing: masked ones, and the given ones, else NaN."""
    masked = np.ma.getmaskarray(image)
    if missing is None:
        return masked | np.isnan(np.asarray(image)) if image.dtype.kind == "f" else masked
    mask = np.asarray(missing)
    if mask.dtype != bool or mask.shape not in (image.shape, image.shape[:-1]):
        raise ValueError(
            f"missing has shape {mask.shape} and dtype {mask.dtype}; it must be True where a "
            f"pixel of the image of shape {image.shape} is missing, and of its shape."
        )
    return masked | (mask if mask.ndim == image.ndim else mask[..., None])


def check_model(model: Any) -> None:
    """Raise an error for what is no fitted estimator."""
    if isinstance(model, np.ndarray | list):
        raise TypeError(
            f"model is a {type(model).__name__}; give a fitted estimator, and which pixels are "
            "missing as missing=."
        )
    if isinstance(model, type) or not hasattr(model, "fit"):
        raise TypeError(
            f"model must be a fitted estimator, got {model!r}. Fit one on patches, or load one by "
            "sparsebp.load_basis or sparsebp.load_model."
        )
    check_is_fitted(model)


def framed(
    image: ArrayLike, model: Any, patch_shape: PatchShape
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return an image as `checked_image` does, and the sides of the model's patches."""
    check_model(model)
    shape = given_or_kept(patch_shape, model)
    n_features = model.n_features_in_
    if shape is None or isinstance(shape, Integral):
        values = checked_image(image)
        sides = _square(values, n_features)
        if shape not in (None, sides[0]):
            resolved_patch_shape(n_features, shape, "each sample")  # refuses it
    else:
        sides, n_channels = split_channels(
            resolved_patch_shape(n_features, shape, "each sample of the model")
        )
        values = checked_image(image, len(sides))
        if values.shape[-1] != n_channels:
            raise ValueError(
                f"The image of shape {np.shape(image)} has {values.shape[-1]} channel(s), the "
                f"model's patches {n_channels}; give an image or a model with matching channels."
            )
    check_size(values, sides)
    return values, sides


def check_size(image: np.ndarray, sides: tuple[int, ...]) -> None:
    """Raise an error if an image is smaller than a patch."""
    lengths = image.shape[:-1]
    if any(length < side for length, side in zip(lengths, sides, strict=True)):
        raise ValueError(
            f"The image of {_times(lengths)} pixels is smaller than the model's patches of "
            f"{_times(sides)}."
        )


def warn_of_scale(samples: np.ndarray, model: Any) -> None:
    """Warn if the scale of samples differs much from that of the training samples."""
    learned = getattr(model, "sample_scale_", None)
    with np.errstate(over="ignore"):
        found = float(np.sqrt(np.square(samples, dtype=np.float64).mean()))
    if learned and found and not 1 / _SCALE_RATIO < found / learned < _SCALE_RATIO:
        warn_user(
            f"The patches of the image are {found:.3g} large (root mean square), those the model "
            f"was fitted on {learned:.3g}; multiply the image by {learned / found:.3g}, or "
            "prepare it as the samples were, so that the model's weights fit.",
        )


def _square(image: np.ndarray, n_features: int) -> tuple[int, int]:
    n_channels = image.shape[-1]
    side = isqrt(n_features // n_channels)
    if side * side * n_channels != n_features:
        raise ValueError(
            f"The model was fitted to {n_features} features, which are not square patches of "
            f"{n_channels} channel(s); give patch_shape here or to the model, or fit it to patches "
            "of such images."
        )
    return side, side


def checked_stride(stride: Stride, sides: tuple[int, ...], to_border: bool) -> list[int]:
    """Return a stride for each side; raise or warn if it skips pixels."""
    several = isinstance(stride, tuple | list)
    if several and len(stride) != len(sides):
        raise ValueError(f"stride={stride!r} must have {len(sides)} numbers, as the patches do.")
    strides = [
        check_integer("stride", step) for step in (stride if several else [stride] * len(sides))
    ]
    if any(step > side for step, side in zip(strides, sides, strict=True)):
        message = (
            f"stride={stride!r} is larger than the patches of {_times(sides)} pixels, so pixels "
            "between them are skipped"
        )
        if to_border:
            raise ValueError(f"{message}; give a stride of at most {min(sides)}.")
        warn_user(f"{message}.")
    return strides


def _times(sides: Sequence[int]) -> str:
    return " × ".join(map(str, sides))
