"""The meaning of the axes of images and patches, inferred from their shapes.

| shape | patch |
|---|---|
| (height, width) | gray |
| (height, width, 3) | in color |
| (frames, height, width), (frames, height, width, 3) | of a movie |
| (2, height, width), (2, height, width, 3) | binocular: of the left eye, then of the right one |
"""

from collections.abc import Sequence
from math import isqrt, prod
from numbers import Integral
from typing import Any

from numpy.typing import NDArray

from sparsebp._checks import check_shape

#: Largest aspect ratio of a photograph; tables and transposed stacks have larger ones.
_LONGEST = 5
#: Number of color channels.
COLORS = 3
#: Frames of a binocular patch.
EYES = 2


def is_photograph(height: int, width: int) -> bool:
    """Return whether an image of this size may be a photograph, not a table of numbers.

    Examples
    --------
    >>> is_photograph(512, 640), is_photograph(512, 10)
    (True, False)
    """
    return min(height, width) * _LONGEST >= max(height, width)


def image_number_axis(shape: Sequence[int]) -> int | None:
    """Return which axis of a stack of gray images counts them, 0 or 2; None if it is ambiguous.

    Both (n_images, height, width) and MATLAB's (height, width, n_images) are in use. A reading is
    possible if its images are not much longer than wide; if both are, one with square images is
    preferred.

    Examples
    --------
    >>> image_number_axis((10, 512, 640)), image_number_axis((512, 640, 10))
    (0, 2)
    >>> image_number_axis((60, 80, 100)) is None
    True
    """
    first, last = is_photograph(*shape[1:]), is_photograph(*shape[:2])
    if first and last:
        first, last = shape[1] == shape[2], shape[0] == shape[1]
    if first == last:
        return None
    return 0 if first else 2


PatchShape = int | Sequence[int] | None


def checked_patch_shape(patch_shape: Any) -> tuple[int, ...]:
    """Return a patch shape as a tuple: two sides, or three for a volume, then channels.

    Given are one side of square patches, (height, width), (height, width, 3) in color, (frames,
    height, width), or (frames, height, width, 1 or 3).
    """
    if isinstance(patch_shape, Integral) and not isinstance(patch_shape, bool):
        patch_shape = (patch_shape, patch_shape)
    shape = check_shape("patch_shape", patch_shape, (2, 3, 4))
    if len(shape) == 4 and shape[3] not in (1, COLORS):
        raise ValueError(
            f"patch_shape={shape}; the last of four numbers counts the channels, 1 or {COLORS}."
        )
    return shape


def resolved_patch_shape(
    n_features: int, patch_shape: PatchShape, what: str = "each component"
) -> tuple[int, ...]:
    """Return the shape of patches of n_features values: as given, or the square one.

    It is given as in `checked_patch_shape`; an int also stands for color patches if that fits. None
    takes square gray patches or, if n_features is three times a square, square color patches.
    `what` has n_features values, for the message.

    Examples
    --------
    >>> resolved_patch_shape(64, None), resolved_patch_shape(192, 8)
    ((8, 8), (8, 8, 3))
    """
    if patch_shape is not None:
        shape = checked_patch_shape(patch_shape)
        if isinstance(patch_shape, Integral) and COLORS * prod(shape) == n_features:
            shape = (*shape, COLORS)
        if prod(shape) != n_features:
            colored = len(shape) == 2 and COLORS * prod(shape) == n_features
            example = f": in color {(*shape, COLORS)}" if colored else ""
            raise ValueError(
                f"patch_shape={shape} has {prod(shape)} values but {what} has {n_features}; give "
                f"the shape of the patches that were flattened, channels last{example}."
            )
        return shape
    for channels in ((), (COLORS,)):
        side = isqrt(n_features // prod(channels))
        if side**2 * prod(channels) == n_features:
            return (side, side, *channels)
    raise ValueError(
        f"Components of {n_features} values are neither square gray patches nor square color "
        "patches; give patch_shape=(height, width), (height, width, 3) in color, or "
        "(frames, height, width), here or to the estimator."
    )


def split_channels(patch_shape: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """Return the sides of a patch in space and time, and its number of channels.

    Examples
    --------
    >>> split_channels((4, 16)), split_channels((4, 16, 3)), split_channels((5, 8, 8))
    (((4, 16), 1), ((4, 16), 3), ((5, 8, 8), 1))
    """
    if len(patch_shape) == 4 or (len(patch_shape) == 3 and patch_shape[2] == COLORS):
        return patch_shape[:-1], patch_shape[-1]
    return patch_shape, 1


def as_volumes(patches: NDArray[Any], patch_shape: tuple[int, ...]) -> NDArray[Any]:
    """Return flattened patches as (n_patches, frames, height, width, channels).

    Examples
    --------
    >>> import numpy as np
    >>> as_volumes(np.ones((7, 192)), (8, 8, 3)).shape
    (7, 1, 8, 8, 3)
    """
    (*frames, height, width), channels = split_channels(patch_shape)
    return patches.reshape(len(patches), prod(frames), height, width, channels)


def picture_size(patch_shape: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of a patch, or of a volume's frames.

    Examples
    --------
    >>> picture_size((4, 16, 3)), picture_size((5, 8, 9))
    ((4, 16), (8, 9))
    """
    sides, _ = split_channels(patch_shape)
    return sides[-2], sides[-1]


def given_or_kept(patch_shape: PatchShape, estimator: Any) -> PatchShape:
    """Return the given patch shape, else that of the estimator or of a pipeline's last step."""
    if patch_shape is not None:
        return patch_shape
    steps = [step for _, step in getattr(estimator, "steps", [])] or [estimator]
    kept = (getattr(step, "patch_shape", None) for step in reversed(steps))
    return next((shape for shape in kept if shape is not None), None)
