"""What is measured of a fitted model, once, for the page and for the summary."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sparsebp.displays import BasisDisplay
from sparsebp.estimators import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.metrics import GaborFit, coefficient_kurtosis, gabor_fit

_METHODS = {
    SparseCoding: "sparse coding",
    ReconstructionICA: "reconstruction ICA",
    OrthonormalICA: "orthonormal ICA",
    SparseFiltering: "sparse filtering",
}
_MEASURED = 5000
#: Samples encoded, and filters fitted, between two steps of a bar.
_SAMPLES_A_STEP, _FILTERS_A_STEP = 1000, 48

#: Yields the items of a collection, and shows under a word or two how far it is.
Track = Callable[[Collection[Any], str], Iterable[Any]]


def in_silence(items: Collection[Any], words: str) -> Iterable[Any]:
    """Yield the items and show nothing."""
    return items


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
    codes : ndarray of shape (n_samples, n_components)
        The samples' coefficients.
    fit : GaborFit
        Of the features.
    """

    estimator: Any
    samples: np.ndarray
    basis: BasisDisplay
    codes: np.ndarray
    fit: GaborFit

    @classmethod
    def of(
        cls,
        estimator: Any,
        samples: Any,
        patch_shape: Sequence[int] | None = None,
        track: Track = in_silence,
    ) -> Measurements:
        """Measure a fitted estimator on the first few thousand of the samples.

        Its refusals are those of `write_report`.
        """
        if not isinstance(estimator, tuple(_METHODS)):
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; a report is about one of "
                f"{', '.join(kind.__name__ for kind in _METHODS)}."
            )
        check_is_fitted(estimator)
        basis = BasisDisplay.from_estimator(estimator, patch_shape=patch_shape)
        # A table keeps the names of its features, which the estimator looks for.
        samples = (samples if hasattr(samples, "columns") else np.asarray(samples))[:_MEASURED]
        blocks = track(_blocks(samples, _SAMPLES_A_STEP), "encoding")
        codes = np.concatenate([estimator.transform(block) for block in blocks])
        blocks = track(_blocks(basis.components, _FILTERS_A_STEP), "fitting Gabor functions")
        fit = _joined([gabor_fit(block, basis.patch_shape) for block in blocks])
        return cls(estimator, np.asarray(samples), basis, codes, fit)

    @property
    def title(self) -> str:
        """How many features were learned, by which method."""
        method = _METHODS[type(self.estimator)]
        mapped = "topographic " if self.has_map else ""
        return f"{len(self.basis.components)} features learned by {mapped}{method}"

    @property
    def has_map(self) -> bool:
        """Whether the features have places on a map."""
        return hasattr(getattr(self.estimator, "penalty_", None), "grid_shape")

    @cached_property
    def near_zero(self) -> np.ndarray:
        """Whether each coefficient is below a tenth of the standard deviation of all together."""
        return np.abs(self.codes) < 0.1 * self.codes.std()

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
            small=float(self.near_zero.mean()),
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


def _blocks(rows: Any, size: int) -> list[Any]:
    return [rows[first : first + size] for first in range(0, max(len(rows), 1), size)]


def _joined(fits: list[GaborFit]) -> GaborFit:
    """Put the fits of blocks of filters together."""
    names = [field.name for field in fields(GaborFit) if field.name != "patch_shape"]
    return replace(fits[0], **{n: np.concatenate([getattr(f, n) for f in fits]) for n in names})
