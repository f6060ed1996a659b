"""Convolutional sparse coding of whole images."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import check_integer, check_number, draw_seed, mistake, random_source
from sparsebp._fitted import Numbers
from sparsebp._magnitudes import ignore_float_warnings
from sparsebp._shapes import COLORS, PatchShape, checked_patch_shape
from sparsebp._warnings import warn_user
from sparsebp.coding import ConvolutionalSearch, KnownImage, drawn_atoms
from sparsebp.estimators._callbacks import watching, with_callbacks
from sparsebp.estimators._fitting import require_success, restore_on_error
from sparsebp.estimators._image_coder import ImageCoder
from sparsebp.estimators._learner import Learner
from sparsebp.penalties import Penalty
from sparsebp.samples import count_threads

#: Ratio of the means of images to their standard deviations above which `fit` warns.
_OFFSET = 0.5


class ConvolutionalSparseCoding(ImageCoder, Learner, auto_wrap_output_keys=None):
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
        Height and width of the windows that are cut from the images; None takes whole images.
    init : array-like of shape (n_components, n_features), default=None
        Initial atoms; None draws them from the images: patches, faded at their borders.
    warm_start : bool, default=False
        Whether `fit` starts from the components of the last fit.
    random_state : int, RandomState, Generator or None, default=None
        Draws the initial atoms, the windows and replacements of unused atoms.
    n_jobs : int, default=None
        Number of threads over images; −1 for one per processor, None for as many as BLAS may use.
        The result does not depend on it.
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
        Share of each component in what all contribute to the last batch.
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

    checkpoint = None
    _fitted: ClassVar[dict[str, Any]] = {
        **{name: kind for name, kind in Learner._fitted.items() if name != "feature_names_in_"},
        "penalty_": Penalty,
        "alpha_": Numbers(at_least=0),
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
        self.verbose = verbose
        self.callback = callback

    @restore_on_error
    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn atoms from images.

        Parameters
        ----------
        X : sequence of array-like, each (height, width) or (height, width, 3)
            The images, such as those of `whiten_images`, all gray or all color. Their sizes may
            differ. NaN are missing pixels.
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
            If images have a mean far from zero, which atoms would then represent.
        ConvergenceWarning
            If atoms are unused.
        """
        self.check_parameters()
        images = self._images(X)
        rng = random_source(self.random_state)
        self.n_features_in_ = int(np.prod(images[0].patch_shape))
        n_components = self.n_components or self.n_features_in_
        largest = sorted(images, key=lambda image: -image.n_pixels)[: self.batch_size]
        self._check_memory(largest, n_components, self.window)
        dtype = images[0].pixels.dtype
        start = self._start((n_components, self.n_features_in_), rng, dtype).T
        if self.init is None and not (self.warm_start and hasattr(self, "components_")):
            start = drawn_atoms(images, n_components, rng)
        search = ConvolutionalSearch(
            self._make_penalty(n_components),
            float(self.alpha),
            batch_size=int(self.batch_size),
            window=self.window,
            max_iter=self.max_iter,
            tol=float(self.tol),
            n_threads=count_threads(self.n_jobs),
        )
        fitted_at = partial(_fitted_attributes, search)
        with (
            ignore_float_warnings(),
            watching(self, X, fitted_at, Checkpoint(rng)) as watch,
        ):
            result = search.run(images, np.ascontiguousarray(start), draw_seed(rng), watch)
            require_success(result)
            vars(self).update(fitted_at(result.point))
        self._record(result, limit_is_failure=search.takes_all(images))
        self._warn_of_offsets(images)
        self._warn_of_silence(result.energies)
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

    def _warn_of_offsets(self, images: list[KnownImage]) -> None:
        """Warn of images whose means are not small, which atoms would then represent."""
        offset = np.mean([float(image.pixels.mean()) ** 2 for image in images])
        if offset > _OFFSET**2 * np.mean([float(image.pixels.var()) for image in images]):
            warn_user(
                f"The images have means of about {np.sqrt(offset):.2g}, which take coefficients "
                "everywhere. Remove slow changes of brightness first, for example by "
                "sparsebp.preprocessing.whiten_images."
            )

    def _silence(self) -> tuple[str, str]:
        return "atoms {} unused", "Lower alpha or n_components, or raise max_iter."


def _fitted_attributes(search: ConvolutionalSearch, basis: np.ndarray) -> dict[str, Any]:
    return {
        "components_": np.ascontiguousarray(basis.T),
        "penalty_": search.penalty,
        "alpha_": search.alpha,
    }
