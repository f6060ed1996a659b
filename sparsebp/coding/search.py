"""The search for a basis: one loop over batches; subclasses define the step."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from itertools import islice
from typing import Any, ClassVar

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import RandomSource
from sparsebp._namespaces import like, to_numpy
from sparsebp.coding.missing import split_missing
from sparsebp.coding.pursuit import Pursuit
from sparsebp.coding.smooth import starting_codes
from sparsebp.coding.state import (
    KEPT_STATE,
    BasisResult,
    BasisState,
    packed_state,
    unpacked_state,
)
from sparsebp.minimizers import Callback, Status
from sparsebp.penalties import Penalty
from sparsebp.problems import Problem, sparse_coding
from sparsebp.samples import Samples, one_blas_thread


@dataclass(frozen=True)
class BasisSearch:
    """Minimize (1/m) Σⱼ [‖A sⱼ − xⱼ‖² + α S(sⱼ)] + γ ‖A‖² step by step, over batches of samples.

    Parameters
    ----------
    penalty : Penalty or Pursuit
        S; a pursuit limits ‖s‖₀ or ‖As − x‖² instead, and α and γ are then 0 and None.
    alpha : float
        α ≥ 0.
    gamma : float or None
        γ ≥ 0; None keeps the atoms at unit norm instead.
    batch_size : int or None
        Samples per step; None takes all of them every time.
    max_iter : int
        Maximum number of steps.
    tol : float
        The search stops when a step changes the basis by less than this fraction of its norm.
    n_threads : int
        Number of threads over blocks of samples.

    Raises
    ------
    ValueError
        If F cannot be minimized, because the penalty has signs.
    """

    penalty: Penalty | Pursuit
    alpha: float
    gamma: float | None
    _: KW_ONLY
    batch_size: int | None = None
    max_iter: int = 100
    tol: float = 1e-4
    n_threads: int = 1
    #: Types and shapes of its states in a checkpoint.
    _kept: ClassVar[dict[str, Any]] = KEPT_STATE

    def __post_init__(self) -> None:
        _ = self.problem  # raises an error for an unbounded objective

    @cached_property
    def problem(self) -> Problem:
        """Return what is minimized, for complete samples."""
        return self._problem(masked=False)

    def _problem(self, *, masked: bool) -> Problem:
        penalty = None if isinstance(self.penalty, Pursuit) else self.penalty
        return sparse_coding(penalty, self.alpha, self.gamma, masked=masked)

    def project(self, basis: np.ndarray) -> np.ndarray:
        """Return the basis (n_features, n_components) that satisfies the constraints."""
        return self.problem.project(basis)

    def value(self, x: np.ndarray, basis: np.ndarray, codes: np.ndarray) -> float:
        """Compute the objective of given coefficients and basis, a mean over the samples."""
        problem, samples = self.known(x)
        return problem.value({**samples, "A": like(basis, x), "s": codes})

    def known(self, x: np.ndarray) -> tuple[Problem, dict[str, np.ndarray]]:
        """Return the problem of these samples, and its matrices: of missing values a mask, too."""
        x, known = split_missing(x)
        if known is None:
            return self.problem, {"x": x}
        return self._problem(masked=True), {"x": x, "M": known.astype(x.dtype)}

    def value_at_start(self, x: np.ndarray, basis: np.ndarray) -> float:
        """Compute the objective of initial coefficients, on the host."""
        x = to_numpy(x)
        return self.value(x, basis, starting_codes(x, basis))

    def step(self, x: np.ndarray, state: BasisState, rng: RandomSource) -> tuple[BasisState, float]:
        """Learn from one batch.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            The batch; NaN is missing.
        state : BasisState
            What is known so far, its basis within the constraints.
        rng : RandomState or Generator
            Draws what is random, such as the samples that replace unused atoms.

        Returns
        -------
        state : BasisState
            What is known now.
        value : float
            The objective on the batch, of the coefficients found for it.
        """
        raise NotImplementedError

    def run(
        self,
        x: np.ndarray | Samples,
        state: BasisState,
        seed: int,
        callback: Callback | None = None,
        checkpoint: Checkpoint | None = None,
        begin: Callable[[BasisState], BasisState] | None = None,
    ) -> BasisResult:
        """Take steps on fresh batches of the samples.

        Parameters
        ----------
        x : ndarray or Samples of shape (n_features, n_samples)
            Samples in columns; NaN is missing.
        state : BasisState
            Where to start.
        seed : int
            Determines the batches, and what is random in the steps.
        callback : callable, optional
            ``callback(iteration, value, state)`` after each step; True stops.
        checkpoint : Checkpoint, optional
            Keeps the state after each step; if it has one, the search resumes there.
        begin : callable, optional
            Called as ``begin(state)`` unless the search resumes; returns where to start, within the
            constraints.

        Returns
        -------
        result : BasisResult
            The basis and the state after the last step with a finite objective. ``history`` holds
            the objective on the batch of each step, entry 0 that of the start on the first batch.
        """
        state = state.moved_to(self.project(state.basis))
        history: list[float] = []
        status, first = Status.ITERATION_LIMIT, 0
        samples = Samples.of(x)
        sizes = self._sizes(samples, state)
        kept = None if checkpoint is None else checkpoint.load(self._kept, **sizes)
        if kept is not None:
            history = kept.pop("history").tolist()
            first = len(history) - 1
        elif begin is not None:
            state = begin(state)
        batches = samples.batches(self.batch_size, seed, max(first - 1, 0))
        if kept is not None:
            state = unpacked_state(kept, next(batches))
        last = min(self.max_iter, sys.maxsize)
        with one_blas_thread():
            try:
                for number, batch in enumerate(islice(batches, max(last - first, 0)), first):
                    if not history:
                        history.append(self.value_at_start(batch, state.basis))
                    new, value = self.step(batch, state, rng_of_step(seed, number))
                    if not np.isfinite(value):
                        status = Status.NOT_FINITE
                        break
                    moved, norm = (np.linalg.norm(a) for a in (new.basis - state.basis, new.basis))
                    state = new
                    history.append(value)
                    told = (len(history) - 1, value, state.resumable())
                    if callback is not None and callback(*told):
                        status = Status.STOPPED
                        break
                    if moved <= self.tol * norm:
                        status = Status.CONVERGED
                        break
                    if checkpoint is not None:
                        checkpoint.keep({**packed_state(state), "history": np.array(history)})
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        value = history[-1] if history else np.inf
        n_iter = max(len(history) - 1, 0)
        return BasisResult(state.basis, value, n_iter, status, tuple(history), state.resumable())

    def _sizes(self, samples: Samples, state: BasisState) -> dict[str, int]:
        """Return the sizes of the arrays of a state, by the names of their dimensions."""
        n_samples = samples.shape[1]
        batch = min(self.batch_size or n_samples, n_samples)
        features, components = state.basis.shape
        return {"features": features, "components": components, "batch": batch}


def rng_of_step(seed: int, number: int) -> np.random.Generator:
    """Return the generator of one step, which does not depend on what earlier steps drew."""
    return np.random.default_rng([seed, number, 1])
