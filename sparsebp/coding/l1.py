"""Exact L1 coefficients: steps that find their signs, then equations that give their values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._magnitudes import decomposing
from sparsebp._namespaces import like, namespace
from sparsebp.coding.exchange import exchange_atoms
from sparsebp.penalties import L1
from sparsebp.samples import filled, product, taken

#: Steps before equations are tried, and how often all atoms that want to are then exchanged.
_STEPS, _EXCHANGES = 20, 5
#: What equations leave of a subgradient, relative to the steepest slope; tighter costs no more.
_EXACT = 1e-9
#: ρ over α and the over-relaxation, on the scale of unit atoms: the best tried on patches.
_STIFFNESS, _RELAXATION = 8, 1.7


@dataclass(frozen=True)
class Gram:
    """G = 2AᵀA of a basis, in units (``scale``) of its mean diagonal element, and its eigenvectors.

    Only eigenvalues above rounding are kept, as a column.
    """

    basis: np.ndarray
    matrix: np.ndarray
    scale: float
    eigenvalues: np.ndarray
    eigenvectors: np.ndarray

    @classmethod
    def of(cls, basis: np.ndarray) -> Gram:
        """Compute G of a basis (n_features, n_components), in float64."""
        wide = basis.astype(np.float64)
        matrix = 2 * wide.T @ wide
        scale = float(matrix.diagonal().mean()) or 1.0
        # The eigenvectors come from the smaller of 2AᵀA and 2AAᵀ.
        is_wide = wide.shape[0] < wide.shape[1]
        with decomposing():
            eigenvalues, vectors = np.linalg.eigh(2 * wide @ wide.T if is_wide else matrix)
        kept = eigenvalues > 1e-13 * eigenvalues.max(initial=0.0)
        eigenvalues, vectors = eigenvalues[kept], vectors[:, kept]
        if is_wide:
            vectors = (wide.T @ vectors) * np.sqrt(2 / eigenvalues)
        return cls(basis, matrix / scale, scale, eigenvalues[:, np.newaxis] / scale, vectors)


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
        """Return the penalty's subgradient, as far as the distance's gradient allows one."""
        slope = self.pull - self.gram.matrix @ codes if codes.any() else self.pull
        return codes + np.clip(slope, -self.alpha, self.alpha) / self.rho

    def only(self, which: np.ndarray) -> _Samples:
        return _Samples(taken(self.pull, which), self.alpha[which], self.gram, self.penalty)

    def values(self, codes: np.ndarray) -> Any:
        if not codes.any():
            return 0.0
        quadratic = codes * (0.5 * (self.gram.matrix @ codes) - self.pull)
        return (quadratic + self.alpha * np.abs(codes)).sum(axis=0)

    def violation(self, codes: np.ndarray) -> np.ndarray:
        """Largest element of the minimum-norm subgradient of each column."""
        gradient = self.gram.matrix @ codes - self.pull
        return self.penalty.violation(codes, gradient, self.alpha)


def encode_l1(
    x: np.ndarray,
    gram: Gram,
    penalty: L1,
    alpha: float,
    *,
    start: np.ndarray,
    tol: float,
    max_iter: int,
) -> tuple[np.ndarray, int]:
    """Compute argmin over s of ‖As − x‖² + α‖s‖₁ for each of a block of samples.

    Also return how many hit the limit. A sample has converged when no element of its minimum-norm
    subgradient exceeds the fraction `tol` of the largest at s = 0 (or of α, if that is larger).
    With fewer than 20 steps the signs are unreliable, and no equations are solved.
    """
    pull = product(2 * gram.basis.T, x)
    steepest = np.abs(pull).max(axis=0, initial=max(alpha, np.finfo(x.dtype).tiny))
    units = steepest / gram.scale
    start = start / units
    out = start.copy()
    active = filled(np.arange(x.shape[1]))
    samples = _Samples(pull / steepest, alpha / steepest, gram, penalty)
    left, codes = samples.only(active), taken(start, active)
    dual = left.dual(codes)
    for first in range(0, max_iter, _STEPS):
        steps = min(_STEPS, max_iter - first)
        # The first steps are for the signs, for which single precision suffices.
        dtype = np.float32 if first == 0 else np.float64
        reflect = Reflections.of(gram, left.pull.astype(dtype), left.alpha, left.rho, penalty)
        dual = reflect(dual.astype(dtype), steps)
        codes = penalty.proximal(dual, reflect.threshold)
        out[:, active] = codes
        finished = np.zeros(active.size, dtype=bool)
        if steps == _STEPS:
            solved, finished = _solved(left, codes)
            out[:, active[finished]] = solved
        rest = filled(np.flatnonzero(~finished))
        finished[rest] = left.only(rest).violation(taken(out, active[rest])) <= tol
        unfinished = filled(np.flatnonzero(~finished))
        active, left = active[unfinished], left.only(unfinished)
        codes, dual = taken(codes, unfinished), taken(dual, unfinished)
        if active.size == 0:
            break
    # Single steps may increase F; a sample that ends early is never worse than at its start.
    begun = taken(start, active)
    worse = left.values(taken(out, active)) > left.values(begun)
    out[:, active] = np.where(worse, begun, taken(out, active))
    return out * units, np.unique(active).size


def stiffness(alpha: Any) -> Any:
    """Return the ρ of samples whose α is in units of their steepest slope."""
    return namespace(alpha).clip(_STIFFNESS * alpha, 1e-3, 0.5)


@dataclass(frozen=True, eq=False)
class Reflections:
    """Reflections in the proximal maps of the squared error and of the penalty, in turn.

    The distance's map is (G + ρI)⁻¹ (b + ρy), so an ill-conditioned basis costs no more steps than
    another: on patches a tenth of what accelerated gradient steps need. In G's eigenvectors it is
    cheap for every sample's own ρ. Arrays are of any library.
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
        across = like(gram.eigenvectors.T.copy(), pull)
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
        clip = namespace(dual).clip
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


def _solved(samples: _Samples, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact codes of the columns that lead there, and which these are."""
    found = np.array(codes.T, dtype=np.float64, order="C")
    optimal = exchange_atoms(
        found,
        np.ascontiguousarray(samples.pull.T),
        np.asarray(samples.alpha, dtype=np.float64),
        samples.gram.matrix,
        _EXACT,
        samples.penalty.positive,
        (_EXCHANGES, 3 * len(codes)),
    )
    return found[optimal].T, optimal
