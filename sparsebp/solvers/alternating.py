"""Sparse coding by turns: coefficients for a basis, then a basis for the coefficients."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from sparsebp.objectives import UnitColumns, basis_objective, codes_objective, unit_columns
from sparsebp.penalties import L1, Penalty
from sparsebp.solvers.basis import exact_basis
from sparsebp.solvers.encoding import encode, starting_codes
from sparsebp.solvers.lbfgs import Callback, minimize_lbfgs
from sparsebp.solvers.result import Result, Status
from sparsebp.solvers.threads import one_blas_thread

logger = logging.getLogger(__name__)

BASIS_STEPS = ("lbfgs", "exact")
#: Samples whose coefficients one L-BFGS finds together: their arrays fit the cache.
_BLOCK = 100
#: An atom is unused when it contributes less than this share of the median atom's energy.
_UNUSED = 1e-3
#: L-BFGS iterations of a search within a turn, as in the tutorial's exercise.
_INNER_ITERATIONS = 20
#: Proximal steps of a turn where the penalty is exact L1.
_L1_STEPS = 200


@dataclass(frozen=True)
class Alternation:
    """Minimise (1/m) Σⱼ [‖A sⱼ − xⱼ‖² + α S(sⱼ)] + γ ‖A‖² in s and A by turns.

    Without a γ the last term gives way to what it stands for, the constraint that all atoms have
    length one.

    Parameters
    ----------
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0.
    gamma : float or None
        γ ≥ 0; None keeps the atoms at length one.
    basis_step : {"lbfgs", "exact"}
        How the basis is improved: by L-BFGS from where it is, or in closed form, which needs γ.
    tol : float
        The alternation stops when a turn changes the basis by less than this share. Coefficients
        are found to tol (exact L1), or until an iteration lowers F by less than tol / 100.

    Raises
    ------
    ValueError
        If the basis step is of another kind, or has no closed form for want of γ.
    """

    penalty: Penalty
    alpha: float
    gamma: float | None
    basis_step: str = "lbfgs"
    tol: float = 1e-4

    def __post_init__(self) -> None:
        if self.basis_step not in BASIS_STEPS:
            choices = ", ".join(BASIS_STEPS)
            raise ValueError(f"The basis step is {self.basis_step!r}; it must be one of {choices}.")
        if self.basis_step == "exact" and self.gamma is None:
            raise ValueError(
                "The exact basis step has a closed form only with weight decay; give a gamma ≥ 0, "
                "or take 'lbfgs'."
            )

    def run(
        self,
        x: np.ndarray,
        basis: np.ndarray,
        *,
        batch_size: int,
        max_iter: int,
        rng: Any,
        callback: Callback | None = None,
    ) -> Result:
        """Take turns on fresh batches of the samples.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns.
        basis : ndarray of shape (n_features, n_components)
            Where to begin.
        batch_size : int
            Samples of a turn; all of them makes the coefficients carry over from turn to turn.
        max_iter : int
            Turns at most.
        rng : RandomState or Generator
            Draws the batches and replaces atoms.
        callback : callable, optional
            ``callback(turn, value, basis)`` after each turn; True stops.

        Returns
        -------
        result : Result
            The basis of the last turn. ``history`` holds the objective on each turn's batch,
            entry 0 that of the start on the first batch.
        """
        basis = self.feasible(basis)
        history: list[float] = []
        codes, before, status = None, None, Status.ITERATION_LIMIT
        last_replacement = 0.75 * max_iter
        with one_blas_thread():
            try:
                for batch in islice(_batches(x, batch_size, rng), max_iter):
                    if batch is not x or codes is None:
                        codes = starting_codes(batch, basis)
                    if not history:
                        history.append(self.value(batch, basis, codes))
                    new, codes = self.turn(batch, basis, codes)
                    value = self.value(batch, new, codes)
                    if before is not None and batch is x and value > history[-1]:
                        logger.info("New atoms did not lower the objective; the old are kept.")
                        last_replacement = 0
                        (basis, codes), before = before, None
                        new, codes = self.turn(batch, basis, codes)
                        value = self.value(batch, new, codes)
                    if not np.isfinite(value):
                        status = Status.NOT_FINITE
                        break
                    change = np.linalg.norm(new - basis) / max(np.linalg.norm(new), 1e-300)
                    basis, before = new, None
                    history.append(value)
                    status = self._status(history, float(change), basis, callback)
                    if status is not Status.ITERATION_LIMIT:
                        break
                    if len(history) <= last_replacement:
                        before = (basis, codes)
                        basis = replace_unused_atoms(batch, basis, codes, rng)
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
                basis = basis if before is None else before[0]  # new atoms are untried
        value = history[-1] if history else np.inf
        return Result(basis, value, max(len(history) - 1, 0), status, tuple(history))

    def feasible(self, basis: np.ndarray) -> np.ndarray:
        """Return the basis, its atoms brought to length one where that is the constraint.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_components)
            A.

        Returns
        -------
        basis : ndarray of shape (n_features, n_components)
            A, or its atoms divided by their lengths.
        """
        return basis if self.gamma is not None else unit_columns(basis)

    def turn(
        self, x: np.ndarray, basis: np.ndarray, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Improve the coefficients of some samples, then the basis; neither step makes F worse.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns.
        basis : ndarray of shape (n_features, n_components)
            A.
        codes : ndarray of shape (n_components, n_samples)
            Where the search for the coefficients begins.

        Returns
        -------
        basis : ndarray of shape (n_features, n_components)
            The new basis.
        codes : ndarray of shape (n_components, n_samples)
            The coefficients it was fitted to.
        """
        codes = self._code_step(x, basis, codes)
        return self._basis_step(x, codes, basis), codes

    def value(self, x: np.ndarray, basis: np.ndarray, codes: np.ndarray) -> float:
        """Compute the objective of given coefficients and basis, a mean over the samples."""
        scale = 1 / x.shape[1]
        objective = codes_objective(x, basis, self.penalty, self.alpha, scale=scale)
        decay = (self.gamma or 0.0) * np.vdot(basis, basis)
        return float(objective.value_and_gradient(codes)[0] + decay)

    def _code_step(self, x: np.ndarray, basis: np.ndarray, start: np.ndarray) -> np.ndarray:
        if isinstance(self.penalty, L1):
            found = encode(
                x, basis, self.penalty, self.alpha, start=start, tol=self.tol, max_iter=_L1_STEPS
            )
            return found.codes
        blocks = [slice(i, i + _BLOCK) for i in range(0, x.shape[1], _BLOCK)]
        codes = np.empty_like(start)
        for block in blocks:
            objective = codes_objective(x[:, block], basis, self.penalty, self.alpha)
            search = minimize_lbfgs(
                objective, start[:, block], max_iter=_INNER_ITERATIONS, tol=self.tol / 100, memory=5
            )
            codes[:, block] = _finished(search)
        return codes

    def _basis_step(self, x: np.ndarray, codes: np.ndarray, start: np.ndarray) -> np.ndarray:
        scale = 1 / x.shape[1]
        if self.basis_step == "exact" and self.gamma is not None:
            return exact_basis(x, codes, self.gamma, scale=scale)
        objective = basis_objective(x, codes, self.gamma or 0.0, scale=scale, compressed=True)
        if self.gamma is not None:
            return _finished(minimize_lbfgs(objective, start, max_iter=_INNER_ITERATIONS, tol=0))
        on_sphere = UnitColumns(objective)
        search = minimize_lbfgs(on_sphere, start, max_iter=_INNER_ITERATIONS, tol=0)
        return on_sphere.constrained(_finished(search))

    def _status(
        self, history: list[float], change: float, basis: np.ndarray, callback: Callback | None
    ) -> Status:
        if callback is not None and callback(len(history) - 1, history[-1], basis):
            return Status.STOPPED
        return Status.CONVERGED if change <= self.tol else Status.ITERATION_LIMIT


