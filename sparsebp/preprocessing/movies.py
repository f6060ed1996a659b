"""Simulated movies: windows that move over photographs at known velocities."""

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from sparsebp._checks import (
    RandomSource,
    RandomState,
    check_integer,
    check_number,
    check_shape,
    mistake,
    random_source,
)
from sparsebp._magnitudes import ignore_float_warnings, require_finite
from sparsebp._memory import check_memory
from sparsebp.preprocessing._arrays import check_images

_OR_TWO = ", or two, (rows, columns) per frame"


class Movies(NamedTuple):
    """Movies, and how they move.

    Attributes
    ----------
    movies : list of ndarray of shape (frames, height, width) or (frames, height, width, 3)
        What the windows show.
    velocities : ndarray of shape (n_movies, 2)
        In (rows, columns) per frame, in which the picture moves: positive is down and right.
    """

    movies: list[NDArray[np.float64]]
    velocities: NDArray[np.float64]


def make_movies(
    images: Iterable[Any],
    n_movies: int = 100,
    shape: Sequence[int] = (10, 32, 32),
    *,
    velocity: float | Sequence[float] = 2.0,
    random_state: RandomState = None,
) -> Movies:
    """Simulate movies: a window moves over a photograph, straight and at a constant velocity.

    This is how the image of a scene that stays as it is moves over the retina during a slow eye
    movement. In a recorded movie there are also objects that move by themselves, occlusion and
    noise. Positions between pixels are interpolated by cubic splines.

    Parameters
    ----------
    images : sequence of array-like, each (height, width) or (height, width, 3)
        Photographs, whitened or not. All gray or all color.
    n_movies : int, default=100
        Number of movies, >= 1.
    shape : (frames, height, width), default=(10, 32, 32)
        Of a movie.
    velocity : float or (float, float), default=2.0
        The largest speed in pixels per frame, >= 0: speeds are uniform from 0 to it, and all
        directions are equally likely. Or the velocity of all movies, (rows, columns) per frame.
    random_state : None, int, RandomState or Generator, default=None
        Where velocities and positions come from.

    Returns
    -------
    Movies
        Named tuple (movies, velocities). Patches of the movies are cut by `sample_patches`.

    Raises
    ------
    TypeError
        If `images` is not a sequence, or a number is of a wrong kind.
    ValueError
        If an image is not finite or close to overflow, has a wrong shape, or is too small for the
        way of a window, or a number is out of range.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.preprocessing import make_movies
    >>> image = np.arange(400.0).reshape(20, 20)
    >>> (movie,), velocities = make_movies(
    ...     [image], 1, (3, 6, 6), velocity=(0, 2), random_state=0
    ... )
    >>> bool(np.allclose(movie[2][:, 4:], movie[0][:, :2])), velocities
    (True, array([[0., 2.]]))
    """
    checked = check_images(images)
    n_movies = check_integer("n_movies", n_movies)
    frames, *window = check_shape("shape", shape, (3,))
    fastest = _fastest(velocity)
    reach = np.ceil((frames - 1) * fastest).astype(np.int64)
    room = np.array([image.shape[:2] for image in checked]) - window - reach + 1
    if (room < 1).any():
        small = int(np.argmax((room < 1).any(axis=1)))
        raise ValueError(
            f"images[{small}] of shape {checked[small].shape} is too small for a window of "
            f"{window[0]} x {window[1]} pixels that moves by up to {reach[0]} rows and {reach[1]} "
            "columns: give a smaller shape or velocity, or remove the image"
        )
    check_memory("n_movies", n_movies, (n_movies, frames, *window, *checked[0].shape[2:]))
    rng = random_source(random_state)
    velocities = _draw_velocities(velocity, n_movies, rng)
    owners = np.searchsorted(
        np.cumsum(room.prod(axis=1)), rng.random(n_movies) * room.prod(1).sum()
    )
    movies: list[Any] = [None] * n_movies
    starts = rng.random(2 * n_movies).reshape(n_movies, 2)
    for owner in np.unique(owners):
        splines = _splines(f"images[{owner}]", checked[owner])
        for index in np.flatnonzero(owners == owner):
            # The window moves against the picture in it.
            way = -np.outer(np.arange(frames), velocities[index])
            free = np.array(checked[owner].shape[:2]) - window - np.ptp(way, axis=0)
            way += starts[index] * free - way.min(axis=0)
            movies[index] = np.stack([_window(splines, corner, window) for corner in way])
    return Movies(movies, velocities)


def _fastest(velocity: Any) -> NDArray[np.float64]:
    """Return the largest speed along rows and along columns."""
    if isinstance(velocity, Real):
        return np.full(2, check_number("velocity", velocity, minimum=0, also=_OR_TWO))
    try:
        down, right = velocity
    except (TypeError, ValueError) as error:
        raise type(error)(mistake("velocity", f"a number ≥ 0{_OR_TWO}", velocity)) from error
    numbers = [check_number("each number of velocity", number) for number in (down, right)]
    return np.abs(numbers)


def _draw_velocities(velocity: Any, n_movies: int, rng: RandomSource) -> NDArray[np.float64]:
    if not isinstance(velocity, Real):
        return np.tile(np.asarray(velocity, np.float64), (n_movies, 1))
    speed, angle = rng.random(n_movies) * float(velocity), rng.random(n_movies) * 2 * np.pi
    return speed[:, np.newaxis] * np.stack([np.sin(angle), np.cos(angle)], axis=1) + 0.0  # no -0


def _splines(name: str, image: NDArray[Any]) -> list[NDArray[np.float64]]:
    """Return the coefficients of a cubic spline through each channel of an image."""
    channels = np.moveaxis(np.atleast_3d(image), 2, 0)
    with ignore_float_warnings():
        found = [ndimage.spline_filter(c, output=np.float64, mode="mirror") for c in channels]
    return [require_finite("The splines between its pixels", spline, name) for spline in found]


def _window(
    splines: list[NDArray[np.float64]], corner: NDArray[np.float64], shape: Sequence[int]
) -> NDArray[np.float64]:
    options: Any = {"offset": corner, "output_shape": tuple(shape), "mode": "mirror"}
    seen = [ndimage.affine_transform(c, np.eye(2), prefilter=False, **options) for c in splines]
    return seen[0] if len(seen) == 1 else np.stack(seen, axis=-1)
