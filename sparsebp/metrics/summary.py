"""A summary of the measures by which models are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import check_vector, mistake
from sparsebp.metrics._gabor_result import GaborFit, check_fit
from sparsebp.metrics.statistics import coefficient_kurtosis, explained_variance, near_zero_fraction

#: R² above which a filter counts as a Gabor function.
GABOR_LIKE = 0.8


@dataclass(frozen=True)
class FeatureSummary:
    """Measures of learned features; None if one cannot be computed.

    Attributes
    ----------
    n_components : int
        Atoms or filters learned.
    silent : int
        How many of them contribute almost nothing; they are excluded from the medians below.
    gabor_r2 : float
        Median R² of the best Gabor functions.
    gabor_like : float
        Share of the features with R² above 0.8.
    well_determined : float
        Share of the features that are Gabor functions, R² above 0.8, whose orientation and
        frequency are well determined. The medians below are over these.
    frequency : float or None
        Median peak frequency, cycles per pixel.
    bandwidth : float or None
        Median bandwidth in octaves.
    aspect_ratio, n_x, n_y : float or None
        Medians, as in `GaborFit`.
    kurtosis : float or None
        Of all coefficients together; 3 for a Gaussian.
    near_zero : float or None
        Share of the coefficients that are at most a tenth of their root mean square.
    explained_variance : float or None
        Share of the samples' variance that the reconstruction explains.
    """

    n_components: int
    silent: int
    gabor_r2: float
    gabor_like: float
    well_determined: float
    frequency: float | None
    bandwidth: float | None
    aspect_ratio: float | None
    n_x: float | None
    n_y: float | None
    kurtosis: float | None = None
    near_zero: float | None = None
    explained_variance: float | None = None


def summarize_features(
    fit: GaborFit,
    codes: ArrayLike | None = None,
    *,
    samples: ArrayLike | None = None,
    reconstruction: ArrayLike | None = None,
    silent: ArrayLike = (),
) -> FeatureSummary:
    """Compute the measures of learned features.

    Parameters
    ----------
    fit : GaborFit
        Result of `gabor_fit` for the features.
    codes : array-like of shape (n_samples, n_components), default None
        Their coefficients.
    samples, reconstruction : array-like of shape (n_samples, n_features), default None
        The samples of the codes, and their reconstruction.
    silent : array-like of int, default ()
        Features that contribute almost nothing. Their shapes are meaningless, so they are excluded
        from medians; in fractions they count as not Gabor-like.

    Returns
    -------
    FeatureSummary

    Raises
    ------
    ValueError
        If an array is not a finite real matrix, or shapes differ.
    TypeError
        If `fit` is not a result of `gabor_fit`.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.metrics import gabor_fit, summarize_features
    >>> row, column = np.mgrid[:8, :8]
    >>> bar = np.exp(-((row - 3) ** 2 + (column - 4) ** 2) / 8) * np.cos(1.6 * column)
    >>> found = summarize_features(gabor_fit(bar.reshape(1, -1), (8, 8)), [[0.0], [4.0]])
    >>> found.gabor_like, round(found.frequency, 2), found.near_zero
    (1.0, 0.25, 0.5)
    """
    check_fit(fit)
    alive = np.ones(len(fit.r_squared), dtype=bool)
    alive[_checked_places(silent, len(alive))] = False
    good = alive & (fit.r_squared > GABOR_LIKE)
    known = good & fit.well_determined
    known_codes = codes is not None
    return FeatureSummary(
        n_components=len(alive),
        silent=int((~alive).sum()),
        gabor_r2=_median(fit.r_squared[alive]) or 0.0,
        gabor_like=float(good.mean()),
        well_determined=float(known.mean()),
        frequency=_median(fit.frequency[known]),
        bandwidth=_median(fit.bandwidth[known]),
        aspect_ratio=_median(fit.aspect_ratio[known]),
        n_x=_median(fit.n_x[known]),
        n_y=_median(fit.n_y[known]),
        kurtosis=coefficient_kurtosis(codes) if known_codes else None,
        near_zero=near_zero_fraction(codes) if known_codes else None,
        explained_variance=(
            None
            if samples is None or reconstruction is None
            else explained_variance(samples, reconstruction)
        ),
    )


def _checked_places(silent: ArrayLike, n_components: int) -> np.ndarray:
    places = check_vector("silent", silent) if np.size(silent) else np.empty(0)
    if not (np.isin(places, np.arange(n_components))).all():
        raise ValueError(
            mistake("silent", f"indices of components, from 0 to {n_components - 1}", silent)
        )
    return places.astype(int)


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if values.size else None
