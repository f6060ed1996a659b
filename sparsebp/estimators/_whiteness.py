"""A warning if samples are not white, although whitening is off.

White samples have mean 0 and the same variance in all directions that they span. The variances
λ of n directions are compared with equal ones by δ² = (n Σλ² / (Σλ)² − 1) / (n − 1): 0 for
white samples, 1 if they span one direction. For features of equal variance, δ is the root mean
square of their correlations, and any rotation of the samples has the same δ.
"""

from __future__ import annotations

import numpy as np

from sparsebp._warnings import warn_user

#: Patches of photographs of 8 × 8 to 16 × 16 have δ of 0.64 to 0.94, without their means 0.19 to
#: 0.34; of images whitened as a whole up to 0.17, whitened with a strong regularization up to 0.23.
#: Mixtures of up to 16 sources have 0.25 or more, 32 channels of EEG 0.58.
_NOT_WHITE = 0.25
#: Samples that are looked at, evenly spread.
ENOUGH = 1000
#: Directions of less than this share of the largest variance are not counted.
_NEGLIGIBLE = 1e-6


def warn_if_not_white(name: str, some: np.ndarray) -> None:
    """Warn if an estimator that does not whiten has samples, in rows, that are not white."""
    variances = variances_of(some)
    if anisotropy(variances, len(some)) <= _NOT_WHITE**2 + 4 / len(some):  # by chance, in few
        return
    ratio = float(f"{variances[-1] / variances[0]:.1g}")
    warn_user(
        f"{name}: whiten=False, but X is not white: its variance about 0 in different directions "
        f"differs by a factor of about {ratio:,.0f}. White samples are required, since otherwise "
        "filters reflect these variances and sources stay mixed. Set whiten=True, or whiten X "
        "first."
    )


def variances_of(X: np.ndarray) -> np.ndarray:
    """Compute the second moments about 0 along the directions that samples span, ascending.

    They are in units of the largest square; there are none if all samples are 0.
    """
    scaled = X.astype(np.float64) / (float(np.abs(X).max()) or 1.0)
    small = scaled if len(X) >= X.shape[1] else scaled.T
    variances = np.linalg.eigvalsh(small.T @ small) / len(X)
    return variances[variances > _NEGLIGIBLE * variances[-1]]


def anisotropy(variances: np.ndarray, n_samples: int) -> float:
    """Compute δ² without what few samples add to it: 0 for equal variances, 1 at most.

    Examples
    --------
    >>> anisotropy(np.ones(3), 10**9) < 1e-6, round(anisotropy(np.array([1.0, 3.0]), 10**9), 6)
    (True, 0.25)
    """
    n = len(variances)
    if n < 2:
        return 0.0
    spread = float(np.square(variances).sum() / variances.sum() ** 2) - 1 / n_samples
    return max(n * spread - 1, 0.0) / (n - 1)
