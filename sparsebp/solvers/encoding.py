"""Coefficients of samples for a given basis, every sample on its own.

A sample's coefficients do not depend on which others are encoded beside it: each takes its own
steps and stops by its own optimality.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp.objectives import codes_objective, unit_columns
from sparsebp.penalties import L1, Penalty
from sparsebp.solvers.columnwise import minimize_columns

_BLOCK = 512


@dataclass(frozen=True)
class Codes:
    """Coefficients, and how many samples' searches did not reach the tolerance.

    Parameters
    ----------
    codes : ndarray of shape (n_components, n_samples)
        Coefficients in columns.
    n_unfinished : int
        Samples that met the iteration limit first, or a slope they could not descend.
    """

    codes: np.ndarray
    n_unfinished: int


def starting_codes(x: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Compute Aᵀx, row r divided by the length of atom r: the tutorial's first coefficients.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A. An atom of zeros gives zeros.

    Returns
    -------
    codes : ndarray of shape (n_components, n_samples)
        Where the search for coefficients begins.

    Notes
    -----
    *Sparse Coding: Autoencoder Interpretation* prints Wᵀx, and its starter code divides by the
    squared length.
    """
    return unit_columns(basis).T @ x


def encode(
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty,
    alpha: float,
    *,
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
) -> Codes:
    """Compute argmin over s of ‖As − x‖² + α S(s) for each sample by itself.

    Exact L1 takes accelerated proximal steps, the smooth penalties an L-BFGS of their own for
    each sample, both on blocks of samples at once.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A, atoms in columns.
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0.
    start : ndarray of shape (n_components, n_samples), optional
        Where to begin; by default `starting_codes`.
    tol : float
        A sample is done when no element of its (sub)gradient exceeds tol times the largest that
        it has at s = 0 (or α, if that is larger).
    max_iter : int
        Iterations at most.

    Returns
    -------
    codes : Codes
        Of shape (n_components, n_samples), and the number of samples that did not finish.
    """
    tol = max(tol, 20 * float(np.finfo(x.dtype).eps))
    method = _encode_proximal if isinstance(penalty, L1) else _encode_smooth
    start = starting_codes(x, basis) if start is None else start
    codes = np.empty_like(start)
    n_unfinished = 0
    for first in range(0, x.shape[1], _BLOCK):
        block = slice(first, first + _BLOCK)
        target = tol * _gradient_scale(x[:, block], basis, alpha)
        problem = _Problem(x[:, block], basis, penalty, alpha, start[:, block], target)
        codes[:, block], unfinished = method(problem, max_iter)
        n_unfinished += unfinished
    return Codes(codes, n_unfinished)


@dataclass(frozen=True)
class _Problem:
    """A block of samples to encode: where each search begins, and when it is done."""

    x: np.ndarray
    basis: np.ndarray
    penalty: Penalty
    alpha: float
    start: np.ndarray
    target: np.ndarray


def _encode_smooth(problem: _Problem, max_iter: int) -> tuple[np.ndarray, int]:
    def values_and_gradient(codes: np.ndarray, columns: np.ndarray) -> tuple:
        x = problem.x[:, columns]
        objective = codes_objective(x, problem.basis, problem.penalty, problem.alpha)
        return objective.values_and_gradient(codes)

    return minimize_columns(values_and_gradient, problem.start, problem.target, max_iter=max_iter)


def _gradient_scale(x: np.ndarray, basis: np.ndarray, alpha: float) -> np.ndarray:
    return np.maximum(np.abs(2 * basis.T @ x).max(axis=0, initial=0.0), max(alpha, 1e-12))


def _encode_proximal(problem: _Problem, max_iter: int) -> tuple[np.ndarray, int]:
    """Take accelerated proximal gradient steps, each sample restarting on its own.

    Beck & Teboulle 2009; the momentum is dropped where it points uphill (O'Donoghue & Candès
    2015).
    """
    x, basis, alpha, target = problem.x, problem.basis, problem.alpha, problem.target
    gram, pull = 2 * basis.T @ basis, 2 * basis.T @ x
    steepest = np.linalg.norm(gram, 2)
    step = x.dtype.type(1 / steepest if steepest > 0 else 1)
    proximal = L1().proximal
    out = np.zeros_like(pull)
    active = np.arange(x.shape[1])
    codes = ahead = problem.start
    momentum = np.ones(x.shape[1], dtype=x.dtype)
    for _ in range(max_iter):
        new = proximal(ahead - step * (gram @ ahead - pull), step * alpha)
        uphill = ((ahead - new) * (new - codes)).sum(axis=0) > 0
        following = np.where(uphill, 1, (1 + np.sqrt(1 + 4 * momentum**2)) / 2).astype(x.dtype)
        weight = np.where(uphill, 0, (momentum - 1) / following).astype(x.dtype)
        ahead, codes, momentum = new + weight * (new - codes), new, following
        finished = _l1_violation(codes, gram @ codes - pull, alpha) <= target
        if finished.any():
            out[:, active[finished]] = codes[:, finished]
            keep = ~finished
            active, momentum, target = active[keep], momentum[keep], target[keep]
            codes, ahead, pull = codes[:, keep], ahead[:, keep], pull[:, keep]
        if active.size == 0:
            break
    out[:, active] = codes
    return out, active.size


def _l1_violation(codes: np.ndarray, gradient: np.ndarray, alpha: float) -> np.ndarray:
    """Largest element of the least subgradient of each column."""
    at_zero = np.maximum(np.abs(gradient) - alpha, 0)
    return np.where(codes == 0, at_zero, np.abs(gradient + alpha * np.sign(codes))).max(
        axis=0, initial=0.0
    )
