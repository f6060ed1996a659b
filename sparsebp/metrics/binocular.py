"""Binocular filters: which eye and which disparity each prefers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._shapes import EYES, PatchShape
from sparsebp._tables import Table
from sparsebp.metrics._filters import peak_offset, unit_volumes


@dataclass(frozen=True, eq=False, repr=False)
class BinocularTuning(Table):
    """Eyes and disparities of binocular filters, one entry of each array per filter.

    Attributes
    ----------
    dominance : ndarray of shape (n_filters,)
        Ocular dominance (|r| - |l|) / (|r| + |l|) of the norms of the left and the right half:
        -1 for the left eye alone, 0 for both alike, 1 for the right eye alone; 0 for a zero filter.
    disparity : ndarray of shape (n_filters,)
        Pixels by which the right half, moved back, resembles the left half most: where the curve
        peaks. Negative is nearer than where the eyes look. NaN if one half is zero.
    correlation : ndarray of shape (n_filters,)
        The curve at that disparity, from 0 to 1: near 1 if one half is the other one moved. Of
        halves that have nothing in common the disparity means nothing.
    disparities : ndarray of shape (n_disparities,)
        Of the curves: all whole numbers of pixels from -(width - 1) to width - 1.
    curves : ndarray of shape (n_filters, n_disparities)
        Σ left(y, x) right(y, x + d) / (|l| |r|), the correlation of the two halves at the
        horizontal disparity d, both being zero outside of the patch. The mean response of a
        binocular energy detector to white noise changes in proportion to it with the noise's
        disparity. 0 if one half is zero.
    """

    dominance: NDArray[np.float64]
    disparity: NDArray[np.float64]
    correlation: NDArray[np.float64]
    disparities: NDArray[np.float64]
    curves: NDArray[np.float64]
    _columns: ClassVar = ("dominance", "disparity", "correlation")


def binocular_tuning(filters: ArrayLike, patch_shape: PatchShape) -> BinocularTuning:
    """Measure ocular dominance and preferred horizontal disparity of binocular filters.

    Parameters
    ----------
    filters : array-like of shape (n_filters, 2 * height * width [* 3])
        Of patches of the left eye, then the right eye. Only their shape matters.
    patch_shape : (2, height, width) or (2, height, width, 3)
        In pixels.

    Returns
    -------
    BinocularTuning

    Raises
    ------
    ValueError
        If the filters are not a finite real matrix, or patch_shape is not of two eyes.

    References
    ----------
    P. O. Hoyer, A. Hyvärinen, Network: Computation in Neural Systems 11, 191-210, 2000.
    Fleet, Wagner & Heeger 1996, "Neural encoding of binocular disparity: energy models,
    position shifts and phase shifts".

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import binocular_tuning
    >>> bar = np.outer(np.ones(6), [0, -1, 2, -1, 0, 0, 0, 0])
    >>> both = np.stack([bar, 0.5 * np.roll(bar, 3, axis=1)])
    >>> tuning = binocular_tuning(both.reshape(1, -1), (2, 6, 8))
    >>> tuning.disparity.round(2), tuning.dominance.round(2)
    (array([3.]), array([-0.33]))
    >>> list(tuning.to_dict())
    ['dominance', 'disparity', 'correlation']
    """
    volumes, shape = unit_volumes(filters, patch_shape)
    if len(shape) < 3 or volumes.shape[1] != EYES:
        raise ValueError(
            f"patch_shape={shape} is not of two eyes; give filters of binocular patches, "
            f"({EYES}, height, width)."
        )
    left, right = np.moveaxis(volumes, 1, 0)
    norms = np.linalg.norm(volumes.reshape(len(volumes), EYES, -1), axis=2).T
    disparities, curves = _correlate(left, right)
    product = norms.prod(axis=0)
    curves /= np.where(product > 0, product, 1)[:, np.newaxis]
    peak, each = curves.argmax(axis=1), np.arange(len(curves))
    around = np.pad(curves, ((0, 0), (1, 1)))
    offset = peak_offset(*(around[each, peak + step] for step in range(3)))
    total = norms.sum(axis=0)
    return BinocularTuning(
        dominance=(norms[1] - norms[0]) / np.where(total > 0, total, 1),
        disparity=np.where(product > 0, disparities[peak] + offset, np.nan),
        correlation=np.maximum(curves[each, peak], 0),
        disparities=disparities,
        curves=curves,
    )


def _correlate(left: NDArray, right: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Σ left(y, x) right(y, x + d) for all d, and d; both are zero outside of the patch."""
    width = left.shape[2]
    disparities = np.arange(1.0 - width, width)
    padded = np.pad(right, ((0, 0), (0, 0), (width - 1, width - 1), (0, 0)))
    curves = [
        np.einsum("nyxc,nyxc->n", left, padded[:, :, first : first + width])
        for first in range(len(disparities))
    ]
    return disparities, np.stack(curves, axis=1)
