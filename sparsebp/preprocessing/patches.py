"""Patches: small pieces of images, cut at random positions, each flattened into one row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from sparsebp._checks import (
    RandomSource,
    RandomState,
    check_count,
    check_number,
    check_pair,
    random_source,
)
from sparsebp.preprocessing._arrays import check_images
from sparsebp.preprocessing.normalization import row_variance

_REFERENCE_PATCHES = 2000
_REDRAWS_PER_PATCH = 100
# Numbers copied at a time: bounds the memory beside the result to a few megabytes.
_BLOCK_SIZE = 2**18


def sample_patches(
    images: Iterable[Any],
    patch_shape: int | tuple[int, int],
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
        All grey or all color. Their sizes may differ.
    patch_shape : int or (int, int)
        Height and width of a patch in pixels. An int makes square patches.
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
        One patch a row, in C order (height, width[, 3]). float32 if all images are float32, else
        float64: integer images are converted, not rescaled (0 to 255 stays 0 to 255).

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
    checked = check_images(images)
    shape = _check_patch_shape(patch_shape, checked)
    n_patches = check_count("n_patches", n_patches)
    min_contrast = check_number("min_contrast", min_contrast, minimum=0)
    source = _PatchSource(checked, shape, random_source(random_state))
    threshold = _contrast_threshold(source, min_contrast) if min_contrast else 0.0
    patches = np.empty((n_patches, source.patch_size), source.dtype)
    for rows in gen_batches(n_patches, max(1, _BLOCK_SIZE // source.patch_size)):
        patches[rows] = _draw_with_contrast(source, rows.stop - rows.start, threshold)
    return patches


@dataclass(frozen=True)
class _PatchSource:
    """All positions of a patch in a list of images, and where random numbers come from."""

    images: list[NDArray[Any]]
    shape: tuple[int, int]
    rng: RandomSource

    @property
    def patch_size(self) -> int:
        return self.shape[0] * self.shape[1] * (3 if self.images[0].ndim == 3 else 1)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        single = all(image.dtype == np.float32 for image in self.images)
        return np.float32 if single else np.float64

    def draw(self, n_patches: int) -> NDArray[Any]:
        """Cut `n_patches` patches at uniform positions, (n_patches, patch_size)."""
        height, width = self.shape
        sizes = [(i.shape[0] - height + 1) * (i.shape[1] - width + 1) for i in self.images]
        ends = np.cumsum(sizes)
        position = (self.rng.random(n_patches) * ends[-1]).astype(np.int64)
        owner = np.searchsorted(ends, position, side="right")
        order = np.argsort(owner, kind="stable")
        owners, firsts = np.unique(owner[order], return_index=True)
        patches = np.empty((n_patches, self.patch_size), self.dtype)
        for index, chosen in zip(owners, np.split(order, firsts[1:]), strict=True):
            local = position[chosen] - (ends[index] - sizes[index])
            patches[chosen] = _cut(self.images[index], self.shape, local)
        return patches


def _cut(image: NDArray[Any], shape: tuple[int, int], position: NDArray[np.int64]) -> NDArray[Any]:
    """Cut the patches whose corners are numbered row by row; ten times as fast as windows."""
    channels = image.shape[2] if image.ndim == 3 else 1
    stride = image.shape[1] * channels
    row, column = np.divmod(position, image.shape[1] - shape[1] + 1)
    corner = row * stride + column * channels
    offset = np.arange(shape[0])[:, np.newaxis] * stride + np.arange(shape[1] * channels)
    # With "raise", take would check every index; these cannot leave the image.
    return image.reshape(-1).take(corner[:, np.newaxis] + offset.reshape(-1), mode="clip")


def _contrast_threshold(source: _PatchSource, min_contrast: float) -> float:
    variances = [
        row_variance(source.draw(rows.stop - rows.start))
        for rows in gen_batches(_REFERENCE_PATCHES, max(1, _BLOCK_SIZE // source.patch_size))
    ]
    average = float(np.sqrt(np.concatenate(variances).mean()))
    if average == 0:
        raise ValueError(
            f"min_contrast={min_contrast} cannot be met, as every patch is constant: "
            "give other images, or min_contrast=0"
        )
    return min_contrast * average


def _draw_with_contrast(source: _PatchSource, n_patches: int, threshold: float) -> NDArray[Any]:
    patches = source.draw(n_patches)
    flat = np.flatnonzero(_contrast(patches) < threshold) if threshold else np.empty(0, int)
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
        flat = flat[_contrast(redrawn) < threshold]
    return patches


def _contrast(patches: NDArray[Any]) -> NDArray[np.float64]:
    return np.sqrt(row_variance(patches))


def _check_patch_shape(
    patch_shape: int | tuple[int, int], images: list[NDArray[Any]]
) -> tuple[int, int]:
    pair = patch_shape if isinstance(patch_shape, tuple | list) else (patch_shape, patch_shape)
    height, width = check_pair("patch_shape", pair, "one side, or (height, width)")
    for index, image in enumerate(images):
        if image.shape[0] < height or image.shape[1] < width:
            raise ValueError(
                f"images[{index}] of shape {image.shape} is smaller than a patch of "
                f"{height} x {width} pixels: give smaller patches or leave the image out"
            )
    return height, width
