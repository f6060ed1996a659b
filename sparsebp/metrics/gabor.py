"""Gabor functions fitted to filters: position, orientation, frequency and size of each."""

from collections.abc import Sequence
from math import prod

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_matrix
from sparsebp._magnitudes import decomposing, ignore_float_warnings, require_finite
from sparsebp._shapes import as_volumes, checked_patch_shape, picture_size, resolved_patch_shape
from sparsebp.metrics._gabor_model import ANGLE, FREQUENCY, WIDTHS, gabor_pair
from sparsebp.metrics._gabor_refine import amplitudes, refine, within_bounds
from sparsebp.metrics._gabor_result import GaborFit, half_turns, within_half_turn
from sparsebp.metrics._gabor_search import coarse_search

N_STARTS = 12
N_FINALISTS = 6
FIRST_ITERATIONS = 6
LAST_ITERATIONS = 50
#: Starts as close as this in each parameter end in the same minimum.
CLOSE = np.array([0.03, 0.03, 0.01, 0.0015, 0.03, 0.03])


def gabor_fit(filters: ArrayLike, patch_shape: Sequence[int]) -> GaborFit:
    """Fit a Gabor function to each filter by least squares.

    Minimizes sum over pixels of (filter - offset - amplitude exp(-u^2 / (2 along^2)
    - v^2 / (2 across^2)) cos(2 pi carrier u + phase))^2, so that a filter's mean does not
    matter. A grid over the six non-linear parameters, the amplitudes of the cosine and the
    sine solved for exactly, gives starts that a Levenberg-Marquardt iteration refines. The
    result is nearly always the best fit over all parameters, and never random. As many threads are
    used as BLAS may use.

    Color filters are first projected on their principal color, the first right singular vector of
    the filter's (height * width, 3) matrix less each channel's mean; its sign makes its largest
    entry positive. All results are for this gray image. Volumes are projected over their frames in
    the same way: a moving filter is described by its strongest image.

    Parameters
    ----------
    filters : array-like of shape (n_filters, height * width) or (n_filters, height * width * 3)
        Patches flattened in C order. Only their shape matters, not their scale.
    patch_shape : int, (height, width), (height, width, 3) or (frames, height, width)
        In pixels.

    Returns
    -------
    GaborFit

    Raises
    ------
    ValueError
        If the filters are not a finite real matrix, or the patch shape is not two or three
        positive integers whose product is the number of columns.

    References
    ----------
    Jones & Palmer 1987, "An evaluation of the two-dimensional Gabor filter model of simple
    receptive fields in cat striate cortex". Golub & Pereyra 1973 on separable least squares.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import gabor_fit
    >>> row, column = np.mgrid[:8, :8]
    >>> envelope = np.exp(-((row - 3) ** 2 + (column - 4) ** 2) / 8)
    >>> fit = gabor_fit((envelope * np.cos(np.pi / 2 * (column - 4))).reshape(1, -1), (8, 8))
    >>> fit.r_squared.round(4), fit.frequency.round(4), fit.center.round(3)
    (array([1.]), array([0.25]), array([[3., 4.]]))
    """
    gray, shape = _gray_filters(filters, patch_shape)
    scale = np.abs(gray).max(axis=1)
    unit = gray / np.where(scale > 0, scale, 1.0)[:, None]
    mean = unit.mean(axis=1)
    targets = unit - mean[:, None]
    length = np.linalg.norm(targets, axis=1)
    # Rounding leaves a constant filter with a residue of this order.
    alive = length > 1e-12
    targets[alive] /= length[alive, None]
    parameters = np.tile(_blank_parameters(shape), (len(gray), 1))
    if alive.any():
        parameters[alive] = _best_parameters(targets[alive], shape)
    targets[~alive] = 0.0
    with ignore_float_warnings():
        return _describe(parameters, targets, shape, (scale * length, scale * mean))


def _gray_filters(
    filters: ArrayLike, patch_shape: Sequence[int]
) -> tuple[NDArray, tuple[int, int]]:
    matrix = check_matrix("filters", filters).astype(np.float64)
    shape = resolved_patch_shape(matrix.shape[1], checked_patch_shape(patch_shape), "each filter")
    size = picture_size(shape)
    if len(shape) > len(size):
        volumes = np.moveaxis(as_volumes(matrix, shape), 1, 3)
        images = volumes.reshape(len(matrix), prod(size), -1)
        matrix = _principal_image(images)
    return matrix, size


