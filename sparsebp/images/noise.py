"""How strong the noise of an image is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sparsebp.images._patches import checked_image

#: Unit-norm high-pass filter of Daubechies' wavelet with two vanishing moments (1988).
_DETAIL = np.array([1 - 3**0.5, -(3 - 3**0.5), 3 + 3**0.5, -(1 + 3**0.5)]) / 32**0.5
#: Median of |z| of a standard normal z.
_MEDIAN = 0.6744897501960817


def estimate_sigma(image: ArrayLike) -> float:
    """Estimate the standard deviation of white noise from an image's finest details.

    Diagonal details of a photograph are few and large, those of noise many and of standard
    deviation σ; the median sees the many.

    Parameters
    ----------
    image : array-like of shape (height, width) or (height, width, n_channels)
        The noisy image, at least 4 pixels high and wide.

    Returns
    -------
    sigma : float
        σ ≥ 0 in the image's units, the root of the mean σ² of the channels. Fine texture reads as
        noise: photographs without noise give 0.5 to 2 % of their range. More than half of a
        picture constant gives 0.

    Raises
    ------
    ValueError
        If the image is no finite image, or smaller.

    Notes
    -----
    Donoho & Johnstone, *Ideal spatial adaptation by wavelet shrinkage* (1994).

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(scale=5, size=(200, 200))
    >>> round(estimate_sigma(100 + noise), 1)
    5.0
    """
    values = checked_image(image).astype(np.float64, copy=False)
    if min(values.shape[:2]) < len(_DETAIL):
        raise ValueError(
            f"The image has {values.shape[0]} × {values.shape[1]} pixels, too few to estimate the "
            "noise from; give sigma."
        )
    details = values
    for axis in (0, 1):
        windows = np.lib.stride_tricks.sliding_window_view(details, len(_DETAIL), axis=axis)
        details = windows @ _DETAIL
    by_channel = np.median(np.abs(details), axis=(0, 1)) / _MEDIAN
    sigma = float(np.sqrt(np.square(by_channel).mean()))
    rounding = np.finfo(np.float64).eps * float(np.abs(values).max())
    return sigma if sigma > rounding else 0.0
