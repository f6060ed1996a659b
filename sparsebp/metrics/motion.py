"""Space-time filters: which motion each prefers."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from sparsebp._cached import cached_property
from sparsebp._shapes import PatchShape
from sparsebp._tables import Table
from sparsebp.metrics._filters import peak_offset, unit_volumes

#: The spectrum is sampled at least this much more finely than the patch's own frequencies.
_FINER = 4
#: Filters transformed at a time, in numbers of the padded volumes.
_BLOCK_SIZE = 2**22


@dataclass(frozen=True, eq=False, repr=False)
class MotionTuning(Table):
    """Preferred motion of space-time filters, one entry of each array per filter.

    A grating moves perpendicularly to its bars; so does what is measured here. An edge of a
    picture that moves at velocity v moves at (v · n) n, n being perpendicular to the edge.

    Attributes
    ----------
    spatial_frequency : ndarray of shape (n_filters, 2)
        Vertical and horizontal frequency of the drifting grating to which the filter responds
        most, in cycles per pixel, such that it drifts in this direction. 0 for a zero filter.
    temporal_frequency : ndarray of shape (n_filters,)
        Of this grating, in cycles per frame, from 0 to 1/2.
    direction_index : ndarray of shape (n_filters,)
        1 - (response to the same grating drifting backwards) / (response to it), in [0, 1]:
        0 for filters that do not distinguish the directions, 1 for those that respond to one only.
    """

    spatial_frequency: NDArray[np.float64]
    temporal_frequency: NDArray[np.float64]
    direction_index: NDArray[np.float64]
    _columns: ClassVar = ("speed", "direction", "direction_index")

    @cached_property
    def velocity(self) -> NDArray[np.float64]:
        """Velocity of the grating in (rows, columns) per frame, of shape (n_filters, 2)."""
        squared = np.square(self.spatial_frequency).sum(axis=1)
        factor = self.temporal_frequency / np.where(squared > 0, squared, 1)
        return factor[:, np.newaxis] * self.spatial_frequency

    @cached_property
    def speed(self) -> NDArray[np.float64]:
        """Pixels per frame, of shape (n_filters,)."""
        return np.hypot(*self.velocity.T)

    @cached_property
    def direction(self) -> NDArray[np.float64]:
        """Direction of motion as pictures show it, counter-clockwise from rightwards.

        Radians in (-pi, pi], of shape (n_filters,). Of a filter that prefers standing gratings it
        is one of two.
        """
        down, right = self.spatial_frequency.T
        return np.arctan2(-down, right) + 0.0  # 0, not -0

    def to_dict(self) -> dict[str, NDArray]:
        """Return a column of numbers for each quantity, in the units above.

        Returns
        -------
        columns : dict of str to ndarray of shape (n_filters,)
            speed, direction, direction_index, velocity_down, velocity_right, spatial_frequency
            (cycles per pixel), temporal_frequency.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsebp.metrics import motion_tuning
        >>> list(motion_tuning(np.eye(2, 12), (3, 2, 2)).to_dict())[:3]
        ['speed', 'direction', 'direction_index']
        """
        return {
            **super().to_dict(),
            "velocity_down": self.velocity[:, 0],
            "velocity_right": self.velocity[:, 1],
            "spatial_frequency": np.hypot(*self.spatial_frequency.T),
            "temporal_frequency": self.temporal_frequency,
        }


def motion_tuning(filters: ArrayLike, patch_shape: PatchShape) -> MotionTuning:
    """Find the drifting grating to which each space-time filter responds most.

    The response to a grating exp(2 pi i (f · x - w t)), whatever its phase, is the magnitude of
    the filter's Fourier transform at its frequencies. It is largest at some frequency (w, f), and
    a grating of that frequency moves at the velocity w f / |f|^2. Static gratings have speed 0,
    and so do changes of the whole patch (f = 0), since the mean of each frame is subtracted.
    What moves by more than half of its period in a frame seems to move backwards, as wheels in
    films do: at two pixels per frame stripes of less than four pixels.

    Parameters
    ----------
    filters : array-like of shape (n_filters, frames * height * width [* 3])
        Movie patches flattened in C order. Only their shape matters.
    patch_shape : (frames, height, width) or (frames, height, width, 3)
        At least 2 frames. The fewer they are, the coarser are temporal frequencies.

    Returns
    -------
    MotionTuning

    Raises
    ------
    ValueError
        If the filters are not a finite real matrix, or there are fewer than 2 frames.

    References
    ----------
    van Hateren & Ruderman 1998, "Independent component analysis of natural image sequences yields
    spatio-temporal filters similar to simple cells in primary visual cortex". Adelson & Bergen
    1985, "Spatiotemporal energy models for the perception of motion".

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import motion_tuning
    >>> t, y, x = np.mgrid[:8, :10, :10]
    >>> grating = np.cos(2 * np.pi * 0.2 * (x - 0.5 * t))
    >>> motion_tuning(grating.reshape(1, -1), (8, 10, 10)).velocity.round(1) + 0.0
    array([[0. , 0.5]])
    """
    volumes, shape = unit_volumes(filters, patch_shape)
    if volumes.shape[1] < 2:
        raise ValueError(
            f"patch_shape={shape} has no motion; give filters of movies, (frames, height, width), "
            "of at least 2 frames."
        )
    volumes = volumes - volumes.mean(axis=(2, 3), keepdims=True)
    sizes: Any = [fft.next_fast_len(_FINER * side) for side in volumes.shape[1:4]]
    step = max(1, _BLOCK_SIZE // int(np.prod(sizes)))
    found = [_preferred(volumes[i : i + step], sizes) for i in range(0, len(volumes), step)]
    frequency, index = (np.concatenate(parts) for parts in zip(*found, strict=True))
    # The transform is that of cos(2 pi (w t + f x)), which drifts along -f where w > 0.
    turned = np.where(frequency[:, :1] > 0, -frequency[:, 1:], frequency[:, 1:]) + 0.0
    return MotionTuning(turned, np.abs(frequency[:, 0]), index)


def _preferred(
    volumes: NDArray[np.float64], sizes: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where spectra peak, (n_filters, 3) in cycles, and the direction index."""
    transformed: Any = fft.fftn(volumes, sizes, axes=(1, 2, 3))
    amplitude = np.sqrt(np.square(np.abs(transformed)).sum(axis=4))
    peak = np.unravel_index(amplitude.reshape(len(amplitude), -1).argmax(axis=1), sizes)
    each, at, grid = np.arange(len(amplitude)), np.stack(peak), np.array(sizes)[:, np.newaxis]
    # The peak and its neighbors along each axis; the spectrum is periodic.
    around = [(at + step * np.eye(3, dtype=int)[:, :, np.newaxis]) % grid for step in (-1, 0, 1)]
    offset = peak_offset(*(amplitude[(each, *places.swapaxes(0, 1))] for places in around))
    frequency = ((np.where(2 * at > grid, at - grid, at) + offset) / grid).T
    responses = [_response(volumes, frequency * [turn, 1, 1]) for turn in (1, -1)]
    alive = responses[0] > 0
    index = 1 - responses[1] / np.where(alive, responses[0], 1)
    return frequency * alive[:, np.newaxis], np.clip(index * alive, 0, 1)


def _response(volumes: NDArray[np.float64], frequency: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the magnitude of each volume's Fourier transform at one frequency of its own."""
    total: Any = volumes
    for axis, name in enumerate("tyx"):
        places = np.arange(volumes.shape[axis + 1])
        wave = np.exp(-2j * np.pi * np.outer(frequency[:, axis], places))
        kept = "tyxc"[axis:]
        total = np.einsum(f"n{kept},n{name}->n{kept[1:]}", total, wave)
    return np.linalg.norm(total, axis=1)
