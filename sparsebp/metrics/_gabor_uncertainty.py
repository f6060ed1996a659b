"""Uncertainty of the parameters of a filter's Gabor function."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparsebp.metrics._gabor_model import ANGLE, FREQUENCY, WIDTHS, gabor_pair, images, slopes
from sparsebp.metrics._gabor_spectrum import peak_frequency

#: Fraction of a filter's variance by which a fit may be worse.
TOLERANCE = 0.01
_CENTER = [0, 1]
_PHASE, _AMPLITUDE = 6, 7
_STEP = 1e-5
_RIDGE = 1e-10


class GaborUncertainty(NamedTuple):
    """How far each parameter can change until the fit explains 1 % less of the filter's variance.

    The other parameters are adapted. To first order, which overestimates the widths along the waves
    of edges. Infinite for a constant filter, and the frequency's also for a blob, whose spectrum
    peaks at zero.

    Attributes
    ----------
    orientation : ndarray of shape (n_filters,)
        Radians.
    frequency : ndarray of shape (n_filters,)
        Octaves, of the peak frequency.
    center : ndarray of shape (n_filters, 2)
        Pixels, row and column.
    sigma : ndarray of shape (n_filters, 2)
        Octaves, along and across the wave.
    """

    orientation: NDArray[np.float64]
    frequency: NDArray[np.float64]
    center: NDArray[np.float64]
    sigma: NDArray[np.float64]


def uncertainty(
    parameters: NDArray, weights: NDArray, r_squared: NDArray, shape: tuple[int, int]
) -> GaborUncertainty:
    """Return the uncertainty of parameters (n_filters, 6), as `refine` returns them.

    `weights` (n_filters, 2) are the amplitudes of cosine and sine. With J the derivative of the
    fitted image in the parameters, relative to the length of the filter, a step d makes the
    residual's share of the variance larger by d'J'Jd. Where that is held at the tolerance t, a
    quantity of gradient g moves by at most sqrt(t g'(J'J)^-1 g).
    """
    inverse = _inverse_curvature(parameters, weights, r_squared, shape)
    variances = np.einsum("nii->ni", inverse)
    gradient, peak = _frequency_gradient(parameters, np.arctan2(-weights[:, 1], weights[:, 0]))
    spread = np.sqrt(TOLERANCE * np.maximum(variances, 0))
    frequency = np.einsum("ni,nij,nj->n", gradient, inverse, gradient)
    frequency = np.sqrt(TOLERANCE * np.maximum(frequency, 0)) / np.log(2)
    constant = ~weights.any(axis=1)
    spread[constant] = np.inf
    return GaborUncertainty(
        orientation=spread[:, ANGLE],
        frequency=np.where((peak > 0) & ~constant, frequency, np.inf),
        center=spread[:, _CENTER],
        sigma=spread[:, WIDTHS] / np.log(2),
    )


def _inverse_curvature(
    parameters: NDArray, weights: NDArray, r_squared: NDArray, shape: tuple[int, int]
) -> NDArray:
    pair = gabor_pair(parameters, shape)
    turned = np.stack([weights[:, 1], -weights[:, 0]], axis=1)
    linear = np.stack([turned, weights], axis=1) @ pair
    changes = images(slopes(parameters, weights, shape), pair, shape)
    changes = np.concatenate([changes, linear], axis=1)
    changes -= changes.mean(axis=2, keepdims=True)
    explained = (changes[:, _AMPLITUDE] ** 2).sum(axis=1)
    share = np.maximum(r_squared, 1e-12) / np.where(explained > 0, explained, 1.0)
    curvature = share[:, None, None] * (changes @ changes.transpose(0, 2, 1))
    # Parameters of different units are compared by what each does to the image alone.
    unit = np.sqrt(np.einsum("nii->ni", curvature)) + 1e-12
    scale = unit[:, :, None] * unit[:, None, :]
    return np.linalg.inv(curvature / scale + _RIDGE * np.eye(curvature.shape[1])) / scale


def _frequency_gradient(parameters: NDArray, phase: NDArray) -> tuple[NDArray, NDArray]:
    """Return the gradient of the peak frequency's logarithm, and the peak frequency."""
    along = WIDTHS[0]
    point = {
        FREQUENCY: parameters[:, FREQUENCY],
        along: parameters[:, along],
        _PHASE: phase,
    }

    def peak(at: dict[int, Any]) -> NDArray:
        return peak_frequency(at[FREQUENCY], np.exp(at[along]), at[_PHASE])

    here = peak(point)
    gradient = np.zeros((len(parameters), _AMPLITUDE + 1))
    for index in point:
        ahead, behind = (peak(point | {index: point[index] + s * _STEP}) for s in (1, -1))
        gradient[:, index] = (ahead - behind) / (2 * _STEP)
    return gradient / np.where(here > 0, here, 1.0)[:, None], here
