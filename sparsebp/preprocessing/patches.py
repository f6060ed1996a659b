"""Patches: small pieces of images, cut at random positions, each flattened into one row."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import RandomState, check_integer, check_number, random_source
from sparsebp._magnitudes import in_range
from sparsebp._memory import check_memory
from sparsebp.preprocessing._arrays import check_images
from sparsebp.preprocessing.normalization import row_deviation
from sparsebp.preprocessing.positions import (
    PatchSource,
    Positions,
    check_patch_shape,
    check_patch_sides,
    two_eyes,
)
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
    disparity: int | Sequence[int] | None = None,
    random_state: RandomState = None,
) -> NDArray[Any]:
    """Cut patches out of images at random positions.

    Every position in every image is equally likely, so large images give more patches.
    Positions are drawn with replacement.

    Parameters
    ----------
    images : sequence of array-like, each (height, width) or (height, width, 3)
        All gray or all color. Their sizes may differ. With patches of three sides, movies
        (frames, height, width[, 3]), stereo pairs (2, height, width[, 3]), or images of other
        channels (height, width, n_channels).
    patch_shape : int, (height, width) or (frames, height, width)
        Sides of a patch in pixels, to which a fourth, or a third of 3, may name the channels. An
        int makes square patches. Give it to the estimator, too, unless it is an int.
        Binocular patches are (2, height, width): the left eye's, then the right eye's.
    n_patches : int
        Number of patches, >= 1.
    min_contrast : float, default=0.0
        A patch is drawn again if the standard deviation of its pixels about their own mean is
        below `min_contrast` times that of the average patch (root mean square over 2000
        uniformly drawn patches). >= 0.
    disparity : int, (vertical, horizontal) or None, default=None
        Cut binocular patches from single images: two crops of each, moved against each other by
        a random disparity, each whole number of pixels from minus `disparity` to `disparity` being
        equally likely; one int is horizontal. What is at column x of the left patch is at column
        x + d of the right one: d < 0 for what is nearer than where the eyes look. `patch_shape` is
        then (2, height, width), or an int for two squares. This simulates flat scenes at
        different distances, without occlusion.
    random_state : None, int, RandomState or Generator, default=None
        Where the positions come from.

    Returns
    -------
    ndarray of shape (n_patches, [frames *] patch_height * patch_width [* 3])
        One patch a row, in C order ([frames, ]height, width[, 3]). float32 if all images are
        float32, else float64: integers are converted, not rescaled (0 to 255 stays 0 to 255).

    Raises
    ------
    TypeError
        If `images` is not a sequence, or `patch_shape`, `n_patches`, `min_contrast` or
        `disparity` is not a number of the right kind.
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
    n_patches = check_integer("n_patches", n_patches)
    min_contrast = check_number("min_contrast", min_contrast, minimum=0)
    rng = random_source(random_state)
    source: PatchSource
    if disparity is None:
        sides, channels = check_patch_sides(patch_shape)
        checked = check_images(images, len(sides))
        source = Positions(checked, check_patch_shape(sides, channels, checked), rng)
    else:
        source = two_eyes(images, patch_shape, disparity, rng)
    threshold = 0.0
    if min_contrast:
        threshold = contrast_threshold(_reference_contrasts(source), min_contrast)
    itemsize = np.dtype(source.dtype).itemsize
    check_memory("n_patches", n_patches, (n_patches, source.patch_size), itemsize=itemsize)
    patches = np.empty((n_patches, source.patch_size), source.dtype)
    for rows in slices(n_patches, max(1, _BLOCK_SIZE // source.patch_size)):
        patches[rows] = _draw_with_contrast(source, rows.stop - rows.start, threshold)
    return patches


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


def _reference_contrasts(source: PatchSource) -> NDArray[np.float64]:
    parts = slices(_REFERENCE_PATCHES, max(1, _BLOCK_SIZE // source.patch_size))
    return np.concatenate([row_deviation(source.draw(p.stop - p.start)) for p in parts])


def _draw_with_contrast(source: PatchSource, n_patches: int, threshold: float) -> NDArray[Any]:
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
