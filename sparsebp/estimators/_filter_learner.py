"""Base of both kinds of ICA: linear filters, with or without whitening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import check_choice, check_number, is_auto, is_flag
from sparsebp._fitted import Numbers
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._namespaces import is_foreign, like, sum_all, to_numpy, widened
from sparsebp._warnings import warn_user
from sparsebp.estimators._callbacks import watching
from sparsebp.estimators._coder import Reconstructor
from sparsebp.estimators._fitting import require_success
from sparsebp.estimators._learner import Learner
from sparsebp.estimators._signs import (
    SignedPoint,
    SignRule,
    at_signed_points,
    largest_excess_of_noise,
    minimize_choosing_signs,
)
from sparsebp.estimators._subspaces import energy_correlations, grouped, warn_if_chance
from sparsebp.estimators._units import ENOUGH, warn_if_not_white, warn_of_hidden
from sparsebp.minimizers import Callback, ColumnResult, Result, Status
from sparsebp.penalties import Penalty, Signed, SmoothL1, Subspace
from sparsebp.preprocessing import Whitening
from sparsebp.problems import Problem
from sparsebp.samples import Samples, count_threads, product

#: White samples are stored if they have this many times fewer directions than features: they need
#: less memory than the samples, and recomputing them would dominate each iteration.
_FEW_OF = 4
#: With more filters than directions, ε="auto" is this share of the variance: no filter estimates
#: one source, so minima of a sharp |s| that are no sources do no harm, and features are closer to
#: Gabor functions (5,000 patches of 8×8, twice as many filters: median R² 0.82 against 0.76).
_OVERCOMPLETE = 0.01


class FilterLearner(Reconstructor, Learner):
    """Base of both kinds of ICA: linear filters, with or without whitening."""

    _solvers: tuple[str, ...]
    _auto_epsilon = True
    solver: str
    whiten: bool | float
    directions: str
    signs: Any
    whitened_components_: np.ndarray
    mixing_: np.ndarray
    whitening_: np.ndarray | None
    mean_: np.ndarray
    _fitted: ClassVar[dict[str, Any]] = {
        **Learner._fitted,
        "penalty_": Penalty,
        "whitened_components_": Numbers(("components", "directions")),
        "mixing_": Numbers(("features", "components")),
        "whitening_": Numbers(("directions", "features"), none=True),
        "mean_": Numbers(("features",)),
    }

    def _learn(self, X: Any, samples: Samples, checkpoint: Checkpoint) -> None:
        self._check_number_of_signs(samples.shape)
        white = self._whitened(samples)
        n_directions = white.samples.shape[0]
        shape = (self._n_filters(n_directions, samples.shape), n_directions)
        start = self._start(shape, checkpoint.rng, samples.dtype, to_white=white.backward)
        sharpness = 1.0 if shape[0] <= n_directions else _OVERCOMPLETE
        penalty = self._make_penalty(shape[0], sharpness * white.variance)
        fitted_at = partial(self._filters_at, white)
        with ignore_float_warnings(), watching(self, X, fitted_at, checkpoint) as watch:
            result, penalty = self._found(checkpoint, white.samples, penalty, start, watch)
            require_success(result)
            vars(self).update(fitted_at(SignedPoint(result.point, penalty)))
        self._record(result)
        self._warn_of_samples(samples)
        self._warn_of_silent(samples)
        if result.status is Status.CONVERGED:
            self._warn_of_noise(white.samples)

    def _found(
        self,
        checkpoint: Checkpoint,
        samples: Samples,
        penalty: Penalty,
        start: np.ndarray,
        watch: Callback,
    ) -> tuple[Result, Penalty]:
        """Minimize, and choose the signs if they are not given; return the penalty with them."""
        minimize = partial(self._minimize, checkpoint, samples)
        # Groups of coefficients share a sign, and with more filters than directions no filter
        # estimates one source.
        if is_auto(self.signs) and penalty.is_elementwise and len(start) <= samples.shape[0]:
            filters_at = self._problem_of(penalty, start.shape).project
            rule = SignRule(penalty, samples, filters_at, checkpoint.taped)
            return minimize_choosing_signs(
                minimize,
                rule,
                start,
                drawn=self._draws_start,
                max_iter=self.max_iter,
                callback=watch,
            )
        limits = {"max_iter": self.max_iter, "callback": at_signed_points(watch, penalty)}
        near = False
        if isinstance(penalty, Subspace) and self._draws_start:
            near = True
            start = self._subspaces_at_start(minimize, samples, penalty, start)
        return minimize(penalty, start, near=near, **limits), penalty

    def _subspaces_at_start(
        self,
        minimize: Callable[..., Result],
        samples: Samples,
        penalty: Subspace,
        start: np.ndarray,
    ) -> np.ndarray:
        """Search for independent components, and return them in groups."""
        each = SmoothL1(penalty.epsilon)
        found = minimize(each, start, near=False, max_iter=self.max_iter)
        if found.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        filters = self._problem_of(each, start.shape).project(found.point)
        correlations = energy_correlations(_responses(samples, filters))
        return filters[grouped(correlations, penalty.group_size)]

    @property
    def features_(self) -> np.ndarray:
        """What each component adds to a sample, in rows: ``mixing_`` transposed."""
        return to_numpy(self.mixing_).T

    @property
    def signs_(self) -> np.ndarray:
        """+1 for each component whose penalty was minimized, −1 if it was maximized."""
        penalty = self.penalty_
        if isinstance(penalty, Signed):
            return np.array(penalty.signs)
        return np.ones(self.components_.shape[0], dtype=int)

    def _encode(self, x: np.ndarray) -> ColumnResult:
        centered = x - like(self.mean_, x)[:, np.newaxis]
        if is_foreign(x):
            return ColumnResult(like(self.components_, x) @ centered, 0)
        return ColumnResult(product(self.components_, centered, x.dtype), 0)

    @property
    def problem_(self) -> Problem:
        """What was minimized: the problem of `sparsebp.problems` with the penalty used."""
        return self._problem_of(self.penalty_, self.whitened_components_.shape)

    def _objective_of(self, x: np.ndarray, codes: np.ndarray | None = None) -> float:
        samples = Samples.of(x, count_threads(self.n_jobs))
        if self.whitening_ is not None:
            samples = samples.transform(self.whitening_, self.mean_[:, np.newaxis])
        return self.problem_.value({"x": samples, "W": self.whitened_components_})

    def _scored(self, x: np.ndarray) -> tuple[float, int]:
        with ignore_float_warnings():  # the objective is a function of the samples, without codes
            return x.shape[1] * self._objective_of(x), 0

    def _energies(self, codes: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(self.whitened_components_.astype(np.float64), axis=1)
        return np.square(codes).mean(axis=0) * lengths**2

    def _codes_to_count(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.components_.T

    def _warn_of_noise(self, white: Samples) -> None:
        """Warn if no component, or group, is further from a Gaussian than those of noise are."""
        penalty, name = self.penalty_.unsigned, type(self).__name__
        if isinstance(penalty, Subspace):
            with ignore_float_warnings():
                responses = _responses(white, self.whitened_components_)
                warn_if_chance(name, penalty, responses, white.shape[0])
        if not penalty.is_elementwise:
            return
        n_directions, n_samples = white.shape
        noise = largest_excess_of_noise(n_directions, n_samples)
        rule = SignRule(penalty, white, lambda filters: filters)
        with ignore_float_warnings():
            found = rule.excess_at(self.whitened_components_).largest
        if found < noise:
            warn_user(
                f"{name}: the components may be chance. They differ from a Gaussian "
                f"by at most {found:.1f} standard errors, and components of Gaussian noise by up "
                f"to {noise:.1f} for {n_samples} samples in {n_directions} directions. Give more "
                "samples, or fewer directions: lower n_components, or whiten=0.99."
            )

    def _whitened(self, samples: Samples) -> Whitened:
        n_features, n_samples = samples.shape
        if not self.whiten:
            mean = np.zeros(n_features, dtype=samples.dtype)
            (squares,) = samples.sum(lambda x: (sum_all(widened(x) ** 2),))
            variance = float(squares) / (n_features * n_samples) or 1.0
            return Whitened(samples, None, None, mean, variance)
        share = float(self.whiten) if self.whiten < 1 else None
        whitening = Whitening("pca", n_components=share).fit(samples)
        kept = slice(self.n_components if self.directions == "largest" else None)
        directions, scales = whitening.directions_[:, kept], whitening.scales_[kept]
        maps = ((directions / scales).T, directions * scales, whitening.mean_)
        forward, backward, mean = (a.astype(samples.dtype, copy=False) for a in maps)
        white = samples.transform(forward, mean[:, np.newaxis])
        if _FEW_OF * len(forward) <= n_features and samples.is_in_memory:
            white = white.load()
        return Whitened(white, forward, backward, mean)

    def _filters_at(self, white: Whitened, at: SignedPoint) -> dict[str, Any]:
        """Return the attributes of an estimator at an iterate."""
        shape = at.point.shape
        filters = self._problem_of(at.penalty, shape).project(at.point)
        features = self._decoder_of(shape) * filters.T
        return {
            "penalty_": at.penalty,
            "whitened_components_": filters,
            "components_": filters if white.forward is None else filters @ white.forward,
            "mixing_": features if white.backward is None else white.backward @ features,
            "whitening_": white.forward,
            "mean_": white.mean,
        }

    @property
    def _learns_anywhere(self) -> bool:
        return True

    def _n_filters(self, n_directions: int, shape: tuple[int, int]) -> int:
        """Return k for samples of this shape (n_features, n_samples), by default or limited."""
        raise NotImplementedError

    def _check_number_of_signs(self, shape: tuple[int, int]) -> None:
        """Raise an error, before samples are whitened, if not as many filters are possible."""
        most = self._n_filters(shape[0], shape)
        n_signs = 0 if self.signs is None or is_auto(self.signs) else len(self.signs)
        if n_signs > most or not self.whiten:
            self._check_penalty(most)

    def _problem_of(self, penalty: Penalty, shape: tuple[int, ...]) -> Problem:
        """Return what is minimized in filters of this shape."""
        raise NotImplementedError

    def _decoder_of(self, shape: tuple[int, ...]) -> float:
        """Return the c of the reconstruction c WᵀW x."""
        return 1.0

    def _minimize(
        self,
        checkpoint: Checkpoint,
        samples: Samples,
        penalty: Penalty,
        start: np.ndarray,
        *,
        near: bool,
        **limits: Any,
    ) -> Result:
        """Minimize with given signs from a start, near if it was a minimum for others."""
        raise NotImplementedError

    def _warn_of_samples(self, samples: Samples) -> None:
        """Warn if the penalty or the lack of whitening does not suit the samples."""
        name, some = type(self).__name__, samples.take_evenly(ENOUGH).T
        few = samples.shape[1] <= len(self.components_)  # orthogonal filters can make them sparse
        with ignore_float_warnings():
            hidden = not few and warn_of_hidden(name, self.penalty_, self._codes_to_count(some).T)
            if not (hidden or self.whiten):
                warn_if_not_white(name, some)

    def _accepted(self, penalty: Penalty) -> Penalty:
        """Return the penalty with the given signs, if there are any."""
        if getattr(penalty, "positive", False):
            raise ValueError(
                f"penalty is {penalty!r}, which constrains coefficients to be ≥ 0, but responses "
                "of filters have both signs. Set positive=False, or use SparseCoding."
            )
        if self.signs is None or is_auto(self.signs):
            return penalty
        return Signed(penalty, self.signs)

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does."""
        super().check_parameters()
        check_choice("solver", self.solver, self._solvers)
        if not is_flag(self.whiten):
            check_number("whiten", self.whiten, above=0, below=1, also=", True or False")
        check_choice("directions", self.directions, ("largest", "all"))
        self._check_penalty(self.n_components)


def _responses(samples: Samples, filters: np.ndarray) -> Samples:
    return samples.transform(filters, np.zeros((filters.shape[1], 1), dtype=filters.dtype))


@dataclass(frozen=True)
class Whitened:
    """White samples, computed block by block; the whitening map, its inverse, and the mean.

    Without whitening there are no maps: an identity matrix would have n_features² elements. The
    variance is the mean square of a value, which is not 1 for all samples called white: that of
    patches of 81 pixels and unit norm is 1/81.
    """

    samples: Samples
    forward: np.ndarray | None
    backward: np.ndarray | None
    mean: np.ndarray
    variance: float = 1.0
