"""Codes for a given dictionary, behind scikit-learn's interface."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils import Tags

from sparsebp._checks import check_matrix, check_number
from sparsebp._magnitudes import check_magnitude
from sparsebp._namespaces import is_foreign, to_numpy
from sparsebp._shapes import PatchShape
from sparsebp.estimators._atom_coder import AtomCoder
from sparsebp.penalties import Penalty
from sparsebp.samples import Samples, count_threads


class SparseCoder(AtomCoder):
    """Sparse codes of samples for a given, fixed dictionary.

    Computes, for each sample x independently and the given basis A,

        s = argmin ‖A s − x‖² + α S(s),

    as `SparseCoding.transform` does for a learned basis. `fit` only checks its input and the
    parameters, and `transform` works without it.

    Parameters
    ----------
    dictionary : array-like of shape (n_components, n_features)
        The atoms in rows, such as ``components_`` of a model, wavelets or Gabor functions. They are
        not normalized: an atom with twice the norm has half the penalty for the same contribution.
    penalty : {"l1", "smooth_l1", "topographic", "log_cosh", "cauchy", "welsch"} or Penalty, \
            default="l1"
        The sparsity penalty S. Smooth penalties give small codes where "l1" gives zeros.
        (The default of `SparseCoding` is "smooth_l1".)
    alpha : float, default=1.0
        Weight α ≥ 0 of the penalty; twice the ``transform_alpha`` of scikit-learn's `SparseCoder`.
        With "l1" all codes of a sample x are zero if α ≥ 2 max|Aᵀx|, with the atoms in the columns
        of A.
    epsilon : float, default=1e-3
        Smoothing ε > 0 of "smooth_l1" and "topographic"; a Penalty object has its own.
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
    penalty_ : Penalty
        The penalty used.
    alpha_ : float
        Its weight.
    n_features_in_ : int
        Number of features of the dictionary.

    See Also
    --------
    SparseCoding : Also learns the dictionary.

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
    """

    gamma_ = None  # no weight decay: the atoms are given

    def __init__(
        self,
        dictionary: Any,
        *,
        penalty: str | Penalty = "l1",
        alpha: float = 1.0,
        epsilon: float = 1e-3,
        patch_shape: PatchShape = None,
        n_jobs: int | None = None,
    ) -> None:
        self.dictionary = dictionary
        self.penalty = penalty
        self.alpha = alpha
        self.epsilon = epsilon
        self.patch_shape = patch_shape
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and X (n_samples, n_features); there is nothing to learn.

        ValueError or TypeError if one is unusable.
        """
        self._samples(X)
        return self

    def _samples(self, X: Any) -> Samples:
        self.check_parameters()
        return super()._samples(X)

    def check_parameters(self) -> None:
        """Raise an error for invalid parameters, as `transform` does."""
        check_number("alpha", self.alpha, minimum=0)
        check_number("epsilon", self.epsilon, above=0)
        count_threads(self.n_jobs)
        self._make_penalty(self._n_features_out)

    @property
    def components_(self) -> np.ndarray:  # type: ignore[override]
        """The dictionary as an array."""
        given = self.dictionary
        dictionary = check_matrix("dictionary", to_numpy(given) if is_foreign(given) else given)
        check_magnitude("dictionary", dictionary)
        return dictionary

    @property
    def penalty_(self) -> Penalty:  # type: ignore[override]
        """The penalty used."""
        self.check_parameters()
        return self._make_penalty(self._n_features_out)

    @property
    def alpha_(self) -> float:  # type: ignore[override]
        """The penalty's weight."""
        self.check_parameters()
        return float(self.alpha)

    @property
    def n_features_in_(self) -> int:  # type: ignore[override]
        """Number of features of the dictionary."""
        return self._shape[1]

    @property
    def _n_features_out(self) -> int:
        return self._shape[0]

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
