"""Exact L1 coefficients: steps that find their signs, then equations that give their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._namespaces import like, namespace, sum_along, to_numpy
from sparsebp.coding.exchange import exchange_atoms
from sparsebp.coding.gram import Gram
from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import L1
from sparsebp.samples import filled, one_blas_thread, taken

#: Steps before equations are tried, and how often all atoms that want to are then exchanged.
FIRST_STEPS, _EXCHANGES = 16, 6
#: What equations leave of a subgradient, relative to the steepest slope; tighter costs no more.
EXACT = 1e-9
#: ρ over α and the over-relaxation, on the scale of unit atoms: the best tried on patches.
_STIFFNESS, _RELAXATION = 8, 1.7
#: So few samples take their first steps as they are, more in columns that all round alike.
_FEW = 4
#: Steps of a batch between looks at its duality gaps at first, then an eighth of the steps taken.
_LOOK = 6
#: Errors of slopes in units of eps ‖x‖.
_ROUNDING = 10
#: Finished samples are removed from a batch when they are more than this share of it.
_MANY = 0.1


@dataclass(frozen=True)
class _Samples:
    """½ sᵀGs − bᵀs + α‖s‖₁ of some samples, b = 2Aᵀx, each in units of its steepest slope.

    So all samples have the same scale, suited to single precision.
    """

    pull: np.ndarray
    alpha: np.ndarray
    gram: Gram
    penalty: L1

    @property
    def rho(self) -> np.ndarray:
        """The stiffness of each sample's steps, which has to fit the size of its codes."""
        return stiffness(self.alpha)

    def dual(self, codes: np.ndarray) -> np.ndarray:
        """Return y = s + g / ρ, of which s is the proximal map if g is a subgradient of α‖s‖₁.

        As g it takes the slope of the distance, clipped to ±α, which at the minimum is one.
        """
        slope = self.pull - self.gram.matrix @ codes if codes.any() else self.pull
        return codes + _between(slope, -self.alpha, self.alpha) / self.rho

    def only(self, which: np.ndarray) -> _Samples:
        return _Samples(taken(self.pull, which), self.alpha[which], self.gram, self.penalty)

    def values(self, codes: np.ndarray) -> np.ndarray:
        if not codes.any():
            return np.zeros(codes.shape[1])
        quadratic = codes * (0.5 * (self.gram.matrix @ codes) - self.pull)
        return (quadratic + self.alpha * np.abs(codes)).sum(axis=0)

    def violation(self, codes: np.ndarray) -> np.ndarray:
        """Largest element of the minimum-norm subgradient of each column."""
        gradient = self.gram.matrix @ codes - self.pull
        return self.penalty.violation(codes, gradient, self.alpha)

    def reflect(
        self, dual: np.ndarray, n_steps: int, n: int, *, single: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Take steps; return y and, in rows, the codes of the first n samples."""
        of, dtype = (self.gram.single, np.float32) if single else (self.gram, np.float64)
        # Few may round unlike many: equations with the same signs have the same solution.
        few = slice(n if single and n <= _FEW else None)
        pull, alpha, rho = self.pull[:, few].astype(dtype), self.alpha[few], self.rho[few]
        reflections = Reflections.of(of, pull, alpha, rho, self.penalty)
        dual = reflections(dual[:, few].astype(dtype), n_steps)
        codes = self.penalty.proximal(dual, reflections.threshold)[:, :n].T
        return dual, np.array(codes, dtype=np.float64, order="C")

    def solve(self, guess: np.ndarray, rounds: tuple[int, int]) -> np.ndarray:
        """Write the exact codes of the first samples, in rows, over a guess that leads there.

        Return for each whether it did. `exchange_atoms` explains the rounds.
        """
        n = len(guess)
        pull = np.ascontiguousarray(self.pull[:, :n].T)
        alpha = np.array(self.alpha[:n], dtype=np.float64)
        return exchange_atoms(
            guess, pull, alpha, self.gram.matrix, EXACT, self.penalty.positive, rounds
        )


def encode_l1(
    x: np.ndarray,
    gram: Gram,
    penalty: L1,
    alpha: float,
    *,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> ColumnResult:
    """Compute argmin over s of ‖As − x‖² + α‖s‖₁ for each of a block of samples.

    A sample has converged when no element of its minimum-norm subgradient exceeds the fraction
    `tol` of the largest at s = 0 (or of α, if that is larger). With fewer than 16 steps the signs
    are unreliable, and no equations are solved.
    """
    active = np.arange(x.shape[1])
    columns = filled(active)
    pull = gram.slopes @ taken(x, columns)
    steepest = np.abs(pull).max(axis=0, initial=max(alpha, np.finfo(x.dtype).tiny))
    pull /= steepest
    units = steepest / gram.scale
    start = taken(start, columns) / units
    left = _Samples(pull, alpha / steepest, gram, penalty)
    out, dual = start.T[: active.size].copy(), left.dual(start)
    # Where no slope exceeds α the codes are zero: two in five patches of a photograph.
    is_zero = left.alpha[: active.size] >= 1
    if is_zero.any():
        out[is_zero], active = 0, active[~is_zero]
        left, dual = left.only(filled(active)), taken(dual, filled(active))
    n_steps = 0
    while active.size and n_steps < max_iter:
        # Where the equations of early signs lead nowhere they are tried ever more rarely.
        steps = min(max(FIRST_STEPS, n_steps // 2), max_iter - n_steps)
        # The first steps are for the signs, for which single precision suffices.
        dual, found = left.reflect(dual, steps, active.size, single=n_steps <= FIRST_STEPS)
        finished = np.zeros(active.size, dtype=bool)
        if n_steps + steps >= FIRST_STEPS:
            finished = left.solve(found, (_EXCHANGES, 3 * len(pull) if n_steps else 0))
        out[active] = found
        if finished.all():
            return ColumnResult(out.T * units[: len(out)], 0)
        rest = np.flatnonzero(~finished)
        left, dual, found = left.only(filled(rest)), taken(dual, filled(rest)), found[filled(rest)]
        finished[rest] = (left.violation(np.ascontiguousarray(found.T)) <= tol)[: rest.size]
        still = filled(np.flatnonzero(~finished[rest]))
        active, left, dual = active[~finished], left.only(still), taken(dual, still)
        n_steps += steps
    _keep_no_worse(out, start, left, active)
    return ColumnResult(out.T * units[: len(out)], active.size)


def _keep_no_worse(out: np.ndarray, start: np.ndarray, left: _Samples, active: np.ndarray) -> None:
    """Restore the start of samples that ended early with a larger F; single steps may increase it.

    Codes `out` are rows, `start` columns; `left` are the active samples.
    """
    columns = filled(active)
    after = np.ascontiguousarray(out[columns].T)
    worse = left.values(after) > left.values(taken(start, columns))
    again = active[worse[: active.size]]
    out[again] = start.T[again]


def stiffness(alpha: Any) -> Any:
    """Return the ρ of samples whose α is in units of their steepest slope."""
    return namespace(alpha).clip(_STIFFNESS * alpha, 1e-3, 0.5)


@dataclass(frozen=True, eq=False)
class Reflections:
    """Reflections in the proximal maps of the squared error and of the penalty, alternately.

    The distance's map is (G + ρI)⁻¹ (b + ρy), so an ill-conditioned basis costs no more steps than
    another. In G's eigenvectors it is cheap for every sample's own ρ. Arrays are of any library.
    Douglas & Rachford 1956, over-relaxed; the steps are those of ADMM (Boyd et al. 2011, 3.4.3).
    """

    vectors: Any
    across: Any
    shrink: Any
    resting: Any
    lowest: Any
    threshold: Any

    @classmethod
    def of(cls, gram: Gram, pull: Any, alpha: Any, rho: Any, penalty: L1) -> Reflections:
        """Return the steps for samples with b = pull (n_components, n_samples), α and ρ."""
        vectors, eigenvalues = like(gram.eigenvectors, pull), like(gram.eigenvalues, pull)
        across = like(gram.across, pull)
        alpha, rho = like(alpha, pull), like(rho, pull)
        inverse, threshold = _RELAXATION / (eigenvalues + rho), alpha / rho
        lowest = None if penalty.positive else -threshold
        return cls(
            vectors, across, eigenvalues * inverse, (across @ pull) * inverse, lowest, threshold
        )

    def only(self, columns: Any) -> Reflections:
        """Return the steps for some of the samples."""
        arrays = (self.shrink, self.resting, self.lowest, self.threshold)
        taken = (a if a is None else namespace(a).take(a, columns, axis=a.ndim - 1) for a in arrays)
        return Reflections(self.vectors, self.across, *taken)

    def __call__(self, dual: Any, n_steps: int) -> Any:
        """Take steps; dual (n_components, n_samples) is overwritten.

        The codes are the proximal map of the penalty at it, at the thresholds.
        """
        # NumPy's clip is many times slower.
        clip = _between if isinstance(dual, np.ndarray) else namespace(dual).clip
        for _ in range(n_steps):
            within = clip(dual, self.lowest, self.threshold)
            point = -2 * within
            point += dual  # codes − within
            along = self.across @ point
            along *= self.shrink
            along -= self.resting  # of the distance's map
            within *= _RELAXATION
            dual -= within
            dual -= self.vectors @ along
        return dual


def _between(array: np.ndarray, lowest: np.ndarray | None, highest: np.ndarray) -> np.ndarray:
    within = np.minimum(array, highest)
    return within if lowest is None else np.maximum(within, lowest, out=within)


def encode_together(
    x: Any, basis: Any, penalty: L1, alpha: float, *, tol: float = 1e-6, max_iter: int = 1000
) -> ColumnResult:
    """Compute argmin over s of ‖As − x‖² + α ‖s‖₁ for a batch at once, in any library's arrays.

    A few operations on whole matrices in each step, for which a GPU need not wait for the host: the
    reflections of `encode_l1`. Patches take 22 to a gap of 1e-3, and 79 accelerated gradient steps.

    Samples x and atoms of the basis, which may be NumPy's, are columns. A sample has converged when
    its duality gap is at most tol times its objective; at least 20 times the rounding error eps of
    x, and at least 10 ‖x‖ / α times eps. Later steps, for other samples, only improve it. Codes are
    in the library, on the device and in the precision of x.

    Examples
    --------
    >>> encode_together(np.array([[2.0], [0.1]]), np.eye(2), L1(), 1.0).points.round(2)
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
        steps = min(max(_LOOK, n_steps // 8), max_iter - n_steps)
        dual = reflect(dual, steps)
        codes = penalty.proximal(dual, reflect.threshold)
        n_steps += steps
    return ColumnResult(_in_order([*done, (columns, codes * units)]), n_left)


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
