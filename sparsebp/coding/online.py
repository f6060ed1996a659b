"""Online sparse coding: every batch is used once, and added to running sums."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsebp._checks import RandomSource
from sparsebp._namespaces import is_foreign, to_numpy
from sparsebp.coding.atoms import replaced_atoms, unused_atoms
from sparsebp.coding.encoding import encode_in_layout
from sparsebp.coding.l1 import encode_together
from sparsebp.coding.search import BasisSearch, rng_of_step
from sparsebp.coding.state import BasisState

#: Steps of the encoder on a batch: a basis that still changes is learned faster and, on planted
#: problems, better from inexact coefficients.
_STEPS = 8
#: With more atoms per feature than this, exact coefficients of a penalty with a kink are better:
#: after eight steps the objective of a batch is 20 % above its minimum, and rare atoms are lost. On
#: planted problems eight steps find more with 6.3 atoms per feature, exact coefficients with 10.8;
#: on patches, exact ones reach a better objective in the same time with 8.
_OVERCOMPLETE, _MANY_STEPS = 7, 40
#: The same in arrays of other libraries, by reflections to a relative duality gap.
_GAP, _REFLECTIONS = 1e-3, 200
#: Samples per step and atom, and minimum, if a batch is split into several steps. With one step
#: each, thirty batches of 1000 samples recover only 15 to 26 of 50 planted atoms.
_SHARE, _FEWEST = 2, 100
#: Atoms updated with one matrix product.
_GROUP = 64
#: Steps for the norm of an atom; from where they start two to six suffice.
_NEWTON = 50


@dataclass(frozen=True)
class OnlineLearning(BasisSearch):
    """Minimize the objective of sparse coding in one pass over many small batches.

    Coefficients of a batch are found approximately, their moments s sᵀ and x sᵀ are added to
    decaying sums, and one atom after another is set to the best one for these sums. Their order is
    random in every batch: in a fixed order the first atoms lag behind the others.

    Parameters
    ----------
    positive_basis : bool
        Whether the atoms are kept ≥ 0.
    forgetting : float
        As in `BasisState.including`.

    Notes
    -----
    Mairal, Bach, Ponce & Sapiro, *Online learning for matrix factorization and sparse coding*
    (2010), algorithms 1 and 2, with the forgetting of section 3.4.3.
    """

    positive_basis: bool = False
    forgetting: float = 96.0

    def step(self, x: np.ndarray, state: BasisState, rng: RandomSource) -> tuple[BasisState, float]:
        """Encode a batch approximately, add it to the sums, and fit every atom to them."""
        codes = self._approximate_codes(x, state.basis)
        known = state.including(x, codes, self.forgetting)
        order = rng.permutation(len(known.codes_moments))
        if known.feature_moments is None:
            basis = self._improved(state.basis, known.codes_moments, known.cross_moments, order)
        else:
            basis = self._improved_by_features(known, order)
        value = self.value(x, basis, codes)
        unused = unused_atoms(basis, np.diag(known.codes_moments))
        if unused.size:
            seen = to_numpy(x), basis, to_numpy(codes)
            basis = self.project(self._allowed(replaced_atoms(*seen, unused, rng)))
            known = known.without(unused)
        return replace(known, basis=basis), value

    def learn(self, x: np.ndarray, state: BasisState, seed: int) -> tuple[BasisState, float]:
        """Learn from a batch, in several steps on equal parts if it is large.

        Parameters
        ----------
        x, state, seed
            As in `run`.

        Returns
        -------
        state : BasisState
            What is known now.
        value : float
            The objective, a mean over the steps.
        """
        n_steps = max(x.shape[1] // max(_FEWEST, _SHARE * state.basis.shape[1]), 1)
        values = []
        for first in range(n_steps):  # neighbors in a batch may be alike
            share = x[:, first::n_steps] if n_steps > 1 else x
            share = share if is_foreign(x) else np.ascontiguousarray(share)
            state, value = self.step(share, state, rng_of_step(seed, first))
            values.append(value)
        return state, float(np.mean(values))

    def _approximate_codes(self, x: Any, basis: np.ndarray) -> Any:
        if is_foreign(x):
            limits = {"tol": _GAP, "max_iter": _REFLECTIONS}
            return encode_together(x, basis, self.penalty, self.alpha, **limits).points  # type: ignore[arg-type]
        n_features, n_atoms = basis.shape
        many = n_atoms > _OVERCOMPLETE * n_features and not self.penalty.is_smooth
        n_steps = _MANY_STEPS if many else _STEPS
        limits = {"tol": 1e-3, "max_iter": n_steps, "n_threads": self.n_threads}
        return encode_in_layout(x, basis, self.penalty, self.alpha, **limits).points

    def _improved(
        self, basis: np.ndarray, moments: np.ndarray, cross: np.ndarray, order: np.ndarray
    ) -> np.ndarray:
        """Set one atom after the other, in this order, to the best one for fixed others."""
        atoms = basis.T.astype(np.float64)  # in rows, which are contiguous
        decay = self.gamma or 0.0
        diagonal = np.diag(moments)
        usable = order[diagonal[order] > 1e-10 * diagonal.max(initial=0.0)]
        for group in np.array_split(usable, -(-len(usable) // _GROUP)) if len(usable) else []:
            # One matrix product for a group of atoms, and a small one for each atom within it.
            within, old = moments[np.ix_(group, group)], atoms[group]
            pulls = cross.T[group] - moments[group] @ atoms + np.tril(within) @ old
            new = old.copy()
            for i, (pull, row, atom) in enumerate(zip(pulls, within, new, strict=True)):
                pull -= row[:i].dot(new[:i])  # the method takes half as long as @ for so few
                best = self._allowed(pull)
                size = math.sqrt(best.dot(best)) if self.gamma is None else row[i] + decay
                if size > 0:
                    np.divide(best, size, out=atom)
            atoms[group] = new
        return np.ascontiguousarray(atoms.T.astype(basis.dtype))

    def _improved_by_features(self, state: BasisState, order: np.ndarray) -> np.ndarray:
        """Do the same for sums of which each feature has its own."""
        basis, moments = state.basis.astype(np.float64), state.feature_moments
        assert moments is not None
        squares = np.diagonal(moments, axis1=1, axis2=2)
        largest = squares.max(axis=0)
        for r in order[largest[order] > 1e-10 * largest.max(initial=0.0)]:
            weights, others = squares[:, r], np.einsum("ij,ij->i", moments[:, r], basis)
            pull = self._allowed(state.cross_moments[:, r] - others + weights * basis[:, r])
            if self.gamma is None:
                basis[:, r] = unit_minimum(pull, weights) if pull.any() else basis[:, r]
            else:
                sizes = weights + self.gamma
                np.divide(pull, sizes, out=basis[:, r], where=sizes > 0)
        return np.ascontiguousarray(basis.astype(state.basis.dtype))

    def _allowed(self, atoms: np.ndarray) -> np.ndarray:
        return np.maximum(atoms, 0) if self.positive_basis else atoms

    def project(self, basis: np.ndarray) -> np.ndarray:
        """Return the basis that satisfies the constraints."""
        return super().project(np.abs(basis) if self.positive_basis else basis)


def unit_minimum(pull: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Compute argmin over unit vectors a of Σ (wᵢ aᵢ² − 2 pᵢ aᵢ), with weights w ≥ 0 and pull p.

    It is aᵢ = pᵢ / (wᵢ + λ); Newton's method finds the λ for which it has unit norm. For equal
    weights it is p / ‖p‖. Where p is 0, so is a.

    Notes
    -----
    The secular equation of a trust region: Moré & Sorensen, *Computing a trust region step* (1983).

    Examples
    --------
    >>> unit_minimum(np.array([3.0, 4.0]), np.array([2.0, 2.0]))
    array([0.6, 0.8])
    """
    pull, rest = np.where(pull == 0, 0.0, pull), pull != 0
    shift = np.max(np.abs(pull[rest]) - weights[rest])  # where the norm is at least 1
    vector, norm = np.zeros_like(pull), 1.0
    for _ in range(_NEWTON):
        # Not smaller than at the start, where rounding may leave nothing.
        sizes = np.maximum(weights[rest] + shift, np.abs(pull[rest]))
        vector[rest] = pull[rest] / sizes
        norm = math.sqrt(vector.dot(vector))
        if norm <= 1 + 1e-12:
            break
        shift += (norm - 1) * norm**2 / (vector[rest] ** 2 / sizes).sum()
    return vector / norm
