"""Orthogonal matching pursuit, compiled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from sparsebp._magnitudes import ignore_float_warnings, in_range, require_finite
from sparsebp.coding._compiled import compiled
from sparsebp.coding._rows import add_rows
from sparsebp.coding.basis import optimal_directions
from sparsebp.samples import in_blocks

#: An atom with a smaller independent fraction than this depends on those already chosen.
_DEPENDENT = 1e-10
#: Rounding error of the residual energy.
_ROUNDING = 1e-15
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
        s, in the samples' precision; found in float64.

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
    whole = _normalized(basis) if known is None else None

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


def _pursued(
    samples: np.ndarray,
    dictionary: tuple[np.ndarray, np.ndarray, np.ndarray],
    stop: tuple[int, float, float],
) -> np.ndarray:
    """Pursue samples in rows; stop as `pursue` says."""
    atoms, lengths, gram = dictionary
    energy = require_finite("Squares", np.einsum("ij,ij->i", samples, samples), "x")
    return _pursue_all(samples @ atoms, energy, gram, lengths, stop)


def _normalized(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unit atoms, their norms before, and their Gram matrix."""
    atoms, lengths = _unit_atoms(basis)
    return atoms, lengths, atoms.T @ atoms


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


def _pursue_all(
    pull: np.ndarray,
    energy: np.ndarray,
    gram: np.ndarray,
    lengths: np.ndarray,
    stop: tuple[int, float, float],
) -> np.ndarray:
    """Pursue samples in rows, of which Aᵀx and ‖x‖² are given; stop as `pursue` says.

    Atoms are normalized; coefficients are of those with the given lengths.
    """
    n, most = pull.shape[1], stop[0]
    codes, new, steepness = np.zeros(pull.shape), np.empty(n), np.empty(n)
    found = (np.empty((most, n)), np.empty(most, np.int64), np.empty(most))
    # Numbers ≥ 0 are ordered as the integers of the same bits are.
    inner = (np.arange(most), np.empty(most), steepness, steepness.view(np.int64))
    _pursue_each(codes, (pull, energy, gram, lengths), new, found, inner, stop)
    return codes


@compiled
def _pursue_each(
    codes: np.ndarray, problem: tuple, new: np.ndarray, found: tuple, inner: tuple, stop: tuple
) -> None:
    pull, energy, gram, lengths = problem
    along, used, height = found
    solution = inner[1]
    for sample in range(len(pull)):
        n_used = _choose(pull[sample], energy[sample], gram, new, found, inner, stop)
        for i in range(n_used - 1, -1, -1):
            total = height[i]
            for j in range(i + 1, n_used):
                total -= along[i, used[j]] * solution[j]
            solution[i] = total / along[i, used[i]]
        for i in range(n_used):
            codes[sample, used[i]] = solution[i] / lengths[used[i]]


@compiled
def _choose(
    slope: np.ndarray,
    energy: float,
    gram: np.ndarray,
    new: np.ndarray,
    found: tuple,
    inner: tuple,
    stop: tuple[int, float, float],
) -> int:
    """Store the chosen atoms, qᵢᵀA and qᵢᵀx; return the number of atoms. Aᵀx is overwritten."""
    along, used, height = found
    order, weights, steepness, bits = inner
    n, enough = len(slope), max(stop[1], _ROUNDING * energy)
    for j in range(n):
        new[j] = 1
    for n_used in range(stop[0]):
        if energy <= enough:
            return n_used
        for j in range(n):  # in loops, which compile faster than sums of arrays, and run so
            steepness[j] = abs(slope[j]) if new[j] > _DEPENDENT else 0.0
        largest, best = 0, 0
        for j in range(n):  # of integers, which the compiler does in vectors: twice as fast a step
            largest = max(largest, bits[j])
        while bits[best] != largest:
            best += 1
        if not largest or slope[best] * slope[best] < stop[2] * new[best]:
            return n_used
        row = along[n_used]
        for i in range(n_used):
            weights[i] = -along[i, best]
        for j in range(n):
            row[j] = gram[best, j]
        add_rows(row, weights, along, order, n_used, 0, n)
        shorten = 1 / np.sqrt(new[best])
        step = slope[best] * shorten
        for j in range(n):
            row[j] *= shorten
            slope[j] -= step * row[j]
            new[j] -= row[j] * row[j]
        new[best] = 0.0
        energy -= step * step
        used[n_used], height[n_used] = best, step
    return stop[0]
