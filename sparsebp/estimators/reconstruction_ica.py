"""Reconstruction ICA behind scikit-learn's interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import check_choice, check_number, is_auto, is_flag
from sparsebp._fitted import Maybe, Numbers
from sparsebp._shapes import PatchShape
from sparsebp._warnings import warn_user
from sparsebp.estimators._filter_learner import FilterLearner, Whitened
from sparsebp.estimators._signs import SignedPoint
from sparsebp.estimators._units import ENOUGH
from sparsebp.minimizers import Result, growing_subsets, minimize_growing
from sparsebp.penalties import Penalty
from sparsebp.problems import Differentiable, Problem, decoder_scale, reconstruction_ica
from sparsebp.samples import Samples

#: k filters of n white directions reconstruct about k / n of the energy, never as little as this.
_NOTHING = 0.05
#: Samples of the first stage for each filter, and at least. Fewer are overfitted: sources that are
#: not 0 in a tenth of the samples were mixed in 1 of 40 fits that began with 125.
_SAMPLES_PER_FILTER, _FEWEST = 16, 1000


class ReconstructionICA(FilterLearner):
    """Reconstruction ICA: filters with sparse responses that still reconstruct the samples.

    Minimizes, in the k filters W of n whitened directions,

        F(W) = (1/m) Σⱼ [‖c WᵀW xⱼ − xⱼ‖² + α S(W xⱼ)]

    by L-BFGS, with many samples first on a subset and finally on all of them. For k ≤ n this is the
    tutorial's objective, c = 1. For k > n the rows of W have unit norm and c = n/k, since otherwise
    k − n of the filters would become silent (see ``unit_norm``).

    Parameters
    ----------
    n_components : int, default=None
        Number of filters; None means as many as whitened directions, or without whitening as many
        as features, but at most as many as samples.
    penalty : {"l1", "smooth_l1", "topographic", "subspace", "log_cosh", "cauchy", "welsch"} or \
            Penalty, default="smooth_l1"
        The sparsity penalty S. "topographic" orders the filters on a map, "subspace" in groups.
    alpha : float, default=1.0
        Weight α ≥ 0 of the penalty (MATLAB's ``Lambda`` is 1/α). Orthonormal ICA is the limit
        α → 0 on whitened samples, for k ≤ n.
    epsilon : float or "auto", default="auto"
        Smoothing ε > 0 of "smooth_l1", "topographic" and "subspace"; a Penalty has its own.
        "auto" is the variance of the white samples: 1 if `fit` whitens them, else their mean
        square; with more filters than directions a hundredth of it. A much smaller one makes |s|
        sharp, which separates sparse sources a little better, but not two-valued or skewed ones.
    group_size : int, default=4
        Features of a group of "subspace", which must divide the number of components.
    unit_norm : bool or "auto", default="auto"
        Whether the rows of W are kept at unit norm inside the objective. "auto" does so if there
        are more filters than whitened directions, k > n, and then reconstructs with (n/k) WᵀW, the
        scale at which unit-norm filters can satisfy c WᵀW = I. False leaves the norms free, the
        tutorial's plain objective; with k > n at most n filters remain in use, and the others are
        silent. True is as in the tutorial's exercise and in MATLAB, which reconstruct with WᵀW for
        any k: with k > n that is k/n times too large.
    whiten : bool or float, default=False
        Whether to center and whiten the samples, in all directions that they span (True) or in the
        fewest that hold a fraction of their variance (a number between 0 and 1). False is for
        samples that are already white, such as whitened patches in the tutorial; `fit` warns if
        they are far from it, since then filters reflect variances and sources stay mixed.
    directions : {"largest", "all"}, default="largest"
        The whitened directions in which components are searched for, if there are more than
        n_components: the n_components directions of largest variance, as in FastICA, or all. In all
        directions the sparsest components are found regardless of the variance they explain: often
        noise. Without whitening it is always all.
    solver : {"lbfgs"}, default="lbfgs"
        SciPy's L-BFGS.
    max_iter : int, default=1000
        Maximum number of iterations.
    tol : float, default=1e-6
        Stop when ten iterations together lower the objective by less than ten times this fraction,
        or one by less than 1e-4 times it; single steps may be short on the way between two minima.
    signs : "auto", None or array-like of shape (n_components,), default="auto"
        +1 for components sparser than a Gaussian, −1 for sub-Gaussian ones, such as uniform sources
        or sines, for which S is maximized. "auto" determines them during the fit: −1 if S of a
        component is above S of a Gaussian of the same variance. All are +1 for "topographic" and
        "subspace", whose groups share a sign, and if there are more filters than directions. None
        means all +1: the sparsest components.
    init : array-like of shape (n_components, n_features), default=None
        Initial filters; None draws them at random.
    warm_start : bool, default=False
        Whether `fit` starts from the components of the last fit.
    random_state : int, RandomState, Generator or None, default=None
        Draws the initial filters, and the samples of the first iterations.
    n_jobs : int, default=None
        Number of threads over blocks of samples; −1 for one per processor, None for as many as BLAS
        may use. The result does not depend on it.
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
        The filters for samples as given, including the whitening.
    whitened_components_ : ndarray of shape (n_components, n_directions)
        W, the filters for whitened samples; the same without whitening.
    mixing_ : ndarray of shape (n_features, n_components)
        The features: what each component adds to a reconstructed sample, c Wᵀ, with the whitening
        inverted.
    features_ : ndarray of shape (n_components, n_features)
        The same, in rows.
    whitening_ : ndarray of shape (n_directions, n_features) or None
        The whitening map; None if the samples are not whitened.
    mean_ : ndarray of shape (n_features,)
        Mean of the samples (zeros if they are not whitened).
    penalty_ : Penalty
        The penalty used, with the chosen signs.
    signs_ : ndarray of shape (n_components,)
        The sign of each component, +1 or −1.
    alpha_ : float
        Its weight.
    unit_norm_ : bool
        Whether the rows of W were kept at unit norm.
    decoder_scale_ : float
        c: n/k if "auto" kept the rows of W at unit norm, else 1.
    objective_ : float
        The objective at ``whitened_components_``.
    objective_history_ : ndarray of shape (n_iterations + 1,)
        The objective from iteration 0 on, on the samples and with the signs of that iteration.
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
    OrthonormalICA : Exactly orthonormal filters of samples that it whitens.

    Notes
    -----
    Signs are determined, the search for subspaces begins, and noise is warned of as in
    `OrthonormalICA`. With a sign −1 the objective is bounded below: the penalty grows at most like
    |s|, the reconstruction error like |s|⁴.

    Examples
    --------
    >>> from sparsebp import ReconstructionICA
    >>> from sparsebp.datasets import make_mixtures
    >>> X = make_mixtures(500, 4, random_state=0).X
    >>> model = ReconstructionICA(6, alpha=0.1, whiten=True, random_state=0).fit(X)
    >>> model.components_.shape, model.transform(X).shape
    ((6, 4), (500, 6))
    """

    _solvers = ("lbfgs",)
    alpha_: float
    unit_norm_: bool | None = None  # in files written before it was kept, by their parameter
    decoder_scale_: float
    _fitted: ClassVar[dict[str, Any]] = {
        **FilterLearner._fitted,
        "alpha_": Numbers(at_least=0),
        "unit_norm_": Maybe(bool),
        "decoder_scale_": Numbers(above=0),
    }

    def __init__(
        self,
        n_components: int | None = None,
        *,
        penalty: str | Penalty = "smooth_l1",
        alpha: float = 1.0,
        epsilon: float | str = "auto",
        group_size: int = 4,
        unit_norm: bool | str = "auto",
        whiten: bool | float = False,
        directions: str = "largest",
        solver: str = "lbfgs",
        max_iter: int = 1000,
        tol: float = 1e-6,
        signs: Any = "auto",
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
        self.unit_norm = unit_norm
        self.whiten = whiten
        self.directions = directions
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.signs = signs
        self.init = init
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.patch_shape = patch_shape
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.callback = callback

    def _n_filters(self, n_directions: int, shape: tuple[int, int]) -> int:
        return self.n_components or min(n_directions, shape[1])

    def _decoder_of(self, shape: tuple[int, ...]) -> float:
        return decoder_scale(*shape) if is_auto(self.unit_norm) else 1.0

    def _problem_of(self, penalty: Penalty, shape: tuple[int, ...]) -> Problem:
        decoder = self._decoder_of(shape)
        unit = self._has_unit_norm(decoder)
        return reconstruction_ica(penalty, float(self.alpha), decoder=decoder, unit_norm=unit)

    def _has_unit_norm(self, decoder: float) -> bool:
        return decoder != 1 or (not is_auto(self.unit_norm) and bool(self.unit_norm))

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
        problem = self._problem_of(penalty, start.shape)
        fewest = max(_SAMPLES_PER_FILTER * len(start), _FEWEST)
        # From near a minimum a subset of the samples would move away.
        stages = [samples] if near else growing_subsets(samples, fewest, checkpoint.rng)

        def objective_of(x: Samples) -> Differentiable:
            objective = problem.objective("W", {"x": x}, compressed=True)
            return checkpoint.taped(problem.constrained(objective))

        return minimize_growing(objective_of, stages, start, tol=self.tol, **limits)

    def _filters_at(self, white: Whitened, at: SignedPoint) -> dict[str, Any]:
        decoder = self._decoder_of(at.point.shape)
        own = {"decoder_scale_": decoder, "unit_norm_": self._has_unit_norm(decoder)}
        return {**super()._filters_at(white, at), "alpha_": float(self.alpha), **own}

    def _warn_of_samples(self, samples: Samples) -> None:
        can_vanish = self.problem_.constraint is None  # unlike filters of unit norm
        if not (can_vanish and self._warn_of_outweighing(samples)):
            super()._warn_of_samples(samples)

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does."""
        super().check_parameters()
        check_number("alpha", self.alpha, minimum=0)
        if not is_flag(self.unit_norm):
            check_choice("unit_norm", self.unit_norm, ("auto",), also=", True or False")

    def _warn_of_outweighing(self, samples: Samples) -> bool:
        """Warn if α suppresses the reconstruction; return whether it does."""
        some = samples.take_evenly(ENOUGH).T - self.mean_
        some = some if self.whitening_ is None else some @ self.whitening_.T
        energy = float(np.square(some, dtype=np.float64).sum())
        responses = some @ self.whitened_components_.T
        rebuilt = self.decoder_scale_ * (responses @ self.whitened_components_)
        share = float(np.square(rebuilt, dtype=np.float64).sum()) / (energy or 1.0)
        n_filters, n_directions = self.whitened_components_.shape
        nothing = bool(energy) and share < _NOTHING * min(n_filters / n_directions, 1)
        if nothing:
            warn_user(
                f"ReconstructionICA: alpha={self.alpha_:g} outweighs the reconstruction of these "
                f"samples, which has only {share:.1%} of their energy. Set whiten=True, scale X to "
                "unit variance, or lower alpha."
            )
        return nothing

    def _silence(self) -> tuple[str, str]:
        n_filters, n_directions = self.whitened_components_.shape
        if n_filters > n_directions and self.unit_norm != "auto" and not self.unit_norm:
            return (
                "filters {} silent",
                f"With free norms at most as many filters as directions ({n_directions}) stay in "
                "use; set unit_norm='auto', or lower n_components.",
            )
        return "filters {} silent", "Lower alpha or n_components, or set whiten=True."

    @property
    def problem_(self) -> Problem:
        """What was minimized: `sparsebp.problems.reconstruction_ica` with the weights used."""
        c, unit = self.decoder_scale_, self.unit_norm_
        unit = self._has_unit_norm(c) if unit is None else unit
        return reconstruction_ica(self.penalty_, self.alpha_, decoder=c, unit_norm=unit)
