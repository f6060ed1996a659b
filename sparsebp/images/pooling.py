"""Features of images for classifiers: codes of patches, pooled over the cells of a grid."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import prod
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsebp._checks import (
    RandomState,
    check_choice,
    check_integer,
    check_number,
    draw_seed,
    random_source,
)
from sparsebp._fitted import Maybe, Names, Numbers, Size
from sparsebp._namespaces import to_numpy
from sparsebp._validation import Transformer
from sparsebp.estimators import SparseCoding
from sparsebp.estimators._fitting import restore_on_error
from sparsebp.images._activations import (
    ACTIVATIONS,
    activated,
    activation_for,
    check_patch_model,
    encoded,
)
from sparsebp.images._patches import Stride, checked_stride
from sparsebp.images._preparation import NORMALIZATIONS, Preparation, prepared_to_learn
from sparsebp.images._stack_shapes import (
    check_shape_of_fit,
    checked_image_shape,
    checked_stack,
    image_shape_of,
    pair,
)
from sparsebp.images._stacks import POOLINGS, Encoder, StackPatches
from sparsebp.preprocessing import Whitening
from sparsebp.samples import count_threads

#: Parameters of the sparse coding that is the default.
_DEFAULT: Any = {"n_components": 32, "penalty": "l1", "solver": "online", "batch_size": 256}
#: Patches that show the scale of images, and the signs of codes.
_SPREAD = 1000


class PooledFeatures(Transformer):
    """Features of whole images for a classifier: codes of all patches, pooled over a grid.

    Every patch of an image is normalized, whitened and encoded by a model of patches; the codes are
    pooled over the cells of a grid, such as quadrants. The model is learned in `fit` from patches
    at random places of the images, without labels. A linear classifier does the rest::

        make_pipeline(PooledFeatures(), StandardScaler(), LogisticRegression())

    Parameters
    ----------
    estimator : transformer, default=None
        Model of the patches, cloned and fitted: any of this package or of scikit-learn, such as
        `ReconstructionICA`, `KMeans`, a pipeline. None is sparse coding of 32 atoms,
        ``SparseCoding(32, penalty="l1", solver="online")``. A model that is fitted already is given
        as ``sklearn.frozen.FrozenEstimator(model)``, atoms as ``SparseCoder(atoms)``.
    patch_shape : int or (height, width), default=6
        Sides of the patches in pixels. They contain all channels.
    stride : int or (int, int), default=1
        Distance between patches in pixels.
    normalize : {"contrast", "mean"} or None, default="contrast"
        Whether the mean of each patch is removed and its contrast normalized: it is divided by
        √(variance + 0.01 v), v the mean variance of the patches of `fit`. "mean" only removes the
        mean. None takes patches as they are, for a fitted model that was learned from such.
    whiten : float or None, default=0.1
        Regularization of the patches' ZCA whitening, relative to their mean variance, ≥ 0. The
        white patches have unit variance. None does not whiten.
    activation : {"auto", "split", "triangle"} or None, default="auto"
        What is pooled. "split": positive and negative parts of the codes, separately, so that
        opposite responses do not cancel. "triangle": max(0, mean − distance), for distances from
        the centers of k-means. None: the codes. "auto" is "triangle" for a model that has
        ``cluster_centers_``, "split" if some codes are negative, else None.
    pooling : {"average", "rms", "max"}, default="rms"
        How the codes in a cell become one number; "rms" is the root of the mean of their squares.
    grid : int or (int, int), default=3
        Numbers of rows and columns of cells, into which the patches of an image are divided evenly.
        1 pools over the whole image, 2 over quadrants.
    n_patches : int, default=20_000
        Number of patches to learn from; those of almost no contrast are dropped.
    image_shape : int, (height, width) or (height, width, n_channels), default=None
        Shape of the images, for flattened images in rows; an int is the side of square gray ones.
        None means square images, gray or in three colors.
    random_state : int, RandomState, Generator or None, default=None
        Draws the patches, and seeds for the estimator where its ``random_state`` is None.
    n_jobs : int, default=None
        Number of threads over blocks of images; −1 for one per processor, None for as many as BLAS
        may use. The result does not depend on it.

    Attributes
    ----------
    estimator_ : transformer
        The fitted model of the patches.
    whitening_ : Whitening or None
        Whitening of normalized patches; what it returns is divided by a number to unit variance.
    features_ : ndarray of shape (n_components, n_pixels)
        The model's features, components or cluster centers as parts of a normalized patch, with the
        whitening undone. ``BasisDisplay.from_estimator`` draws them.
    scale_ : float
        Root mean square of the contrasts of the patches of `fit`, in units of the images.
    activation_, normalize_, patch_shape_ : str or None, str or None, (int, int)
        The activation, the normalization and the sides of patches used.
    image_shape_ : (height, width, n_channels)
        Shape of the images of `fit`.
    n_codes_, n_features_in_ : int
        Numbers of a cell, with "split" two for each code; and of an image, of all channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the pixels, if X has string names.

    Notes
    -----
    Memory is bounded: a few thousand patches exist at a time. `stride`, `pooling` and `grid` can be
    changed between `fit` and `transform`. An image's features do not depend on the other images,
    with the models of this package to the last bit. `encode_image` returns codes without pooling.

    References
    ----------
    Coates, Lee & Ng, "An analysis of single-layer networks in unsupervised feature learning", 2011;
    Coates & Ng, "The importance of encoding versus training with sparse coding", 2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sparsebp import OrthonormalICA
    >>> X, y = load_digits(return_X_y=True)
    >>> pooled = PooledFeatures(OrthonormalICA(8), patch_shape=4, n_patches=1000, random_state=0)
    >>> pooled.fit_transform(X[:500]).shape  # 3 × 3 cells, two signs, 8 components
    (500, 144)
    >>> names = pooled.get_feature_names_out().reshape(3, 3, 2, 8)
    >>> names[0, 1, 1, :2].tolist()  # upper middle cell, negative parts, first two components
    ['pooledfeatures24', 'pooledfeatures25']
    >>> classifier = make_pipeline(pooled, LogisticRegression()).fit(X[:500], y[:500])
    >>> classifier.score(X[500:], y[500:]) > 0.9
    True
    """

    n_features_in_: int
    _documented_in = "sparsebp.images"

    _fitted: ClassVar[dict[str, Any]] = {
        "n_features_in_": Size("features"),
        "feature_names_in_": Maybe(Names("features")),
        "image_shape_": tuple,
        "patch_shape_": tuple,
        "normalize_": Maybe(NORMALIZATIONS),
        "scale_": Numbers(at_least=0),
        "whitening_": Maybe(Whitening),
        "activation_": Maybe(ACTIVATIONS),
        "n_codes_": Size("codes"),
        "estimator_": BaseEstimator,
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        patch_shape: int | Sequence[int] = 6,
        stride: Stride = 1,
        normalize: str | None = "contrast",
        whiten: float | None = 0.1,
        activation: str | None = "auto",
        pooling: str = "rms",
        grid: int | Sequence[int] = 3,
        n_patches: int = 20_000,
        image_shape: int | Sequence[int] | None = None,
        random_state: RandomState = None,
        n_jobs: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.patch_shape = patch_shape
        self.stride = stride
        self.normalize = normalize
        self.whiten = whiten
        self.activation = activation
        self.pooling = pooling
        self.grid = grid
        self.n_patches = n_patches
        self.image_shape = image_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does."""
        check_patch_model(self.estimator)
        for name in ("patch_shape", "stride", "grid"):
            pair(name, getattr(self, name))
        if self.normalize is not None:
            check_choice("normalize", self.normalize, NORMALIZATIONS, " or None")
        if self.whiten is not None:
            check_number("whiten", self.whiten, minimum=0, also=", or None")
        if self.activation is not None:
            check_choice("activation", self.activation, ("auto", *ACTIVATIONS), " or None")
        check_choice("pooling", self.pooling, tuple(POOLINGS))
        check_integer("n_patches", self.n_patches, minimum=2)
        if self.image_shape is not None:
            checked_image_shape(self.image_shape)
        count_threads(self.n_jobs)

    @restore_on_error
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the model from patches at random places of the images.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width[, n_channels]) or (n_images, n_pixels)
            Images, or flattened ones in rows.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If X or a parameter is unusable, such as images that are constant or smaller than a
            patch, rows that may be images of any shape, or more cells than patches.
        """
        del y
        self.check_parameters()
        values = checked_stack(X, self)
        self.image_shape_ = image_shape_of(values, self.image_shape)
        images = self._images(X, values, reset=True)
        self.patch_shape_ = pair("patch_shape", self.patch_shape)
        checked_stride(self.stride, self.patch_shape_, to_border=False)
        model: Any = SparseCoding(**_DEFAULT) if self.estimator is None else clone(self.estimator)
        rng = random_source(self.random_state)
        drawn = self._patches().fitting(model).take(images, int(self.n_patches), rng)
        preparation, samples = prepared_to_learn(drawn, self.normalize, self.whiten)
        self.normalize_, self.scale_ = preparation.normalize, preparation.scale
        self.whitening_ = preparation.whitening
        for name, value in model.get_params().items():
            if name.rpartition("__")[2] == "random_state" and value is None:
                model.set_params(**{name: draw_seed(rng)})
        self.estimator_ = model.fit(samples, None)  # a FrozenEstimator requires y
        codes = encoded(model, samples[:: -(-len(samples) // _SPREAD)])
        self.activation_ = self.activation
        if self.activation == "auto":
            self.activation_ = activation_for(model, codes)
        self.n_codes_ = activated(codes[:1], self.activation_).shape[1]
        return self

    def transform(self, X: Any) -> NDArray[Any]:
        """Compute the pooled codes of images.

        Parameters
        ----------
        X : array-like of shape (n_images, height, width[, n_channels]) or (n_images, n_pixels)
            Images of the shape of those of `fit`, or flattened ones in rows.

        Returns
        -------
        features : ndarray of shape (n_images, n_rows * n_columns * n_codes_)
            Reshaped to (n_images, n_rows, n_columns, n_codes_), with "split" to (n_images, n_rows,
            n_columns, 2, n_components), they have an axis for each: the component varies fastest,
            then the sign, positive first, then the column and row of the cell, from the top left.
            `get_feature_names_out` counts them. float32 if X is float32, else float64.

        Raises
        ------
        ValueError, TypeError
            If X is unusable, or of another shape than the images of `fit`.

        Warns
        -----
        UserWarning
            If the contrasts of the images are more than six times those of `fit`, or less than a
            sixth.
        """
        check_is_fitted(self)
        self.check_parameters()
        images = self._images(X, checked_stack(X, self), reset=False)
        patches = self._patches()
        self._preparation.warn_of_scale(patches.take(images, _SPREAD, None))
        n_threads = count_threads(self.n_jobs)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X has another scale")  # checked above
            pooled = patches.pool(images, self._encoder(), self.n_codes_, self.pooling, n_threads)
        return pooled.reshape(len(images), -1)

    def _images(self, X: Any, values: NDArray[Any], *, reset: bool) -> NDArray[Any]:
        """Return the numbers of X as a view (n_images, height, width, n_channels)."""
        check_shape_of_fit(values.shape, self.image_shape_)
        shape = len(values), prod(values.shape[1:])
        named: Any = X if hasattr(X, "columns") else np.broadcast_to(0.0, shape)
        validate_data(self, named, reset=reset, skip_check_array=True)
        return values.reshape(len(values), *self.image_shape_)

    def _patches(self) -> StackPatches:
        return StackPatches.of(self.image_shape_, self.patch_shape_, self.stride, self.grid)

    @property
    def _preparation(self) -> Preparation:
        return Preparation(self.normalize_, self.scale_, self.whitening_)

    def _encoder(self) -> Encoder:
        """Return the function from patches to what is pooled."""
        prepare, model, activation = self._preparation, self.estimator_, self.activation_
        return lambda patches: activated(encoded(model, prepare(patches)), activation)

    @property
    def features_(self) -> NDArray[Any]:
        """What each component of the model looks like in a normalized patch, in rows."""
        check_is_fitted(self)
        model, names = self.estimator_, ("features_", "components_", "cluster_centers_")
        features = next((getattr(model, name) for name in names if hasattr(model, name)), None)
        if features is None:
            raise AttributeError(f"{type(model).__name__} has none of {', '.join(names)}.")
        return self._preparation.drawn_back(to_numpy(features))

    def _check_fitted(self) -> None:
        """Raise an error if fitted attributes do not fit together, as in a damaged file."""
        n_pixels = prod(checked_image_shape(self.image_shape_))
        n_codes = self._encoder()(np.zeros((1, self._patches().n_pixels))).shape[1]
        if (n_pixels, n_codes) != (self.n_features_in_, self.n_codes_):
            raise ValueError(
                f"image_shape_ is {self.image_shape_} and n_codes_ {self.n_codes_}, but there are "
                f"{self.n_features_in_} pixels and {n_codes} codes."
            )

    @property
    def _n_features_out(self) -> int:
        return prod(pair("grid", self.grid)) * self.n_codes_

    @property
    def _learns_anywhere(self) -> bool:
        return False
