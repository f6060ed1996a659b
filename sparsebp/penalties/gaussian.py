"""The penalty of a Gaussian, the reference for sub- and super-Gaussian features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsebp._namespaces import namespace
from sparsebp.penalties.base import Penalty

# The trapezoidal rule in the cube root of z: nodes are dense near zero, where penalties are
# rounded, and the corner of |z| costs no precision.
_ROOTS = np.linspace(-2.0, 2.0, 401)
_NODES = _ROOTS**3
_SHARES = _ROOTS**2 * np.exp(-(_NODES**2) / 2)
_SHARES /= _SHARES.sum()
# The part of S not explained by the sample mean and variance of s: S without its best fit by 1, z
# and z² (the Hermite polynomials, which are orthogonal for a Gaussian).
_HERMITE = np.stack([np.ones_like(_NODES), _NODES, (_NODES**2 - 1) / np.sqrt(2)])


class GaussianReference(NamedTuple):
    """A penalty's value for Gaussian coefficients, and its sampling error.

    Attributes
    ----------
    value : ndarray of shape (n_components,)
        E ρ(s), ρ being the penalty of one coefficient.
    spread : ndarray of shape (n_components,)
        Over √n_samples, the standard error of a mean of ρ over samples with just this mean and
        standard deviation.
    """

    value: np.ndarray
    spread: np.ndarray


def gaussian_reference(penalty: Penalty, deviation: np.ndarray) -> GaussianReference:
    """Compute a penalty of Gaussian coefficients with mean 0, by quadrature.

    Parameters
    ----------
    penalty : Penalty
        One that is elementwise.
    deviation : ndarray of shape (n_components,)
        Standard deviation of each coefficient.

    Returns
    -------
    reference : GaussianReference
        In float64; the error of the value is below 10⁻⁶ of it.

    Examples
    --------
    >>> from sparsebp.penalties import L1
    >>> reference = gaussian_reference(L1(), np.array([1.0, 2.0]))
    >>> np.allclose(reference.value, np.sqrt(2 / np.pi) * np.array([1, 2]))
    True
    """
    wide = np.asarray(deviation, dtype=np.float64)
    values = values_of_each(penalty, wide[:, np.newaxis] * _NODES)
    parts = (values * _SHARES) @ _HERMITE.T
    rest = values - parts @ _HERMITE
    return GaussianReference(parts[:, 0], np.sqrt(np.square(rest) @ _SHARES))


def values_of_each(penalty: Penalty, codes: np.ndarray) -> np.ndarray:
    """Compute ρ of every coefficient.

    Parameters
    ----------
    penalty : Penalty
        One that is elementwise.
    codes : ndarray of shape (n_components, n_samples)
        Coefficients in columns.

    Returns
    -------
    values : ndarray of shape (n_components, n_samples)
        Whose columns sum to S.
    """
    reshape = namespace(codes).reshape
    return reshape(penalty.values_and_gradient(reshape(codes, (1, -1)))[0], codes.shape)
