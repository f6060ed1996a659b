"""The objectives in hand-written NumPy: the least work without compression.

Every function returns the value and the gradient of a mean over samples, which stand in columns.
"""

from __future__ import annotations

import numpy as np

Outcome = tuple[float, np.ndarray]


def reconstruction(w: np.ndarray, x: np.ndarray, alpha: float, epsilon: float) -> Outcome:
    """Compute reconstruction ICA's ‖WᵀWx − x‖² + α Σ√((Wx)² + ε), and its gradient in W.

    Parameters
    ----------
    w : ndarray of shape (n_components, n_features)
        The filters.
    x : ndarray of shape (n_features, n_samples)
        Samples.
    alpha, epsilon : float
        Weight and smoothing of the penalty.

    Returns
    -------
    value : float
        Mean over the samples.
    gradient : ndarray of w's shape
        Its gradient.
    """
    m = x.shape[1]
    z = w @ x
    residual = w.T @ z - x
    roots = np.sqrt(z * z + epsilon)
    value = np.vdot(residual, residual) + alpha * roots.sum()
    np.divide(z, roots, out=roots)
    inner = w @ residual
    inner *= 2
    roots *= alpha
    inner += roots
    return float(value) / m, (inner @ x.T + 2 * (z @ residual.T)) / m


def sparsity(w: np.ndarray, x: np.ndarray, epsilon: float) -> Outcome:
    """Compute orthonormal ICA's Σ√((Wx)² + ε), and its gradient in W.

    Parameters
    ----------
    w : ndarray of shape (n_components, n_features)
        The filters.
    x : ndarray of shape (n_features, n_samples)
        Samples.
    epsilon : float
        Smoothing of the penalty.

    Returns
    -------
    value : float
        Mean over the samples.
    gradient : ndarray of w's shape
        Its gradient.
    """
    m = x.shape[1]
    z = w @ x
    roots = np.sqrt(z * z + epsilon)
    value = float(roots.sum()) / m
    z /= roots
    return value, (z @ x.T) / m


def codes(s: np.ndarray, x: np.ndarray, basis: np.ndarray, alpha: float, epsilon: float) -> Outcome:
    """Compute sparse coding's ‖As − x‖² + α Σ√(s² + ε), and its gradient in s.

    Parameters
    ----------
    s : ndarray of shape (n_components, n_samples)
        Coefficients.
    x : ndarray of shape (n_features, n_samples)
        Samples.
    basis : ndarray of shape (n_features, n_components)
        A.
    alpha, epsilon : float
        Weight and smoothing of the penalty.

    Returns
    -------
    value : float
        Mean over the samples.
    gradient : ndarray of s's shape
        Its gradient.
    """
    m = x.shape[1]
    residual = basis @ s
    residual -= x
    roots = np.sqrt(s * s + epsilon)
    value = np.vdot(residual, residual) + alpha * roots.sum()
    np.divide(s, roots, out=roots)
    gradient = basis.T @ residual
    gradient *= 2 / m
    roots *= alpha / m
    gradient += roots
    return float(value) / m, gradient


def basis(a: np.ndarray, x: np.ndarray, s: np.ndarray, gamma: float) -> Outcome:
    """Compute sparse coding's ‖As − x‖² + γ ‖A‖², and its gradient in A.

    Parameters
    ----------
    a : ndarray of shape (n_features, n_components)
        The basis.
    x : ndarray of shape (n_features, n_samples)
        Samples.
    s : ndarray of shape (n_components, n_samples)
        Coefficients.
    gamma : float
        Weight decay.

    Returns
    -------
    value : float
        Mean over the samples, and the decay.
    gradient : ndarray of a's shape
        Its gradient.
    """
    m = x.shape[1]
    residual = a @ s
    residual -= x
    value = np.vdot(residual, residual) / m + gamma * np.vdot(a, a)
    return float(value), (2 / m) * (residual @ s.T) + (2 * gamma) * a


def topographic(
    s: np.ndarray, x: np.ndarray, a: np.ndarray, v: np.ndarray, weights: tuple
) -> Outcome:
    """Compute ‖As − x‖² + α Σ√(V(s∘s) + ε), and its gradient in s.

    Parameters
    ----------
    s : ndarray of shape (n_components, n_samples)
        Coefficients.
    x : ndarray of shape (n_features, n_samples)
        Samples.
    a : ndarray of shape (n_features, n_components)
        The basis.
    v : ndarray of shape (n_groups, n_components)
        The grouping matrix.
    weights : (float, float)
        α and ε.

    Returns
    -------
    value : float
        Mean over the samples.
    gradient : ndarray of s's shape
        Its gradient.
    """
    (alpha, epsilon), m = weights, x.shape[1]
    residual = a @ s
    residual -= x
    roots = v @ (s * s)
    roots += epsilon
    np.sqrt(roots, out=roots)
    value = np.vdot(residual, residual) + alpha * roots.sum()
    np.reciprocal(roots, out=roots)
    groups = v.T @ roots
    groups *= s
    groups *= alpha / m
    gradient = a.T @ residual
    gradient *= 2 / m
    gradient += groups
    return float(value) / m, gradient
