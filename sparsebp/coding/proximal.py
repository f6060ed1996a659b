"""Codes for non-smooth penalties: accelerated proximal steps, also with missing values."""

from __future__ import annotations

import numpy as np

from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import Penalty
from sparsebp.problems import MASKED_RECONSTRUCTION, RECONSTRUCTION, Objective, Term
from sparsebp.samples import filled, product, taken

#: Steps between checks of the tolerance.
_LOOK = 10


def gradient_scale(x: np.ndarray, basis: np.ndarray, alpha: float) -> np.ndarray:
    """Compute the largest slope at s = 0 of each sample, or α if that is larger.

    Tolerances are relative to it. Values of x (n_features, n_samples) that are missing are zero.
    """
    return np.maximum(np.abs(product(2 * basis.T, x)).max(axis=0, initial=0.0), max(alpha, 1e-12))


def largest_curvature(basis: np.ndarray) -> np.ndarray:
    """Compute the largest curvature of ‖As − x‖², which is positive, in the precision of A."""
    tiny = np.finfo(basis.dtype).tiny
    return 2 * np.maximum(np.linalg.norm(basis, 2) ** 2, tiny)


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
) -> ColumnResult:
    """Compute argmin over s of ‖M ∘ (As − x)‖² + α S(s) for each sample.

    Where the mask M (n_features, n_samples) is 0, x is missing and zero. S has a `proximal` map; if
    it is not convex, the result depends on the start. A sample has converged when no element of its
    proximal step, divided by the step size, is larger than tol times `gradient_scale`. For smooth S
    this is the gradient.

    Notes
    -----
    Beck & Teboulle (2009), FISTA, restarted for a sample whose last step went against its
    momentum (O'Donoghue & Candès 2015).
    """
    target = tol * gradient_scale(x, basis, alpha)
    bend = largest_curvature(basis)
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
    return ColumnResult(out, np.unique(columns).size)


def _distance(basis: np.ndarray, samples: dict[str, np.ndarray], columns: np.ndarray) -> Objective:
    network = MASKED_RECONSTRUCTION if "M" in samples else RECONSTRUCTION
    known = {name: taken(matrix, columns) for name, matrix in samples.items()}
    return Objective("s", (Term(1.0, network, {"A": basis, **known}),))
