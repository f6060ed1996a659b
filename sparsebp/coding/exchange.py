"""Exact L1 coefficients from a good guess by an active-set method, compiled."""

from __future__ import annotations

import numpy as np

from sparsebp.coding._compiled import compiled
from sparsebp.coding._rows import LANES, add_rows

#: A pivot below this share of the mean squared length of an atom means a dependent atom.
_DEPENDENT = 1e-10


@compiled
def _eliminate(rows: np.ndarray, n: int, instead: float, work: tuple) -> None:
    """Bring n symmetric equations, right side in column n, to a triangle, row by row.

    The next columns are zero, so that those that are added are a multiple of `LANES`.

    An atom that depends on others gets a pivot ``instead``: infinity gives it the coefficient zero,
    a tiny number makes the solution go far in the direction that does not change the samples.
    """
    order, weights, inverse = work
    width = n + LANES - n % LANES
    for i in range(n):
        row = rows[i]
        for q in range(i):
            weights[q] = inverse[q] * rows[q, i]
        add_rows(row, weights, rows, order, i, i - i % LANES, width)
        if not row[i] > _DEPENDENT:
            row[i] = instead
        inverse[i] = -1 / row[i]


@compiled
def _substitute(rows: np.ndarray, n: int, solution: np.ndarray, inverse: np.ndarray) -> None:
    for i in range(n - 1, -1, -1):
        row = rows[i]
        total = -row[n]
        for j in range(i + 1, n):
            total += row[j] * solution[j]
        solution[i] = total * inverse[i]


@compiled
def _write_equations(sign: np.ndarray, problem: tuple, rows: np.ndarray, used: np.ndarray) -> int:
    """Write the equations for given signs into rows, and which atoms are used; return how many."""
    pull, alpha, gram = problem
    n_used = 0
    for i in range(len(sign)):
        if sign[i] != 0:
            used[n_used] = i
            n_used += 1
    for i in range(n_used):
        row, of = rows[i], gram[used[i]]
        for j in range(i, n_used):
            row[j] = of[used[j]]
        for j in range(n_used, n_used + LANES):
            row[j] = 0
        row[n_used] = pull[used[i]] - alpha * sign[used[i]]
    return n_used


@compiled
def _exchange_all(
    sign: np.ndarray, n_used: int, found: tuple, limit: float, positive: bool
) -> bool:
    """Exchange all atoms that violate the optimality conditions; return whether there were any."""
    used, solution, gradient = found
    exchanged = False
    for j in range(len(sign)):
        if sign[j] == 0 and (gradient[j] < -limit or (gradient[j] > limit and not positive)):
            sign[j] = -1 if gradient[j] > 0 else 1
            exchanged = True
    for i in range(n_used):
        if solution[i] * sign[used[i]] <= 0:
            sign[used[i]] = 0
            exchanged = True
    return exchanged


@compiled
def _exchange_one(
    sign: np.ndarray, codes: np.ndarray, n_used: int, found: tuple, limit: float, positive: bool
) -> bool:
    """Move toward the solution until an atom leaves, or to it, and let the steepest enter."""
    used, solution, gradient = found
    way, leaving = 1.0, -1
    for i in range(n_used):
        j = used[i]
        if solution[i] * sign[j] <= 0:
            crossing = codes[j] / (codes[j] - solution[i]) if codes[j] != 0 else 0.0
            if leaving < 0 or crossing < way:
                way, leaving = crossing, j
    for i in range(n_used):
        codes[used[i]] += way * (solution[i] - codes[used[i]])
    if leaving >= 0:
        sign[leaving] = 0
        codes[leaving] = 0
        return True
    entering, steepest = -1, limit
    for j in range(len(sign)):
        slope = -gradient[j] if positive else abs(gradient[j])
        if sign[j] == 0 and slope > steepest:
            entering, steepest = j, slope
    if entering >= 0:
        sign[entering] = -1 if gradient[entering] > 0 else 1
    return entering >= 0


