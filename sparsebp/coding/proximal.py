"""Codes for non-smooth penalties: accelerated proximal steps, also with missing values."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp._namespaces import like, namespace, sum_along, to_numpy
from sparsebp.coding.l1 import Gram, Reflections, stiffness
from sparsebp.penalties import L1, Penalty
from sparsebp.problems import MASKED_RECONSTRUCTION, RECONSTRUCTION, Objective, Term
from sparsebp.samples import filled, one_blas_thread, product, taken

#: Steps between checks of the tolerance.
_LOOK = 10
#: The same of `encode_together`, at first; then an eighth of the steps taken.
_LOOK_TOGETHER = 6
#: Errors of slopes in units of eps ‖x‖.
_ROUNDING = 10
#: Finished samples are removed from a batch when they are more than this share of it.
_MANY = 0.1


def gradient_scale(x: np.ndarray, basis: np.ndarray, alpha: float) -> np.ndarray:
    """Compute the largest slope at s = 0 of each sample, or α if that is larger.

    Tolerances are relative to it. Values of x (n_features, n_samples) that are missing are zero.
    """
    return np.maximum(np.abs(product(2 * basis.T, x)).max(axis=0, initial=0.0), max(alpha, 1e-12))


def encode_proximally(  # noqa: PLR0913  (where a search starts, and its limits)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty,
    alpha: float,
    *,
    mask: np.ndarray | None,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, int]:
    """Compute argmin over s of ‖M ∘ (As − x)‖² + α S(s) for each sample.

    Also return how many hit the limit. Where the mask M (n_features, n_samples) is 0, x is missing
    and zero. S has a `proximal` map; if it is not convex, the result depends on the start. A sample
    has converged when no element of its proximal step, divided by the step size, is larger than tol
    times `gradient_scale`. For smooth S this is the gradient.

    Notes
    -----
    Beck & Teboulle (2009), FISTA, restarted for a sample whose last step went against its
    momentum (O'Donoghue & Candès 2015).
    """
    target = tol * gradient_scale(x, basis, alpha)
    bend = 2 * max(float(np.linalg.norm(basis, 2)) ** 2, float(np.finfo(basis.dtype).tiny))
    samples = {"x": x} if mask is None else {"x": x, "M": mask}
    out, columns = start.copy(), filled(np.arange(x.shape[1]))
    codes = ahead = taken(start, columns)
    age = np.ones(columns.size, dtype=x.dtype)
    distance = _distance(basis, samples, columns)

    def step(codes: np.ndarray) -> np.ndarray:
        gradient = distance.values_and_gradient(codes)[1]
        return penalty.proximal(codes - gradient / bend, alpha / bend)

    for iteration in range(max_iter + 1):
        if iteration % _LOOK == 0 or iteration == max_iter:
            out[:, columns] = codes
            moved = bend * np.abs(codes - step(codes)).max(axis=0, initial=0.0)
            left = filled(np.flatnonzero(moved > target[columns]))
            columns, age = columns[left], age[left]
            if columns.size == 0 or iteration == max_iter:
                break
            codes, ahead = taken(codes, left), taken(ahead, left)
            distance = _distance(basis, samples, columns)
        new = step(ahead)
        against = np.einsum("ij,ij->j", ahead - new, new - codes) > 0
        older = np.where(against, 1, (1 + np.sqrt(1 + 4 * age * age)) / 2).astype(x.dtype)
        momentum = np.where(against, 0, (age - 1) / older).astype(x.dtype)
        codes, ahead, age = new, new + momentum * (new - codes), older
    return out, np.unique(columns).size


def _distance(basis: np.ndarray, samples: dict[str, np.ndarray], columns: np.ndarray) -> Objective:
    network = MASKED_RECONSTRUCTION if "M" in samples else RECONSTRUCTION
    known = {name: taken(matrix, columns) for name, matrix in samples.items()}
    return Objective("s", (Term(1.0, network, {"A": basis, **known}),))


def encode_together(
    x: Any, basis: Any, penalty: L1, alpha: float, *, tol: float = 1e-6, max_iter: int = 1000
) -> tuple[Any, int]:
    """Compute argmin over s of ‖As − x‖² + α ‖s‖₁ for a batch at once, in any library's arrays.

    A few operations on whole matrices in each step, for which a GPU need not wait for the host: the
    reflections of `encode_l1`, on patches a quarter of the steps of accelerated proximal gradients.

    Parameters
    ----------
    x : array of shape (n_features, n_samples)
        Samples in columns, by the array API standard.
    basis : array of shape (n_features, n_components)
        A, atoms in columns, also of NumPy.
    penalty : L1
        ‖s‖₁, perhaps of positive coefficients.
    alpha : float
        α ≥ 0.
    tol : float
        A sample has converged when its duality gap is at most tol times its objective; at least 20
        times the rounding error eps of x, and at least 10 ‖x‖ / α times eps. Later steps, for other
        samples, only improve it.
    max_iter : int
        Maximum number of steps.

    Returns
    -------
    codes : array of shape (n_components, n_samples)
        Coefficients in columns, in the library, on the device and in the precision of x.
    n_unfinished : int
        Samples that hit the limit.

    Examples
    --------
    >>> encode_together(np.array([[2.0], [0.1]]), np.eye(2), L1(), 1.0)[0].round(2)
    array([[1.5],
           [0. ]])
    """
    with one_blas_thread():  # several would take longer for so small a matrix
        gram = Gram.of(to_numpy(basis))
    xp, basis = namespace(x), like(basis, x)
    tol = max(tol, 20 * float(xp.finfo(x.dtype).eps))
    pull = (2 * basis).T @ x
    steepest = xp.max(xp.abs(pull), axis=0, keepdims=True)
    units = xp.clip(steepest, max(alpha, float(xp.finfo(x.dtype).smallest_normal)), None)
    alphas = alpha / units
    pull /= units
    reflect = Reflections.of(gram, pull, alphas, stiffness(alphas), penalty)
    units /= gram.scale
    dual = xp.clip(pull, -alphas, alphas) / stiffness(alphas)
    codes = xp.zeros_like(dual)
    columns, done, n_steps = xp.arange(x.shape[1], device=x.device), [], 0
    while True:
        left = ~_is_optimal(x, basis, codes * units, penalty, alpha, tol)
        n_left = int(sum_along(xp.astype(left, xp.int64), 0))
        if n_left == 0 or n_steps == max_iter:
            break
        if n_left < (1 - _MANY) * x.shape[1]:
            (going,), (ended,) = xp.nonzero(left), xp.nonzero(~left)
            found = xp.take(codes, ended, axis=1) * xp.take(units, ended, axis=1)
            done.append((xp.take(columns, ended, axis=0), found))
            columns, reflect = xp.take(columns, going, axis=0), reflect.only(going)
            x, units, dual = (xp.take(a, going, axis=1) for a in (x, units, dual))
        steps = min(max(_LOOK_TOGETHER, n_steps // 8), max_iter - n_steps)
        dual = reflect(dual, steps)
        codes = penalty.proximal(dual, reflect.threshold)
        n_steps += steps
    return _in_order([*done, (columns, codes * units)]), n_left


def _is_optimal(x: Any, basis: Any, codes: Any, penalty: L1, alpha: float, tol: float) -> Any:
    """Return for each sample whether its duality gap is at most tol times its objective.

    As `sparsebp.metrics.duality_gap`, which explains it.
    """
    xp, residual = namespace(x), x - basis @ codes
    slopes, energy = basis.T @ residual, sum_along(residual * residual, 0)
    if not alpha:  # then the bound is 0; a gap is of second order in the slopes
        steepest = xp.max(xp.abs(basis.T @ x), axis=0)
        return penalty.violation(codes, -slopes, 0.0) <= tol**0.5 * steepest
    # The slopes' rounding errors, up to about eps ‖x‖, move the bound by their ratio to α.
    rounding = _ROUNDING * float(xp.finfo(x.dtype).eps) / alpha * xp.linalg.vector_norm(x, axis=0)
    tol = xp.clip(rounding, tol, 0.1)
    value = energy + alpha * xp.linalg.vector_norm(codes, ord=1, axis=0)
    steepest = xp.max(slopes if penalty.positive else xp.abs(slopes), axis=0)
    tiny = float(xp.finfo(x.dtype).smallest_normal)
    along = sum_along(x * residual, 0)
    best = along / xp.clip(energy, tiny, None)
    largest = 0.5 * alpha / xp.clip(steepest, tiny, None)
    shrink = xp.where(best < largest, xp.clip(best, 0, None), largest)
    return value - shrink * (2 * along - shrink * energy) <= tol * value


def _in_order(parts: list[tuple[Any, Any]]) -> Any:
    """Return the codes of all samples in order, from the numbers of samples and their codes."""
    if len(parts) == 1:
        return parts[0][1]
    xp = namespace(parts[0][1])
    order = xp.argsort(xp.concat([columns for columns, _ in parts], axis=0))
    return xp.take(xp.concat([codes for _, codes in parts], axis=1), order, axis=1)
