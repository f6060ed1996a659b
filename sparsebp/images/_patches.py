"""The overlapping patches of an image, taken apart and averaged again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from rich.progress import track
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import check_count

#: Whether to show a bar; or what goes through the blocks and shows how far it is.
Progress = bool | Callable[[Sequence[int]], Iterable[int]]
#: Patches at work at the same time, which bounds the memory.
_BLOCK = 4096


class Patches:
    """The overlapping square patches of an image, numbered row by row, a block at a time."""

    def __init__(
        self,
        image: np.ndarray,
        side: int,
        stride: int,
        *,
        dtype: Any = np.float64,
        to_border: bool = True,
    ) -> None:
        stride = check_count("stride", stride)
        self.image, self.side, self.dtype = image, side, dtype
        self.corners: tuple[np.ndarray, ...] = tuple(
            _corners(length, side, stride, to_border) for length in image.shape[:2]
        )

    def __len__(self) -> int:
        return len(self.corners[0]) * len(self.corners[1])

    def places(self, numbers: np.ndarray) -> tuple[np.ndarray, ...]:
        """Return where the pixels of some patches lie, each of shape (n, side, side)."""
        rows, columns = self.corners
        row, column = np.divmod(numbers, len(columns))
        inside = np.arange(self.side)
        down = rows[row][:, None, None] + inside[:, None]
        across = columns[column][:, None, None] + inside
        return np.broadcast_arrays(down, across)

    def take(self, numbers: np.ndarray, image: np.ndarray | None = None) -> np.ndarray:
        """Return some patches in rows; of another image of the same size, if one is given."""
        pixels = (self.image if image is None else image)[self.places(numbers)]
        return pixels.reshape(len(numbers), -1).astype(self.dtype, copy=False)

    def touching(self, pixels: np.ndarray) -> np.ndarray:
        """Return the numbers of the patches that hold at least one of some pixels."""
        sums = np.pad(
            np.cumsum(np.cumsum(pixels, axis=0, dtype=np.int64), axis=1), ((1, 0), (1, 0))
        )
        rows, columns = self.corners
        across = sums[:, columns + self.side] - sums[:, columns]
        return np.flatnonzero(across[rows + self.side] - across[rows])

    def blocks(self, progress: Progress, numbers: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Yield the numbers of all patches, or of some, in blocks."""
        numbers = np.arange(len(self)) if numbers is None else numbers
        watched = (
            progress
            if callable(progress)
            else partial(track, description="patches", disable=not progress)
        )
        for first in watched(range(0, len(numbers), _BLOCK)):
            yield numbers[first : first + _BLOCK]

    def averaged(
        self,
        work: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
        progress: Progress,
        numbers: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Average what work makes of patches with its weights; return the weights' sums, too.

        Work gets the numbers of patches; it returns patches in rows, and a weight for each of
        them, of shape (n,), or for each of their pixels, of shape (n, side² · n_channels).
        """
        total, weight = np.zeros(self.image.shape), np.zeros(self.image.shape)
        for block in self.blocks(progress, numbers):
            made, weights = work(block)
            weights = np.broadcast_to(weights.reshape(len(block), -1), made.shape)
            for sums, values in ((total, made * weights), (weight, weights)):
                np.add.at(
                    sums, self.places(block), values.reshape(len(block), self.side, self.side, -1)
                )
        return total / np.where(weight == 0, 1, weight), weight


def _corners(length: int, side: int, stride: int, to_border: bool) -> np.ndarray:
    corners = np.arange(0, length - side + 1, stride)
    missed = to_border and corners[-1] != length - side
    return np.append(corners, length - side) if missed else corners


def channel_means(samples: np.ndarray, n_channels: int) -> np.ndarray:
    """Compute each channel's mean in each patch, repeated for every pixel."""
    means = samples.reshape(len(samples), -1, n_channels).mean(axis=1)
    return np.tile(means, samples.shape[1] // n_channels)


def checked_image(image: ArrayLike) -> np.ndarray:
    values = np.asarray(image)
    if values.ndim not in (2, 3) or values.size == 0 or values.dtype.kind not in "fiub":
        raise ValueError(
            f"The image has shape {values.shape} and dtype {values.dtype}; it must be real numbers "
            "of shape (height, width) or (height, width, n_channels)."
        )
    if not np.isfinite(values).all():
        raise ValueError("The image holds NaN or infinity; inpaint fills in what is missing.")
    if values.ndim == 3 and values.shape[2] in (2, 4):
        raise ValueError(
            f"The image has {values.shape[2]} channels, the last of them perhaps how opaque it is; "
            "leave that out, or give other channels one by one."
        )
    values = values if values.dtype.kind == "f" else values.astype(np.float64)
    return values.reshape(*values.shape[:2], -1)


def checked_mask(image: np.ndarray, missing: ArrayLike | None) -> np.ndarray:
    if missing is None:
        return np.isnan(image) if image.dtype.kind == "f" else np.zeros(image.shape, dtype=bool)
    mask = np.asarray(missing)
    if mask.dtype != bool or mask.shape not in (image.shape, image.shape[:2]):
        raise ValueError(
            f"missing has shape {mask.shape} and dtype {mask.dtype}; it must be True where a "
            f"pixel of the image of shape {image.shape} is missing, and of its shape."
        )
    return np.broadcast_to(mask if mask.ndim == image.ndim else mask[..., None], image.shape)


def side_of(model: Any, shape: tuple[int, ...]) -> int:
    """Return the side of the patches that a model was fitted on, for an image of some shape."""
    check_is_fitted(model)
    n_channels = shape[2]
    n_features = model.n_features_in_
    side = round((n_features / n_channels) ** 0.5)
    if side * side * n_channels != n_features:
        raise ValueError(
            f"The model was fitted on {n_features} features, which are no square patches of "
            f"{n_channels} channel(s); fit it on patches of such images."
        )
    if side > min(shape[:2]):
        raise ValueError(
            f"The image of {shape[0]} × {shape[1]} pixels is smaller than the model's patches of "
            f"{side} × {side}."
        )
    return side
