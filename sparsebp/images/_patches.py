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
    """The overlapping square patches of an image, a block at a time."""

    def __init__(
        self,
        image: np.ndarray,
        model: Any,
        stride: int,
        *,
        n_planes: int = 1,
        to_border: bool = True,
    ) -> None:
        stride = check_count("stride", stride)
        self.image, self.n_channels = image, image.shape[2] // n_planes
        self.side = _side(model, self.n_channels, image.shape)
        self.corners: tuple[np.ndarray, ...] = tuple(
            _corners(length, self.side, stride, to_border) for length in image.shape[:2]
        )
        self.dtype = getattr(model, "components_", np.empty(0)).dtype

    def planes(self, samples: np.ndarray) -> list[np.ndarray]:
        """Take apart patches of images that were put on top of one another."""
        parts = samples.reshape(len(samples), self.side**2, -1, self.n_channels)
        return [parts[:, :, i].reshape(len(samples), -1) for i in range(parts.shape[2])]

    def places(self, first: int, n: int) -> tuple[np.ndarray, ...]:
        """Return where some patches' pixels lie, of shape (n, side, side)."""
        rows, columns = self.corners
        row, column = np.divmod(np.arange(first, first + n), len(columns))
        inside = np.arange(self.side)
        down = rows[row][:, None, None] + inside[:, None]
        across = columns[column][:, None, None] + inside
        return np.broadcast_arrays(down, across)

    def blocks(self, progress: Progress) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number of the first patch, and patches in rows."""
        n_patches = len(self.corners[0]) * len(self.corners[1])
        firsts = range(0, n_patches, _BLOCK)
        watched = (
            progress
            if callable(progress)
            else partial(track, description="patches", disable=not progress)
        )
        for first in watched(firsts):
            down, across = self.places(first, min(_BLOCK, n_patches - first))
            patches = self.image[down, across]
            yield first, patches.reshape(len(patches), -1).astype(self.dtype, copy=False)


def averaged(
    patches: Patches,
    work: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
    progress: Progress,
) -> tuple[np.ndarray, np.ndarray]:
    """Average what work makes of patches with its weights; return the weights' sums, too."""
    shape = (*patches.image.shape[:2], patches.n_channels)
    total, weight = np.zeros(shape), np.zeros(shape)
    for first, samples in patches.blocks(progress):
        made, counts = work(samples)
        down, across = patches.places(first, len(samples))
        square = (len(samples), patches.side, patches.side, patches.n_channels)
        np.add.at(total, (down, across), (made * counts).reshape(square))
        np.add.at(weight, (down, across), counts.reshape(square))
    average = total / np.where(weight == 0, 1, weight)
    return average.astype(patches.dtype), weight


def _corners(length: int, side: int, stride: int, to_border: bool) -> np.ndarray:
    corners = np.arange(0, length - side + 1, stride)
    missed = to_border and corners[-1] != length - side
    return np.append(corners, length - side) if missed else corners


def channel_means(samples: np.ndarray, mask: np.ndarray, n_channels: int) -> np.ndarray:
    """Compute each channel's mean over the known pixels, repeated for every pixel."""
    by_channel = (len(samples), -1, n_channels)
    sums = (samples * mask).reshape(by_channel).sum(axis=1, keepdims=True)
    counts = np.maximum(mask.reshape(by_channel).sum(axis=1, keepdims=True), 1)
    means = np.broadcast_to(
        sums / counts, (len(samples), samples.shape[1] // n_channels, n_channels)
    )
    return means.reshape(samples.shape)


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


def _side(model: Any, n_channels: int, shape: tuple[int, ...]) -> int:
    check_is_fitted(model)
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
