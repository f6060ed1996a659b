"""Independent component analysis behind scikit-learn's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.utils import check_random_state

from sparsebp.estimators._base import Learner, quietly, require_success
from sparsebp.estimators._parameters import check_choice, check_real
from sparsebp.objectives import (
    OrthonormalRows,
    UnitRows,
    orthonormalized,
    reconstruction_objective,
    sparsity_objective,
)
from sparsebp.penalties import Penalty
from sparsebp.preprocessing import Whitening
from sparsebp.solvers import Result, minimize_lbfgs, minimize_orthonormal


class ReconstructionICA(Learner):
    """Reconstruction ICA: filters with sparse responses that still reconstruct the samples.

    Minimises, in the filters W,

        F(W) = (1/m) Σⱼ [‖WᵀW xⱼ − xⱼ‖² + α S(W xⱼ)]

    by L-BFGS. There may be more filters than features.

    Parameters
    ----------
    n_components : int, default=None
        Number of filters; None means as many as features.
    penalty : {"l1", "smooth_l1", "topographic", "log_cosh", "cauchy"} or Penalty, \
            default="smooth_l1"
        The sparsity penalty S. A topographic one orders the filters on a map.
    alpha : float, default=1.0
        Weight α ≥ 0 of the penalty (MATLAB's ``Lambda`` is 1/α). Orthonormal ICA is the limit
        α → 0 on whitened samples.
    epsilon : float, default=1e-2
        Smoothing ε > 0 of the penalties given by name.
    unit_norm : bool, default=False
        Whether the rows of W are kept at length one inside the objective.
    solver : {"lbfgs"}, default="lbfgs"
        SciPy's L-BFGS.
    max_iter : int, default=500
        Iterations at most.
    tol : float, default=1e-6
        Stop when an iteration lowers the objective by less than this share.
    warm_start : bool, default=False
        Whether `fit` begins at the components of the last one.
    random_state : int, RandomState instance or None, default=None
        Draws the first filters.
    callback : callable, default=None
        Called as ``callback(iteration, objective)`` after each iteration; returning True stops.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The filters W.
    penalty_ : Penalty
        The penalty used.
    objective_ : float
        The objective at ``components_``.
    objective_history_ : ndarray of shape (n_iter_ + 1,)
        The objective from iteration 0 on.
    n_iter_ : int
        Iterations made.
    status_ : str
        How the search ended.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X has string names.

    See Also
    --------
    OrthonormalICA : Exactly orthonormal filters, on samples it whitens itself.

    Examples
    --------
    >>> from sparsebp import ReconstructionICA
    >>> from sparsebp.datasets import make_mixtures
    >>> X = make_mixtures(500, 4, random_state=0).X
    >>> model = ReconstructionICA(6, alpha=0.1, random_state=0).fit(X)
    >>> model.components_.shape, model.transform(X).shape
    ((6, 4), (500, 6))
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        penalty: str | Penalty = "smooth_l1",
        alpha: float = 1.0,
        epsilon: float = 1e-2,
        unit_norm: bool = False,
        solver: str = "lbfgs",
        max_iter: int = 500,
        tol: float = 1e-6,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[[int, float], Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.penalty = penalty
        self.alpha = alpha
        self.epsilon = epsilon
        self.unit_norm = unit_norm
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the filters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows, such as whitened patches.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : ReconstructionICA
            The fitted estimator. When interrupted (Ctrl-C) it is fitted with the best filters so
            far, and KeyboardInterrupt goes on.

        Raises
        ------
        ValueError
            If X or a parameter is unusable.
        """
        self._check_common()
        check_real("alpha", self.alpha)
        check_choice("solver", self.solver, ("lbfgs",))
        x = self._checked_to_learn(X).T
        rng = check_random_state(self.random_state)
        shape = (self.n_components or x.shape[0], x.shape[0])
        penalty = self._make_penalty(shape[0])
        start = self._start(shape, rng, x.dtype)
        with quietly():
            objective: Any = reconstruction_objective(
                x, penalty, float(self.alpha), scale=1 / x.shape[1], compressed=True
            )
            if self.unit_norm:
                objective = UnitRows(objective)
            result = minimize_lbfgs(
                objective,
                start,
                max_iter=self.max_iter,
                tol=self.tol,
                callback=self._solver_callback(),
            )
        require_success(result)
        self.penalty_ = penalty
        self.components_ = objective.constrained(result.point) if self.unit_norm else result.point
        return self._record(result)

    def transform(self, X: Any) -> np.ndarray:
        """Compute the filters' responses.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            W x for each x.

        Raises
        ------
        ValueError
            If X is unusable.
        """
        return self._checked(X).astype(self.components_.dtype, copy=False) @ self.components_.T

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute the samples that responses stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Responses in rows.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            Wᵀ s, the model's reconstruction.

        Raises
        ------
        ValueError
            If there are not n_components columns.
        """
        return self._checked_codes(X) @ self.components_

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
            −F.
        """
        x = self._checked(X).T.astype(self.components_.dtype, copy=False)
        objective = reconstruction_objective(
            x, self.penalty_, float(self.alpha), scale=1 / x.shape[1]
        )
        with quietly():
            return -float(objective.value_and_gradient(self.components_)[0])


class OrthonormalICA(Learner):
    """Orthonormal ICA: the sparsest orthonormal filters of whitened samples.

    Minimises, in the filters W,

        F(W) = (1/m) Σⱼ S(W xⱼ)   subject to   WWᵀ = I,

    the samples x being whitened first.

    Parameters
    ----------
    n_components : int, default=None
        Number of filters, at most the rank of the samples; None means the rank.
    penalty : {"l1", "smooth_l1", "topographic", "log_cosh", "cauchy"} or Penalty, \
            default="smooth_l1"
        The sparsity penalty S. A topographic one makes it topographic ICA.
    epsilon : float, default=1e-2
        Smoothing ε > 0 of the penalties given by name.
    whiten : bool, default=True
        Whether to center and whiten the samples (rank-aware, without regularisation). False
        is for samples that are white already.
    solver : {"lbfgs", "projected"}, default="lbfgs"
        SciPy's L-BFGS on F((MMᵀ)^(−½)M) in a free M, or the tutorial's gradient steps followed by
        W ← (WWᵀ)^(−½)W, with a line search.
    max_iter : int, default=500
        Iterations at most.
    tol : float, default=1e-6
        Stop when an iteration lowers the objective by less than this share.
    warm_start : bool, default=False
        Whether `fit` begins at the filters of the last one.
    random_state : int, RandomState instance or None, default=None
        Draws the first filters.
    callback : callable, default=None
        Called as ``callback(iteration, objective)`` after each iteration; returning True stops.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The filters for samples as given, whitening included.
    rotation_ : ndarray of shape (n_components, rank)
        W, the filters for whitened samples, with orthonormal rows.
    mixing_ : ndarray of shape (n_features, n_components)
        The features: what each component adds to a sample.
    mean_ : ndarray of shape (n_features,)
        Mean of the samples (zeros if they are not whitened).
    penalty_ : Penalty
        The penalty used.
    objective_ : float
        The objective at ``rotation_``.
    objective_history_ : ndarray of shape (n_iter_ + 1,)
        The objective from iteration 0 on.
    n_iter_ : int
        Iterations made.
    status_ : str
        How the search ended.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, where X has string names.

    See Also
    --------
    ReconstructionICA : More filters than features, unwhitened samples.

    Examples
    --------
    >>> from sparsebp import OrthonormalICA
    >>> from sparsebp.datasets import make_mixtures
    >>> from sparsebp.metrics import amari_distance
    >>> mixtures = make_mixtures(5000, 4, random_state=0)
    >>> model = OrthonormalICA(random_state=0).fit(mixtures.X)
    >>> amari_distance(model.components_, mixtures.mixing) < 0.05
    True
    """

    def __init__(
        self,
        n_components: int | None = None,
        *,
        penalty: str | Penalty = "smooth_l1",
        epsilon: float = 1e-2,
        whiten: bool = True,
        solver: str = "lbfgs",
        max_iter: int = 500,
        tol: float = 1e-6,
        warm_start: bool = False,
        random_state: Any = None,
        callback: Callable[[int, float], Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.penalty = penalty
        self.epsilon = epsilon
        self.whiten = whiten
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.callback = callback

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the filters.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : OrthonormalICA
            The fitted estimator. When interrupted (Ctrl-C) it is fitted with the best filters so
            far, and KeyboardInterrupt goes on.

        Raises
        ------
        ValueError
            If X or a parameter is unusable, or there are fewer independent directions in X than
            components.
        """
        self._check_common()
        check_choice("solver", self.solver, ("lbfgs", "projected"))
        X = self._checked_to_learn(X)
        white, forward, backward, mean, rank = self._whitened(X)
        n_components = self._n_components_of(rank, X.shape)
        penalty = self._make_penalty(n_components)
        rng = check_random_state(self.random_state)
        start = self._start((n_components, rank), rng, X.dtype, kept="rotation_")
        with quietly():
            result = self._solve(white.T, penalty, orthonormalized(start))
        require_success(result)
        self.penalty_ = penalty
        self.rotation_ = orthonormalized(result.point)
        self.components_ = self.rotation_ @ forward
        self.mixing_ = backward @ self.rotation_.T
        self.mean_ = mean
        return self._record(result)

    def transform(self, X: Any) -> np.ndarray:
        """Compute the components of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            The filters' responses to each sample less the mean.

        Raises
        ------
        ValueError
            If X is unusable.
        """
        X = self._checked(X).astype(self.components_.dtype, copy=False)
        return (X - self.mean_) @ self.components_.T

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute the samples that components stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Components in rows.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            The mean and the components' features together; exact where n_components is the rank.

        Raises
        ------
        ValueError
            If there are not n_components columns.
        """
        return self._checked_codes(X) @ self.mixing_.T + self.mean_

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
            −F.
        """
        codes = self.transform(X).T
        with quietly():
            return -float(self.penalty_.values_and_gradient(codes)[0].mean())

    def _solve(self, x: np.ndarray, penalty: Penalty, start: np.ndarray) -> Result:
        objective = sparsity_objective(x, penalty, scale=1 / x.shape[1])
        limits: dict[str, Any] = {"max_iter": self.max_iter, "tol": self.tol}
        limits["callback"] = self._solver_callback()
        if self.solver == "projected":
            return minimize_orthonormal(objective, start, **limits)
        return minimize_lbfgs(OrthonormalRows(objective), start, **limits)

    def _whitened(
        self, X: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
        """Return white samples, the maps there and back, the mean and the rank."""
        n_features = X.shape[1]
        if not self.whiten:
            unit = np.eye(n_features, dtype=X.dtype)
            return X, unit, unit, np.zeros(n_features, dtype=X.dtype), n_features
        whitening = Whitening("pca").fit(X)
        forward = whitening.whitening_matrix_.astype(X.dtype)
        backward = whitening.dewhitening_matrix_.astype(X.dtype)
        return (
            whitening.transform(X),
            forward,
            backward,
            whitening.mean_.astype(X.dtype),
            whitening.rank_,
        )

    def _n_components_of(self, rank: int, shape: tuple[int, ...]) -> int:
        n_components = self.n_components or rank
        if n_components > rank or rank == 0:
            raise ValueError(
                f"n_components is {self.n_components} but the {shape[0]} samples of {shape[1]} "
                f"features span only {rank} dimensions (n_samples={shape[0]}); orthonormal "
                "filters cannot outnumber them. Lower n_components, or take ReconstructionICA."
            )
        return n_components
