"""Convolutional sparse coding of whole images."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any, ClassVar, Self

from sparsebp._checks import check_integer, check_number, draw_seed, mistake
from sparsebp._fitted import Maybe, Numbers, Size
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._shapes import COLORS, PatchShape, checked_patch_shape
from sparsebp.estimators._fitting import require_success, restore_on_error
from sparsebp.estimators._image_learner import ImageLearner, fitted_attributes
from sparsebp.estimators._learner import Learner
from sparsebp.minimizers import Status
from sparsebp.penalties import Penalty


class ConvolutionalSparseCoding(ImageLearner, auto_wrap_output_keys=None):
    """Convolutional sparse coding: an image is a sum of few atoms, each at any place.

    Minimizes, in the atoms A and the maps s of each image x,

        F(A, s) = Σ [‖A ∗ s − x‖² + α S(s)] / (number of pixels)   subject to   ‖aᵣ‖ = 1,

    where A ∗ s is the sum of all atoms at all places, multiplied by the maps. Maps are larger than
    the image by an atom minus one pixel, so that nothing wraps around at the border; what atoms
    have beyond it, and where pixels are missing, does not count.

    Parameters
    ----------
    n_components : int, default=32
        Number of atoms; None means as many as pixels of an atom.
    patch_shape : int or tuple of int, default=8
        Shape of the atoms: one side, (height, width), or (height, width, 3) for color images, which
        one side also stands for.
    penalty : {"l1", "smooth_l1", "log_cosh", "cauchy", "welsch", "topographic", "subspace"} or \
            Penalty, default="l1"
        The sparsity penalty S. "topographic" and "subspace" group the coefficients of several atoms
        at one place. L1 is the fastest by far.
    alpha : float, default=1.0
        Weight α ≥ 0 of the penalty; twice the λ of ½‖A ∗ s − x‖² + λ‖s‖₁. The right value depends
        on the scale of the images; 1 suits whitened images of unit variance.
    epsilon : float, default=1e-3
        Smoothing ε > 0 of "smooth_l1", "topographic" and "subspace"; a Penalty has its own.
    group_size : int, default=4
        Features of a group of "subspace", which must divide the number of components.
    max_iter : int, default=100
        Maximum number of iterations.
    tol : float, default=1e-4
        Stop when an iteration changes the atoms by less than this fraction of their norm.
    batch_size : int, default=8
        Windows per iteration. If that is all there is to learn from (no image is larger than the
        window, nor are there more of them), all are used every time and start from their last maps.
    window : int, default=64
        Height and width of the windows that are cut from the images, at least those of an atom;
        None takes whole images.
    init : array-like of shape (n_components, n_features), default=None
        Initial atoms; None draws them from the images: patches, faded at their borders.
    warm_start : bool, default=False
        Whether `fit` starts from the components of the last fit.
    random_state : int, RandomState, Generator or None, default=None
        Draws the initial atoms, the windows and replacements of unused atoms.
    n_jobs : int, default=None
        Number of threads over images; −1 for one per processor, None for as many as BLAS may use.
        The result does not depend on it.
    checkpoint : path, default=None
        File from which `fit`, called again with the same images and parameters after its process
        was killed, resumes to the last bit. A fit that ends removes it. `partial_fit` writes none,
        and warns.
    verbose : bool, default=False
        Whether to print a line for each iteration.
    callback : callable, default=None
        Called as ``callback(iteration, objective)`` after each iteration; returning True stops.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The atoms in rows, flattened patches; displays show them by ``patch_shape``.
    penalty_ : Penalty
        The penalty used.
    alpha_ : float
        Its weight, also used by `transform`.
    objective_ : float
        The objective of the last iteration, on its batch.
    objective_history_ : ndarray of shape (n_iterations + 1,)
        The objective of each iteration on its batch; entry 0 is that of empty maps.
    contributions_ : ndarray of shape (n_components,)
        Share of each component in what all contribute to about the last fifth of the pixels seen,
        or to all images if each iteration takes all.
    n_pixels_seen_ : int
        Number of known pixels that the atoms were learned from, with repetitions: how much they
        count when `partial_fit` goes on from them.
    n_iter_ : int
        Number of iterations.
    status_ : str
        How the fit ended.
    n_features_in_ : int
        Number of values of an atom.

    See Also
    --------
    SparseCoding : The same for patches, each coded by itself.

    Notes
    -----
    Zeiler et al. (2010), *Deconvolutional networks*; Heide, Heidrich & Wetzstein (2015), *Fast and
    flexible convolutional sparse coding*. L1 maps are found by coordinate descent.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp import ConvolutionalSparseCoding
    >>> images = np.random.default_rng(0).laplace(size=(2, 12, 14))
    >>> model = ConvolutionalSparseCoding(3, 4, tol=0.1, random_state=0).fit(images)
    >>> model.components_.shape, [maps.shape for maps in model.transform(images)]
    ((3, 16), [(15, 17, 3), (15, 17, 3)])
    """

    _fitted: ClassVar[dict[str, Any]] = {
        **{name: kind for name, kind in Learner._fitted.items() if name != "feature_names_in_"},
        "penalty_": Penalty,
        "alpha_": Numbers(at_least=0),
        "n_pixels_seen_": Maybe(Size("pixels")),
    }

    def __init__(
        self,
        n_components: int | None = 32,
        patch_shape: PatchShape = 8,
        *,
        penalty: str | Penalty = "l1",
        alpha: float = 1.0,
        epsilon: float = 1e-3,
        group_size: int = 4,
        max_iter: int = 100,
        tol: float = 1e-4,
        batch_size: int = 8,
        window: int | None = 64,
        init: Any = None,
        warm_start: bool = False,
        random_state: Any = None,
        n_jobs: int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        verbose: bool | int = False,
        callback: Callable[[int, float], Any] | None = None,
    ) -> None:
        self.n_components = n_components
        self.patch_shape = patch_shape
        self.penalty = penalty
        self.alpha = alpha
        self.epsilon = epsilon
        self.group_size = group_size
        self.max_iter = max_iter
        self.tol = tol
        self.batch_size = batch_size
        self.window = window
        self.init = init
        self.warm_start = warm_start
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.checkpoint = checkpoint
        self.verbose = verbose
        self.callback = callback

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn atoms from images.

        Parameters
        ----------
        X : sequence of array-like, each (height, width) or (height, width, 3)
            The images, such as those of `whiten_images`, all gray or all color. Their sizes may
            differ. Pixels that are NaN or masked are missing.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : ConvolutionalSparseCoding
            The fitted estimator. When interrupted (Ctrl-C) it is fitted with the last atoms, and
            KeyboardInterrupt is re-raised.

        Raises
        ------
        ValueError, TypeError
            If X or a parameter is unusable.
        MemoryError
            If the maps would not fit into memory.

        Warns
        -----
        UserWarning
            If images have a mean far from zero, which atoms would then represent, or `alpha` does
            not suit their scale.
        ConvergenceWarning
            If atoms are unused.
        """
        return super().fit(X, y)

    @restore_on_error
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Learn from more images, in addition to earlier ones.

        The images are cut into windows that cover them once, and the atoms are fitted to one window
        after another, to up to `batch_size` together if there are many. They are averaged with the
        last ones, so that about the last fifth of all pixels so far counts, those of `fit` and of
        earlier calls included (``n_pixels_seen_``, which saved models keep). So after `fit` a small
        image changes the atoms only slightly.

        Parameters
        ----------
        X : sequence of array-like, each (height, width) or (height, width, 3)
            Images like those of `fit`, of any sizes.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : ConvolutionalSparseCoding
            The estimator after these images. When interrupted (Ctrl-C) it has learned from some of
            their windows, and KeyboardInterrupt is re-raised.

        Raises
        ------
        ValueError, TypeError
            If X or a parameter is unusable, or X has another number of channels.
        MemoryError
            If the maps would not fit into memory.

        Warns
        -----
        UserWarning
            As `fit` does, for the first images; later if images are in other units.

        Notes
        -----
        Atoms of unknown origin, such as those set as ``components_``, count as 3,276,800 pixels, as
        those of a hundred iterations of `fit` with the default windows.
        """
        begun, first = perf_counter(), not hasattr(self, "components_")
        self.check_parameters()
        images, _ = self._samples_to_learn(X, reset=first)
        rng = self._rng_of_batch()
        state, search = self._state_at_start(images, rng, resumed=True), self._search()
        with ignore_float_warnings():
            result = search.learn(images, state, draw_seed(rng))
        require_success(result)
        vars(self).update(fitted_attributes(search, result.state))
        self._record_batch(result.history[0], result.value, begun, first=first)
        if result.status is Status.INTERRUPTED:
            self.status_ = "interrupted"
            raise KeyboardInterrupt
        if first:
            self._warn_of_images(search, images)
            self._warn_of_checkpoint()
        return self

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does."""
        super().check_parameters()
        shape = checked_patch_shape(self.patch_shape)
        if len(shape) == 4 or (len(shape) == 3 and shape[2] not in (1, COLORS)):
            wanted = f"one side, two sides, or two sides and {COLORS} channels"
            raise ValueError(mistake("patch_shape", wanted, self.patch_shape))
        check_number("alpha", self.alpha, minimum=0)
        check_integer("batch_size", self.batch_size)
        check_integer("window", self.window, none="whole images")
        self._check_penalty(self.n_components)

    def _silence(self) -> tuple[str, str]:
        return "atoms {} unused", "Lower alpha or n_components, or raise max_iter."
