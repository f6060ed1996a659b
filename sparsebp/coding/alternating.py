"""Sparse coding by turns: coefficients for a basis, then a basis for the coefficients."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from sparsebp.blocks import in_order, one_blas_thread
from sparsebp.coding.basis import exact_basis
from sparsebp.coding.encoding import encode, starting_codes
from sparsebp.coding.problem import SparseCodingProblem, batches, replace_unused_atoms
from sparsebp.coding.state import BasisResult, OnlineState
from sparsebp.minimizers.lbfgs import Callback, minimize_lbfgs
from sparsebp.minimizers.result import Result, Status
from sparsebp.penalties import L1

logger = logging.getLogger(__name__)

#: The pairs of steps that a turn can be made of.
STEPS = ("lbfgs", "exact")
#: Samples whose coefficients one L-BFGS finds together, and the past steps that it remembers.
#: Measured on patches: smaller blocks spend their time in Python, a longer memory in L-BFGS.
_BLOCK, _MEMORY = 400, 5
#: L-BFGS iterations of a search within a turn, as in the tutorial's exercise.
_INNER_ITERATIONS = 20
#: Iterations within a turn where each sample takes its own: they come as far as the 20 above.
#: Eight did so on patches, but found half of a planted dictionary where twelve find all of it.
_OWN_ITERATIONS = 12
#: Proximal steps of a turn where the penalty is exact L1.
_L1_STEPS = 200


@dataclass(frozen=True)
class Alternation(SparseCodingProblem):
    """Minimize (1/m) Σⱼ [‖A sⱼ − xⱼ‖² + α S(sⱼ)] + γ ‖A‖² in s and A by turns.

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
    steps : {"lbfgs", "exact"}
        How s and A are improved: by SciPy's L-BFGS from where they are; or s by an L-BFGS of each
        sample's own, sooner, and A in closed form, which needs γ.
    tol : float
        The alternation stops when a turn changes the basis by less than this share. Coefficients
        are found to tol (exact L1), or until an iteration lowers F by less than tol / 100.
    n_threads : int
        Blocks of samples whose coefficients are found at the same time.

    Raises
    ------
    ValueError
        If the steps are of another kind, or A has no closed form for want of γ.
    """

    steps: str = "lbfgs"
    tol: float = 1e-4
    n_threads: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps not in STEPS:
            choices = ", ".join(STEPS)
            raise ValueError(f"steps is {self.steps!r}; it must be one of {choices}.")
        if self.steps == "exact" and self.gamma is None:
            raise ValueError(
                "'exact' has a closed form for the basis only with weight decay; give a gamma ≥ 0, "
                "or take 'lbfgs'."
            )

    def run(
        self,
        x: np.ndarray,
        state: OnlineState,
        *,
        batch_size: int,
        max_iter: int,
        rng: Any,
        callback: Callback | None = None,
    ) -> BasisResult:
        """Take turns on fresh batches of the samples.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns.
        state : OnlineState
            Where to begin: its basis, as if its samples had been seen before.
        batch_size : int
            Samples of a turn; all of them makes the coefficients carry over from turn to turn.
        max_iter : int
            Turns at most.
        rng : RandomState or Generator
            Draws the batches and replaces atoms.
        callback : callable, optional
            ``callback(turn, value, state)`` after each turn; True stops.

        Returns
        -------
        result : BasisResult
            The basis of the last turn with a finite objective, and the state with the sums of that
            turn. ``history`` holds the objective on each turn's batch, entry 0 that of the start
            on the first batch.
        """
        basis = self.project(state.basis)
        state = state.moved_to(basis)
        history: list[float] = []
        codes, before, status = None, None, Status.ITERATION_LIMIT
        last_replacement = 0.75 * max_iter
        with one_blas_thread():
            try:
                for batch in islice(batches(x, batch_size, rng), min(max_iter, sys.maxsize)):
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
                    n_samples = state.n_samples + batch.shape[1]
                    state = OnlineState.fitted(new, batch, codes, n_samples)
                    basis, before = new, None
                    history.append(value)
                    status = self._status(history, float(change), state, callback)
                    if status is not Status.ITERATION_LIMIT:
                        break
                    if len(history) <= last_replacement:
                        before = (basis, codes)
                        basis = replace_unused_atoms(batch, basis, codes, rng)
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        value = history[-1] if history else np.inf
        n_iter = max(len(history) - 1, 0)
        return BasisResult(state.basis, value, n_iter, status, tuple(history), state)

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

    def _code_step(self, x: np.ndarray, basis: np.ndarray, start: np.ndarray) -> np.ndarray:
        if isinstance(self.penalty, L1) or self.steps == "exact":
            max_iter = _L1_STEPS if isinstance(self.penalty, L1) else _OWN_ITERATIONS
            limits = {"tol": self.tol, "max_iter": max_iter, "n_threads": self.n_threads}
            return encode(x, basis, self.penalty, self.alpha, start=start, **limits).codes
        codes = np.empty_like(start)

        def search(block: slice) -> Result:
            known = {"x": x[:, block], "A": basis}
            objective = self.problem.objective("s", known, scale=1)
            limits = {"max_iter": _INNER_ITERATIONS, "tol": self.tol / 100}
            return minimize_lbfgs(objective, start[:, block], memory=_MEMORY, **limits)

        blocks = [slice(i, i + _BLOCK) for i in range(0, x.shape[1], _BLOCK)]
        found = in_order(search, blocks, self.n_threads)
        for block, result in zip(blocks, found, strict=True):
            codes[:, block] = _finished(result)
        return codes

    def _basis_step(self, x: np.ndarray, codes: np.ndarray, start: np.ndarray) -> np.ndarray:
        if self.steps == "exact" and self.gamma is not None:
            return exact_basis(x, codes, self.gamma, scale=1 / x.shape[1])
        objective = self.problem.objective("A", {"x": x, "s": codes}, compressed=True)
        constrained = self.problem.constrained(objective)
        search = minimize_lbfgs(constrained, start, max_iter=_INNER_ITERATIONS, tol=0)
        return self.problem.project(_finished(search))

    def _status(
        self, history: list[float], change: float, state: OnlineState, callback: Callback | None
    ) -> Status:
        if callback is not None and callback(len(history) - 1, history[-1], state):
            return Status.STOPPED
        return Status.CONVERGED if change <= self.tol else Status.ITERATION_LIMIT


def _finished(search: Result) -> np.ndarray:
    """Return a turn's result; an interrupt ends the alternation too."""
    if search.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return search.point
