"""Normalization of single patches: mean, contrast, norm."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_matrix, check_number
from sparsebp._magnitudes import ignore_float_warnings, in_range, require_finite


def remove_mean(patches: ArrayLike) -> NDArray[Any]:
    """Subtract from each patch its own mean: x_j <- x_j - mean(x_j).

    Natural images are nearly stationary, so the mean of a gray patch is only its local brightness.
    The three channels of a color patch have three means, and their differences are its hue: color
    patches usually keep their mean, and only `Whitening` centers them (Ng et al., UFLDL tutorial,
    "Data preprocessing").

    Parameters
    ----------
    patches : array-like of shape (n_patches, n_pixels)
        One patch a row. NaN is missing: the mean is that of the known pixels, and NaN stays NaN.

    Returns
    -------
    ndarray of shape (n_patches, n_pixels)
        float32 if `patches` is float32, else float64.

    Raises
    ------
    ValueError
        If `patches` is not a non-empty table of numbers, or contains infinity.

    Examples
    --------
    >>> from sparsebp.preprocessing import remove_mean
    >>> remove_mean([[1, 2, 3], [7, 7, 7]])
    array([[-1.,  0.,  1.],
           [ 0.,  0.,  0.]])
    >>> remove_mean([[1, float("nan"), 3]])
    array([[-1., nan,  1.]])
    """
    patches = check_matrix("patches", patches, missing=True)
    missing = np.isnan(patches)
    scaled, exponent = in_range(_with_first_known(patches, missing))
    # Shifted first: the mean of equal numbers is rounded, their differences are exactly zero.
    shifted = scaled - scaled[:, :1]  # zero where a pixel is missing
    n_known = np.maximum(missing.shape[1] - missing.sum(axis=1, keepdims=True), 1)
    mean = shifted.sum(axis=1, dtype=np.float64, keepdims=True) / n_known
    centered = shifted - mean.astype(scaled.dtype)
    if exponent:
        with ignore_float_warnings():
            centered = require_finite("The patches", np.ldexp(centered, exponent), "patches")
    centered[missing] = np.nan
    return centered


def normalize_contrast(patches: ArrayLike, *, regularization: float = 10 / 255**2) -> NDArray[Any]:
    """Divide each patch by its contrast: x_j <- x_j / sqrt(var(x_j) + regularization).

    The mean is not subtracted: see `remove_mean`. The variance is the mean square about the
    patch's own mean.

    Parameters
    ----------
    patches : array-like of shape (n_patches, n_pixels)
        One patch a row.
    regularization : float, default=10 / 255**2
        Added to the variance, in squared units of the pixels, >= 0, so that noise in patches of
        almost no contrast is not amplified. The default is the value of Coates, Lee and Ng, 10 for
        pixels from 0 to 255, for pixels from 0 to 1. With 0, constant patches stay as they are.

    Returns
    -------
    ndarray of shape (n_patches, n_pixels)
        float32 if `patches` is float32, else float64.

    Raises
    ------
    TypeError
        If `regularization` is not a number.
    ValueError
        If `patches` is not a finite, non-empty table of numbers or `regularization` is negative.

    References
    ----------
    A. Coates, H. Lee, A. Y. Ng, "An analysis of single-layer networks in unsupervised feature
    learning", AISTATS 2011, section 3.1.1.

    Examples
    --------
    >>> from sparsebp.preprocessing import normalize_contrast
    >>> normalize_contrast([[-4, 4], [5, 5]], regularization=9)
    array([[-0.8       ,  0.8       ],
           [ 1.66666667,  1.66666667]])
    """
    patches = check_matrix("patches", patches)
    regularization = check_number("regularization", regularization, minimum=0)
    contrast = np.hypot(row_deviation(patches), np.sqrt(regularization))
    contrast[contrast == 0] = 1
    return patches / contrast.astype(patches.dtype, copy=False)[:, np.newaxis]


def unit_norm(patches: ArrayLike) -> NDArray[Any]:
    """Scale each patch to Euclidean norm one: x_j <- x_j / ||x_j||; zero patches stay zero.

    Parameters
    ----------
    patches : array-like of shape (n_patches, n_pixels)
        One patch a row.

    Returns
    -------
    ndarray of shape (n_patches, n_pixels)
        float32 if `patches` is float32, else float64.

    Raises
    ------
    ValueError
        If `patches` is not a finite, non-empty table of numbers.

    References
    ----------
    Ng et al., UFLDL tutorial, exercise "RICA", which learns from patches of unit norm.

    Examples
    --------
    >>> from sparsebp.preprocessing import unit_norm
    >>> unit_norm([[3, 4], [0, 0]])
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    patches = check_matrix("patches", patches)
    # Divided by the largest entry first: squares of tiny or huge numbers would leave the range.
    peak = np.abs(patches).max(axis=1, keepdims=True)
    scaled = patches / np.where(peak > 0, peak, 1)
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    return scaled / np.where(norm > 0, norm, 1)


def row_deviation(patches: NDArray[Any]) -> NDArray[np.float64]:
    """Return the standard deviation of each row, in float64: exactly zero if constant."""
    scaled, exponent = in_range(patches)
    # Shifted first: the mean of equal numbers is rounded, their differences are exactly zero.
    return np.ldexp((scaled - scaled[:, :1]).std(axis=1, dtype=np.float64), exponent)


def _with_first_known(patches: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Fill missing pixels with the first known one of their patch, or with zeros."""
    if not missing.any():
        return patches
    first = np.take_along_axis(patches, missing.argmin(axis=1)[:, np.newaxis], axis=1)
    return np.where(missing, np.nan_to_num(first), patches)
