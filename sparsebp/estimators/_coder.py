"""Base of estimators that encode samples: transform, score, and what is checked for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import is_auto
from sparsebp._dispatch import chunk_by_chunk, computing_where_x_is
from sparsebp._fitted import Maybe, Names
from sparsebp._magnitudes import ignore_float_warnings, in_precision, in_range, require_finite
from sparsebp._namespaces import like, to_numpy
from sparsebp._unused import unused_components
from sparsebp._validation import Transformer, check_apart, samples_of
from sparsebp._warnings import warn_from_task, warn_user
from sparsebp.estimators._units import warn_of_scale
from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import Penalty, make_penalty
from sparsebp.samples import Samples, count_threads

_UNFINISHED = (
    "The coefficients of {} samples have not converged; scale the samples to about unit variance, "
    "or raise epsilon."
)


class Coder(Transformer):
    """Base of estimators with components."""

    penalty: str | Penalty
    epsilon: Any  # a number, or "auto" where allowed
    group_size: int
    _auto_epsilon: ClassVar[bool] = False
    n_features_in_: int
    n_jobs: int | None = None  # for estimators that work on blocks
    components_: np.ndarray
    penalty_: Penalty
    sample_scale_: float | None = None
    #: Attributes set by `fit`; model files are checked against them.
    _fitted: ClassVar[dict[str, Any]] = {"feature_names_in_": Maybe(Names("features"))}

    @property
    def features_(self) -> np.ndarray:
        """What each component adds to a sample, in rows; displays show these."""
        return to_numpy(self.components_)

    @property
    def _n_features_out(self) -> int:
        return self.components_.shape[0]

    @property
    def _learns_anywhere(self) -> bool:
        return False

    def _samples(self, X: Any) -> Samples:
        """Return samples to encode, in columns; values of a store are checked when read."""
        check_is_fitted(self)
        options = {"dtype": self.components_.dtype, "n_threads": count_threads(self.n_jobs)}
        return samples_of(self, X, **options)

    def _checked_codes(self, codes: Any) -> Any:
        check_is_fitted(self)
        codes, dtype = self._checked_outputs(codes, sparse=True), self.components_.dtype
        if issparse(codes):
            codes.data = in_precision("X", codes.data, dtype)
            return codes
        return in_precision("X", codes, dtype)

    @computing_where_x_is
    def transform(self, X: Any, out: Any = None) -> Any:
        """Compute the coefficients of samples, each independently.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or store
            Samples in rows.
        out : array of shape (n_samples, n_components), optional
            Where to write the coefficients, block by block: an ndarray, a `numpy.memmap`, a
            dataset of h5py, an array of zarr. By default they are returned in a new array.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            Coefficients that minimize the objective for the atoms, or responses of the filters, in
            rows; ``out`` if it was given.

        Raises
        ------
        ValueError, TypeError
            If X or out is unusable: of another shape or type, read-only, closed, a memmap of mode
            "c", which never writes to its file, or a part of X (it may be X itself).

        Warns
        -----
        UserWarning
            If the ``alpha`` of a model with atoms was changed after `fit`, which has no effect.
        ConvergenceWarning
            If coefficients have not converged; of a dask array when they are computed.
        """
        check_apart(X, out)
        samples = self._samples(X)
        encoding = _Encoding(self, is_alone=samples.computes_later)
        self._warn_of_changes()
        warn_of_scale(samples, self.sample_scale_)
        codes = self._rows_of(samples, encoding, out)
        self._warn_of_unfinished(encoding.n_unfinished, samples.shape[1])
        return codes

    @computing_where_x_is
    def score(self, X: Any, y: Any = None) -> float:
        """Compute minus the objective of these samples, so that higher is better.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.
        y : Ignored
            Present for the interface.

        Returns
        -------
        score : float
            −F of the model at the samples' coefficients, −∞ if F overflows.
            (Sparse filtering divides responses by ``scale_``.)

        Raises
        ------
        ValueError
            If X is unusable.
        """
        samples = self._samples(X)
        self._warn_of_changes()
        warn_of_scale(samples, self.sample_scale_)
        total, n_unfinished = samples.sum(self._scored)
        self._warn_of_unfinished(int(n_unfinished), samples.shape[1])
        score = -float(total) / samples.shape[1]
        return score if not np.isnan(score) else -np.inf  # sums of infinities of both signs

    def _rows_of(self, samples: Samples, encoding: Callable, out: Any) -> Any:
        """Return what `transform` does: codes of all samples in rows, `encoding` of each block."""
        return samples.map_rows(encoding, self._n_features_out, out)

    def _warn_of_changes(self) -> None:
        """Warn of parameters that were changed after `fit` and have no effect."""

    @staticmethod
    def _warn_of_unfinished(n_unfinished: int, n_samples: int) -> None:
        if n_unfinished:
            text = _UNFINISHED.format(f"{n_unfinished} of {n_samples}")
            warn_user(text, ConvergenceWarning)

    def _encode(self, x: np.ndarray) -> ColumnResult:
        """Encode checked samples in columns; each estimator in its own way."""
        raise NotImplementedError

    @computing_where_x_is
    def silent_components(self, codes: Any) -> np.ndarray:
        """Return the components that contribute almost nothing: unused atoms, silent filters.

        Parameters
        ----------
        codes : array-like of shape (n_samples, n_components)
            Coefficients of some samples, as `transform` returns them.

        Returns
        -------
        silent : ndarray of int
            Indices of the components whose contribution to the samples, mean square of the
            coefficients times squared norm of atom or filter, is below a thousandth of the typical
            one.

        Raises
        ------
        ValueError
            If there are not n_components columns.
        """
        scaled, _ = in_range(to_numpy(self._checked_codes(codes)).astype(np.float64))
        return unused_components(self._energies(scaled))

    def _energies(self, codes: np.ndarray) -> np.ndarray:
        """Return the mean square of what each component contributes."""
        lengths = np.linalg.norm(self.components_.astype(np.float64), axis=1)
        return np.square(codes).mean(axis=0) * lengths**2

    def _objective_of(self, x: np.ndarray, codes: np.ndarray) -> float:
        """Compute the objective of samples in columns, a mean over them, given their codes."""
        raise NotImplementedError

    def _scored(self, x: np.ndarray) -> tuple[float, int]:
        """Return the objective times the number of samples, and how many have not converged."""
        encoding = _Encoding(self)
        codes = encoding(x)
        with ignore_float_warnings():
            return x.shape[1] * self._objective_of(x, codes), encoding.n_unfinished

    def _make_penalty(self, n_components: int, auto: float = 1.0) -> Penalty:
        """Return the penalty; `auto` is the ε of ``epsilon="auto"``."""
        epsilon = auto if is_auto(self.epsilon) else float(self.epsilon)
        penalty = make_penalty(self.penalty, n_components, epsilon, self.group_size)
        penalty = self._accepted(penalty)
        penalty.check_components(n_components)
        return penalty

    def _check_penalty(self, n_components: int | None) -> None:
        """Raise the errors of `_make_penalty`; None if the number is unknown."""
        if n_components is not None:
            self._make_penalty(int(n_components))
        elif isinstance(self.penalty, Penalty):
            self._accepted(self.penalty)
        else:
            epsilon = 1.0 if is_auto(self.epsilon) else float(self.epsilon)
            fewest = self.group_size if self.penalty == "subspace" else 1
            self._accepted(make_penalty(self.penalty, fewest, epsilon, self.group_size))

    def _accepted(self, penalty: Penalty) -> Penalty:
        """Return the penalty as this estimator uses it, or raise an error if it cannot."""
        return penalty


class Reconstructor(Coder):
    """Base of estimators whose coefficients stand for samples: all but sparse filtering."""

    @chunk_by_chunk
    @computing_where_x_is
    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute the samples that coefficients stand for.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_components)
            Coefficients in rows, as `transform` returns them.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            Sums of the ``features_``, and of ICA's ``mean_``. Of a dask array a dask array.

        Raises
        ------
        ValueError
            If there are not n_components columns.
        """
        codes = self._checked_codes(X)
        with ignore_float_warnings():
            samples = codes @ like(self.features_, codes)
            if (mean := getattr(self, "mean_", None)) is not None:
                samples = samples + like(mean, codes)
        return require_finite("The samples", samples)


@dataclass
class _Encoding:
    """Codes in rows of a block of samples; counts those that have not converged.

    In a task of its own, where the count is lost, it warns. Without a number, so that the warnings
    of all chunks are shown as one.
    """

    coder: Coder
    n_unfinished: int = 0
    is_alone: bool = False

    def __call__(self, x: np.ndarray) -> np.ndarray:
        with ignore_float_warnings():
            found = self.coder._encode(x)
        if not self.is_alone:
            self.n_unfinished += found.n_unfinished
        elif found.n_unfinished:
            warn_from_task(_UNFINISHED.format("some"), ConvergenceWarning)
        return require_finite("The codes", found.points.T)
