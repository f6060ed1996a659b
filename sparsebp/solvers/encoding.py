"""Coefficients of samples for a given basis, every sample on its own.

A sample's coefficients do not depend on which others are encoded beside it: each takes its own
steps and stops by its own optimality.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from sparsebp.blocks import in_order
from sparsebp.objectives import codes_objective, unit_columns
from sparsebp.penalties import L1, Penalty
from sparsebp.solvers.columnwise import minimize_columns

#: Samples of a block: its arrays fit the cache.
_BLOCK = 256
#: Steps between looks at which samples are done.
_CHECK = 5
#: Steps between attempts to solve exactly, a multiple of the above.
_POLISH = 50
#: ρ over α and the over-relaxation, on the scale of unit atoms: the best tried on patches.
_STIFFNESS = 8
_RELAXATION = 1.7


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


def encode(  # noqa: PLR0913  (how a search begins, and three limits)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty,
    alpha: float,
    *,
    start: np.ndarray | None = None,
    tol: float = 1e-6,
    max_iter: int = 1000,
    n_threads: int = 1,
) -> Codes:
    """Compute argmin over s of ‖As − x‖² + α S(s) for each sample by itself.

    Exact L1 takes proximal steps, the smooth penalties an L-BFGS of their own for
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
        Where to begin; by default `starting_codes`, or zero for exact L1.
    tol : float
        A sample is done when no element of its (sub)gradient exceeds tol times the largest that
        it has at s = 0 (or α, if that is larger).
    max_iter : int
        Iterations at most.
    n_threads : int
        Blocks of samples at work at the same time.

    Returns
    -------
    codes : Codes
        Of shape (n_components, n_samples), and the number of samples that did not finish.
    """
    tol = max(tol, 20 * float(np.finfo(x.dtype).eps))
    is_l1 = isinstance(penalty, L1)
    method = partial(_encode_proximal, eigen=_eigen(basis)) if is_l1 else _encode_smooth
    if start is None:
        start = starting_codes(x, basis)
        start = np.zeros_like(start) if is_l1 else start  # most coefficients stay at zero
    codes = np.empty_like(start)

    def solve(block: slice) -> tuple[np.ndarray, int]:
        target = tol * _gradient_scale(x[:, block], basis, alpha)
        problem = _Problem(x[:, block], basis, penalty, alpha, start[:, block], target)
        return method(problem, max_iter)

    blocks = [slice(first, first + _BLOCK) for first in range(0, x.shape[1], _BLOCK)]
    n_unfinished = 0
    for block, found in zip(blocks, in_order(solve, blocks, n_threads), strict=True):
        codes[:, block], unfinished = found
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


def _eigen(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the eigenvalues of 2AᵀA above rounding, in a column, and their eigenvectors."""
    wide = basis.astype(np.float64)
    _, roots, vectors = np.linalg.svd(wide, full_matrices=False)
    kept = roots > 1e-7 * roots.max(initial=0.0)
    curvatures = 2 * roots[kept, np.newaxis] ** 2
    return curvatures.astype(basis.dtype), vectors[kept].T.astype(basis.dtype)


def _gradient_scale(x: np.ndarray, basis: np.ndarray, alpha: float) -> np.ndarray:
    return np.maximum(np.abs(2 * basis.T @ x).max(axis=0, initial=0.0), max(alpha, 1e-12))


