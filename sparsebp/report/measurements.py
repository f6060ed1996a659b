"""Measurements of a fitted model, shared by report and summary."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from sparsebp._checks import check_matrix
from sparsebp._progress import Track, no_progress
from sparsebp._shapes import PatchShape
from sparsebp.displays import BasisDisplay
from sparsebp.estimators import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.metrics import (
    FeatureSummary,
    GaborFit,
    gabor_fit,
    silent_components,
    summarize_features,
)
from sparsebp.metrics.summary import GABOR_LIKE

#: Estimators about which a report can be written, and what they do.
METHODS = {
    SparseCoding: "sparse coding",
    ReconstructionICA: "reconstruction ICA",
    OrthonormalICA: "orthonormal ICA",
    SparseFiltering: "sparse filtering",
}
_MEASURED = 5000
#: Samples encoded, and filters fitted, per step of a progress bar.
_SAMPLES_A_STEP, _FILTERS_A_STEP = 1000, 48


@dataclass(frozen=True)
class Summary:
    """Summary of a fit: its end, and the measures of `sparsebp.metrics`."""

    objective: float
    n_iter: int
    features: FeatureSummary

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers by name; None where one is unknown or infinite."""
        numbers = {"objective": self.objective, "n_iter": self.n_iter, **asdict(self.features)}
        return {name: finite(value) for name, value in numbers.items()}

    def lines(self) -> list[str]:
        """Return the summary as lines of text."""
        found = self.features
        explained = silent = ""
        if found.explained_variance is not None:
            explained = f"; {found.explained_variance + 0.0:.0%} of the patches' variance explained"
        if found.silent:
            silent = f", {found.silent} of them silent"
        return [
            f"objective {self.objective:.4g} after {self.n_iter} iterations",
            f"sparsity  {found.near_zero:.0%} of the coefficients near zero, kurtosis "
            f"{found.kurtosis:.1f} (a Gaussian has 3){explained}",
            f"filters   {found.n_components} learned{silent}, median R² {found.gabor_r2:.2f} of "
            f"the Gabor fits, {found.gabor_like:.0%} above {GABOR_LIKE:g}",
        ]


def finite(value: Any) -> Any:
    """Return a value, or None for a number that is not finite."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


@dataclass(frozen=True, eq=False)
class Measurements:
    """A fitted estimator with codes of some samples and Gabor fits.

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
        patch_shape: PatchShape = None,
        track: Track = no_progress,
    ) -> Measurements:
        """Measure any fitted estimator that has ``components_`` and ``transform``.

        Only the first few thousand samples are used.
        """
        basis = BasisDisplay.from_estimator(estimator, patch_shape=patch_shape)
        # A table keeps the names of its features, which the estimator looks for.
        named = hasattr(samples, "columns")
        samples = (samples if named else check_matrix("samples", samples))[:_MEASURED]
        blocks = track(_blocks(samples, _SAMPLES_A_STEP), "encoding")
        codes = np.concatenate([np.asarray(estimator.transform(block)) for block in blocks])
        blocks = track(_blocks(basis.components, _FILTERS_A_STEP), "fitting Gabor functions")
        fit = _joined([gabor_fit(block, basis.patch_shape) for block in blocks])
        return cls(estimator, np.asarray(samples), basis, codes, fit)

    @property
    def title(self) -> str:
        """How many features were learned, by which method."""
        mapped = "topographic " if self.has_map else ""
        n_features = len(self.basis.components) - len(self.silent)
        groups = f" in {self.n_groups} subspaces" if self.n_groups else ""
        return f"{n_features} features{groups} learned by {mapped}{self.method}"

    @property
    def method(self) -> str:
        """Name of the method, as the user guide writes it."""
        return METHODS[type(self.estimator)]

    @property
    def has_map(self) -> bool:
        """Whether the features have places on a map."""
        penalty = getattr(self.estimator, "penalty_", None)
        return getattr(penalty, "grid_shape", None) is not None

    @property
    def n_groups(self) -> int:
        """Number of independent subspaces; 0 if the features are not in groups of their own."""
        return getattr(getattr(self.estimator, "penalty_", None), "n_groups", 0)

    @cached_property
    def silent(self) -> np.ndarray:
        """Indices of the components that contribute almost nothing."""
        own = getattr(self.estimator, "silent_components", None)
        if own is None:
            return silent_components(self.basis.components, self.codes)
        return own(self.codes)

    @cached_property
    def reconstruction(self) -> np.ndarray | None:
        """What the coefficients stand for; None where they stand for no sample."""
        going_back = getattr(self.estimator, "inverse_transform", None)
        return None if going_back is None else np.asarray(going_back(self.codes))

    @cached_property
    def summary(self) -> Summary:
        """The numbers worth a headline."""
        objective, n_iter = self.estimator.objective_, self.estimator.n_iter_
        return Summary(float(objective), int(n_iter), self.features)

    @cached_property
    def features(self) -> FeatureSummary:
        """The numbers by which models are compared."""
        return summarize_features(
            self.fit,
            self.codes,
            samples=self.samples,
            reconstruction=self.reconstruction,
            silent=self.silent,
        )


def _blocks(rows: Any, size: int) -> list[Any]:
    return [rows[first : first + size] for first in range(0, max(len(rows), 1), size)]


def _joined(fits: list[GaborFit]) -> GaborFit:
    """Put the fits of blocks of filters together."""
    names = [field.name for field in fields(GaborFit) if field.name != "patch_shape"]
    return replace(fits[0], **{n: np.concatenate([getattr(f, n) for f in fits]) for n in names})
