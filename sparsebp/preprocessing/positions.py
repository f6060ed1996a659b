"""Where patches come from: random positions in images, and pairs of them for two eyes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import RandomSource, check_integer, check_shape, is_flag, mistake
from sparsebp._shapes import COLORS, EYES, split_channels
from sparsebp.preprocessing._arrays import are_movies, check_images


@dataclass(frozen=True)
class Positions:
    """All positions of a patch in a list of images, and where random numbers come from."""

    images: list[NDArray[Any]]
    shape: tuple[int, ...]
    rng: RandomSource

    @property
    def patch_size(self) -> int:
        """Numbers in a patch."""
        return prod(self.shape)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """Type of the patches."""
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


@dataclass(frozen=True)
class TwoEyes:
    """Two crops of each of many windows, moved against each other by a random disparity.

    The windows are as much larger than a patch as the largest disparity (vertical, horizontal).
    """

    windows: Positions
    disparity: tuple[int, int]

    @property
    def patch_size(self) -> int:
        """Numbers in the patches of both eyes."""
        return EYES * prod(self._shape)

    @property
    def dtype(self) -> type[np.floating[Any]]:
        """Type of the patches."""
        return self.windows.dtype

    @property
    def _shape(self) -> tuple[int, ...]:
        height, width, *channels = self.windows.shape
        return height - self.disparity[0], width - self.disparity[1], *channels

    def draw(self, n_patches: int) -> NDArray[Any]:
        """Cut `n_patches` pairs, left before right, (n_patches, patch_size)."""
        windows = self.windows.draw(n_patches).reshape(n_patches, *self.windows.shape)
        largest, number = np.array(self.disparity), np.arange(n_patches)[:, np.newaxis, np.newaxis]
        drawn = self.windows.rng.random(2 * n_patches).reshape(n_patches, 2)
        moved = np.floor((2 * largest + 1) * drawn).astype(np.int64) - largest
        down, right = np.ogrid[: self._shape[0], : self._shape[1]]
        eyes = []
        for corner in ((largest + moved) // 2, (largest - moved) // 2):  # moved pixels apart
            top, left = corner.T[:, :, np.newaxis, np.newaxis]
            eyes.append(windows[number, top + down, left + right].reshape(n_patches, -1))
        return np.concatenate(eyes, axis=1)


PatchSource = Positions | TwoEyes


def two_eyes(
    images: Iterable[Any], patch_shape: Any, disparity: int | Sequence[int], rng: RandomSource
) -> TwoEyes:
    """Return what binocular patches of single images are drawn from."""
    largest = _check_disparity(disparity)
    sides, channels = check_patch_sides(patch_shape)
    if not isinstance(patch_shape, Integral):
        if len(sides) != 3 or sides[0] != EYES:
            wanted = f"({EYES}, height, width), or an integer, for binocular patches"
            raise ValueError(mistake("patch_shape", wanted, patch_shape))
        sides = sides[1:]
    if are_movies(images):
        raise ValueError(
            "disparity is for single images, got images with frames: stereo pairs (2, height, "
            "width) are cut with disparity=None"
        )
    checked = check_images(images)
    window = tuple(side + most for side, most in zip(sides, largest, strict=True))
    shape = check_patch_shape(window, channels, checked, "a patch and its disparity, ")
    return TwoEyes(Positions(checked, shape, rng), largest)


def _check_disparity(disparity: Any) -> tuple[int, int]:
    both: Any = (
        (0, disparity) if isinstance(disparity, Integral) and not is_flag(disparity) else disparity
    )
    wanted = "an integer ≥ 0, or two, (vertical, horizontal)"
    try:
        vertical, horizontal = both
    except (TypeError, ValueError) as error:
        raise type(error)(mistake("disparity", wanted, disparity)) from error
    name = "each number of disparity"
    return check_integer(name, vertical, minimum=0), check_integer(name, horizontal, minimum=0)


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


def check_patch_sides(patch_shape: Any) -> tuple[tuple[int, ...], int | None]:
    """Return the sides of a patch, and its channels if it names them."""
    if isinstance(patch_shape, Real):
        patch_shape = (check_integer("patch_shape", patch_shape),) * 2
    given = check_shape("patch_shape", patch_shape, (2, 3, 4))
    sides, channels = split_channels(given)
    return sides, channels if len(sides) < len(given) else None


def check_patch_shape(
    sides: tuple[int, ...],
    channels: int | None,
    images: list[NDArray[Any]],
    what: str = "a patch of ",
) -> tuple[int, ...]:
    """Return the shape of patches of these images, which have all the same channels.

    `what` begins the message about images that are smaller.
    """
    found = images[0].shape[len(sides) :]
    if channels not in (None, *(found or (1,))):
        raise ValueError(
            f"patch_shape has {channels} channels but images[0] has shape {images[0].shape}: give "
            "images with as many channels, or omit the channels in patch_shape"
        )
    for index, image in enumerate(images):
        if any(n < side for n, side in zip(image.shape, sides, strict=False)):
            a_frame = len(sides) == 3 and image.ndim == 3 and image.shape[-1] == COLORS
            frames = "; if it is a color frame, put the movie into a list, [np.stack(images)]"
            raise ValueError(
                f"images[{index}] of shape {image.shape} is smaller than {what}"
                f"{' x '.join(map(str, sides))} pixels: give smaller patches or remove the image"
                f"{frames if a_frame else ''}"
            )
    return (*sides, *found)
