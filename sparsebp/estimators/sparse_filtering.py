"""Sparse filtering behind scikit-learn's interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._fitted import Numbers
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._shapes import PatchShape
from sparsebp._warnings import warn_user
from sparsebp.estimators._callbacks import watching
from sparsebp.estimators._fitting import require_success
from sparsebp.estimators._learner import Learner
from sparsebp.estimators._units import ENOUGH, is_parabola
from sparsebp.minimizers import ColumnResult, minimize_lbfgs
from sparsebp.penalties import SmoothL1
from sparsebp.problems import Problem, SparseFilteringInBlocks, sparse_filtering
from sparsebp.samples import Samples, product

#: A filter with less than this fraction of (Wx)² in its mean square is hidden by ε.
_HIDDEN = 1e-6


class SparseFiltering(Learner):
    """Sparse filtering: responses that are sparse for every sample and equally strong on average.

    Minimizes, in the filters W,

        F(W) = (1/m) Σⱼ ‖f̂ⱼ‖₁,  f = √((Wx)² + ε),  f̃ᵣ = fᵣ / ‖fᵣ‖,  f̂ⱼ = f̃ⱼ / ‖f̃ⱼ‖

    by L-BFGS, with unit-norm rows of W: the responses of every filter are divided by their norm
    over the samples, then those of every sample by their norm. There is a single criterion, so
    there is no α. `transform` encodes each sample independently, by √((Wx)² + ε) ≥ 0 divided by
    ``scale_``, then by its norm.

    Parameters
    ----------
    n_components : int, default=None
        Number of filters; None means as many as features.
    epsilon : float, default=1e-8
        Smoothing ε > 0 of the absolute value, relative to the mean square of X (which is the mean
        squared response of a random filter), so that the filters do not depend on X's unit.
    max_iter : int, default=1000
        Maximum number of iterations.
    tol : float, default=1e-6
        Stop when an iteration lowers the objective by less than this fraction.
    init : array-like of shape (n_components, n_features), default=None
        Initial filters; None draws them at random.
    warm_start : bool, default=False
        Whether `fit` starts from the components of the last fit.
    random_state : int, RandomState, Generator or None, default=None
        Draws the initial filters.
    patch_shape : int or tuple of int, default=None
        Shape of samples that are patches: (height, width), (height, width, 3) in color, or (frames,
        height, width). Displays and `sparsebp.images` use it; None means square patches.
    checkpoint : path, default=None
        File from which `fit`, called again with the same samples and parameters after its process
        was killed, resumes to the last bit. A fit that ends removes it, unless it ended at
        ``max_iter``.
    verbose : bool, default=False
        Whether to print a line for each iteration.
    callback : callable, default=None
        Called as ``callback(iteration, objective)`` after each iteration; returning True stops.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        W, the filters, of unit norm.
    features_ : ndarray of shape (n_components, n_features)
        The same.
    epsilon_ : float
        ε in the unit of the squared samples: ``epsilon`` times the mean square of X.
    scale_ : ndarray of shape (n_components,)
        Root of the mean square of each filter's responses f to the samples of `fit`; `transform`
        divides by it.
    objective_ : float
        The objective at ``components_``.
    objective_history_ : ndarray of shape (n_iterations + 1,)
        The objective from iteration 0 on.
    contributions_ : ndarray of shape (n_components,)
        Share of each component in what all contribute to (some of) the samples of `fit`.
    n_iter_ : int
        Number of iterations.
    status_ : str
        How the fit ended.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, if X has string names.

    See Also
    --------
    ReconstructionICA : Filters whose responses are sparse and reconstruct the samples.

    Notes
    -----
    Ngiam, Koh, Chen, Bhaskar & Ng, *Sparse filtering* (2011). Patches should have zero mean and
    similar contrast; whitening is not needed.

    Examples
    --------
    >>> from sparsebp import SparseFiltering
    >>> from sparsebp.datasets import make_mixtures
    >>> X = make_mixtures(500, 4, random_state=0).X
    >>> model = SparseFiltering(3, random_state=0).fit(X)
    >>> codes = model.transform(X)
    >>> codes.shape, np.linalg.norm(codes, axis=1).round(12).min()
    ((500, 3), np.float64(1.0))
    """

    scale_: np.ndarray
    epsilon_: float
    _fitted: ClassVar[dict[str, Any]] = {
        **Learner._fitted,
        "epsilon_": Numbers(above=0),
        "scale_": Numbers(("components",), above=0),
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        epsilon: float = 1e-8,
        max_iter: int = 1000,
        tol: float = 1e-6,
        init: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        patch_shape: PatchShape = None,
        checkpoint: str | os.PathLike[str] | None = None,
        verbose: bool | int = False,
        callback: Callable[[int, float], Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.epsilon = epsilon
        self.max_iter = max_iter
        self.tol = tol
        self.init = init
        self.warm_start = warm_start
        self.random_state = random_state
        self.patch_shape = patch_shape
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.callback = callback

    def _learn(self, X: Any, samples: Samples, checkpoint: Checkpoint) -> None:
        n_features = samples.shape[0]
        shape = self.n_components or n_features, n_features
        start = self._start(shape, checkpoint.rng, samples.dtype)
        in_blocks = SparseFilteringInBlocks(samples, float(self.epsilon))
        epsilon = in_blocks.absolute_epsilon
        problem = sparse_filtering(epsilon)
        objective = checkpoint.taped(problem.constrained(in_blocks))
        limits: dict[str, Any] = {"max_iter": self.max_iter, "tol": self.tol}

        def fitted_at(point: np.ndarray) -> dict[str, Any]:
            filters = problem.project(point)
            scale = in_blocks.lengths(filters).astype(filters.dtype)
            return {"components_": filters, "scale_": scale, "epsilon_": epsilon}

        with ignore_float_warnings(), watching(self, X, fitted_at, checkpoint) as watch:
            result = minimize_lbfgs(objective, start, callback=watch, **limits)
            require_success(result)
            vars(self).update(fitted_at(result.point))
        self._record(result)
        responses = self.components_ @ samples.take_evenly(ENOUGH)
        hidden = self.epsilon * _HIDDEN > 1  # reported by _warn_of_silent
        if responses.any() and not hidden and is_parabola(SmoothL1(epsilon), responses):
            warn_user(
                f"SparseFiltering: epsilon is {self.epsilon:g}, which relative to the mean "
                "square of X is so large that no response is sparse. Give about 1e-8."
            )
        self._warn_of_silent(samples)

    def _encode(self, x: np.ndarray) -> ColumnResult:
        responses = _responses(x, self.components_, self.epsilon_)
        codes = responses / responses.max(axis=0) / self.scale_[:, np.newaxis]
        return ColumnResult(codes / np.linalg.norm(codes, axis=0), 0)

    @property
    def problem_(self) -> Problem:
        """What was minimized: `sparsebp.problems.sparse_filtering` with the ε used."""
        return sparse_filtering(self.epsilon_)

    def _codes_to_count(self, X: np.ndarray) -> np.ndarray:
        return _responses(X.T, self.components_, self.epsilon_).T

    def _energies(self, codes: np.ndarray) -> np.ndarray:
        """Return the fraction of each filter's mean square that is not ε."""
        share = 1 - self.epsilon_ / np.square(self.scale_.astype(np.float64))
        return np.where(share > _HIDDEN, share, 0)

    def _silence(self) -> tuple[str, str]:
        return "filters {} silent", "Lower epsilon or n_components, or scale X."

    def _objective_of(self, x: np.ndarray, codes: np.ndarray) -> float:
        # Of other samples this is not F of `problem_`: rows are divided by their norms in `fit`.
        return float(codes.sum(axis=1, dtype=np.float64).mean())


def _responses(x: np.ndarray, filters: np.ndarray, epsilon: float) -> np.ndarray:
    """Return the responses (n_components, n_samples) to samples in columns."""
    return np.hypot(product(filters, x, x.dtype), x.dtype.type(np.sqrt(epsilon)))
