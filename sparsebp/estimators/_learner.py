"""Base of estimators that learn components: parameters, start and end of a fit."""

from __future__ import annotations

import os
from collections.abc import Callable
from numbers import Integral
from time import perf_counter
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import get_tags

from sparsebp._checkpoint import Checkpoint, CheckpointFile
from sparsebp._checks import (
    RandomSource,
    check_every_feature,
    check_flag,
    check_integer,
    check_matrix,
    check_number,
    is_auto,
    is_flag,
    mistake,
    random_source,
)
from sparsebp._dispatch import is_dispatched
from sparsebp._fitted import Maybe, Numbers, Size
from sparsebp._magnitudes import check_largest, ignore_float_warnings, in_range, largest_known
from sparsebp._memory import check_memory
from sparsebp._shapes import PatchShape, checked_patch_shape, resolved_patch_shape
from sparsebp._unused import unused_components
from sparsebp._validation import samples_of
from sparsebp._warnings import warn_user
from sparsebp.coding import split_missing
from sparsebp.estimators._callbacks import CallbackSupportMixin, tell, with_callbacks
from sparsebp.estimators._coder import Coder
from sparsebp.estimators._fitting import restore_on_error
from sparsebp.estimators._resuming import checksum, identity, samples_identity
from sparsebp.estimators._units import SCALED, scale_of, warn_of_scale
from sparsebp.minimizers import Result, Status
from sparsebp.samples import Samples, count_threads

#: Samples used to detect silent components; more of them if the first found some.
_FEW, _MORE = 1000, 5000
_AT_LIMIT = Status.ITERATION_LIMIT.name.lower()


