"""Base classes of the estimators: scikit-learn's interface around a solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sparsebp._checks import (
    RandomSource,
    check_complete,
    check_flag,
    check_integer,
    check_matrix,
    check_number,
    check_readable,
    is_auto,
    is_flag,
    mistake,
    random_source,
)
from sparsebp._documentation import Documented
from sparsebp._fitted import Maybe, Names, Numbers, Size
from sparsebp._hints import Hinted
from sparsebp._magnitudes import check_magnitude, ignore_float_warnings, in_precision, in_range
from sparsebp._memory import check_memory
from sparsebp._shapes import PatchShape, checked_patch_shape, resolved_patch_shape
from sparsebp._unused import unused_components
from sparsebp._warnings import warn_user
from sparsebp.estimators._callbacks import CallbackSupportMixin
from sparsebp.estimators._units import scale_of, warn_of_scale
from sparsebp.minimizers import Result, Status
from sparsebp.penalties import Penalty, make_penalty
from sparsebp.samples import count_threads

_FLOATS: Any = [np.float64, np.float32]
#: Samples used to detect silent components; more of them if the first found some.
_FEW, _MORE = 1000, 5000


class Coder(Hinted, Documented, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Base of estimators with components; samples are rows here and columns in lower layers."""

    penalty: str | Penalty
    epsilon: Any  # a number, or "auto" where allowed
    _auto_epsilon: ClassVar[bool] = False
    n_features_in_: int
    n_jobs: int | None = None  # for estimators that work on blocks
    components_: np.ndarray
    penalty_: Penalty
    sample_scale_: float | None = None
    #: Attributes set by `fit`; model files are checked against them.
    _fitted: ClassVar[dict[str, Any]] = {"feature_names_in_": Maybe(Names("features"))}

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def features_(self) -> np.ndarray:
        """What each component adds to a sample, in rows; displays show these."""
        return self.components_

    @property
    def _n_features_out(self) -> int:
        return self.components_.shape[0]

    def _checked(self, X: Any, *, reset: bool = False) -> np.ndarray:
        if not reset:
            check_is_fitted(self)
        X = check_readable("X", X)
        with ignore_float_warnings():  # scikit-learn sums X to look for infinities
            samples: Any = validate_data(
                self, X, reset=reset, dtype=_FLOATS, ensure_all_finite="allow-nan"
            )
        check_complete(samples)
        return samples if reset else in_precision("X", samples, self.components_.dtype)

    def _checked_codes(self, codes: Any) -> np.ndarray:
        check_is_fitted(self)
        codes = check_readable("X", codes)
        with ignore_float_warnings():
            codes = check_array(codes, dtype=_FLOATS, input_name="X")
        if codes.shape[1] != self._n_features_out:
            raise ValueError(
                f"The codes have {codes.shape[1]} columns but {type(self).__name__} has "
                f"{self._n_features_out} components."
            )
        return in_precision("X", codes, self.components_.dtype)

    def transform(self, X: Any) -> np.ndarray:
        """Compute the coefficients of samples; implemented by each estimator."""
        raise NotImplementedError

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
        codes = self._codes(X)
        with ignore_float_warnings():
            score = -self._objective_of(X, codes)
        return score if not np.isnan(score) else -np.inf  # sums of infinities of both signs

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
        scaled, _ = in_range(self._checked_codes(codes).astype(np.float64))
        return unused_components(self._energies(scaled))

    def _energies(self, codes: np.ndarray) -> np.ndarray:
        """Return the mean square of what each component contributes."""
        lengths = np.linalg.norm(self.components_.astype(np.float64), axis=1)
        return np.square(codes).mean(axis=0) * lengths**2

    def _objective_of(self, X: Any, codes: np.ndarray) -> float:
        """Compute the objective of samples whose coefficients are known."""
        raise NotImplementedError

    def _codes(self, X: Any) -> np.ndarray:
        """Return the result of `transform` as an array, regardless of `set_output`."""
        return np.asarray(self.transform(X))

    def _make_penalty(self, n_components: int, auto: float = 1.0) -> Penalty:
        """Return the penalty; `auto` is the ε of ``epsilon="auto"``."""
        epsilon = auto if is_auto(self.epsilon) else float(self.epsilon)
        penalty = self._accepted(make_penalty(self.penalty, n_components, epsilon))
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
            self._accepted(make_penalty(self.penalty, 1, epsilon))

    def _accepted(self, penalty: Penalty) -> Penalty:
        """Return the penalty as this estimator uses it, or raise an error if it cannot."""
        return penalty