def _principal_image(filters: NDArray) -> NDArray:
    """Project each filter (n_pixels, n) on its first singular vector over colors and frames."""
    scale = np.abs(filters).max(axis=(1, 2), keepdims=True)
    unit = filters / np.where(scale > 0, scale, 1.0)
    centered = unit - unit.mean(axis=1, keepdims=True)
    with decomposing():
        color = np.linalg.eigh(centered.transpose(0, 2, 1) @ centered)[1][:, :, -1]
    largest = np.take_along_axis(color, np.abs(color).argmax(axis=1)[:, None], axis=1)
    return (filters @ (color * np.sign(largest))[:, :, None])[:, :, 0]


def _blank_parameters(shape: tuple[int, int]) -> NDArray:
    height, width = shape
    return np.array([(height - 1) / 2, (width - 1) / 2, 0.0, 0.0, 0.0, 0.0])


def _best_parameters(targets: NDArray, shape: tuple[int, int]) -> NDArray:
    starts = coarse_search(targets, shape, N_STARTS)
    starts, cost = _refine_each(starts, targets, shape, FIRST_ITERATIONS)
    order = np.argsort(cost, axis=1)[:, :N_FINALISTS]
    finalists = np.take_along_axis(starts, order[:, :, None], axis=1)
    mirrored = _mirrored(finalists[:, 0], shape)[:, None]
    finalists = np.concatenate([finalists, mirrored], axis=1)
    finalists, cost = _refine_each(finalists, targets, shape, LAST_ITERATIONS)
    return finalists[np.arange(len(targets)), cost.argmin(axis=1)]


def _refine_each(
    starts: NDArray, targets: NDArray, shape: tuple[int, int], n_iterations: int
) -> tuple[NDArray, NDArray]:
    """Refine the starts (n_filters, n_starts, 6), but for those that others lead to as well."""
    new = _distinct(starts)
    fitted, cost = starts.copy(), np.full(new.shape, np.inf)
    repeated = targets[np.nonzero(new)[0]]
    fitted[new], cost[new] = refine(starts[new], repeated, shape, n_iterations)
    return fitted, cost


def _distinct(starts: NDArray) -> NDArray:
    """Return which starts are not close to an earlier start of the same filter."""
    away = starts[:, :, None] - starts[:, None]
    away[..., ANGLE] = np.mod(away[..., ANGLE] + np.pi / 2, np.pi) - np.pi / 2
    is_close = (np.abs(away) <= CLOSE).all(axis=-1)
    return np.logical_not(np.tril(is_close, -1).any(axis=2))


def _mirrored(best: NDArray, shape: tuple[int, int]) -> NDArray:
    """Return each fit with its wave mirrored, a start in another valley.

    Near the Nyquist frequency a wave resembles its mirror image, and then only the envelope
    distinguishes the two.
    """
    mirrored = best.copy()
    mirrored[:, ANGLE] *= -1
    return within_bounds(mirrored, shape)


def _describe(
    parameters: NDArray, targets: NDArray, shape: tuple[int, int], levels: tuple[NDArray, NDArray]
) -> GaborFit:
    size, mean = levels
    pair = gabor_pair(parameters, shape)
    pair_mean = pair.mean(axis=2)
    centered = pair - pair_mean[:, :, None]
    weights = amplitudes(centered, targets)
    residual = targets - (weights[:, None] @ centered)[:, 0]
    total = (targets**2).sum(axis=1)
    r_squared = np.where(total > 0, 1 - (residual**2).sum(axis=1), 0.0)
    # A wave that travels backwards is the same wave with the opposite phase.
    backward = half_turns(parameters[:, ANGLE]) % 2 > 0
    phase = np.arctan2(-weights[:, 1], weights[:, 0])
    amplitude = require_finite("Amplitudes", size * np.hypot(*weights.T), "filters")
    return GaborFit(
        r_squared=np.clip(r_squared, 0.0, 1.0),
        orientation=within_half_turn(parameters[:, ANGLE]),
        carrier=parameters[:, FREQUENCY],
        phase=np.where(backward, -phase, phase),
        center=parameters[:, :2],
        sigma=np.exp(parameters[:, WIDTHS]),
        amplitude=amplitude,
        offset=mean - size * (weights * pair_mean).sum(axis=1),
        patch_shape=shape,
    )
