"""Rank-aware PCA and ZCA whitening of samples."""

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import check_choice, check_integer, check_number
from sparsebp._dispatch import chunk_by_chunk, computing_where_x_is, learning_where_x_is
from sparsebp._fitted import Maybe, Names, Numbers, Size
from sparsebp._magnitudes import ignore_float_warnings, require_finite
from sparsebp._namespaces import cast, like, precision_of, sum_along, widened
from sparsebp._validation import Transformer, check_apart, samples_of
from sparsebp.preprocessing.principal_directions import principal_directions
from sparsebp.samples import Samples, count_threads


class Whitening(Transformer):
    """Rotate and scale samples so that their covariance is the identity on its range.

    With C = E diag(d) E^T the covariance of the samples (the mean over samples of x x^T, after
    centering) and e the regularization, a sample becomes z = M (x - mean), where

        M = diag(d + e)^(-1/2) E^T        for "pca",
        M = E diag(d + e)^(-1/2) E^T      for "zca".

    Only directions with some variance are used: if the mean of each patch was removed, the constant
    patch has the eigenvalue zero, and is dropped.

    Parameters
    ----------
    method : {"zca", "pca"}, default="zca"
        "pca" returns one output for each direction kept, in order of decreasing variance. "zca"
        rotates them back to pixels, so whitened patches still look like patches.
    n_components : int, float or None, default=None
        Directions kept, those of largest variance: None for all up to the numerical rank, an int
        for that many, a float between 0 and 1 for the fewest that hold this fraction of the
        variance. With "zca" there are still n_features outputs.
    regularization : float, default=0.0
        e, added to each eigenvalue, in squared units of the samples, >= 0. For pixels from 0 to 1
        the tutorial takes 0.01 to 0.1 for reconstruction models and about 0 for orthonormal ICA.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of the samples.
    eigenvalues_ : ndarray of shape (n_components_,)
        d, the variances along the directions kept, decreasing, without the regularization.
    rank_ : int
        Numerical rank of the covariance, before `n_components` is applied: the number of
        eigenvalues above max(n_samples, n_features) times the larger of eps64 * d_1, the error of
        summing in float64, and eps^2 * mean(||x||^2), the variance that rounding the samples to
        their own precision eps makes.
    n_components_ : int
        Number of directions kept, at most `rank_`.
    directions_ : ndarray of shape (n_features, n_components_)
        E, the directions kept, in columns.
    scales_ : ndarray of shape (n_components_,)
        (d + e)^(1/2).
    method_ : str
        The method of `fit`.
    whitening_matrix_ : ndarray of shape (n_outputs, n_features)
        M; n_outputs is n_components_ for "pca" and n_features for "zca". It is made when asked
        for: whitening itself multiplies by its factors, so that "zca" is quick, too, where there
        are many more features than samples.
    dewhitening_matrix_ : ndarray of shape (n_features, n_outputs)
        The pseudo-inverse of M, made when asked for.
    n_features_in_ : int
        Number of features in `fit`.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if those in `fit` had names.

    References
    ----------
    A. J. Bell, T. J. Sejnowski, "The 'independent components' of natural scenes are edge filters",
    Vision Research 37, 1997. Ng et al., UFLDL tutorial, "Whitening".

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp.preprocessing import Whitening
    >>> X = np.random.default_rng(0).normal(size=(100, 2)) @ [[3, 1, 0], [0, 1, 0]]
    >>> whitening = Whitening("pca").fit(X)
    >>> Z = whitening.transform(X)
    >>> whitening.rank_, Z.shape, bool(np.allclose(Z.T @ Z / 100, np.eye(2)))
    (2, (100, 2), True)
    >>> bool(np.allclose(whitening.inverse_transform(Z), X))
    True
    """

    _documented_in = "sparsebp.preprocessing"

    _fitted: ClassVar[dict[str, Any]] = {
        "n_features_in_": Size("features"),
        "feature_names_in_": Maybe(Names("features")),
        "mean_": Numbers(("features",)),
        "eigenvalues_": Numbers(("directions",), at_least=0),
        "rank_": Size("rank"),
        "n_components_": Size("directions"),
        "directions_": Numbers(("features", "directions")),
        "scales_": Numbers(("directions",), above=0),
        "method_": ("pca", "zca"),
    }

    def __init__(
        self,
        method: str = "zca",
        *,
        n_components: float | None = None,
        regularization: float = 0.0,
    ) -> None:
        self.method = method
        self.n_components = n_components
        self.regularization = regularization

    @learning_where_x_is
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Find the mean and the principal directions of the samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The samples, at least 2.
        y : ignored
            Present because scikit-learn's pipelines pass it.

        Returns
        -------
        Whitening
            The object itself, fitted.

        Raises
        ------
        TypeError
            If `n_components` or `regularization` is not a number.
        ValueError
            If a parameter is out of range, `X` is not a finite table of numbers of at least 2
            samples, all samples are equal, or `n_components` is more than their rank.
        """
        del y
        self.check_parameters()
        regularization = float(self.regularization)
        samples = self._samples(X, reset=True)
        with ignore_float_warnings():
            (total,) = samples.sum(lambda x: (sum_along(x, 1, wide=True),))
            mean = total / samples.shape[1]
        eigenvalues, directions = principal_directions(samples, mean)
        kept = _n_kept(self.n_components, eigenvalues, samples.shape[::-1])
        # Set last, so that a failed fit changes nothing.
        self.mean_ = mean
        self.rank_ = len(eigenvalues)
        self.n_components_ = kept
        self.eigenvalues_ = eigenvalues[:kept]
        self.directions_ = np.ascontiguousarray(directions[:, :kept])
        self.scales_ = np.sqrt(self.eigenvalues_ + regularization)
        self.method_ = self.method
        return self

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `fit` does.

        Raises
        ------
        ValueError, TypeError
            If there is one.
        """
        check_choice("method", self.method, ("zca", "pca"))
        if isinstance(self.n_components, Integral):
            check_integer("n_components", self.n_components)
        elif self.n_components is not None:
            also = " (of the variance), an integer ≥ 1, or None"
            check_number("n_components", self.n_components, above=0, below=1, also=also)
        check_number("regularization", self.regularization, minimum=0)

    @computing_where_x_is
    def transform(self, X: ArrayLike, out: Any = None) -> Any:
        """Whiten samples: z = M (x - mean).

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or store
            The samples.
        out : array of shape (n_samples, n_outputs), optional
            Where to write the white samples, block by block: an ndarray, a `numpy.memmap`, a
            dataset of h5py, an array of zarr. By default they are returned in a new array.

        Returns
        -------
        ndarray of shape (n_samples, n_outputs)
            float32 if `X` is float32, else float64; ``out`` if it was given.

        Raises
        ------
        ValueError, TypeError
            If `X` is not a finite table of numbers with n_features columns, or out is unusable.
        """
        check_is_fitted(self, "directions_")
        check_apart(X, out)
        return self._samples(X).map_rows(self._whitened, self._n_features_out, out)

    def _whitened(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return white samples in rows; samples x are columns."""
        with ignore_float_warnings():
            centered = x.T - like(self.mean_, x)
            along = self._times(centered, self.directions_ / self.scales_)
            return require_finite("The white samples", self._turned_back(along))

    @chunk_by_chunk
    @computing_where_x_is
    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Undo `transform`: x = M^+ z + mean, exactly on the directions kept.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_outputs)
            Whitened samples.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            float32 if `X` is float32, else float64. Of a dask array a dask array.

        Raises
        ------
        ValueError
            If `X` is not a finite table of numbers with n_outputs columns.
        """
        check_is_fitted(self, "directions_")
        rows = along = self._checked_outputs(X)
        with ignore_float_warnings():
            if self.method_ == "zca":
                along = rows @ like(self.directions_, rows)
            restored = self._times(along, (self.directions_ * self.scales_).T)
            restored = restored + like(self.mean_, rows)
        return require_finite("The samples", restored)

    def _samples(self, X: Any, *, reset: bool = False) -> Samples:
        n_threads = count_threads(None)
        return samples_of(self, X, reset=reset, min_samples=1 + reset, n_threads=n_threads)

    @property
    def whitening_matrix_(self) -> NDArray[Any]:
        """M."""
        return self._turned_back(self.directions_ / self.scales_).T

    @property
    def dewhitening_matrix_(self) -> NDArray[Any]:
        """The pseudo-inverse of M."""
        return self._turned_back(self.directions_ * self.scales_)

    def _turned_back(self, along: NDArray[Any]) -> NDArray[Any]:
        """Rotate coordinates along the directions back to features, for "zca"."""
        if self.method_ == "pca":
            return along
        return along @ like(self.directions_, along).T

    @staticmethod
    def _times(rows: NDArray[Any], factor: NDArray[Any]) -> NDArray[Any]:
        """Multiply in the rows' precision, or in float64 where the factor is beyond its range."""
        narrow = factor.astype(precision_of(rows), copy=False)
        if np.isfinite(narrow).all() and narrow.any():
            return rows @ like(narrow, rows)
        wide = widened(rows)
        return cast(wide @ like(factor, wide), precision_of(rows))

    @property
    def _n_features_out(self) -> int:
        return self.directions_.shape[0 if self.method_ == "zca" else 1]


def _n_kept(n_components: Any, eigenvalues: NDArray[Any], shape: tuple[int, ...]) -> int:
    rank = len(eigenvalues)
    if n_components is None:
        return rank
    if not isinstance(n_components, Integral):
        fraction = np.cumsum(eigenvalues) / eigenvalues.sum()
        return min(int(np.searchsorted(fraction, n_components)) + 1, rank)
    if int(n_components) > rank:
        raise ValueError(
            f"n_components={n_components} is more than the rank {rank} of X "
            f"(n_samples={shape[0]}, n_features={shape[1]}): give at most {rank}, or None"
        )
    return int(n_components)
