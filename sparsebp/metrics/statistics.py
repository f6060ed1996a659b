"""Statistics of coefficients: kurtosis, fraction near zero, explained variance, entropy."""

from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_flag, check_matrix, check_number
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._unused import unused_components

GAUSSIAN_KURTOSIS = 3.0
#: Fraction of the root mean square of all coefficients below which one is near zero.
NEAR_ZERO = 0.1


@overload
def coefficient_kurtosis(codes: ArrayLike, *, per_component: Literal[False] = ...) -> float: ...


@overload
def coefficient_kurtosis(
    codes: ArrayLike, *, per_component: Literal[True]
) -> NDArray[np.float64]: ...


def coefficient_kurtosis(
    codes: ArrayLike, *, per_component: bool = False
) -> float | NDArray[np.float64]:
    """Compute the kurtosis of coefficients, a measure of sparseness.

    kurtosis = mean((s - mean(s))^4) / mean((s - mean(s))^2)^2, which is 3 for a Gaussian and
    more for sparse codes. The excess kurtosis that some authors report is 3 less.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        Coefficients.
    per_component : bool, default False
        False: over all coefficients together, so that components of unequal variance count as
        sparseness too. True: for each component over its own samples.

    Returns
    -------
    kurtosis : float, or ndarray of shape (n_components,)
        1 or more; 3, that of a Gaussian, if all coefficients are equal.

    Raises
    ------
    ValueError, TypeError
        If the codes are not a finite real matrix, or per_component is not a bool.

    References
    ----------
    Olshausen & Field 1996, "Emergence of simple-cell receptive field properties by learning a
    sparse code for natural images": 20 for learned functions against 7 for random ones.

    Examples
    --------
    >>> from sparsebp.metrics import coefficient_kurtosis
    >>> coefficient_kurtosis([[0, 0, 0, 4], [0, 0, 0, -4]])
    4.0
    >>> coefficient_kurtosis([[0, 1], [0, -1]], per_component=True)
    array([3., 1.])
    """
    check_flag("per_component", per_component)
    matrix = check_matrix("codes", codes).astype(np.float64)
    columns = matrix if per_component else matrix.reshape(-1, 1)
    kurtosis = _kurtosis(columns)
    return kurtosis if per_component else float(kurtosis[0])


def _kurtosis(columns: NDArray) -> NDArray:
    scale = np.abs(columns).max(axis=0)
    unit = columns / np.where(scale > 0, scale, 1.0)
    squares = (unit - unit.mean(axis=0)) ** 2
    variance = squares.mean(axis=0)
    # Rounding of the mean leaves a constant with a variance of this order.
    varies = variance > 1e-28
    ratio = (squares**2).mean(axis=0) / np.where(varies, variance, 1.0) ** 2
    return np.where(varies, ratio, GAUSSIAN_KURTOSIS)


@overload
def near_zero_fraction(codes: ArrayLike, *, per_component: Literal[False] = ...) -> float: ...


@overload
def near_zero_fraction(
    codes: ArrayLike, *, per_component: Literal[True]
) -> NDArray[np.float64]: ...


def near_zero_fraction(
    codes: ArrayLike, *, per_component: bool = False
) -> float | NDArray[np.float64]:
    """Compute the fraction of the coefficients that are near zero.

    Near zero is at most a tenth of the root mean square of all coefficients together. A Gaussian
    has 8 % of its values there.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        Coefficients.
    per_component : bool, default False
        Whether to count for each component separately, still relative to the root mean square of
        all together: 1 means that no sample uses the component.

    Returns
    -------
    share : float, or ndarray of shape (n_components,)
        From 0 to 1.

    Raises
    ------
    ValueError, TypeError
        If the codes are not a finite real matrix, or per_component is not a bool.

    Examples
    --------
    >>> from sparsebp.metrics import near_zero_fraction
    >>> near_zero_fraction([[0, 0.1], [0, -4]])
    0.75
    >>> near_zero_fraction([[0, 0.1], [0, -4]], per_component=True)
    array([1. , 0.5])
    """
    check_flag("per_component", per_component)
    size = np.abs(check_matrix("codes", codes).astype(np.float64))
    # Squares of very large or small numbers leave the range of floats.
    size /= size.max() or 1.0
    near = size <= NEAR_ZERO * np.sqrt(np.square(size).mean())
    return near.mean(axis=0) if per_component else float(near.mean())


def signal_fraction(features: ArrayLike, codes: ArrayLike) -> NDArray[np.float64]:
    """Compute the fraction of the signal of each component: Σ s² ‖a‖² / the sum over components.

    Parameters
    ----------
    features : array-like of shape (n_components, n_features)
        a, what a component adds to a sample.
    codes : array-like of shape (n_samples, n_components)
        s.

    Returns
    -------
    share : ndarray of shape (n_components,)
        From 0 to 1, with sum 1; 0 if all codes are zero.

    Raises
    ------
    ValueError
        If an array is not a finite real matrix, or their numbers of components differ.

    Examples
    --------
    >>> from sparsebp.metrics import signal_fraction
    >>> signal_fraction([[1, 0], [0, 2]], [[2, 0], [0, 1]])
    array([0.5, 0.5])
    """
    a, s = check_matrix("features", features), check_matrix("codes", codes)
    if len(a) != s.shape[1]:
        raise ValueError(
            f"codes have {s.shape[1]} columns but there are {len(a)} features; give one column "
            "for each feature."
        )
    sizes = [np.abs(part).max() or 1.0 for part in (a, s)]
    a, s = (part.astype(np.float64) / size for part, size in zip((a, s), sizes, strict=True))
    energy = np.square(s).sum(axis=0) * np.square(a).sum(axis=1)
    return energy / (energy.sum() or 1.0)