@compiled
def _write_codes(
    codes: np.ndarray, sign: np.ndarray, n_used: int, found: tuple, limits: tuple
) -> bool:
    """Write the solution over the codes if it is exact, and return whether it is."""
    used, solution, gradient = found
    alpha, tol = limits
    for i in range(n_used):
        if not abs(gradient[used[i]] + alpha * sign[used[i]]) <= tol:
            return False
    for j in range(len(codes)):
        codes[j] = 0
    for i in range(n_used):
        codes[used[i]] = solution[i]
    return True


@compiled
def _exchange_each(
    codes: np.ndarray, problem: tuple, limits: tuple, work: tuple, optimal: np.ndarray
) -> None:
    """Do what `exchange_atoms` says. To inline functions in functions that are inlined is slow."""
    pull, alpha, gram = problem
    tol, positive, together, alone = limits
    rows, sign, guess, found, inner = work
    used, solution, gradient = found
    for sample in range(len(pull)):
        limit = alpha[sample] + tol
        for attempt in range(together + alone):
            if attempt == 0 or attempt == together:
                for j in range(len(sign)):
                    guess[j] = codes[sample, j]
                    sign[j] = (guess[j] > 0) - (guess[j] < 0)
            n_used = _write_equations(sign, (pull[sample], alpha[sample], gram), rows, used)
            _eliminate(rows, n_used, np.inf if attempt < together else _DEPENDENT, inner)
            _substitute(rows, n_used, solution, inner[2])
            for j in range(len(sign)):
                gradient[j] = -pull[sample, j]
            add_rows(gradient, solution, gram, used, n_used, 0, len(sign))
            if attempt < together:
                exchanged = _exchange_all(sign, n_used, found, limit, positive)
            else:
                exchanged = _exchange_one(sign, guess, n_used, found, limit, positive)
            if not exchanged:
                exact = (alpha[sample], tol)
                optimal[sample] = _write_codes(codes[sample], sign, n_used, found, exact)
                break


def exchange_atoms(
    codes: np.ndarray,
    pull: np.ndarray,
    alpha: np.ndarray,
    gram: np.ndarray,
    tol: float,
    positive: bool,
    rounds: tuple[int, int],
) -> np.ndarray:
    """Minimize ½ sᵀGs − bᵀs + α‖s‖₁ for each sample, from a guess of s with nearly the right signs.

    For given signs the minimum solves linear equations. Atoms whose coefficient then has the wrong
    sign leave, all those that pull by more than α enter, and the equations are solved again, until
    nothing is left to exchange. If that cycles, one atom at a time is exchanged, starting from the
    guess, so that the objective decreases.

    Samples are rows. The guess `codes` is overwritten where the minimum is found, which is
    returned. `pull` is b = 2Aᵀx, `gram` is G = 2AᵀA of mean diagonal about one, `tol` the largest
    element of the minimum-norm subgradient at convergence, `rounds` how often all atoms may be
    exchanged, and then single ones.

    Notes
    -----
    Kim & Park, *Fast active-set-type algorithms for l1-regularized linear regression* (2010), for
    all at a time; Lawson & Hanson, *Solving least squares problems* (1974), chapter 23, for one.
    """
    n = pull.shape[1]
    rows, optimal = np.empty((n, n + LANES)), np.zeros(len(pull), np.bool_)
    inner = (np.arange(n), np.empty(n), np.empty(n))
    work = (
        rows,
        np.empty(n),
        np.empty(n),
        (np.empty(n, np.int64), np.empty(n), np.empty(n)),
        inner,
    )
    _exchange_each(codes, (pull, alpha, gram), (tol, positive, *rounds), work, optimal)
    return optimal


def cache_folder() -> str | None:
    """Return the folder of the cache of compiled code; None if there is none."""
    return getattr(_exchange_each.stats, "cache_path", None)
