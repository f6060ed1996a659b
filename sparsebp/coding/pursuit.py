"""Orthogonal matching pursuit, compiled: every sample's few atoms, one after the other."""

from __future__ import annotations

import numpy as np

from sparsebp._magnitudes import ignore_float_warnings, require_finite
from sparsebp.coding._compiled import compiled
from sparsebp.coding.basis import exact_basis
from sparsebp.problems import UnitColumns
from sparsebp.samples import in_blocks

#: An atom of which a smaller share than this is new depends on those already chosen.
_DEPENDENT = 1e-10
#: What subtraction leaves of a sample's energy when nothing is left.
_ROUNDING = 1e-15
#: Samples of a block.
_BLOCK = 1024


def pursue(
    x: np.ndarray,
    basis: np.ndarray,
    *,
    n_nonzero: int | None = None,
    max_energy: float = 0.0,
    min_gain: float = 0.0,
    n_threads: int = 1,
) -> np.ndarray:
    """Choose atoms for each sample by itself, until one of three reasons to stop holds.

    Every atom chosen is the one along which the residual ‖x − As‖² has its steepest slope; then
    the coefficients of all atoms chosen so far are those of least squares.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A, atoms in columns, of any length. An atom of zeros is never chosen.
    n_nonzero : int, optional
        Stop at this many atoms; None for as many as there are features.
    max_energy : float
        Stop where ‖x − As‖² ≤ max_energy: n (1.15 σ)² for noise of standard deviation σ on
        n features.
    min_gain : float
        Stop where the next atom would lower ‖x − As‖² by less than this. With τ² it is the greedy
        minimum of ‖x − As‖² + τ² ‖s‖₀.
    n_threads : int
        Blocks of samples at work at the same time.

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
    the steps see samples and atoms through Aᵀx and AᵀA alone. With q₁, q₂, … the orthonormal
    directions of the atoms chosen, row i of `along` is qᵢᵀA: the coefficients of all atoms in
    Gram–Schmidt's orthogonalization, so that no equations are solved until the end.

    Examples
    --------
    >>> basis = np.array([[1.0, 0.0, 0.6], [0.0, 1.0, 0.8]])
    >>> pursue(np.array([[3.0], [4.0]]), basis, n_nonzero=1).T
    array([[0., 0., 5.]])
    """
    atoms, lengths = _unit_atoms(basis)
    gram = atoms.T @ atoms
    n_features, n_components = basis.shape
    most = min(n_features, n_components if n_nonzero is None else n_nonzero)

    def solve(block: slice) -> np.ndarray:
        samples = x[:, block].T.astype(np.float64)
        energy = require_finite("Squares", np.einsum("ij,ij->i", samples, samples), "x")
        return _pursue_all(samples @ atoms, energy, gram, (most, max_energy, min_gain))

    codes = np.empty((n_components, x.shape[1]), dtype=x.dtype)
    for block, found in in_blocks(solve, x.shape[1], _BLOCK, n_threads):
        with ignore_float_warnings():
            codes[:, block] = (found / lengths).T
    return require_finite("The coefficients", codes, "x")


def _unit_atoms(basis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return atoms of length one in float64, and their lengths; an atom of zeros counts as one."""
    wide = basis.astype(np.float64)
    largest = np.abs(wide).max(axis=0)  # whose square may vanish
    wide = wide / np.where(largest > 0, largest, 1.0)
    lengths = np.maximum(np.sqrt((wide * wide).sum(axis=0)), 1.0)
    return wide / lengths, np.where(largest > 0, largest, 1.0) * lengths


def learn_by_pursuit(
    x: np.ndarray, basis: np.ndarray, *, max_energy: float, n_iter: int, n_threads: int = 1
) -> np.ndarray:
    """Learn atoms of length one by turns: pursuit to an error bound, then least squares.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        The first atoms, in columns. Those that no sample chooses stay as they are.
    max_energy : float
        The squared error ‖x − As‖² up to which samples are described, as in `pursue`.
    n_iter : int
        Turns.
    n_threads : int
        Blocks of samples at work at the same time.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        A.

    Notes
    -----
    The method of optimal directions (Engan, Aase & Husøy 1999).

    Examples
    --------
    >>> x = np.array([[3.0, 4.0, -2.0], [3.0, 4.0, -2.0]])
    >>> learn_by_pursuit(x, np.array([[1.0], [0.0]]), max_energy=0.1, n_iter=1).T.round(3)
    array([[0.707, 0.707]])
    """
    for _ in range(n_iter):
        codes = pursue(x, basis, max_energy=max_energy, n_threads=n_threads)
        used = codes.any(axis=1)
        basis = basis.copy()
        basis[:, used] = UnitColumns.project(exact_basis(x, codes[used], 0.0, scale=1.0))
    return basis


@compiled
def _pursue_all(
    pull: np.ndarray, energy: np.ndarray, gram: np.ndarray, stop: tuple[int, float, float]
) -> np.ndarray:
    """Pursue samples in rows, of which Aᵀx and ‖x‖² are given; stop as `pursue` says."""
    n_samples, n = pull.shape
    codes, along = np.zeros((n_samples, n)), np.empty((stop[0], n))
    used, height = np.empty(stop[0], np.int64), np.empty(stop[0])
    for sample in range(n_samples):
        state = (pull[sample].copy(), np.ones(n), along, used, height)
        n_used = _choose(state, energy[sample], gram, stop)
        code = codes[sample]
        for i in range(n_used - 1, -1, -1):
            total = height[i]
            for j in range(i + 1, n_used):
                total -= along[i, used[j]] * code[used[j]]
            code[used[i]] = total / along[i, used[i]]
    return codes


@compiled
def _choose(state: tuple, energy: float, gram: np.ndarray, stop: tuple[int, float, float]) -> int:
    """Write down the atoms chosen, qᵢᵀA, and the heights qᵢᵀx; return how many there are."""
    slope, new, along, used, height = state
    enough = max(stop[1], _ROUNDING * energy)
    for n_used in range(stop[0]):
        if energy <= enough:
            return n_used
        best, steepest = -1, 0.0
        for j in range(len(slope)):
            if abs(slope[j]) > steepest and new[j] > _DEPENDENT:
                best, steepest = j, abs(slope[j])
        if best < 0 or steepest * steepest < stop[2] * new[best]:
            return n_used
        row, length = along[n_used], np.sqrt(new[best])
        row[:] = gram[best]
        for i in range(n_used):
            row -= along[i, best] * along[i]
        row /= length
        step = slope[best] / length
        slope -= step * row
        new -= row * row
        new[best] = 0.0
        energy -= step * step
        used[n_used], height[n_used] = best, step
    return stop[0]
