"""Orthogonal matching pursuit, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sparsebp._magnitudes import ignore_float_warnings, in_range, require_finite
from sparsebp.coding._compiled import compiled
from sparsebp.coding._rows import LANES, orthogonalize
from sparsebp.coding.basis import optimal_directions
from sparsebp.samples import in_blocks

#: Rounding error of the residual energy.
_ROUNDING = 1e-15
#: Steps in single precision are trusted where the residual differs from the error bound by this
#: part of the sample's energy, and the best atom has this part of the residual's.
_LEAST_DISTANCE, _LEAST_GAIN = 1e-5, 1e-4
#: Slopes of samples with more energy may leave the range of single precision.
_LARGEST_ENERGY = 1e70
#: Samples of a block.
_BLOCK = 1024


@dataclass(frozen=True)
class Pursuit:
    """Codes by orthogonal matching pursuit, where `encode` takes a penalty.

    Parameters
    ----------
    n_nonzero : int, optional
        The maximum number of atoms of a sample.
    error : float, optional
        Stop where ‖x − As‖² ≤ error.

    Examples
    --------
    >>> Pursuit(n_nonzero=1)(np.array([[3.0], [4.0]]), np.eye(2)).T
    array([[0., 4.]])
    """

    n_nonzero: int | None = None
    error: float | None = None
    is_smooth: ClassVar[bool] = False  # of codes, there is no gradient

    @classmethod
    def of(cls, n_nonzero: int | None, error: float | None) -> Self | None:
        """Return a pursuit, or None without any limit."""
        return None if n_nonzero is None and error is None else cls(n_nonzero, error)

    def __call__(
        self,
        x: np.ndarray,
        basis: np.ndarray,
        n_threads: int = 1,
        known: np.ndarray | None = None,
    ) -> np.ndarray:
        """Return codes (n_components, n_samples), as `pursue` does, of samples of any scale."""
        x, exponent = in_range(x)
        with ignore_float_warnings():
            energy = float(np.ldexp(self.error or 0.0, -2 * exponent))
            limits: dict[str, Any] = {"n_nonzero": self.n_nonzero, "max_energy": energy}
            codes = pursue(x, basis, **limits, n_threads=n_threads, known=known)
            return np.ldexp(codes, exponent) if exponent else codes


def pursue(
    x: np.ndarray,
    basis: np.ndarray,
    *,
    n_nonzero: int | None = None,
    max_energy: float = 0.0,
    min_gain: float = 0.0,
    n_threads: int = 1,
    known: np.ndarray | None = None,
) -> np.ndarray:
    """Choose atoms for each sample independently, until one of three stopping criteria is met.

    Each step chooses the atom with the steepest slope of ‖x − As‖², and then sets the coefficients
    of all chosen atoms by least squares.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A, atoms in columns, of any norm. An atom of zeros is never chosen.
    n_nonzero : int, optional
        Stop at this many atoms; None for as many as there are features.
    max_energy : float
        Stop where ‖x − As‖² ≤ max_energy: n (1.15 σ)² for noise of standard deviation σ on
        n features.
    min_gain : float
        Stop where the next atom would lower ‖x − As‖² by less than this. With τ² it is the greedy
        minimum of ‖x − As‖² + τ² ‖s‖₀.
    n_threads : int
        Number of threads over blocks of samples.
    known : ndarray of bool, of shape (n_features, n_samples), optional
        Which values of x are known; the rest is 0. Each sample is then approximated by the rows of
        A for its known values, to their share of max_energy.

    Returns
    -------
    codes : ndarray of shape (n_components, n_samples)
        s, in the samples' precision, found in float64. Atoms of float32 samples are chosen in
        float32 unless little is left of a sample: of two that fit alike it may take either.

    Raises
    ------
    ValueError
        If the samples are so large that their squares, or the coefficients, overflow.

    Notes
    -----
    Pati, Rezaiifar & Krishnaprasad (1993). As in batch OMP (Rubinstein, Zibulevsky & Elad 2008)
    the steps use only Aᵀx and AᵀA. With q₁, q₂, … the orthonormal
    directions of the atoms chosen, row i of `along` is qᵢᵀA: the coefficients of all atoms in
    Gram–Schmidt's orthogonalization, so that no equations are solved until the end.

    Examples
    --------
    >>> basis = np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8]])
    >>> pursue(np.array([[3.0], [4.0]]), basis, n_nonzero=1).T
    array([[0., 0., 5.]])
    """
    n_features, n_components = basis.shape
    most = min(n_features, n_components if n_nonzero is None else int(n_nonzero))
    single = x.dtype == np.float32 and not min_gain and (max_energy > 0 or most < n_features)
    whole = _normalized(basis, single=single) if known is None else None

    def solve(block: slice) -> np.ndarray:
        samples = x[:, block].T.astype(np.float64)
        if whole is not None:
            return _pursued(samples, whole, (most, max_energy, min_gain))
        assert known is not None
        found = np.zeros((len(samples), n_components))
        for code, sample, rows in zip(found, samples, known.T[block], strict=True):
            n_known = np.count_nonzero(rows)
            stop = (min(most, n_known), max_energy * n_known / n_features, min_gain)
            code[:] = _pursued(sample[np.newaxis, rows], _normalized(basis[rows]), stop)[0]
        return found

    codes = np.empty((x.shape[1], n_components), dtype=x.dtype)
    for block, found in in_blocks(solve, x.shape[1], _BLOCK, n_threads):
        with ignore_float_warnings():
            codes[block] = found
    return require_finite("The coefficients", codes, "x").T


@dataclass(frozen=True)
class _Dictionary:
    """Atoms of unit norm.

    Attributes
    ----------
    atoms : ndarray of shape (n_features, n_components)
        Atoms in columns.
    lengths : ndarray of shape (n_components,)
        Their norms before.
    grams : tuple of ndarray of shape (n_components, n_components)
        Their Gram matrix in the precisions in which samples are pursued, in turn.
    """

    atoms: np.ndarray
    lengths: np.ndarray
    grams: tuple[np.ndarray, ...]


def _normalized(basis: np.ndarray, *, single: bool = False) -> _Dictionary:
    atoms, lengths = _unit_atoms(basis)
    gram = atoms.T @ atoms
    return _Dictionary(atoms, lengths, (gram.astype(np.float32), gram) if single else (gram,))


def _unit_atoms(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return normalized atoms in float64, and their norms (1 for an atom of zeros)."""
    wide = basis.astype(np.float64)
    largest = np.abs(wide).max(axis=0, initial=0.0)  # its square may underflow
    wide = wide / np.where(largest > 0, largest, 1.0)
    lengths = np.maximum(np.sqrt((wide * wide).sum(axis=0)), 1.0)
    return wide / lengths, np.where(largest > 0, largest, 1.0) * lengths


