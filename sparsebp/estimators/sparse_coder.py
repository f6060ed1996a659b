"""Codes for a given dictionary, behind scikit-learn's interface."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.utils import Tags

from sparsebp._checks import check_flag, check_matrix, check_number
from sparsebp._hints import hinted
from sparsebp._magnitudes import check_magnitude
from sparsebp._namespaces import is_foreign, namespace, to_numpy
from sparsebp._shapes import PatchShape
from sparsebp.coding import Pursuit
from sparsebp.estimators._atom_coder import AtomCoder
from sparsebp.penalties import Penalty
from sparsebp.samples import DeviceSamples, Samples, count_threads


class SparseCoder(AtomCoder):
    """Sparse codes of samples for a given, fixed dictionary.

    Computes, for each sample x independently and the given basis A,

        s = argmin ‖A s − x‖² + α S(s),

    as `SparseCoding.transform` does for a learned basis; or, with `n_nonzero` or `error`, chooses
    atoms by orthogonal matching pursuit: one after the other, each time the one with the largest
    product with the residual, and the coefficients of all chosen atoms by least squares. `fit` only
    checks its input and the parameters, and `transform` works without it. Values of samples that
    are NaN or masked are missing: only the known ones count, and their share of `error`.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms in rows, such as ``components_`` of a model, wavelets or Gabor functions. They are
        not normalized: an atom with twice the norm has half the penalty for the same contribution.
        (A pursuit chooses the same atoms whatever their norms.)
    penalty : {"l1", "smooth_l1", "topographic", "subspace", "log_cosh", "cauchy", "welsch"} or \
            Penalty, default="l1"
        The sparsity penalty S. Smooth penalties give small codes where "l1" gives zeros.
        (The default of `SparseCoding` is "smooth_l1".)
    alpha : float, default=1.0
        Weight α ≥ 0 of the penalty; twice the ``transform_alpha`` of scikit-learn's `SparseCoder`.
        With "l1" all codes of a sample x are zero if α ≥ 2 max|Aᵀx|, with the atoms in the columns
        of A.
    epsilon : float, default=1e-3
        Smoothing ε > 0 of "smooth_l1", "topographic" and "subspace"; a Penalty has its own.
    group_size : int, default=4
        Features of a group of "subspace", which must divide the number of components.
    n_nonzero : int, default=None
        The maximum number of atoms of a sample, ≥ 1, for codes by pursuit; never more than there
        are independent atoms. It replaces the penalty, which must then have its default values.
    error : float, default=None
        Pursuit stops where ‖x − A s‖² ≤ error, in squared units of X: n_features (1.15 σ)² for
        noise of standard deviation σ. With `n_nonzero` too, it stops at the first of both limits.
    split_sign : bool, default=False
        Whether positive and negative parts of the codes are features of their own: max(s, 0)
        for all atoms, then max(−s, 0).
    sparse_output : bool, default=False
        Whether `transform` returns a `scipy.sparse.csr_array`, made block by block; an error if
        `set_output` or `set_config` asks for data frames, which are dense.
    patch_shape : int or tuple of int, default=None
        Shape of samples that are patches: (height, width), (height, width, 3) in color, or (frames,
        height, width). Displays and `sparsebp.images` use it; None means square patches.
    n_jobs : int, default=None
        Number of threads over blocks of samples; −1 for one per processor, None for as many as BLAS
        may use. The codes do not depend on it.

    Attributes
    ----------
    components_ : ndarray of shape (n_components, n_features)
        The dictionary, as an array of floats.
    penalty_ : Penalty or None
        The penalty used; None for a pursuit.
    alpha_ : float
        Its weight; 0 for a pursuit.
    n_features_in_ : int
        Number of features of the dictionary.

    See Also
    --------
    SparseCoding : Also learns the dictionary.
    sparse_encode : The same as a function.

    Notes
    -----
    Codes by pursuit: Pati, Rezaiifar & Krishnaprasad (1993), by the steps of Rubinstein, Zibulevsky
    & Elad (2008). The score is then −‖x − A s‖², averaged over the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp import SparseCoder
    >>> coder = SparseCoder(np.eye(3), alpha=1.0)
    >>> codes = coder.transform([[2.0, -3.0, 0.1]])
    >>> codes.round(6) + 0.0
    array([[ 1.5, -2.5,  0. ]])
    >>> coder.inverse_transform(codes).shape
    (1, 3)
    >>> SparseCoder(np.eye(3), n_nonzero=1, split_sign=True).transform([[2.0, -3.0, 0.1]])
    array([[0., 0., 0., 0., 3., 0.]])
    """

    _default_penalty = "l1"
    gamma_ = None  # no weight decay: the atoms are given

    def __init__(
        self,
        dictionary: Any,
        *,
        penalty: str | Penalty = "l1",
        alpha: float = 1.0,
        epsilon: float = 1e-3,
        group_size: int = 4,
        n_nonzero: int | None = None,
        error: float | None = None,
        split_sign: bool = False,
        sparse_output: bool = False,
        patch_shape: PatchShape = None,
        n_jobs: int | None = None,
    ) -> None:
        self.dictionary = dictionary
        self.penalty = penalty
        self.alpha = alpha
        self.epsilon = epsilon
        self.group_size = group_size
        self.n_nonzero = n_nonzero
        self.error = error
        self.split_sign = split_sign
        self.sparse_output = sparse_output
        self.patch_shape = patch_shape
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the number of features; there is nothing to learn.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.
        y : Ignored
            Present for the interface.

        Returns
        -------
        self : SparseCoder
            The estimator, unchanged.

        Raises
        ------
        ValueError, TypeError
            If X or a parameter is unusable.
        """
        self._samples(X)
        return self

    def _samples(self, X: Any) -> Samples:
        self.check_parameters()
        return super()._samples(X)

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `transform` does."""
        self._check_rule()
        check_number("epsilon", self.epsilon, above=0)
        check_flag("split_sign", self.split_sign)
        check_flag("sparse_output", self.sparse_output)
        count_threads(self.n_jobs)
        self._make_penalty(self._shape[0])

    def _rows_of(self, samples: Samples, encoding: Callable, out: Any) -> Any:
        rows = _Split(encoding) if self.split_sign else encoding
        if not self.sparse_output:
            return super()._rows_of(samples, rows, out)
        everywhere = get_config()["transform_output"]
        here = getattr(self, "_sklearn_output_config", {}).get("transform")
        given = "X is not of NumPy" if isinstance(samples, DeviceSamples) else ""
        if (here or everywhere) != "default":
            asks = "set_output" if here else f"set_config(transform_output={everywhere!r})"
            given = f"{asks} asks for data frames"
        given = given if out is None else "out is given"
        if given:
            raise ValueError(
                f"sparse_output=True returns a matrix of SciPy, but {given}. Set "
                "sparse_output=False."
            )
        shape = samples.shape[1], self._n_features_out
        return samples.map_rows(rows, shape[1], _SparseRows(shape, samples.dtype)).joined()

    def _checked_codes(self, codes: Any) -> Any:
        codes = super()._checked_codes(codes)
        n_atoms = self._shape[0]
        return codes[:, :n_atoms] - codes[:, n_atoms:] if self.split_sign else codes

    @property
    def components_(self) -> np.ndarray:  # type: ignore[override]
        """The dictionary as an array."""
        given = self.dictionary
        dictionary = check_matrix("dictionary", to_numpy(given) if is_foreign(given) else given)
        check_magnitude("dictionary", dictionary)
        return np.ascontiguousarray(dictionary)  # the layout reaches the last bits of products

    @property
    def penalty_(self) -> Penalty | None:  # type: ignore[override]
        """The penalty used; None for a pursuit."""
        self.check_parameters()
        return None if self._pursues else self._make_penalty(self._shape[0])

    @property
    def _rule(self) -> Penalty | Pursuit:
        """What makes the codes sparse, without the checks, which take as long as a code."""
        pursuit = Pursuit.of(self.n_nonzero, self.error)
        return pursuit or self._make_penalty(self._shape[0])

    def _warn_of_changes(self) -> None:
        """Nothing was fitted, so no parameter is without effect."""

    @property
    def alpha_(self) -> float:  # type: ignore[override]
        """The penalty's weight; 0 for a pursuit."""
        self.check_parameters()
        return 0.0 if self._pursues else float(self.alpha)

    @property
    def n_nonzero_(self) -> int | None:  # type: ignore[override]
        """The maximum number of atoms."""
        return self.n_nonzero

    @property
    def error_(self) -> float | None:  # type: ignore[override]
        """The bound on the squared error."""
        return self.error

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Number of features of the dictionary."""
        return self._shape[1]

    @property
    def _n_features_out(self) -> int:
        return (2 if self.split_sign else 1) * self._shape[0]

    @property
    def _shape(self) -> tuple[int, ...]:
        """Shape of the dictionary; of an array without the checks, which take as long as a code."""
        given = self.dictionary
        is_matrix = isinstance(given, np.ndarray) and given.ndim == 2
        return given.shape if is_matrix else self.components_.shape

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = []  # codes have the dictionary's precision
        return tags


@hinted
def sparse_encode(
    X: Any,
    dictionary: Any,
    *,
    penalty: str | Penalty = "l1",
    alpha: float = 1.0,
    epsilon: float = 1e-3,
    group_size: int = 4,
    n_nonzero: int | None = None,
    error: float | None = None,
    split_sign: bool = False,
    sparse_output: bool = False,
    n_jobs: int | None = None,
) -> Any:
    """Compute sparse codes of samples for a given dictionary, as `SparseCoder.transform` does.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), or store
        Samples in rows.
    dictionary : array-like of shape (n_components, n_features)
        Atoms in rows.
    penalty, alpha, epsilon, group_size, n_nonzero, error, split_sign, sparse_output, n_jobs
        As in `SparseCoder`: a penalty and its weight, or limits of a pursuit.

    Returns
    -------
    codes : ndarray or csr_array of shape (n_samples, n_components)
        Codes in rows; twice as many columns with `split_sign`.

    Raises
    ------
    ValueError, TypeError
        If X, the dictionary or a parameter is unusable.

    Examples
    --------
    >>> from sparsebp import sparse_encode
    >>> sparse_encode([[2.0, -3.0, 0.1]], np.eye(3), error=1.0)
    array([[ 2., -3.,  0.]])
    """
    coder = SparseCoder(
        dictionary,
        penalty=penalty,
        alpha=alpha,
        epsilon=epsilon,
        group_size=group_size,
        n_nonzero=n_nonzero,
        error=error,
        split_sign=split_sign,
        sparse_output=sparse_output,
        n_jobs=n_jobs,
    )
    return coder.set_output(transform="default").transform(X)


class _Split:
    """Positive and negative parts of what a function returns, next to each other."""

    def __init__(self, function: Callable[[np.ndarray], np.ndarray]) -> None:
        self.function = function

    def __call__(self, x: np.ndarray) -> Any:
        codes = self.function(x)
        xp = namespace(codes)
        return xp.concat([xp.clip(codes, 0, None), xp.clip(-codes, 0, None)], axis=1)


class _SparseRows:
    """Blocks of rows that are written, kept as sparse matrices."""

    def __init__(self, shape: tuple[int, int], dtype: np.dtype) -> None:
        self.shape, self.dtype = shape, dtype
        self.blocks: dict[int, sparse.csr_array] = {}

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.zeros((rows.stop, self.shape[1]), self.dtype)

    def __setitem__(self, rows: slice, block: np.ndarray) -> None:
        self.blocks[rows.start or 0] = sparse.csr_array(block)

    def joined(self) -> sparse.csr_array:
        """Return all rows."""
        blocks = [self.blocks[first] for first in sorted(self.blocks)]
        return sparse.csr_array(sparse.vstack(blocks, format="csr"))
