"""Sparse coding behind scikit-learn's interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from time import perf_counter
from typing import Any, ClassVar, Self

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import (
    RandomSource,
    check_choice,
    check_flag,
    check_integer,
    check_number,
    draw_seed,
)
from sparsebp._fitted import Maybe
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._shapes import PatchShape
from sparsebp.coding import (
    FITTED_STATE,
    RESUMED_FORGETTING,
    STEPS,
    Alternation,
    BasisSearch,
    BasisState,
    OnlineLearning,
    Pursuit,
)
from sparsebp.coding.alternating import check_closed_form
from sparsebp.estimators._atom_coder import FITTED_RULE, AtomCoder, fitted_attributes
from sparsebp.estimators._callbacks import watching
from sparsebp.estimators._fitting import require_success, require_usable, restore_on_error
from sparsebp.estimators._learner import Learner
from sparsebp.estimators._subspaces import atoms_in_groups
from sparsebp.estimators._units import ENOUGH, warn_of_few_samples, warn_of_units
from sparsebp.penalties import Penalty
from sparsebp.samples import Samples, count_threads


class SparseCoding(AtomCoder, Learner):  # type: ignore[misc]  # penalty_ may be None
    """Sparse coding: a basis in which every sample is a combination of few atoms.

    Minimizes, in the basis A and the coefficients s,

        F(A, s) = (1/m) Σⱼ [‖A sⱼ − xⱼ‖² + α S(sⱼ)]   subject to   ‖aᵣ‖ = 1 for every atom,

    or, if γ is given, with the tutorial's weight decay + γ ‖A‖² instead of the constraint,
    alternating between the coefficients of a new batch and the basis. With `n_nonzero` or `error`
    the coefficients are found by orthogonal matching pursuit instead, and F is the first term.

    NaN and masked values are missing: the squared error is of known ones; leave gamma=None then.

    Parameters
    ----------
    n_components : int, default=None
        Number of atoms; None means as many as features.
    penalty : {"l1", "smooth_l1", "topographic", "subspace", "log_cosh", "cauchy", "welsch"} or \
            Penalty, default="smooth_l1"
        The sparsity penalty S. "topographic" orders the atoms on a map, "subspace" in groups.
    alpha : float, default=1.0
        Weight α ≥ 0 of the penalty (the tutorial's λ; twice scikit-learn's ``alpha``). The right
        value depends on the scale of the samples; 1 suits whitened patches of unit variance.
    epsilon : float, default=1e-3
        Smoothing ε > 0 of "smooth_l1", "topographic" and "subspace"; a Penalty has its own.
    group_size : int, default=4
        Atoms of a group of "subspace", a divisor of n_components.
    n_nonzero : int, default=None
        The maximum number of atoms of a sample, ≥ 1, for codes by pursuit. It replaces the penalty:
        `penalty`, `alpha` and `gamma` must have their default values.
    error : float, default=None
        Pursuit stops where ‖x − A s‖² ≤ error, in squared units of X; see `SparseCoder`. Give
        `n_nonzero` as well where many atoms come near any sample: `fit` warns of that.
    gamma : float, default=None
        Weight decay γ ≥ 0, which keeps the atoms from growing while the coefficients shrink. None
        keeps the atoms at unit norm, so that α means the same for all of them.
    solver : {"lbfgs", "exact", "online"}, default="lbfgs"
        "lbfgs" alternates SciPy's L-BFGS on F(s; A) and on F(A; s). "exact" reaches a lower
        objective in the same time: one L-BFGS per sample and A = x sᵀ (s sᵀ + γ m I)⁻¹, which
        requires γ; or, of codes by pursuit, A = x s⁺. (L1 codes are exact with both.) "online" is
        for many samples: coefficients of small batches (256 is a good size) are computed
        approximately, and the atoms are fitted to sums over the batches so far.
    positive_basis : bool, default=False
        Whether atoms are kept ≥ 0, by "online" only; for codes ≥ 0 use ``L1(positive=True)``. An
        ``init``, and atoms from which a search resumes, must then be ≥ 0.
    max_iter : int, default=100
        Maximum number of iterations.
    tol : float, default=1e-4
        Stop when an iteration changes the basis by less than this fraction of its norm. "lbfgs" and
        "exact" also find the coefficients in an iteration the more accurately, the smaller it is.
    batch_size : int, default=1000
        Samples per iteration. None, or as many as there are, uses all of them every time and starts
        from their last coefficients.
    init : array-like of shape (n_components, n_features), default=None
        Initial atoms; None draws them at random.
    warm_start : bool, default=False
        Whether `fit` starts from the components of the last fit.
    random_state : int, RandomState, Generator or None, default=None
        Draws the initial basis, the batches and replacements of unused atoms.
    n_jobs : int, default=None
        Number of threads over blocks of samples; −1 for one per processor, None for as many as BLAS
        may use. The result does not depend on it. "lbfgs" fits smooth penalties in one thread,
        since others would wait for Python's interpreter lock, unless there is none.
    patch_shape : int or tuple of int, default=None
        Shape of samples that are patches: (height, width), (height, width, 3) in color, or (frames,
        height, width). Displays and `sparsebp.images` use it; None means square patches.
    checkpoint : path, default=None
        File from which `fit`, called again with the same samples and parameters after its process
        was killed, resumes to the last bit. A fit that ends removes it, unless one with "online"
        ended at ``max_iter``. `partial_fit` writes none, and warns.
    verbose : bool, default=False
        Whether to print a line for each iteration.
    callback : callable, default=None
        Called as ``callback(iteration, objective)`` after each iteration; returning True stops.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The atoms in rows, Aᵀ.
    penalty_ : Penalty or None
        The penalty used; None for a pursuit.
    alpha_ : float
        Its weight, also used by `transform`; 0 for a pursuit.
    n_nonzero_ : int or None
        The limit on atoms of a pursuit, also used by `transform`.
    error_ : float or None
        Its bound on the squared error, also used by `transform`.
    gamma_ : float or None
        The weight decay used.
    state_ : BasisState or None
        State from which `partial_fit` and warm starts resume: basis, means of s sᵀ and x sᵀ over
        the samples so far (``codes_moments``, ``cross_moments``), and ``n_samples``; of missing
        values also those of each feature (``feature_moments``, ``n_known``).
    objective_ : float
        The objective of the last iteration, on its batch; with "online" of atoms just fitted to it,
        so too low, and by less as batches add up: compare fits by `score` on held-out samples.
    objective_history_ : ndarray of shape (n_iterations + 1,)
        The objective of each iteration on its batch; entry 0 is that of the initial basis.
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
    ReconstructionICA : Filters instead of atoms; coefficients are a matrix product.

    Examples
    --------
    >>> from sparsebp import SparseCoding
    >>> from sparsebp.datasets import make_dictionary_signals
    >>> X = make_dictionary_signals(1500, 8, 12, n_nonzero=2, random_state=0).X
    >>> model = SparseCoding(12, alpha=0.2, max_iter=5, random_state=0).fit(X)
    >>> model.components_.shape, model.transform(X).shape
    ((12, 8), (1500, 12))
    """

    _default_penalty = "smooth_l1"
    state_: BasisState | None = None
    _fitted: ClassVar[dict[str, Any]] = {
        **Learner._fitted,
        **FITTED_RULE,
        "state_": Maybe(FITTED_STATE),
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        penalty: str | Penalty = "smooth_l1",
        alpha: float = 1.0,
        epsilon: float = 1e-3,
        group_size: int = 4,
        n_nonzero: int | None = None,
        error: float | None = None,
        gamma: float | None = None,
        solver: str = "lbfgs",
        positive_basis: bool = False,
        max_iter: int = 100,
        tol: float = 1e-4,
        batch_size: int | None = 1000,
        init: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
        patch_shape: PatchShape = None,
        checkpoint: str | os.PathLike[str] | None = None,
        verbose: bool | int = False,
        callback: Callable[[int, float], Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.penalty = penalty
        self.alpha = alpha
        self.epsilon = epsilon
        self.group_size = group_size
        self.n_nonzero = n_nonzero
        self.error = error
        self.gamma = gamma
        self.solver = solver
        self.positive_basis = positive_basis
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.init = init
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.patch_shape = patch_shape
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.callback = callback

    @property
    def _can_go_on(self) -> bool:
        return self.solver == "online"  # the alternation replaces atoms for a share of max_iter

    def _learn(self, X: Any, samples: Samples, checkpoint: Checkpoint) -> None:
        state = self._state_at_start(samples, checkpoint.rng, resumed=self.warm_start)
        search = self._search(state.basis.shape[1])
        fitted_at = partial(fitted_attributes, search)
        with ignore_float_warnings(), watching(self, X, fitted_at, checkpoint) as watch:
            seed = draw_seed(checkpoint.rng)
            begin = partial(atoms_in_groups, search, samples, seed) if self._draws_start else None
            result = search.run(samples, state, seed, watch, checkpoint, begin)
            require_success(result)
            vars(self).update(fitted_at(result.state))
        fresh = self.batch_size is not None and self.batch_size < samples.shape[1]
        self._record(result, limit_is_failure=not fresh and self.solver != "online")
        self._warn_of_units(samples)
        warn_of_few_samples(len(self.components_), samples.shape[1])
        self._warn_of_silent(samples)
        self._warn_of_many_active(samples.take_evenly(ENOUGH))

    @restore_on_error
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from one more batch of samples, in addition to earlier ones.

        For any ``solver`` these are steps of ``solver="online"``, each on about twice as many
        samples as components, or on all of a smaller batch: coefficients are computed
        approximately, and the atoms are fitted to decaying sums over the samples so far, of which
        about the last 1/48 count. The sums (``state_``), which saved models keep, continue those of
        `fit` and of earlier calls. So after `fit` a small batch changes the atoms only slightly.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A batch, of any size. The first one must have a known value of each feature.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : SparseCoding
            The estimator after the batch.

        Raises
        ------
        ValueError, TypeError
            If X or a parameter is unusable, or X has another number of features.

        Notes
        -----
        Atoms without known sums, such as those set as ``components_``, count as 100,000 samples.
        """
        begun, first = perf_counter(), not hasattr(self, "components_")
        self.check_parameters()
        samples, _ = self._samples_to_learn(X, reset=first)
        rng = self._rng_of_batch()
        state = self._state_at_start(samples, rng, resumed=True)
        x = samples.block(0, samples.shape[1])
        search = replace(self._online(state.basis.shape[1]), forgetting=RESUMED_FORGETTING)
        with ignore_float_warnings():
            state = state.moved_to(search.project(state.basis))
            start = search.value_at_start(x, state.basis)
            state, objective = search.learn(x, state, draw_seed(rng))
        require_usable(state.basis, objective)
        vars(self).update(fitted_attributes(search, state))
        self._record_batch(start, objective, begun, first=first)
        if first:
            self._warn_of_units(samples)
            self._warn_of_many_active(samples.take_evenly(ENOUGH))
            self._warn_of_checkpoint()
        return self

    def _warn_of_units(self, samples: Samples) -> None:
        if self.penalty_ is None:
            return
        fitted = self.penalty_, self.alpha_, samples.take_evenly(ENOUGH), self.components_.T
        with ignore_float_warnings():
            warn_of_units("SparseCoding", *fitted, lambda x: self._codes_to_count(x.T).T)

    def _state_at_start(self, samples: Samples, rng: RandomSource, *, resumed: bool) -> BasisState:
        resumed = resumed and hasattr(self, "components_")
        shape = (self.n_components or samples.shape[0], samples.shape[0])
        basis = np.ascontiguousarray(self._start(shape, rng, samples.dtype, go_on=resumed).T)
        if self.positive_basis and (resumed or self.init is not None) and (basis < 0).any():
            raise ValueError(
                f"positive_basis is True, but {'components_' if resumed else 'init'}, where the "
                "search starts, has numbers < 0. Give numbers ≥ 0, such as np.maximum(init, 0), "
                "or set positive_basis=False."
            )
        if not resumed:
            return BasisState.empty(basis)
        if self.state_ is None or not np.array_equal(self.state_.basis, self.components_.T):
            return BasisState.trusted(basis, samples.take_evenly(ENOUGH))
        return replace(self.state_, basis=basis)

    def _search(self, n_components: int) -> BasisSearch:
        online, options = self.solver == "online", self._options(n_components)
        return self._online(n_components) if online else Alternation(**options, steps=self.solver)

    def _online(self, n_components: int) -> OnlineLearning:
        return OnlineLearning(**self._options(n_components), positive_basis=self.positive_basis)

    def _options(self, n_components: int) -> dict[str, Any]:
        gamma = None if self.gamma is None else float(self.gamma)
        pursuit, n_threads = Pursuit.of(self.n_nonzero, self.error), count_threads(self.n_jobs)
        penalty = pursuit or self._make_penalty(n_components)
        weights = {"alpha": 0.0 if pursuit else float(self.alpha), "gamma": gamma}
        limits = {"max_iter": self.max_iter, "tol": float(self.tol), "n_threads": n_threads}
        return {"penalty": penalty, **weights, **limits, "batch_size": self.batch_size}

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does."""
        super().check_parameters()
        self._check_rule()
        check_choice("solver", self.solver, (*STEPS, "online"))
        check_flag("positive_basis", self.positive_basis)
        if self.positive_basis and self.solver != "online":
            raise ValueError("positive_basis=True requires solver='online'; set it, or set False.")
        if self.gamma is not None:
            check_number("gamma", self.gamma, minimum=0)
        check_closed_form(self.solver, self.gamma, pursues=self._pursues)
        check_integer("batch_size", self.batch_size, none="all samples")
        self._check_penalty(self.n_components)