def learn_by_pursuit(
    x: np.ndarray, basis: np.ndarray, *, max_energy: float, n_iter: int, n_threads: int = 1
) -> np.ndarray:
    """Learn unit-norm atoms by alternating pursuit to an error bound and least squares.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        Initial atoms, in columns. Those that no sample uses are not changed.
    max_energy : float
        The squared error ‖x − As‖² at which pursuit stops, as in `pursue`.
    n_iter : int
        Iterations.
    n_threads : int
        Number of threads over blocks of samples.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        A.

    Notes
    -----
    `Alternation` with a `Pursuit` does the same, and replaces unused atoms; its objective and
    moments take half as long again.

    Examples
    --------
    >>> x = np.array([[3.0, 4.0, -2.0], [3.0, 4.0, -2.0]])
    >>> learn_by_pursuit(x, np.array([[1.0], [0.0]]), max_energy=0.1, n_iter=1).T.round(3)
    array([[0.707, 0.707]])
    """
    for _ in range(n_iter):
        codes = pursue(x, basis, max_energy=max_energy, n_threads=n_threads)
        basis, _ = optimal_directions(x, codes, basis)
    return basis


def _pursued(
    samples: np.ndarray, dictionary: _Dictionary, stop: tuple[int, float, float]
) -> np.ndarray:
    """Pursue samples in rows; stop as `pursue` says."""
    energy = require_finite("Squares", np.einsum("ij,ij->i", samples, samples), "x")
    pull = samples @ dictionary.atoms
    codes = np.zeros(pull.shape)
    left = np.arange(len(samples))
    for gram in dictionary.grams:
        data = (pull, energy, gram, dictionary.grams[-1], dictionary.lengths)
        left = left[: _pursue_each(codes, left, data, _workspace(stop[0], gram), stop)]
    return codes


