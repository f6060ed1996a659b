"""Sparse coding in alternation: coefficients for a basis, then a basis for the coefficients."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sparsebp._checks import RandomSource, check_choice
from sparsebp.coding.atoms import replaced_atoms, unused_atoms
from sparsebp.coding.basis import least_squares_basis, optimal_directions
from sparsebp.coding.encoding import encode_in_layout
from sparsebp.coding.pursuit import Pursuit
from sparsebp.coding.search import BasisSearch
from sparsebp.coding.smooth import SmoothCodes, starting_codes
from sparsebp.coding.state import KEPT_ALTERNATION, AlternationState, BasisState
from sparsebp.minimizers import Result, Status, minimize_lbfgs
from sparsebp.samples import has_interpreter_lock, in_blocks

logger = logging.getLogger(__name__)

#: The variants of an iteration.
STEPS = ("lbfgs", "exact")
#: Samples whose coefficients are improved together, and the past steps that L-BFGS remembers.
#: Measured on patches: smaller blocks spend their time in Python, a longer memory in L-BFGS.
_BLOCK, _MEMORY = 400, 5
#: Accelerated steps, then iterations of L-BFGS, for the coefficients. Together they reach at least
#: the objective of the 20 iterations in the tutorial's exercise, in half the time.
_ACCELERATED_STEPS, _CODE_ITERATIONS = 20, 5
#: Iterations of L-BFGS for the basis. With 20 fits end at the same objective and take longer.
_BASIS_ITERATIONS = 10
#: Iterations of per-sample L-BFGS, equivalent to those above. Eight suffice on patches, but
#: recover half of a planted dictionary, of which twelve recover all.
_OWN_ITERATIONS = 12
#: Steps of the encoder for non-smooth penalties.
_PROXIMAL_STEPS = 200
#: Unused atoms are replaced in this first fraction of the iterations, while they can still be
#: learned.
_REPLACING = 0.75


def check_closed_form(steps: str, gamma: float | None, *, pursues: bool) -> None:
    """Raise an error for ``steps="exact"`` without a closed form of the basis.

    With a penalty it needs weight decay; for a pursuit the lengths of atoms do not matter.
    """
    if steps == "exact" and gamma is None and not pursues:
        raise ValueError(
            "'exact' requires weight decay for its closed form of the basis; give a gamma ≥ 0, or "
            "codes by pursuit, or use 'lbfgs'."
        )


@dataclass(frozen=True)
class Alternation(BasisSearch):
    """Minimize F in s and in A alternately.

    Parameters
    ----------
    steps : {"lbfgs", "exact"}
        How s and A are improved: by SciPy's L-BFGS, for s after some accelerated steps; or s by one
        L-BFGS per sample, and A in closed form, which needs γ; or codes of a pursuit, and A = x s⁺
        with atoms scaled to unit norm: the method of optimal directions.
    tol : float
        As in `BasisSearch`, and that of the coefficients. Penalties with a corner: `encode` with
        this tol, at most 200 iterations. Smooth penalties: with "exact" the same, at most 12; with
        "lbfgs" 20 accelerated steps, then iterations of L-BFGS until one lowers F by less than
        tol / 100 of it, at most 5.

    Raises
    ------
    ValueError
        If the steps are of another kind, or A has no closed form because γ is missing.
    """

    steps: str = "lbfgs"
    _kept: ClassVar[dict[str, Any]] = KEPT_ALTERNATION

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("steps", self.steps, STEPS)
        check_closed_form(self.steps, self.gamma, pursues=isinstance(self.penalty, Pursuit))

    def step(self, x: np.ndarray, state: BasisState, rng: RandomSource) -> tuple[BasisState, float]:
        """Take a step; on the same samples as before it starts from their coefficients."""
        last = state if isinstance(state, AlternationState) else None
        start = state.basis if last is None else last.start
        carried = last if last is not None and last.samples is x else None
        basis, codes = self.improve(
            x, start, carried.codes if carried else starting_codes(x, start)
        )
        value = self.value(x, basis, codes)
        replacing = last is None or last.replacing
        if carried and start is not state.basis and value > carried.value:
            logger.info("New atoms did not lower the objective; the old ones are kept.")
            replacing = False
            basis, codes = self.improve(x, state.basis, carried.codes)
            value = self.value(x, basis, codes)
        n_steps = 1 if last is None else last.n_steps + 1
        replacing &= bool(np.isfinite(value)) and n_steps + 1 <= _REPLACING * self.max_iter
        known = BasisState.fitted(basis, x, codes, state.n_samples + x.shape[1])
        start = basis
        if replacing:
            unused = unused_atoms(basis, np.diag(known.codes_moments))
            start = replaced_atoms(x, basis, codes, unused, rng)
        return AlternationState(
            **vars(known),
            samples=x,
            codes=codes,
            start=start,
            value=value,
            n_steps=n_steps,
            replacing=replacing,
        ), value

    def improve(
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
            Initial coefficients.

        Returns
        -------
        basis : ndarray of shape (n_features, n_components)
            The new basis.
        codes : ndarray of shape (n_components, n_samples)
            The coefficients it was fitted to.
        """
        return self._basis_step(x, self._code_step(x, basis, codes), basis)

    def _code_step(self, x: np.ndarray, basis: np.ndarray, start: np.ndarray) -> np.ndarray:
        if isinstance(self.penalty, Pursuit):
            return encode_in_layout(x, basis, self.penalty, 0.0, n_threads=self.n_threads).points
        if self.steps == "exact" or not self.penalty.is_smooth:
            max_iter = _OWN_ITERATIONS if self.penalty.is_smooth else _PROXIMAL_STEPS
            limits = {"tol": self.tol, "max_iter": max_iter, "n_threads": self.n_threads}
            rule = self.penalty, self.alpha
            return encode_in_layout(x, basis, *rule, start=start, **limits).points
        penalty, codes = self.penalty, np.empty_like(start)
        problem, samples = self.known(x)

        def search(block: slice) -> Result:
            here = {name: matrix[:, block].copy() for name, matrix in samples.items()}  # contiguous
            of_block = SmoothCodes(here, basis, penalty, self.alpha)
            first = of_block.approached(start[:, block].copy(), _ACCELERATED_STEPS, single=True)
            objective = problem.objective("s", {**here, "A": basis}, scale=1)
            limits = {"max_iter": _CODE_ITERATIONS, "tol": self.tol / 100}
            return minimize_lbfgs(objective, first, memory=_MEMORY, **limits)

        # SciPy holds the lock, and calls of NumPy are short: two threads take longer than one.
        n_threads = 1 if has_interpreter_lock() else self.n_threads
        for block, result in in_blocks(search, x.shape[1], _BLOCK, n_threads):
            codes[:, block] = _finished(result)
        return codes

    def _basis_step(
        self, x: np.ndarray, codes: np.ndarray, start: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if self.steps == "exact" and self.gamma is not None:
            scale = 1 / x.shape[1]
            return least_squares_basis(x, codes, self.gamma, scale=scale, unknown=start), codes
        if self.steps == "exact":
            basis, lengths = optimal_directions(x, codes, start)
            return basis, codes * lengths[:, np.newaxis]
        problem, samples = self.known(x)
        objective = problem.objective("A", {**samples, "s": codes}, compressed=True)
        constrained = problem.constrained(objective)
        search = minimize_lbfgs(constrained, start, max_iter=_BASIS_ITERATIONS, tol=0)
        return self.project(_finished(search)), codes


def _finished(search: Result) -> np.ndarray:
    """Return where an inner search ended; its interrupt ends the alternation, too."""
    if search.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return search.point
