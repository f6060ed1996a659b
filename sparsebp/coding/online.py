"""Sparse coding online: every batch of samples is seen once, what it taught is kept in sums."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from sparsebp.blocks import one_blas_thread
from sparsebp.coding.encoding import encode, starting_codes
from sparsebp.coding.problem import SparseCodingProblem, batches, replaced_atoms, unused_atoms
from sparsebp.coding.state import BasisResult, OnlineState
from sparsebp.minimizers.lbfgs import Callback
from sparsebp.minimizers.result import Status

#: Steps of the encoder on a batch: a basis that still moves is learned sooner and, on planted
#: problems, better from coefficients that are not exact.
_STEPS = 8
#: Atoms that are pulled by one matrix product.
_GROUP = 16


@dataclass(frozen=True)
class OnlineLearning(SparseCodingProblem):
    """Minimize the objective of sparse coding by one pass over many small batches.

    Coefficients of a batch are found approximately, their moments s sᵀ and x sᵀ are added to sums
    in which the past fades, and every atom in turn is set to the best one for these sums. Their
    order is random in every batch: in a fixed one the first atoms stay behind the others.

    Parameters
    ----------
    positive_basis : bool
        Whether the atoms are kept ≥ 0.
    tol : float
        The search stops when a batch changes the basis by less than this share.
    n_threads : int
        Blocks of samples whose coefficients are found at the same time.

    Notes
    -----
    Mairal, Bach, Ponce & Sapiro, *Online learning for matrix factorization and sparse coding*
    (2010), algorithms 1 and 2, with the forgetting of section 3.4.3.
    """

    positive_basis: bool = False
    tol: float = 1e-4
    n_threads: int = 1

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
        """Learn from fresh batches of the samples.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns.
        state : OnlineState
            Where to begin.
        batch_size : int
            Samples of a batch.
        max_iter : int
            Batches at most.
        rng : RandomState or Generator
            Draws the batches and replaces atoms.
        callback : callable, optional
            ``callback(batch, value, state)`` after each batch; True stops.

        Returns
        -------
        result : BasisResult
            The last basis and state. ``history`` holds the objective on each batch with the
            coefficients found for it, entry 0 that of the start on the first batch.
        """
        state = state.moved_to(self.project(state.basis))
        history: list[float] = []
        status = Status.ITERATION_LIMIT
        with one_blas_thread():
            try:
                for batch in islice(batches(x, batch_size, rng), min(max_iter, sys.maxsize)):
                    if not history:
                        start = starting_codes(batch, state.basis)
                        history.append(self.value(batch, state.basis, start))
                    new, value = self.learn(batch, state, rng)
                    if not np.isfinite(value):
                        status = Status.NOT_FINITE
                        break
                    change = np.linalg.norm(new.basis - state.basis) / np.linalg.norm(new.basis)
                    state = new
                    history.append(value)
                    if callback is not None and callback(len(history) - 1, value, state):
                        status = Status.STOPPED
                        break
                    if change <= self.tol:
                        status = Status.CONVERGED
                        break
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        value = history[-1] if history else np.inf
        n_iter = max(len(history) - 1, 0)
        return BasisResult(state.basis, value, n_iter, status, tuple(history), state)

    def learn(self, x: np.ndarray, state: OnlineState, rng: Any) -> tuple[OnlineState, float]:
        """Learn from one batch.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            The batch.
        state : OnlineState
            What is known so far.
        rng : RandomState or Generator
            Draws the order of the atoms, and replaces those that nothing uses.

        Returns
        -------
        state : OnlineState
            What is known now.
        value : float
            The objective on the batch.
        """
        limits = {"tol": 1e-3, "max_iter": _STEPS, "n_threads": self.n_threads}
        codes = encode(x, state.basis, self.penalty, self.alpha, **limits).codes
        known = state.including(x, codes)
        moments, cross = known.codes_moments, known.cross_moments
        basis = self._improved(state.basis, moments, cross, rng.permutation(len(moments)))
        value = self.value(x, basis, codes)
        unused = unused_atoms(basis, np.diag(moments))
        if unused.size:
            basis = self.project(self._allowed(replaced_atoms(x, basis, codes, unused, rng)))
            moments[unused], moments[:, unused], cross[:, unused] = 0, 0, 0
        return replace(known, basis=basis), value

    def _improved(
        self, basis: np.ndarray, moments: np.ndarray, cross: np.ndarray, order: np.ndarray
    ) -> np.ndarray:
        """Set every atom in turn, in this order, to the best one while the others stay."""
        atoms = basis.T.astype(np.float64)  # in rows, which are contiguous
        decay = self.gamma or 0.0
        diagonal = np.diag(moments)
        usable = order[diagonal[order] > 1e-10 * diagonal.max(initial=0.0)]
        for group in np.array_split(usable, -(-len(usable) // _GROUP)) if len(usable) else []:
            # One matrix product for a group of atoms, and a small one for each atom within it.
            pulls = cross.T[group] - moments[group] @ atoms
            within, old = moments[np.ix_(group, group)], atoms[group]
            new = old.copy()
            for i, j in enumerate(group):
                pull = pulls[i] + diagonal[j] * old[i] - within[i, :i] @ (new[:i] - old[:i])
                pull = self._allowed(pull)
                length = np.sqrt(pull @ pull) if self.gamma is None else diagonal[j] + decay
                if length > 0:
                    new[i] = pull / length
            atoms[group] = new
        return np.ascontiguousarray(atoms.T.astype(basis.dtype))

    def _allowed(self, atoms: np.ndarray) -> np.ndarray:
        return np.maximum(atoms, 0) if self.positive_basis else atoms

    def project(self, basis: np.ndarray) -> np.ndarray:
        """Return the basis with what the constraints allow of its atoms."""
        return super().project(np.abs(basis) if self.positive_basis else basis)
