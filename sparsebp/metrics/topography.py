"""Topography: the similarity of neighbors on a map of filters."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import check_shape
from sparsebp.metrics._gabor_result import GaborFit, check_fit


@dataclass(frozen=True)
class TopographyIndex:
    """Mean difference of neighbors on a map divided by that of all pairs, for each quantity.

    1 is the mean of a map in random order; less means order, and more means that neighbors differ
    more than random pairs.

    Attributes
    ----------
    orientation, frequency, place, phase : float
        0 or more; 1 if all filters are equal.
    """

    orientation: float
    frequency: float
    place: float
    phase: float


class _Pairs(NamedTuple):
    first: NDArray[np.intp]
    second: NDArray[np.intp]


def topography_index(
    fit: GaborFit, grid_shape: Sequence[int], *, wrap: bool = True
) -> TopographyIndex:
    """Compare the filters of neighbors on a map with the filters of all pairs.

    index = mean over neighboring pairs of |q_i - q_j| / mean over all pairs of |q_i - q_j|. Each
    cell has eight neighbors, and the pair (i, j) has the weight r_squared_i r_squared_j in both
    means, so that filters that are not Gabor functions, whose parameters are meaningless, hardly
    count. Poorly determined filters are excluded.

    Orientation differs on the circle of length pi, frequency plainly in cycles per pixel, and
    place by the distance of the centers in pixels. Phase is first measured along a common
    direction (a wave that travels backwards has the opposite phase) and then differs on the
    circle of length 2 pi, or from the negative of the other filter if that is nearer: the sign
    of a filter is arbitrary.

    Parameters
    ----------
    fit : GaborFit
        Result of `gabor_fit` for filters in row-major order of the map.
    grid_shape : (rows, columns)
        Shape of the map; rows * columns must be the number of filters.
    wrap : bool, default True
        Whether the map is a torus: its first row is a neighbor of its last, and so for columns.

    Returns
    -------
    TopographyIndex

    Raises
    ------
    TypeError
        If fit is not a GaborFit.
    ValueError
        If grid_shape is not two positive integers, or not a map of as many filters.

    References
    ----------
    Hyvärinen, Hoyer & Inki 2001, "Topographic independent component analysis", section 5,
    find neighbors similar in orientation, frequency and place, and random in phase.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import gabor_fit, topography_index
    >>> row, column = np.mgrid[:8, :8]
    >>> angle = np.pi * np.arange(12)[:, None, None] / 12
    >>> wave = np.cos(angle) * (column - 3.5) + np.sin(angle) * (row - 3.5)
    >>> bars = np.exp(-((row - 3.5) ** 2 + (column - 3.5) ** 2) / 8) * np.cos(1.5 * wave)
    >>> index = topography_index(gabor_fit(bars.reshape(12, -1), (8, 8)), (1, 12))
    >>> round(index.orientation, 2)
    0.31
    """
    check_fit(fit)
    rows, columns = check_shape("grid_shape", grid_shape)
    if rows * columns != len(fit.r_squared):
        raise ValueError(
            f"grid_shape={(rows, columns)} has {rows * columns} cells but fit has "
            f"{len(fit.r_squared)} filters; give the shape of the map that was learned."
        )
    neighbors = _neighbor_pairs((rows, columns), wrap)
    differences = (_orientation, _frequency, _place, _phase)
    return TopographyIndex(*(_ratio(fit, neighbors, difference) for difference in differences))


def _neighbor_pairs(grid_shape: tuple[int, int], wrap: bool) -> _Pairs:
    rows, columns = np.indices(grid_shape).reshape(2, -1)
    here = np.arange(rows.size)
    found = []
    # Half of the eight directions reach every pair once; the rest are the same pairs reversed.
    for down, right in ((0, 1), (1, -1), (1, 0), (1, 1)):
        row, column = rows + down, columns + right
        if wrap:
            row, column = row % grid_shape[0], column % grid_shape[1]
        inside = (row < grid_shape[0]) & (column >= 0) & (column < grid_shape[1])
        there = row * grid_shape[1] + column
        found.append(np.stack([here[inside], there[inside]]))
    # On a narrow torus a cell may be its own neighbor, or another's twice.
    pairs = np.unique(np.sort(np.concatenate(found, axis=1), axis=0), axis=1)
    return _Pairs(*pairs[:, pairs[0] != pairs[1]])


def _ratio(
    fit: GaborFit, neighbors: _Pairs, difference: Callable[[GaborFit, _Pairs], NDArray]
) -> float:
    counts = np.where(fit.well_determined, fit.r_squared, 0.0)
    weight = counts[neighbors.first] * counts[neighbors.second]
    near, near_weight = (weight * difference(fit, neighbors)).sum(), weight.sum()
    everywhere, total_weight = 0.0, 0.0
    n_filters = len(fit.r_squared)
    # One row of pairs at a time: all of them together are too many for a large map.
    for filter_index in range(n_filters - 1):
        others = np.arange(filter_index + 1, n_filters)
        pairs = _Pairs(np.full(len(others), filter_index), others)
        weight = counts[filter_index] * counts[others]
        everywhere += (weight * difference(fit, pairs)).sum()
        total_weight += weight.sum()
    if near_weight == 0 or everywhere <= 1e-12 * total_weight:
        return 1.0
    return float(near / near_weight * total_weight / everywhere)


def _circular(difference: NDArray, period: float) -> NDArray:
    remainder = np.mod(difference, period)
    return np.minimum(remainder, period - remainder)


def _orientation(fit: GaborFit, pairs: _Pairs) -> NDArray:
    return _circular(fit.orientation[pairs.first] - fit.orientation[pairs.second], np.pi)


def _frequency(fit: GaborFit, pairs: _Pairs) -> NDArray:
    return np.abs(fit.frequency[pairs.first] - fit.frequency[pairs.second])


def _place(fit: GaborFit, pairs: _Pairs) -> NDArray:
    return np.linalg.norm(fit.center[pairs.first] - fit.center[pairs.second], axis=1)


def _phase(fit: GaborFit, pairs: _Pairs) -> NDArray:
    turn = fit.orientation[pairs.first] - fit.orientation[pairs.second]
    direction = np.where(np.abs(turn) > np.pi / 2, -1.0, 1.0)
    difference = fit.phase[pairs.first] - direction * fit.phase[pairs.second]
    # On the circle of length 2 pi, a filter and its negative are pi apart.
    return _circular(difference, np.pi)
