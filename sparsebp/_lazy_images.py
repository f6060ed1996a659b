"""Images in files or in memory, read and prepared when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._files import listed_names
from sparsebp._magnitudes import ignore_float_warnings, largest_magnitude
from sparsebp._progress import Track
from sparsebp._shapes import COLORS
from sparsebp._warnings import warn_user
from sparsebp.datasets.photographs import Photograph, locate_photographs
from sparsebp.preprocessing._arrays import check_images
from sparsebp.preprocessing.positions import check_patch_shape, check_patch_sides, count_places

Prepare = Callable[[NDArray[Any]], NDArray[Any]]

#: Bytes of the images that are kept.
_KEPT = 2**26


class LazyImages(Sequence[NDArray[Any]]):
    """A sequence of images that are never in memory together.

    They are paths of files, which are gone through once, or arrays. `prepare` maps an image to one
    of the same shape. In files, images that are constant or smaller than a patch are left out, with
    a warning. ``places`` are the numbers of positions that a patch has in each image.
    """

    def __init__(
        self, images: Any, patch_shape: Any, color: bool, prepare: Prepare | None, track: Track
    ) -> None:
        sides, channels = check_patch_sides(patch_shape)
        single = isinstance(images, str | bytes | PathLike | dict | np.ndarray)
        if isinstance(images, Iterable) and not single:
            images = list(images)
        self._sources: Sequence[Any]
        if _are_paths(images):
            self.patch_shape = _shape_in_files(sides, channels, color)
            self._sources, sizes = _found(images, self.patch_shape, track)
        else:
            self._sources = check_images(images, len(sides))
            _check_range(self._sources)
            self.patch_shape = check_patch_shape(sides, channels, self._sources)
            sizes = [image.shape for image in self._sources]
        self.places = [prod(count_places(size, self.patch_shape)) for size in sizes]
        self._ends = np.cumsum(self.places)
        self._bytes = 4 * sum(map(prod, sizes))
        self._prepare = prepare
        self._kept: dict[int, NDArray[Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_kept": {}}

    def __len__(self) -> int:
        return len(self._sources)

    def __getitem__(self, number: Any) -> Any:
        """Return an image, prepared; the first that are asked for are kept, up to 64 MB."""
        if isinstance(number, slice):
            return [self[n] for n in range(*number.indices(len(self)))]
        image = self._kept.get(number)
        if image is not None:
            return image
        image = self.original(number)
        if self._prepare is not None:
            image = _checked(self._prepare(image), image.shape)
        elif not isinstance(self._sources[number], Photograph):
            return image  # in memory already
        # Never replaced: a stream asks again for the one that it has not seen for longest.
        if sum(kept.nbytes for kept in list(self._kept.values())) + image.nbytes <= _KEPT:
            self._kept[number] = image
        return image

    @property
    def are_kept(self) -> bool:
        """Whether no image is read or prepared twice."""
        in_memory = self._prepare is None and not isinstance(self._sources[0], Photograph)
        return in_memory or self._bytes <= _KEPT

    def original(self, number: int) -> NDArray[Any]:
        """Return an image before its preparation."""
        source = self._sources[number]
        return source.read() if isinstance(source, Photograph) else source

    def at(self, positions: NDArray[np.float64]) -> NDArray[np.intp]:
        """Return which images are at positions among all places, which have period 1."""
        places = positions % 1 * self._ends[-1]
        return np.minimum(np.searchsorted(self._ends, places, side="right"), len(self) - 1)


def _check_range(images: Sequence[NDArray[Any]]) -> None:
    largest = max(map(largest_magnitude, images))
    if largest > float(np.finfo(np.float32).max):
        raise ValueError(
            f"images must hold numbers within the range of float32, got {largest:.2g}; scale them."
        )


def _are_paths(images: Any) -> bool:
    if isinstance(images, list):
        return bool(images) and all(isinstance(i, str | PathLike) for i in images)
    return isinstance(images, str | PathLike)


def _shape_in_files(sides: tuple[int, ...], channels: int | None, color: bool) -> tuple[int, ...]:
    if len(sides) != 2:
        raise ValueError(f"patch_shape must be (height, width) for images in files, got {sides}.")
    shape = (*sides, COLORS) if color else sides
    if channels not in (None, COLORS if color else 1):
        raise ValueError(
            f"patch_shape must be {shape} with color={color}, got {(*sides, channels)}; give two "
            f"sides, and color={channels == COLORS}."
        )
    return shape


def _found(
    images: Any, shape: tuple[int, ...], track: Track
) -> tuple[list[Photograph], list[tuple[int, ...]]]:
    """Go through files once; return the photographs that have patches, and their shapes."""
    found, sizes, without = [], [], {}
    color = len(shape) == 3
    for photograph, image in locate_photographs(images, color=color, dtype=np.float32, track=track):
        reason = no_patch(image, shape)
        if reason:
            without[photograph.name] = reason
        else:
            found.append(photograph)
            sizes.append(image.shape)
        del image
    tell_skipped(without, found=bool(found))
    return found, sizes


def no_patch(image: NDArray[Any], shape: Sequence[int]) -> str:
    """Return why no patch can be drawn from an image; empty if some can."""
    (height, width), (rows, columns) = shape[:2], image.shape[:2]
    if rows < height or columns < width:
        return f"smaller than a patch of {height}×{width} pixels"
    return "constant" if image.min() == image.max() else ""


def tell_skipped(without: dict[str, str], *, found: bool) -> None:
    """Warn about images without a patch; raise an error if there is no other."""
    for reason in dict.fromkeys(without.values()):
        listed = listed_names([name for name in without if without[name] == reason])
        if not found:
            raise ValueError(f"No image can be used: {listed} ({reason}).")
        warn_user(f"Skipped ({reason}): {listed}.")


def _checked(image: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    with ignore_float_warnings():  # what overflows is found below
        prepared = np.ascontiguousarray(image, np.float32)
    if prepared.shape != shape:
        raise ValueError(
            f"prepare_image must return an image of shape {shape}, the shape of the one it was "
            f"given, got {prepared.shape}."
        )
    if not np.isfinite(prepared).all():
        raise ValueError("prepare_image must return finite numbers, got NaN or infinity.")
    return prepared
