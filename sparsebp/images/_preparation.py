"""From patches to samples of an encoder: without mean, with equal contrast, white."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._warnings import warn_user
from sparsebp.preprocessing import Whitening, remove_mean
from sparsebp.preprocessing.normalization import row_deviation
from sparsebp.samples.columns import product

NORMALIZATIONS = ("contrast", "mean")
#: Added to the variance of a patch when its contrast is normalized, relative to the mean variance.
#: Coates, Lee and Ng add 10 to variances of the order of 1,000.
_NOISE = 0.01
#: Patches with less than this fraction of the typical contrast are left out of fit.
_FLAT = 0.1
#: Ratio of contrasts from which images are in other units than those of fit.
_OTHER_UNITS = 6


@dataclass(frozen=True)
class Preparation:
    """Makes samples of patches: without their means, with equal contrast, white.

    Parameters
    ----------
    normalize : {"contrast", "mean"} or None
        Whether means are removed, and the contrast is normalized then.
    scale : float
        Root mean square of the contrasts of patches.
    whitening : Whitening or None
        Of normalized patches. The white ones are divided by a number, to unit variance.
    """

    normalize: str | None
    scale: float
    whitening: Whitening | None = None

    def __call__(self, patches: np.ndarray) -> np.ndarray:
        """Return samples in rows, each of its patch alone, to the last bit."""
        normalized = self.normalized(patches)
        if self.whitening is None:
            return normalized
        matrix, mean = self.matrix, self.whitening.mean_
        return product(matrix, (normalized - mean).T, patches.dtype).T

    def normalized(self, patches: np.ndarray) -> np.ndarray:
        """Return patches before they are whitened."""
        if self.normalize is None:
            return patches
        centered = remove_mean(patches)
        if self.normalize == "contrast":
            variances = np.square(centered).mean(axis=1, keepdims=True)
            centered /= np.sqrt(variances + _NOISE * self.scale**2)
        return centered

    def warn_of_scale(self, patches: np.ndarray) -> None:
        """Warn if the contrast of some patches is far from that of the patches of fit."""
        found = _root_mean_square(row_deviation(patches))
        if self.normalize and found and not 1 / _OTHER_UNITS < found / self.scale < _OTHER_UNITS:
            warn_user(
                f"The patches of X have a contrast of {found:.3g} (standard deviation), those of "
                f"fit of {self.scale:.3g}. Multiply X by {self.scale / found:.3g}, or prepare it "
                "as the images of fit were."
            )

    @property
    def white_deviation(self) -> float:
        """Standard deviation of whitened patches: below 1 where the regularization counts."""
        assert self.whitening is not None
        kept = self.whitening.eigenvalues_ / self.whitening.scales_**2
        return float(np.sqrt(kept.sum() / len(self.whitening.mean_)))

    @cached_property
    def matrix(self) -> np.ndarray:
        """Return what whitens normalized patches without mean to unit variance on average."""
        assert self.whitening is not None
        return self.whitening.whitening_matrix_ / self.white_deviation

    def drawn_back(self, features: np.ndarray) -> np.ndarray:
        """Return what features (n, n_pixels) of samples are in normalized patches."""
        if self.whitening is None:
            return features
        return features @ self.whitening.dewhitening_matrix_.T * self.white_deviation


def prepared_to_learn(
    patches: np.ndarray, normalize: str | None, whiten: float | None
) -> tuple[Preparation, np.ndarray]:
    """Return the preparation of patches, and those of them with some contrast, prepared.

    The regularization of the whitening is `whiten` times the variance of normalized patches.
    """
    n_drawn, contrasts = len(patches), row_deviation(patches)
    if normalize is not None:
        kept = contrasts >= _FLAT * _root_mean_square(contrasts)
        patches, contrasts = patches[kept], contrasts[kept]
        if not contrasts.any():
            raise ValueError(
                f"X has no contrast: all {len(patches)} patches that were drawn are constant. Give "
                "images that vary within a patch."
            )
    scale = _root_mean_square(contrasts)
    preparation = Preparation(normalize, scale)
    if whiten is not None:
        if len(patches) < 2:
            raise ValueError(
                f"Only 1 of {n_drawn} patches that were drawn can be used, as those of almost no "
                "contrast are dropped, and whitening needs several. Give more images, or set "
                "whiten=None."
            )
        normalized = preparation.normalized(patches)
        variance = float(normalized.var(axis=0, dtype=np.float64).mean())
        whitening = Whitening(regularization=whiten * variance).fit(normalized)
        preparation = replace(preparation, whitening=whitening)
    return preparation, preparation(patches)


def _root_mean_square(values: np.ndarray) -> float:
    """Return the root mean square of some numbers."""
    return float(np.sqrt(np.square(values, dtype=np.float64).mean()))