def _workspace(most: int, gram: np.ndarray) -> tuple[tuple, tuple, np.ndarray]:
    """Return arrays for the steps, the search for the steepest slope, and a solution."""
    n, precision = len(gram), gram.dtype
    integers = np.dtype(f"i{precision.itemsize}")
    along, used, heights = np.empty((most, n), precision), np.empty(most, np.int64), np.empty(most)
    slope, new, weights = np.empty(n, precision), np.empty(n, precision), np.empty(most, precision)
    steps = (along, used, heights, slope, new, weights, np.arange(most))
    return steps, (np.empty(LANES + 1, integers), np.empty(LANES + 1, integers)), np.empty(most)


@compiled
def _pursue_each(
    codes: np.ndarray, left: np.ndarray, data: tuple, workspace: tuple, stop: tuple
) -> int:
    """Store coefficients of the samples that are left; return for how many precision wanted."""
    pull, energy, gram, exact_gram, lengths = data
    steps, search, solution = workspace
    along, used, heights = steps[:3]
    n_left = 0
    for sample in left:
        n_used = _choose(pull[sample], energy[sample], gram, steps, search, stop)
        if n_used < 0:
            left[n_left] = sample
            n_left += 1
            continue
        for i in range(n_used):
            solution[i] = 0.0
        _add_solution(solution, heights, along, used, n_used)
        if gram.itemsize < 8:  # refine it by what the normal equations lack
            for i in range(n_used):
                total = pull[sample, used[i]]
                for j in range(n_used):
                    total -= exact_gram[used[i], used[j]] * solution[j]
                for j in range(i):
                    total -= along[j, used[i]] * heights[j]
                heights[i] = total / along[i, used[i]]
            _add_solution(solution, heights, along, used, n_used)
        for i in range(n_used):
            codes[sample, used[i]] = solution[i] / lengths[used[i]]
    return n_left


@compiled
def _add_solution(
    solution: np.ndarray, heights: np.ndarray, along: np.ndarray, used: np.ndarray, n: int
) -> None:
    """Add the coefficients of the chosen atoms whose sum is Σᵢ heights[i] qᵢ."""
    for i in range(n - 1, -1, -1):
        total = heights[i]
        for j in range(i + 1, n):
            total -= along[i, used[j]] * heights[j]
        heights[i] = total / along[i, used[i]]
        solution[i] += heights[i]


@compiled
def _choose(
    pull: np.ndarray,
    energy: float,
    gram: np.ndarray,
    steps: tuple,
    search: tuple,
    stop: tuple[int, float, float],
) -> int:
    """Store the chosen atoms, qᵢᵀA and qᵢᵀx; return how many, −1 if precision is wanting."""
    along, used, heights, slope, new, weights, order = steps
    steepest, place = search
    single = gram.itemsize < 8
    enough = max(stop[1], _ROUNDING * energy)
    if stop[0] == 0 or energy <= enough:
        return 0
    if single and energy > _LARGEST_ENERGY:
        return -1
    doubt = _LEAST_DISTANCE * energy if single else 0.0
    for j in range(len(pull)):
        slope[j] = pull[j]
        new[j] = 1
    orthogonalize(  # a step of length 0, which finds the steepest slope
        along[0], gram[0], weights, along, order, 0, 0.0, 0.0, slope, new, steepest, place
    )
    for n_used in range(stop[0]):
        lead = 0
        for lane in range(1, LANES + 1):
            higher = steepest[lane] > steepest[lead]
            if higher or (steepest[lane] == steepest[lead] and place[lane] < place[lead]):
                lead = lane
        best = place[lead]
        if single and slope[best] * slope[best] < _LEAST_GAIN * energy:
            return -1
        if not steepest[lead] or slope[best] * slope[best] < stop[2] * new[best]:
            return n_used
        for i in range(n_used):
            weights[i] = -along[i, best]
        shorten = 1 / np.sqrt(new[best])
        step = slope[best] * shorten
        orthogonalize(
            along[n_used], gram[best], weights, along, order, n_used, shorten, step, slope, new,
            steepest, place
        )  # fmt: skip
        new[best] = 0.0
        energy -= step * step
        used[n_used], heights[n_used] = best, step
        if energy <= enough + doubt:
            return n_used + 1 if energy <= enough - doubt else -1
    return stop[0]
