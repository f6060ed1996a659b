"""Dead leaves: images of occluding discs with the statistics of natural scenes."""

from typing import NamedTuple

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
from sparsebp._memory import check_memory

_TABLE_SIZE = 4096
#: Radius of a disc, in pixels, that covers any image. Larger ones leave the range of the table.
_LARGEST = 2e9


def make_dead_leaves(
    n_images: int = 4,
    shape: tuple[int, int] = (256, 256),
    *,
    min_radius: float = 1.0,
    max_radius: float | None = None,
    random_state: RandomState = None,
) -> list[NDArray[np.float64]]:
    """Draw images of opaque discs that cover one another like fallen leaves.

    Discs of all positions, of a radius r with density proportional to r^-3 between two limits and
    of a gray that is uniform from 0 to 1 are laid down until they cover the picture. The density
    makes the picture scale-invariant, so that its power spectrum falls about as 1 / f^2 between the
    frequencies of the largest and the smallest disc, like that of natural scenes.

    Parameters
    ----------
    n_images : int, default=4
        Number of images, >= 1.
    shape : (int, int), default=(256, 256)
        Height and width of an image in pixels, >= 1.
    min_radius : float, default=1.0
        Radius of the smallest disc in pixels, from 0.5 to 1e9. The time grows with its inverse
        square.
    max_radius : float or None, default=None
        Radius of the largest disc in pixels, > `min_radius`, up to 2e9. None for the longer side
        of the image, or twice `min_radius` if that is more.
    random_state : None, int, RandomState or Generator, default=None
        Where the discs come from.

    Returns
    -------
    list of ndarray of shape (height, width)
        Gray values in [0, 1].

    Raises
    ------
    TypeError
        If a count is not an integer or a radius is not a number.
    ValueError
        If a count is less than 1, `shape` is not a pair, a radius is out of range, or `max_radius`
        is not larger than `min_radius`.

    References
    ----------
    D. L. Ruderman, "Origins of scaling in natural images", Vision Research 37, 1997.
    A. B. Lee, D. Mumford, J. Huang, "Occlusion models for natural images: a statistical study of a
    scale-invariant dead leaves model", International Journal of Computer Vision 41, 2001.

    Examples
    --------
    >>> from sparsebp.datasets import make_dead_leaves
    >>> images = make_dead_leaves(2, (32, 48), random_state=0)
    >>> [image.shape for image in images], bool(images[0].min() >= 0), bool(images[0].max() <= 1)
    ([(32, 48), (32, 48)], True, True)
    """
    n_images = check_integer("n_images", n_images)
    height, width = check_shape("shape", shape)
    check_memory("shape", shape, (height, width))
    check_memory("n_images", n_images, (n_images, height, width))
    limits = _check_radii(min_radius, max_radius, max(height, width))
    rng = random_source(random_state)
    law = _radius_law(limits, (height, width))
    return [_draw_image((height, width), law, rng) for _ in range(n_images)]


class _Discs(NamedTuple):
    """Discs in the order of their distance, the nearest first."""

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    radius: NDArray[np.float64]


class _RadiusLaw(NamedTuple):
    """Distribution function of the radius of the discs that can touch the image, as a table."""

    radius: NDArray[np.float64]
    probability: NDArray[np.float64]
    mean_pixels: float


def _check_radii(
    min_radius: float, max_radius: float | None, longer_side: int
) -> tuple[float, float]:
    low = check_number("min_radius", min_radius, minimum=0.5)
    check_number("min_radius", min_radius, maximum=_LARGEST / 2)
    if max_radius is None:
        return low, max(float(longer_side), 2 * low)
    high = check_number("max_radius", max_radius, above=low)
    return low, check_number("max_radius", high, maximum=_LARGEST)


def _radius_law(limits: tuple[float, float], shape: tuple[int, int]) -> _RadiusLaw:
    # Only discs that touch the image matter. Large ones do so from farther away: their share is
    # the density r^-3 times the area of the centers from which the bounding square touches.
    radius = np.geomspace(*limits, _TABLE_SIZE)
    height, width = shape
    density = radius**-3.0 * (height + 2 * radius) * (width + 2 * radius)
    # The trapezoidal rule; SciPy's takes half a second to import.
    steps = np.diff(radius) * (density[1:] + density[:-1]) / 2
    cumulated = np.concatenate([[0.0], np.cumsum(steps)])
    probability = cumulated / cumulated[-1]
    pixels = np.minimum(np.pi * radius**2, height * width)
    return _RadiusLaw(radius, probability, float(np.trapezoid(pixels, probability)))


def _draw_image(shape: tuple[int, int], law: _RadiusLaw, rng: RandomSource) -> NDArray[np.float64]:
    """Lay discs from front to back, in batches, until no pixel is left."""
    image = np.full(shape, np.nan)
    n_discs = int(np.ceil(4 * image.size / law.mean_pixels))
    while np.isnan(image).any():
        _lay(image, _draw_discs(n_discs, shape, law, rng), rng.random(n_discs))
    return image


def _draw_discs(n_discs: int, shape: tuple[int, int], law: _RadiusLaw, rng: RandomSource) -> _Discs:
    """Draw discs whose bounding square touches the image, centers beyond the border included."""
    radius = np.interp(rng.random(n_discs), law.probability, law.radius)
    row, column = (rng.random(n_discs) * (side + 2 * radius) - radius - 0.5 for side in shape)
    return _Discs(row, column, radius)


def _lay(image: NDArray[np.float64], discs: _Discs, gray: NDArray[np.float64]) -> None:
    """Color the pixels that are still NaN by the first disc that covers them, in place."""
    disc, pixel = _pixels(discs, (image.shape[0], image.shape[1]))
    flat = image.reshape(-1)
    free = np.isnan(flat[pixel])
    # Of several values for one pixel the last one stays: the nearest disc has to come last.
    flat[pixel[free][::-1]] = gray[disc[free]][::-1]


def _pixels(discs: _Discs, shape: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of a disc and a flat pixel within it, in the order of the discs."""
    disc, row = _spans(discs.row, discs.radius, shape[0])
    squared = discs.radius[disc] ** 2 - (row - discs.row[disc]) ** 2
    chord, column = _spans(discs.column[disc], np.sqrt(np.maximum(squared, 0)), shape[1])
    return disc[chord], row[chord] * shape[1] + column


def _spans(
    center: NDArray[np.float64], half: NDArray[np.float64], size: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Integers from 0 to size - 1 within center +- half, and to which interval each belongs."""
    first = np.maximum(np.ceil(center - half), 0).astype(np.int64)
    last = np.minimum(np.floor(center + half), size - 1).astype(np.int64)
    length = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(len(center)), length)
    start = np.cumsum(length) - length
    return owner, np.arange(len(owner)) - start[owner] + first[owner]