class Learner(CallbackSupportMixin, Coder):
    """Base of estimators that learn components: parameters, start and end of a fit."""

    n_components: int | None
    max_iter: int
    tol: float
    init: Any
    warm_start: bool
    random_state: Any
    patch_shape: PatchShape
    verbose: bool | int
    callback: Callable[[int, float], Any] | None
    _fitted: ClassVar[dict[str, Any]] = {
        **Coder._fitted,
        "n_features_in_": Size("features"),
        "components_": Numbers(("components", "features")),
        "sample_scale_": Maybe(Numbers(at_least=0)),
        "contributions_": Maybe(Numbers(("components",), at_least=0)),
        "objective_": Numbers(),
        "objective_history_": Numbers(("entries",), finite=False),
        "n_iter_": Size("iterations"),
        "status_": str,
    }

    def _checked_to_learn(self, X: Any, *, reset: bool = True) -> np.ndarray:
        samples = self._checked(X, reset=reset)
        if self.patch_shape is not None:
            resolved_patch_shape(samples.shape[1], self.patch_shape, "each sample")
        vars(self).pop("contributions_", None)  # known again at the end of a fit
        if reset:
            self.sample_scale_ = scale_of(samples)
        else:
            warn_of_scale(samples, self.sample_scale_)
        # Objectives contain at most sums of fourth powers: ‖WᵀWx‖², where W itself grows with x.
        check_magnitude("X", samples, power=4)
        return samples

    def _codes_to_count(self, X: np.ndarray) -> np.ndarray:
        """Return approximate codes of some samples of `fit`, already checked, without warnings."""
        raise NotImplementedError

    def _warn_of_silent(self, X: np.ndarray) -> Self:
        """Warn about silent components."""
        for n_samples in (_FEW, _MORE):
            some = X[:: -(-len(X) // n_samples)]
            with ignore_float_warnings():
                scaled, _ = in_range(self._codes_to_count(some).astype(np.float64))
                energies = self._energies(scaled)
            silent = unused_components(energies)
            if not silent.size or len(some) == len(X):
                break
        self.contributions_ = energies / (energies.sum() or 1.0)
        if not silent.size:
            return self
        what, advice = self._silence()
        n_components = len(self.components_)
        nothing = silent.size == n_components
        share = "nothing" if nothing else "less than a thousandth of what the others contribute"
        number = "are" if silent.size > 1 else "is"
        pronoun = "they contribute" if silent.size > 1 else "it contributes"
        warn_user(
            f"{silent.size} of {n_components} {what.format(number)}: {pronoun} {share} to the "
            "samples. "
            f"{advice}",
            ConvergenceWarning,  # as k-means does for empty clusters
        )
        return self

    def _silence(self) -> tuple[str, str]:
        """Return the name of silent components, and advice."""
        return "filters {} silent", "Lower n_components or alpha."

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does.

        Raises
        ------
        ValueError, TypeError
            If there is one.
        """
        check_integer("n_components", self.n_components, none="as many as features")
        check_memory("n_components", self.n_components, (self.n_components or 1,))
        check_integer("max_iter", self.max_iter)
        check_number("tol", self.tol, minimum=0)
        if not (self._auto_epsilon and is_auto(self.epsilon)):
            also = ", or 'auto'" if self._auto_epsilon else ""
            check_number("epsilon", self.epsilon, above=0, also=also)
        check_flag("warm_start", self.warm_start)
        count_threads(self.n_jobs)
        if not is_flag(self.verbose):
            check_integer("verbose", self.verbose, minimum=0)
        if self.callback is not None and not callable(self.callback):
            raise TypeError(mistake("callback", "callable, or None", self.callback))
        random_source(self.random_state)
        if self.patch_shape is not None:
            checked_patch_shape(self.patch_shape)
        if self.init is not None:
            check_matrix("init", self.init)

    def _start(
        self,
        shape: tuple[int, int],
        rng: RandomSource,
        dtype: Any,
        *,
        to_white: np.ndarray | None = None,
        go_on: bool = False,
    ) -> np.ndarray:
        """Return the last fit's components if it is resumed, else init, else random unit rows.

        Whitened directions differ between fits, so components are given in features.
        """
        n_components, last = shape[0], getattr(self, "components_", None)
        if last is not None and (self.warm_start or go_on):
            if last.shape != (wanted := (n_components, self.n_features_in_)):
                raise ValueError(
                    f"components_ of the last fit has shape {last.shape}, but {wanted} is required "
                    "now; set warm_start=False and call fit to restart."
                )
        elif self.init is not None:
            last = self._checked_init(n_components)
        else:
            check_memory("n_components", n_components, shape, shape)  # drawn, and normalized
            # Column by column: a planted problem with the same seed draws its solution row by row,
            # and a fit that starts at the solution would prove nothing.
            start = rng.standard_normal(shape[::-1]).T
            start = start / np.linalg.norm(start, axis=1, keepdims=True)
            return np.ascontiguousarray(start, dtype=dtype)
        return (last if to_white is None else last @ to_white).astype(dtype)

    def _checked_init(self, n_components: int) -> np.ndarray:
        init = check_matrix("init", self.init)
        wanted = (n_components, self.n_features_in_)
        if init.shape != wanted:
            raise ValueError(
                f"init has shape {init.shape}; it must have a row for each component and a column "
                f"for each feature, {wanted}."
            )
        if not init.any(axis=1).all():
            raise ValueError(
                "init has rows of zeros, which a fit cannot change; draw these rows at random."
            )
        return init

    def _record(self, result: Result, *, limit_is_failure: bool = True) -> Self:
        """Set the attributes about the end of a fit, and warn."""
        self.objective_ = result.value
        self.objective_history_ = np.array(result.history)
        self.n_iter_ = max(result.n_iter, 1)
        self.status_ = result.status.name.lower()
        if result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        failures = {Status.STALLED, Status.NOT_FINITE, Status.UNSETTLED}
        if limit_is_failure:
            failures.add(Status.ITERATION_LIMIT)
        if result.status in failures:
            warn_user(
                f"{type(self).__name__} stopped after {result.n_iter} iterations. "
                f"{result.status.value}",
                ConvergenceWarning,
            )
        return self
