"""Patches: small pieces of images, cut at random positions, each flattened into one row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import (
    RandomSource,
    RandomState,
    check_integer,
    check_number,
    check_shape,
    random_source,
)
from sparsebp._magnitudes import in_range
from sparsebp._memory import check_memory
from sparsebp._shapes import split_channels
from sparsebp.preprocessing._arrays import check_images
from sparsebp.preprocessing.normalization import row_deviation
from sparsebp.samples import slices

_REFERENCE_PATCHES = 2000
_REDRAWS_PER_PATCH = 100
# Numbers copied at a time; bounds the additional memory to a few megabytes.
_BLOCK_SIZE = 2**18


def sample_patches(
    images: Iterable[Any],
    patch_shape: int | Sequence[int],
    n_patches: int,
    *,
    min_contrast: float = 0.0,
    random_state: RandomState = None,
) -> NDArray[Any]:
    """Cut patches out of images at random positions.

    Every position in every image is equally likely, so large images give more patches.
    Positions are drawn with replacement.

    Parameters
    ----------
    images : sequence of array-like, each (height, width) or (height, width, 3)
        All gray or all color. Their sizes may differ. With patches of three sides, volumes
        (frames, height, width) or images of other channels (height, width, n_channels).
    patch_shape : int, (height, width) or (frames, height, width)
        Sides of a patch in pixels, to which a fourth, or a third of 3, may name the channels. An
        int makes square patches. Give it to the estimator, too, unless it is an int.
    n_patches : int
        Number of patches, >= 1.
    min_contrast : float, default=0.0
        A patch is drawn again if the standard deviation of its pixels about their own mean is
        below `min_contrast` times that of the average patch (root mean square over 2000
        uniformly drawn patches). >= 0.
    random_state : None, int, RandomState or Generator, default=None
        Where the positions come from.

    Returns
    -------
    ndarray of shape (n_patches, patch_height * patch_width [* 3])
        One patch a row, in C order ([frames, ]height, width[, 3]). float32 if all images are
        float32, else float64: integers are converted, not rescaled (0 to 255 stays 0 to 255).

    Raises
    ------
    TypeError
        If `images` is not a sequence, or `patch_shape`, `n_patches` or `min_contrast` is not a
        number of the right kind.
    ValueError
        If there is no image, an image is not finite, has a wrong shape or is smaller than the
        patch, a number is out of range, or too few patches have the wanted contrast.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.preprocessing import sample_patches
    >>> images = [np.arange(20.0).reshape(4, 5), np.ones((3, 3))]
    >>> sample_patches(images, (2, 3), 1, min_contrast=0.5, random_state=0)
    array([[12., 13., 14., 17., 18., 19.]])
    """
    sides, channels = check_patch_sides(patch_shape)
    checked = check_images(images, len(sides))
    shape = check_patch_shape(sides, channels, checked)
    n_patches = check_integer("n_patches", n_patches)
    min_contrast = check_number("min_contrast", min_contrast, minimum=0)
    source = _PatchSource(checked, shape, random_source(random_state))
    threshold = 0.0
    if min_contrast:
        threshold = contrast_threshold(_reference_contrasts(source), min_contrast)
    itemsize = np.dtype(source.dtype).itemsize
    check_memory("n_patches", n_patches, (n_patches, source.patch_size), itemsize=itemsize)
    patches = np.empty((n_patches, source.patch_size), source.dtype)
    for rows in slices(n_patches, max(1, _BLOCK_SIZE // source.patch_size)):
        patches[rows] = _draw_with_contrast(source, rows.stop - rows.start, threshold)
    return patches


@dataclass(frozen=True)
class _PatchSource:
    """All positions of a patch in a list of images, and where random numbers come from."""

    images: list[NDArray[Any]]
    shape: tuple[int, ...]
    rng: RandomSource

    @property
    def patch_size(self) -> int:
        return prod(self.shape)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        single = all(image.dtype == np.float32 for image in self.images)
        return np.float32 if single else np.float64

    def draw(self, n_patches: int) -> NDArray[Any]:
        """Cut `n_patches` patches at uniform positions, (n_patches, patch_size)."""
        sizes = [prod(count_places(image.shape, self.shape)) for image in self.images]
        ends = np.cumsum(sizes)
        position = (self.rng.random(n_patches) * ends[-1]).astype(np.int64)
        owner = np.searchsorted(ends, position, side="right")
        order = np.argsort(owner, kind="stable")
        owners, firsts = np.unique(owner[order], return_index=True)
        patches = np.empty((n_patches, self.patch_size), self.dtype)
        for index, chosen in zip(owners, np.split(order, firsts[1:]), strict=True):
            local = position[chosen] - (ends[index] - sizes[index])
            patches[chosen] = cut_patches(self.images[index], self.shape, local)
        return patches


def count_places(size: Sequence[int], shape: Sequence[int]) -> list[int]:
    """Count where a patch can be put along each axis; once along the channels."""
    return [n - side + 1 for n, side in zip(size, shape, strict=True)]


def cut_patches(
    image: NDArray[Any], shape: tuple[int, ...], position: NDArray[np.int64]
) -> NDArray[Any]:
    """Cut the patches whose corners are numbered row by row; ten times as fast as windows."""
    steps = np.cumprod((1, *image.shape[:0:-1]))[::-1]  # numbers from one place to the next
    corners = np.unravel_index(position, count_places(image.shape, shape))
    corner = steps @ np.stack(corners)
    inside = steps @ np.indices(shape).reshape(len(shape), -1)
    # With "raise", take would check every index; these cannot leave the image.
    return image.reshape(-1).take(np.add.outer(corner, inside), mode="clip")


def contrast_threshold(contrasts: NDArray[np.float64], min_contrast: float) -> float:
    """Return `min_contrast` times the root mean square of the contrasts of reference patches.

    If all contrasts are zero, it is a ValueError.
    """
    scaled, exponent = in_range(contrasts)
    average = float(np.ldexp(np.sqrt(np.square(scaled).mean()), exponent))
    if average == 0:
        raise ValueError(
            f"min_contrast={min_contrast} cannot be met, as every patch is constant: "
            "give other images, or min_contrast=0"
        )
    return min_contrast * average


def _reference_contrasts(source: _PatchSource) -> NDArray[np.float64]:
    parts = slices(_REFERENCE_PATCHES, max(1, _BLOCK_SIZE // source.patch_size))
    return np.concatenate([row_deviation(source.draw(p.stop - p.start)) for p in parts])


def _draw_with_contrast(source: _PatchSource, n_patches: int, threshold: float) -> NDArray[Any]:
    patches = source.draw(n_patches)
    flat = np.flatnonzero(row_deviation(patches) < threshold) if threshold else np.empty(0, int)
    budget = _REDRAWS_PER_PATCH * (n_patches + 100)
    while flat.size:
        if budget < flat.size:
            raise ValueError(
                f"{flat.size} of {n_patches} patches still had a standard deviation below "
                f"{threshold:.3g} after {_REDRAWS_PER_PATCH} redraws of each: lower min_contrast"
            )
        budget -= flat.size
        redrawn = source.draw(flat.size)
        patches[flat] = redrawn
        flat = flat[row_deviation(redrawn) < threshold]
    return patches


def check_patch_sides(patch_shape: Any) -> tuple[tuple[int, ...], int | None]:
    """Return the sides of a patch, and its channels if it names them."""
    if isinstance(patch_shape, Real):
        patch_shape = (check_integer("patch_shape", patch_shape),) * 2
    given = check_shape("patch_shape", patch_shape, (2, 3, 4))
    sides, channels = split_channels(given)
    return sides, channels if len(sides) < len(given) else None


def check_patch_shape(
    sides: tuple[int, ...], channels: int | None, images: list[NDArray[Any]]
) -> tuple[int, ...]:
    """Return the shape of patches of these images, which have all the same channels."""
    found = images[0].shape[len(sides) :]
    if channels not in (None, *(found or (1,))):
        raise ValueError(
            f"patch_shape has {channels} channels but images[0] has shape {images[0].shape}: give "
            "images with as many channels, or omit the channels in patch_shape"
        )
    for index, image in enumerate(images):
        if any(n < side for n, side in zip(image.shape, sides, strict=False)):
            raise ValueError(
                f"images[{index}] of shape {image.shape} is smaller than a patch of "
                f"{' x '.join(map(str, sides))} pixels: give smaller patches or remove the image"
            )
    return (*sides, *found)
