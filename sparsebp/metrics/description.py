"""Description length: bits of the coefficients and of the residuals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sparsebp._checks import check_matrix, check_number
from sparsebp._namespaces import to_numpy
from sparsebp.metrics.statistics import coefficient_entropy

_COMPLETE = (
    "The bits of a value that is missing are unknown: give complete samples, "
    "X[np.isfinite(X).all(axis=1)]."
)
_COMPUTED = "Compute it again, from complete samples."


def description_length(
    samples: ArrayLike, codes: ArrayLike, reconstruction: ArrayLike, *, precision: float
) -> float:
    """Compute the bits per sample needed for codes and residuals.

    L = Σᵣ H(sᵣ) + Σᵢ H(xᵢ − x̂ᵢ), H being the entropy of one coefficient or feature over the
    samples, rounded to multiples of the precision.

    Sparser codes are shorter, but leave larger residuals: the weight α with the shortest
    description suits noise of that precision. An objective cannot choose α: it always decreases
    with α.

    Parameters
    ----------
    samples : array-like of shape (n_samples, n_features)
        x. There must be many more samples than bins, or the entropy is too small.
    codes : array-like of shape (n_samples, n_components)
        s.
    reconstruction : array-like of shape (n_samples, n_features)
        x̂, the reconstruction from the codes.
    precision : float
        The step > 0 to which samples and coefficients are rounded, in their units: the standard
        deviation of the noise, if it is known.

    Returns
    -------
    length : float
        Bits per sample, ≥ 0.

    Raises
    ------
    ValueError, TypeError
        If an array is not a finite matrix, their shapes do not fit, or the precision is not a
        positive number.

    See Also
    --------
    DescriptionLength : The same as a scorer for scikit-learn.

    Examples
    --------
    >>> description_length([[0, 1], [2, 1]], [[0.0], [3.0]], [[0, 0], [2, 0]], precision=1.0)
    1.0
    """
    x, s, back = (
        check_matrix(name, values, advice=advice)
        for name, values, advice in (
            ("samples", samples, _COMPLETE),
            ("codes", codes, _COMPUTED),
            ("reconstruction", reconstruction, _COMPUTED),
        )
    )
    if x.shape != back.shape or len(x) != len(s):
        raise ValueError(
            f"samples have shape {x.shape}, codes {s.shape} and the reconstruction {back.shape}; "
            "all three need a row for each sample, and the first and last the same shape."
        )
    step = check_number("precision", precision, above=0)
    columns = np.concatenate([s, x - back], axis=1).T
    return sum(coefficient_entropy(column[:, np.newaxis], step=step) for column in columns)


@dataclass(frozen=True)
class DescriptionLength:
    """Minus the description length, as ``scoring`` of `GridSearchCV`, to choose α.

    It is for models that reconstruct samples with noise of that precision: without noise,
    coefficients that merely copy the samples are not penalized.

    Parameters
    ----------
    precision : float
        As in `description_length`.

    Raises
    ------
    ValueError, TypeError
        If the precision is not a positive number, or, when it is called, samples have missing
        values or the model does not reconstruct them.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sparsebp import SparseCoding
    >>> from sparsebp.datasets import make_dictionary_signals
    >>> X = make_dictionary_signals(300, 8, 12, n_nonzero=2, snr_db=20, random_state=0).X
    >>> options = {"solver": "online", "batch_size": 50, "max_iter": 60, "random_state": 0}
    >>> model = SparseCoding(12, penalty="l1", **options)
    >>> scoring = DescriptionLength(0.1 * X.std())
    >>> search = GridSearchCV(model, {"alpha": [0.001, 0.1]}, scoring=scoring, cv=2)
    >>> search.fit(X).best_params_
    {'alpha': 0.1}
    """

    precision: float

    def __post_init__(self) -> None:
        check_number("precision", self.precision, above=0)

    def __call__(self, model: Any, X: Any, y: Any = None) -> float:
        """Compute minus the bits per sample that a fitted model needs for samples."""
        if not hasattr(model, "inverse_transform"):
            raise TypeError(
                f"model is a {type(model).__name__}, which has no inverse_transform; give a model "
                "that reconstructs samples, for the residuals."
            )
        codes = to_numpy(model.transform(X))
        back = model.inverse_transform(codes)
        return -description_length(X, codes, back, precision=self.precision)