def replace_unused_atoms(
    x: np.ndarray, basis: np.ndarray, codes: np.ndarray, rng: Any
) -> np.ndarray:
    """Put samples that are badly reconstructed in the place of atoms that nothing uses.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A.
    codes : ndarray of shape (n_components, n_samples)
        Their coefficients.
    rng : RandomState or Generator
        Draws the samples, in proportion to their squared error.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        The same basis if every atom is used; new atoms are residuals, as long as the median
        atom.
    """
    lengths = np.linalg.norm(basis, axis=0)
    energy = (codes.astype(np.float64) ** 2).mean(axis=1) * lengths.astype(np.float64) ** 2
    unused = np.flatnonzero(energy <= _UNUSED * np.median(energy))
    residual = x - basis @ codes
    errors = np.einsum("ij,ij->j", residual, residual, dtype=np.float64)
    unused = unused[: np.count_nonzero(errors)]
    if unused.size == 0 or not np.median(lengths) > 0:
        return basis
    drawn = rng.choice(len(errors), size=unused.size, replace=False, p=errors / errors.sum())
    new = residual[:, drawn] * (np.median(lengths) / np.sqrt(errors[drawn]))
    replaced = basis.copy()
    replaced[:, unused] = new
    logger.info("Replaced %d unused atoms.", unused.size)
    return replaced


def _finished(search: Result) -> np.ndarray:
    """Return a turn's result; an interrupt ends the alternation too."""
    if search.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return search.point


def _batches(x: np.ndarray, size: int, rng: Any) -> Iterator[np.ndarray]:
    """Yield batches without end, every sample once before any comes again; all of x as itself."""
    n_samples = x.shape[1]
    while size >= n_samples:
        yield x
    order = rng.permutation(n_samples)
    while True:
        if len(order) < size:
            order = np.concatenate([order, rng.permutation(n_samples)])
        yield x[:, order[:size]]
        order = order[size:]