def silent_components(features: ArrayLike, codes: ArrayLike) -> NDArray[np.intp]:
    """Find the components that contribute almost nothing: unused atoms, silent filters.

    Parameters
    ----------
    features : array-like of shape (n_components, n_features)
        What each adds to a sample.
    codes : array-like of shape (n_samples, n_components)

    Returns
    -------
    silent : ndarray of int
        Indices of the components whose `signal_fraction` is at most a thousandth of the typical
        one, the median of those above a thousandth of the mean.

    Raises
    ------
    ValueError
        As for `signal_fraction`.

    Examples
    --------
    >>> from sparsebp.metrics import silent_components
    >>> silent_components([[1, 0], [0, 1], [1, 1]], [[1, 0, 1], [2, 1e-3, 0]])
    array([1])
    """
    return unused_components(signal_fraction(features, codes))


def explained_variance(samples: ArrayLike, reconstruction: ArrayLike) -> float:
    """Compute the fraction of the samples' variance that a reconstruction explains.

    1 − Σ ‖x − x̂‖² / Σ ‖x − mean(x)‖², sums and mean being over the samples.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
        x.
    reconstruction : array-like of shape (n_samples, n_features)
        x̂.

    Returns
    -------
    share : float
        At most 1; negative if the mean alone would explain more. NaN if all samples are equal.

    Raises
    ------
    ValueError
        If an array is not a finite real matrix, or their shapes differ.

    Examples
    --------
    >>> from sparsebp.metrics import explained_variance
    >>> explained_variance([[2, 1], [-2, -1]], [[2, 0], [-2, 0]])
    0.8
    """
    x, back = check_matrix("samples", samples), check_matrix("reconstruction", reconstruction)
    if x.shape != back.shape:
        raise ValueError(
            f"samples have shape {x.shape} but the reconstruction {back.shape}; give one "
            "reconstruction for each sample."
        )
    scale = float(np.abs(x).max()) or 1.0
    x, back = (part.astype(np.float64) / scale for part in (x, back))
    varied = np.square(x - x.mean(axis=0)).sum()
    if not (np.ptp(x, axis=0) > 0).any():  # rounding of the mean is not variance
        return float("nan")
    with ignore_float_warnings():  # −∞ if almost nothing varies and the errors are large
        return float(1 - np.square(x - back).sum() / varied)


def coefficient_entropy(codes: ArrayLike, *, step: float | None = None) -> float:
    """Compute the entropy of quantized coefficients in bits per coefficient.

    entropy = -sum_b p_b log2(p_b), where p_b is the fraction of all coefficients in bin b;
    the bins are step wide and one is centered on 0.

    Parameters
    ----------
    codes : array-like of shape (n_samples, n_components)
        Coefficients.
    step : float > 0, default None
        Width of the bins in units of the coefficients. None takes a quarter of the standard
        deviation of all coefficients together, with which a Gaussian has 4.05 bits. Halving
        the step adds about one bit, so compare entropies at equal steps only: give one step
        for codes of equal scale, or leave None to compare shapes alone.

    Returns
    -------
    entropy : float
        0 or more; 0 if all coefficients are equal. It is too small with few samples per bin.

    Raises
    ------
    ValueError
        If the codes are not a finite real matrix, or the step is not positive and finite.

    References
    ----------
    Olshausen & Field 1996 (histogram method): 4.0 bits for learned functions against 4.6 for
    random ones at an equal reconstruction error.

    Examples
    --------
    >>> from sparsebp.metrics import coefficient_entropy
    >>> coefficient_entropy([[0, 0], [1, 5]], step=1.0)
    1.5
    """
    coefficients = check_matrix("codes", codes).astype(np.float64).ravel()
    if step is None:
        step = _default_step(coefficients)
    step = check_number("step", step, above=0, also=", or None")
    # With a step near the smallest number, large coefficients share the bin at infinity.
    with np.errstate(over="ignore"):
        bins = np.rint(coefficients / float(step))
    counts = np.unique(bins, return_counts=True)[1]
    share = counts / counts.sum()
    return float(max(0.0, -(share * np.log2(share)).sum()))


def _default_step(coefficients: NDArray) -> float:
    scale = float(np.abs(coefficients).max()) or 1.0
    deviation = float((coefficients / scale).std())
    if deviation <= 1e-14:
        return 2 * scale
    return max(0.25 * deviation * scale, np.finfo(np.float64).tiny)
