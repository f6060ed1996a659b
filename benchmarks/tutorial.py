"""The UFLDL tutorial's formulas and exercise, implemented literally in NumPy and SciPy."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize  # noqa: TID251  (what a reader of the tutorial would call)

from benchmarks.timing import Trail


def rica(w: np.ndarray, x: np.ndarray, alpha: float, epsilon: float) -> tuple[float, np.ndarray]:
    """Compute the value and gradient of reconstruction ICA by the tutorial's formula.

    Parameters
    ----------
    w : ndarray of shape (n_components, n_features)
        The filters.
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    alpha, epsilon : float
        Weight and smoothing of the penalty.

    Returns
    -------
    value : float
        Mean over the samples.
    gradient : ndarray of w's shape
        W 2(WᵀWx − x) xᵀ + 2Wx (WᵀWx − x)ᵀ, and the penalty's.
    """
    m = x.shape[1]
    error = w.T @ (w @ x) - x
    roots = np.sqrt((w @ x) ** 2 + epsilon)
    value = (np.sum(error**2) + alpha * np.sum(roots)) / m
    gradient = w @ (2 * error) @ x.T + 2 * (w @ x) @ error.T + alpha * ((w @ x) / roots) @ x.T
    return value, gradient / m


def rica_lbfgs(x: np.ndarray, w: np.ndarray, alpha: float, epsilon: float, trail: Trail) -> None:
    """Minimize reconstruction ICA by SciPy's L-BFGS-B in float64.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    w : ndarray of shape (n_components, n_features)
        Where to begin.
    alpha, epsilon : float
        Weight and smoothing of the penalty.
    trail : Trail
        Notes the iterates; says when to stop.
    """

    def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = rica(flat.reshape(w.shape), x, alpha, epsilon)
        return value, gradient.ravel()

    def after_iteration(flat: np.ndarray) -> None:
        if trail.keep(flat.reshape(w.shape)):
            raise StopIteration

    end = minimize(
        evaluate,
        w.astype(np.float64).ravel(),
        jac=True,
        method="L-BFGS-B",
        callback=after_iteration,
        options={"maxiter": 100_000, "maxfun": 1_000_000},
    )
    trail.keep(end.x.reshape(w.shape), always=True)


def torus(side: int) -> np.ndarray:
    """Return V of the 3×3 neighborhoods on a square map without borders, as the exercise does.

    Parameters
    ----------
    side : int
        Rows and columns of the map.
    """
    groups = np.zeros((side**2, side, side))
    for row in range(side):
        for column in range(side):
            for i in range(3):
                for j in range(3):
                    groups[row * side + column, (row + i) % side, (column + j) % side] = 1
    return groups.reshape(side**2, side**2)


def exercise(
    X: np.ndarray, side: int, turns: int, batch: int, weights: tuple[float, float, float]
) -> np.ndarray:
    """Learn a topographic basis as in the exercise *Sparse Coding*.

    An iteration draws a batch, starts from s = Wᵀx divided by the norms of the atoms, takes 20
    steps of L-BFGS over all coefficients of the batch at once, then sets A = x sᵀ (s sᵀ + γ m I)⁻¹.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Samples in rows.
    side : int
        Rows and columns of the map.
    turns, batch : int
        Number of iterations, and samples per iteration.
    weights : (float, float, float)
        α, ε and γ.

    Returns
    -------
    basis : ndarray of shape (n_features, side * side)
        Atoms in columns.
    """
    (alpha, epsilon, gamma), rng, v = weights, np.random.default_rng(0), torus(side)
    basis = rng.standard_normal((X.shape[1], side**2))
    basis /= np.linalg.norm(basis, axis=0)
    for _ in range(turns):
        x = X[rng.choice(len(X), batch, replace=False)].T
        s = (basis.T @ x) / np.linalg.norm(basis, axis=0)[:, None]
        s = _twenty_steps(s, x, basis, v, (alpha, epsilon))
        basis = np.linalg.solve(s @ s.T + gamma * batch * np.eye(side**2), s @ x.T).T
    return basis


def _twenty_steps(
    s: np.ndarray, x: np.ndarray, basis: np.ndarray, v: np.ndarray, weights: tuple[float, float]
) -> np.ndarray:
    (alpha, epsilon), m = weights, x.shape[1]

    def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
        codes = flat.reshape(s.shape)
        error = basis @ codes - x
        roots = np.sqrt(v @ (codes**2) + epsilon)
        value = (np.sum(error**2) + alpha * np.sum(roots)) / m
        gradient = (2 * basis.T @ error + alpha * (v.T @ (1 / roots)) * codes) / m
        return value, gradient.ravel()

    options = {"maxiter": 20, "ftol": 0.0, "gtol": 0.0}
    end = minimize(evaluate, s.ravel(), jac=True, method="L-BFGS-B", options=options)
    return end.x.reshape(s.shape)
