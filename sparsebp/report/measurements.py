"""What is measured of a fitted model, once, for the page and for the summary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sparsebp.displays import BasisDisplay
from sparsebp.estimators import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.metrics import GaborFit, coefficient_kurtosis, gabor_fit

KINDS = (SparseCoding, ReconstructionICA, OrthonormalICA, SparseFiltering)
_MEASURED = 5000


@dataclass(frozen=True)
class Summary:
    """What was learned, in numbers.

    Parameters
    ----------
    objective : float
        As the estimator gives it.
    n_iter : int
        Iterations made.
    n_components : int
        Atoms or filters learned.
    kurtosis : float
        Of the coefficients; 3 for a Gaussian.
    small : float
        Share of the coefficients below a tenth of their standard deviation.
    explained : float or None
        Share of the samples' variance that the reconstruction explains; None without one.
    gabor_r2 : float
        Median over the filters of R² of the best Gabor function.
    gabor_like : float
        Share of the filters with R² above 0.8.
    """

    objective: float
    n_iter: int
    n_components: int
    kurtosis: float
    small: float
    explained: float | None
    gabor_r2: float
    gabor_like: float

    def lines(self) -> list[str]:
        """Return the summary for people."""
        explained = ""
        if self.explained is not None:
            explained = f"; {self.explained:.0%} of the patches' variance explained"
        return [
            f"objective {self.objective:.4g} after {self.n_iter} iterations",
            f"sparsity  {self.small:.0%} of the coefficients near zero, kurtosis "
            f"{self.kurtosis:.1f} (a Gaussian has 3){explained}",
            f"filters   {self.n_components} learned, median R² {self.gabor_r2:.2f} of the best "
            f"Gabor function, {self.gabor_like:.0%} above 0.8",
        ]


@dataclass(frozen=True, eq=False)
class Measurements:
    """A fitted estimator with what some samples and Gabor fits say of it.

    Parameters
    ----------
    estimator : SparseCoding, ReconstructionICA, OrthonormalICA or SparseFiltering
        Fitted.
    samples : ndarray of shape (n_samples, n_features)
        Some that it learned from.
    basis : BasisDisplay
        Its features, with the shapes of patches and map.
    """

    estimator: Any
    samples: np.ndarray
    basis: BasisDisplay

    @classmethod
    def of(cls, estimator: Any, samples: Any, patch_shape: Any = None) -> Measurements:
        """Measure a fitted estimator; its refusals are those of `write_report`."""
        if not isinstance(estimator, KINDS):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; a report is about one of "
                f"{', '.join(kind.__name__ for kind in KINDS)}."
            )
        check_is_fitted(estimator)
        basis = BasisDisplay.from_estimator(estimator, patch_shape=patch_shape)
        return cls(estimator, np.asarray(samples)[:_MEASURED], basis)

    @cached_property
    def codes(self) -> np.ndarray:
        """Coefficients, of shape (n_samples, n_components)."""
        return self.estimator.transform(self.samples)

    @cached_property
    def fit(self) -> GaborFit:
        """Gabor functions of the features."""
        return gabor_fit(self.basis.components, self.basis.patch_shape)

    @cached_property
    def reconstruction(self) -> np.ndarray | None:
        """What the coefficients stand for; None where they stand for no sample."""
        going_back = getattr(self.estimator, "inverse_transform", None)
        return None if going_back is None else going_back(self.codes)

    @cached_property
    def summary(self) -> Summary:
        """The numbers worth a headline."""
        r_squared = self.fit.r_squared
        return Summary(
            objective=float(self.estimator.objective_),
            n_iter=int(self.estimator.n_iter_),
            n_components=len(r_squared),
            kurtosis=float(coefficient_kurtosis(self.codes)),
            small=float((np.abs(self.codes) < 0.1 * self.codes.std()).mean()),
            explained=self._explained(),
            gabor_r2=float(np.median(r_squared)),
            gabor_like=float((r_squared > 0.8).mean()),
        )

    def _explained(self) -> float | None:
        if self.reconstruction is None:
            return None
        lost = np.square(self.samples - self.reconstruction, dtype=np.float64).sum()
        varied = np.square(self.samples - self.samples.mean(axis=0), dtype=np.float64).sum()
        return float(1 - lost / (varied or 1.0))