def _encode_proximal(
    problem: _Problem, max_iter: int, eigen: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, int]:
    """Reflect by turns in the proximal maps of the distance and of the penalty.

    The distance's map is (G + ρI)⁻¹ (2Aᵀx + ρy), G = 2AᵀA, so an ill-conditioned basis costs no
    more steps than another: on patches a tenth of what accelerated gradient steps need. In G's
    eigenvectors it is cheap for every sample's own ρ, which has to fit the size of its codes.
    Douglas & Rachford 1956, over-relaxed; the steps are those of ADMM (Boyd et al. 2011, 3.4.3).
    """
    penalty, alpha, target = problem.penalty, problem.alpha, problem.target
    assert isinstance(penalty, L1)
    basis, (curvatures, vectors) = problem.basis, eigen
    gram, pull = 2 * basis.T @ basis, 2 * basis.T @ problem.x
    steepest = np.abs(pull).max(axis=0, initial=max(alpha, np.finfo(pull.dtype).tiny))
    rho = gram.diagonal().mean() * np.clip(_STIFFNESS * alpha / steepest, 1e-3, 0.5)
    rho = np.where(rho > 0, rho, 1).astype(pull.dtype)
    threshold = (alpha / rho).astype(pull.dtype)
    share = curvatures / (curvatures + rho)
    resting = vectors @ ((vectors.T @ pull) / (curvatures + rho))
    out = np.zeros_like(pull)
    active = np.arange(pull.shape[1])
    codes = problem.start
    # The penalty's subgradient at the start, as far as the distance's gradient allows one.
    dual = codes + np.clip((pull - gram @ codes) / rho, -threshold, threshold)
    for iteration in range(1, max_iter + 1):
        point = 2 * codes - dual
        nearest = resting + point - vectors @ (share * (vectors.T @ point))
        dual = dual + _RELAXATION * (nearest - codes)
        codes = penalty.proximal(dual, threshold)
        if iteration % _CHECK and iteration < max_iter:
            continue
        if iteration % _POLISH == 0:
            codes = _polished(codes, gram, pull, alpha, target, penalty)
        finished = _l1_violation(codes, gram @ codes - pull, alpha, penalty.positive) <= target
        out[:, active[finished]] = codes[:, finished]
        keep = ~finished
        active, target = active[keep], target[keep]
        codes, dual, pull = codes[:, keep], dual[:, keep], pull[:, keep]
        resting, share, threshold = resting[:, keep], share[:, keep], threshold[keep]
        if active.size == 0:
            break
    # The steps do not descend one by one; what ends early is no worse than where it began.
    start, pull = problem.start[:, active], 2 * basis.T @ problem.x[:, active]
    worse = _l1_values(codes, gram, pull, alpha) > _l1_values(start, gram, pull, alpha)
    out[:, active] = np.where(worse, start, codes)
    return out, active.size


def _polished(
    codes: np.ndarray,
    gram: np.ndarray,
    pull: np.ndarray,
    alpha: float,
    target: np.ndarray,
    penalty: L1,
) -> np.ndarray:
    """Solve each column exactly for the signs it has; keep what that leaves optimal.

    The steps find the signs soon and the numbers late.
    """
    signs = np.sign(codes)
    solved = codes.copy()
    for column in range(codes.shape[1]):
        used = np.flatnonzero(signs[:, column])
        right = pull[used, column] - alpha * signs[used, column]
        try:
            solved[used, column] = np.linalg.solve(gram[np.ix_(used, used)], right)
        except np.linalg.LinAlgError:  # dependent atoms: the steps go on
            continue
    kept = (np.sign(solved) == signs).all(axis=0)
    kept &= _l1_violation(solved, gram @ solved - pull, alpha, penalty.positive) <= target
    return np.where(kept, solved, codes)


def _l1_values(codes: np.ndarray, gram: np.ndarray, pull: np.ndarray, alpha: float) -> np.ndarray:
    """‖As − x‖² + α ‖s‖₁ of each column, less ‖x‖²."""
    return (codes * (0.5 * (gram @ codes) - pull) + alpha * np.abs(codes)).sum(axis=0)


def _l1_violation(
    codes: np.ndarray, gradient: np.ndarray, alpha: float, positive: bool
) -> np.ndarray:
    """Largest element of the least subgradient of each column."""
    at_zero = np.maximum((-gradient if positive else np.abs(gradient)) - alpha, 0)
    return np.where(codes == 0, at_zero, np.abs(gradient + alpha * np.sign(codes))).max(
        axis=0, initial=0.0
    )
