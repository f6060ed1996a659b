"""Orthonormal ICA behind scikit-learn's interface."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._shapes import PatchShape
from sparsebp.estimators._filter_learner import FilterLearner
from sparsebp.minimizers import WINDOW, Result, minimize_lbfgs, minimize_orthonormal
from sparsebp.penalties import Penalty
from sparsebp.problems import Problem, orthonormal_ica
from sparsebp.samples import Samples


class OrthonormalICA(FilterLearner):
    """Orthonormal ICA: the sparsest orthonormal filters of whitened samples.

    Minimizes, in the filters W,

        F(W) = (1/m) Σⱼ S(W xⱼ)   subject to   WWᵀ = I,

    for whitened samples x.

    Parameters
    ----------
    n_components : int, default=None
        Number of filters, at most as many as whitened directions; None means as many. Fewer are
        searched for in the n_components largest directions, see ``directions``.
    penalty : {"l1", "smooth_l1", "topographic", "subspace", "log_cosh", "cauchy", "welsch"} or \
            Penalty, default="smooth_l1"
        The sparsity penalty S. "topographic" makes it topographic ICA, and "subspace" independent
        subspace analysis.
    epsilon : float or "auto", default="auto"
        Smoothing ε > 0 of "smooth_l1", "topographic" and "subspace"; a Penalty has its own.
        "auto" is the variance of the white samples: 1 if `fit` whitens them, else their mean
        square. A much smaller one, such as 0.01, makes |s| sharp, which separates sparse sources a
        little better, but not two-valued or skewed ones.
    group_size : int, default=4
        Features of a group of "subspace", which must divide the number of components.
    whiten : bool or float, default=True
        Whether to center and whiten the samples, in all directions that they span (True) or in the
        fewest that hold a fraction of their variance (a number between 0 and 1). Whitening
        amplifies directions of little variance; 0.99 drops those of photographs, which are noise.
        False is for samples that are already white; `fit` warns if they are far from it.
    directions : {"largest", "all"}, default="largest"
        The whitened directions in which components are searched for, if there are more than
        n_components: the n_components directions of largest variance, as in FastICA, or all. In all
        directions the sparsest components are found regardless of the variance they explain: often
        noise. Without whitening it is always all.
    solver : {"lbfgs", "manifold"}, default="lbfgs"
        SciPy's L-BFGS on F((MMᵀ)^(−½)M) in a free M, or L-BFGS on the manifold: steps followed by W
        ← (WWᵀ)^(−½)W, as in the tutorial, but in the direction of L-BFGS.
    max_iter : int, default=500
        Maximum number of iterations.
    tol : float, default=1e-6
        Stop when ten iterations together lower the objective by less than ten times this fraction,
        or with "lbfgs" one by less than 1e-4 times it; single steps may be short on the way between
        two minima.
    signs : "auto", None or array-like of shape (n_components,), default="auto"
        +1 for components sparser than a Gaussian, −1 for sub-Gaussian ones, such as uniform sources
        or sines, for which S is maximized. "auto" determines them during the fit: −1 if S of a
        component is above S of a Gaussian of the same variance. All are +1 for "topographic" and
        "subspace", whose groups share a sign. None means all +1: the sparsest components.
    init : array-like of shape (n_components, n_features), default=None
        Initial filters; None draws them at random.
    warm_start : bool, default=False
        Whether `fit` starts from the filters of the last fit.
    random_state : int, RandomState, Generator or None, default=None
        Draws the initial filters.
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
        W, the filters for whitened samples, with orthonormal rows.
    mixing_ : ndarray of shape (n_features, n_components)
        The features: what each component adds to a sample.
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
    objective_ : float
        The objective at ``whitened_components_``.
    objective_history_ : ndarray of shape (n_iterations + 1,)
        The objective from iteration 0 on, with the signs of that iteration.
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
    ReconstructionICA : More filters than features, unwhitened samples.

    Notes
    -----
    Subspaces are searched for from independent components, found with "smooth_l1" and put into
    groups by the correlations of their squares: from random filters nearly all searches end where
    subspaces are mixed. These iterations are not counted in ``n_iter_`` and not reported.

    Signs are those of extended infomax (Lee, Girolami & Sejnowski 1999), for any penalty: what S is
    for a Gaussian comes from quadrature. Sparse filters are fitted first, to 64 samples per
    direction; those that are then, on all samples, not clearly sparser than a Gaussian get −1.
    These iterations are not counted in ``n_iter_`` and not reported to `callback` or `verbose`.
    Signs are checked at the minimum; if some change, the search continues from there. If they still
    change after 20 times, ``status_`` is "unsettled" and `fit` warns. It also warns if no component
    is further from a Gaussian than components of Gaussian noise are.

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

    _solvers = ("lbfgs", "manifold")

    def __init__(
        self,
        n_components: int | None = None,
        *,
        penalty: str | Penalty = "smooth_l1",
        epsilon: float | str = "auto",
        group_size: int = 4,
        whiten: bool | float = True,
        directions: str = "largest",
        solver: str = "lbfgs",
        max_iter: int = 500,
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
        self.epsilon = epsilon
        self.group_size = group_size
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

    def _problem_of(self, penalty: Penalty, shape: tuple[int, ...]) -> Problem:
        return orthonormal_ica(penalty)

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
        objective = problem.objective("W", {"x": samples})
        start = problem.project(start)  # where M is long, slopes are small
        if self.solver == "manifold":
            return minimize_orthonormal(checkpoint.taped(objective), start, tol=self.tol, **limits)
        taped = checkpoint.taped(problem.constrained(objective))
        return minimize_lbfgs(taped, start, tol=self.tol, window=WINDOW, **limits)

    def _n_filters(self, n_directions: int, shape: tuple[int, int]) -> int:
        rank, (n_features, n_samples) = n_directions, shape
        n_components = self.n_components or min(rank, n_samples)
        if n_components > rank or rank == 0:
            raise ValueError(
                f"n_components is {self.n_components} but the {n_samples} samples of {n_features} "
                f"features have {rank} directions with whiten={self.whiten!r} "
                f"(n_samples={n_samples}); orthonormal filters cannot outnumber them. Lower "
                "n_components, raise whiten, or take ReconstructionICA."
            )
        return n_components