class Learner(CallbackSupportMixin, Coder):
    """Base of estimators that learn components: parameters, start and end of a fit."""

    n_components: int | None
    max_iter: int
    tol: float
    init: Any
    warm_start: bool
    random_state: Any
    patch_shape: PatchShape
    checkpoint: str | os.PathLike[str] | None
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

    @restore_on_error
    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the components.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or store
            Samples in rows, such as whitened patches.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : object
            The fitted estimator. When interrupted (Ctrl-C) it is fitted with the best components so
            far (those of sparse coding are the last), and KeyboardInterrupt is re-raised.

        Raises
        ------
        ValueError, TypeError
            If X or a parameter is unusable, or there are fewer independent directions in X than
            orthonormal filters.
        """
        self.check_parameters()
        samples, of_blocks = self._samples_to_learn(X)
        rng = random_source(self.random_state)
        if self.checkpoint is None:
            self._learn(X, samples, Checkpoint(rng))
            return self
        fit = identity(self, self._identity_of(samples, of_blocks))
        limit = "max_iter" if self._can_go_on else ""
        with CheckpointFile(self.checkpoint, fit, rng, limit) as checkpoint:
            self._learn(X, samples, checkpoint)
            checkpoint.stays = self._can_go_on and self.status_ == _AT_LIMIT
        return self

    def _identity_of(self, samples: Any, of_blocks: list[int]) -> dict[str, Any]:
        """Return what identifies what `_samples_to_learn` returned."""
        return samples_identity(samples, of_blocks)

    @property
    def _can_go_on(self) -> bool:
        """Whether a larger max_iter continues the same fit: the checkpoint stays at the limit."""
        return True

    def _learn(self, X: Any, samples: Samples, checkpoint: Checkpoint) -> None:
        """Set the attributes of a fit to samples; X, as it was given, is for callbacks only."""
        raise NotImplementedError

    def _samples_to_learn(self, X: Any, *, reset: bool = True) -> tuple[Samples, list[int]]:
        """Return checked samples in columns, and checksums for a checkpoint; reads a store once."""
        if is_dispatched(X) and not get_tags(self).array_api_support:
            raise ValueError(
                f"X is not an ndarray, and {type(self).__name__} learns on the host with these "
                "parameters. ICA learns from arrays of other libraries, and SparseCoding with "
                "penalty='l1' and solver='online'. Convert X, or choose these."
            )
        options = {"n_threads": count_threads(self.n_jobs)}
        samples = samples_of(self, X, reset=reset, **options) if reset else self._samples(X)
        if self.patch_shape is not None:
            resolved_patch_shape(samples.shape[0], self.patch_shape, "each sample")
        vars(self).pop("contributions_", None)  # known again at the end of a fit
        some = samples.take_evenly(SCALED)
        if reset:
            self.sample_scale_ = scale_of(some)
        else:
            warn_of_scale(samples, self.sample_scale_)
        # Objectives contain at most sums of fourth powers: ‖WᵀWx‖², where W itself grows with x.
        kept = self.checkpoint is not None

        def measure(block: np.ndarray) -> tuple[float, int, Any]:
            known = split_missing(block)[1]
            seen = np.array(True) if known is None else known.any(axis=1)
            return largest_known(block), checksum(block) if kept else 0, seen

        blocks = [measure(some)] if samples.is_drawn else list(samples.map_blocks(measure))
        largest = max(largest for largest, _, _ in blocks)
        check_largest("X", largest, samples.shape[0] * samples.shape[1], samples.dtype, power=4)
        if reset:
            seen = np.any(np.broadcast_arrays(*(seen for _, _, seen in blocks)), axis=0)
            check_every_feature(seen, getattr(self, "feature_names_in_", None))
        return samples, [bits for _, bits, _ in blocks]

    def _codes_to_count(self, X: np.ndarray) -> np.ndarray:
        """Return approximate codes of some samples of `fit`, already checked, without warnings."""
        raise NotImplementedError

    def _warn_of_silent(self, samples: Samples) -> None:
        """Warn about silent components."""
        for n_samples in (_FEW, _MORE):
            some = samples.take_evenly(n_samples).T
            with ignore_float_warnings():
                scaled, _ = in_range(self._codes_to_count(some).astype(np.float64))
                energies = self._energies(scaled)
            silent = unused_components(energies)
            if not silent.size or len(some) == samples.shape[1]:
                break
        self._warn_of_silence(energies)

    def _warn_of_silence(self, energies: np.ndarray) -> None:
        """Set each component's share of what all contribute, and warn about silent ones."""
        silent = unused_components(energies)
        self.contributions_ = energies / (energies.sum() or 1.0)
        if not silent.size:
            return
        what, advice = self._silence()
        n_components = len(self.components_)
        nothing = silent.size == n_components
        share = "nothing" if nothing else "less than a thousandth of what the others contribute"
        number = "are" if silent.size > 1 else "is"
        pronoun = "they contribute" if silent.size > 1 else "it contributes"
        warn_user(
            f"{silent.size} of {n_components} {what.format(number)}: {pronoun} {share} to the "
            f"samples. {advice}",
            ConvergenceWarning,  # as k-means does for empty clusters
        )

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
        if self.checkpoint is not None and not isinstance(self.checkpoint, str | os.PathLike):
            raise TypeError(mistake("checkpoint", "a path, or None", self.checkpoint))

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

    @property
    def _draws_start(self) -> bool:
        """Whether `fit` starts at random."""
        return self.init is None and not (self.warm_start and hasattr(self, "components_"))

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

    def _rng_of_batch(self) -> RandomSource:
        """Return the generator of the next `partial_fit`, which differs between batches."""
        if hasattr(self, "components_") and isinstance(self.random_state, Integral):
            return np.random.RandomState([int(self.random_state), self.n_iter_])
        return random_source(self.random_state)

    def _record_batch(self, start: float, value: float, begun: float, *, first: bool) -> None:
        """Set the attributes about a batch of `partial_fit`, which began at a time, and tell it."""
        before, n_iter = ((start,), 1) if first else (self.objective_history_, self.n_iter_ + 1)
        self.objective_, self.objective_history_ = value, np.array([*before, value])
        self.n_iter_, self.status_ = n_iter, "partial"
        tell(self, n_iter, value, perf_counter() - begun)

    def _warn_of_checkpoint(self) -> None:
        """Warn of a checkpoint in `partial_fit`, which writes none."""
        if self.checkpoint is not None:
            warn_user(
                "checkpoint is for fit, and partial_fit writes none: save_model keeps all that it "
                "resumes from. Set checkpoint=None."
            )

    def _record(self, result: Result, *, limit_is_failure: bool = True) -> None:
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
