"""Missing values of samples, which are NaN."""

from __future__ import annotations

import numpy as np

from sparsebp._namespaces import is_foreign


def split_missing(x: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return samples with 0 for their missing values, and where they are known.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns; NaN is missing. Arrays of other libraries are complete.

    Returns
    -------
    x : ndarray of shape (n_features, n_samples)
        The same array if nothing is missing.
    known : ndarray of bool, of shape (n_features, n_samples), or None
        None if nothing is missing.

    Examples
    --------
    >>> split_missing(np.array([[1.0, np.nan]]))
    (array([[1., 0.]]), array([[ True, False]]))
    """
    if is_foreign(x) or not np.isnan(x.min(initial=0.0)):  # the minimum of NaN is NaN
        return x, None
    known = ~np.isnan(x)
    return np.where(known, x, x.dtype.type(0)), known
