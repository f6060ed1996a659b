"""Duality gaps: bounds on the suboptimality of L1 coefficients."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import check_flag, check_matrix, check_number
from sparsebp._magnitudes import ignore_float_warnings

_COMPLETE = (
    "The bound is for complete samples: with keep = np.isfinite(X).all(axis=1), give X[keep] and "
    "codes[keep]. The score of an estimator counts the known values of all samples."
)


def duality_gap(
    X: ArrayLike,
    components: ArrayLike,
    codes: ArrayLike,
    alpha: float,
    *,
    positive: bool = False,
) -> np.ndarray:
    """Bound, for each sample, the relative suboptimality of ‖A s − x‖² + α ‖s‖₁.

    With the residual r = x − A s, ‖x‖² − ‖x − t r‖² bounds the minimum from below for every t ≥ 0
    such that |Aᵀ t r| ≤ α / 2 for all atoms; the best of these t is used.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Samples in rows.
    components : array-like of shape (n_components, n_features)
        Atoms in rows, Aᵀ.
    codes : array-like of shape (n_samples, n_components)
        Coefficients, from any method.
    alpha : float
        α ≥ 0, as in `SparseCoding`: twice scikit-learn's and SPAMS' weight. For 0 the bound is 0.
    positive : bool
        Whether coefficients have to be ≥ 0.

    Returns
    -------
    gap : ndarray of shape (n_samples,)
        (F(s) − bound) / F(s), from 0 (optimal) to 1; 0 where F(s) is 0. Computed in float64.

    Raises
    ------
    ValueError
        If an argument is not a finite real matrix, shapes do not fit, alpha is negative or not
        finite, codes are negative although `positive`, or squares overflow.
    TypeError
        If alpha is not a number, or positive not a bool.

    References
    ----------
    Boyd & Vandenberghe 2004, *Convex Optimization*, section 5.2, for the dual of this problem.

    Examples
    --------
    With one atom along the axis the best coefficient of x = 2 is 2 − α / 2:

    >>> from sparsebp.metrics import duality_gap
    >>> duality_gap([[2.0], [2.0]], [[1.0]], [[1.5], [1.0]], alpha=1.0).round(3)
    array([0.   , 0.125])
    """
    x, atoms = check_matrix("X", X, advice=_COMPLETE), check_matrix("components", components)
    s = check_matrix("codes", codes, advice="Encode these samples again.")
    if x.shape[1] != atoms.shape[1] or s.shape != (len(x), len(atoms)):
        raise ValueError(
            f"X {x.shape}, components {atoms.shape} and codes {s.shape} do not fit; they must be "
            "(n_samples, n_features), (n_components, n_features) and (n_samples, n_components)."
        )
    check_number("alpha", alpha, minimum=0)
    check_flag("positive", positive)
    if positive and (s < 0).any():
        raise ValueError("codes must be ≥ 0 where positive=True, got negative ones.")
    with ignore_float_warnings():
        gap = _gap(x, atoms, s, float(alpha), positive=bool(positive))
    if not np.isfinite(gap).all():
        raise ValueError(
            "Squares of the numbers overflow or underflow; scale X and components to about unit "
            "variance."
        )
    return gap


def _gap(x: NDArray, atoms: NDArray, s: NDArray, alpha: float, *, positive: bool) -> NDArray:
    residual = x - s @ atoms
    value = (residual**2).sum(axis=1) + alpha * np.abs(s).sum(axis=1)
    pull = residual @ atoms.T
    steepest = (pull if positive else np.abs(pull)).max(axis=1, initial=0.0)
    best = (x * residual).sum(axis=1) / np.maximum((residual**2).sum(axis=1), 1e-300)
    shrink = np.clip(best, 0, 0.5 * alpha / np.maximum(steepest, 1e-300))[:, np.newaxis]
    # ‖x‖² − ‖x − t r‖² without the difference of large numbers.
    bound = (shrink * residual * (2 * x - shrink * residual)).sum(axis=1)
    return np.where(value > 0, np.maximum(value - bound, 0) / np.where(value > 0, value, 1), 0.0)
