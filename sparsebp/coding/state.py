"""The state of a search for a basis, from which it can be resumed, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sparsebp._fitted import Maybe, Numbers, Record, Size
from sparsebp._namespaces import to_numpy, widened
from sparsebp.minimizers import Result

#: Of a search that resumes from what others have learned: see `BasisState.including`.
RESUMED_FORGETTING = 48
#: Number of samples for which a dictionary without known sums counts: that of a default fit.
TRUSTED = 100_000


@dataclass(frozen=True, eq=False)
class BasisState:
    """A basis, and the running sums to which it was fitted.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_components)
        A.
    codes_moments : ndarray of shape (n_components, n_components)
        Mean of s sᵀ over the samples, weighted toward recent ones.
    cross_moments : ndarray of shape (n_features, n_components)
        Mean of x sᵀ, weighted alike.
    n_samples : int
        Number of samples seen, with repetitions.
    """

    basis: np.ndarray
    codes_moments: np.ndarray
    cross_moments: np.ndarray
    n_samples: int

    @classmethod
    def empty(cls, basis: np.ndarray) -> Self:
        """Return the state before any samples."""
        n_features, n_components = basis.shape
        return cls(basis, np.zeros((n_components,) * 2), np.zeros((n_features, n_components)), 0)

    @classmethod
    def fitted(cls, basis: np.ndarray, x: np.ndarray, codes: np.ndarray, n_samples: int) -> Self:
        """Return the state of a basis that was fitted only to these samples and coefficients."""
        return cls(basis, *_moments(x, codes), n_samples)

    @classmethod
    def trusted(cls, basis: np.ndarray, x: np.ndarray) -> Self:
        """Return the state of a given basis with unknown sums.

        It counts as much as `TRUSTED` samples whose coefficients are independent and have the
        energy of x: sums for which this basis is the best one.
        """
        n_components, wide = basis.shape[1], basis.astype(np.float64)
        energy = np.square(x, dtype=np.float64).mean() * len(x)  # of a sample
        share = energy / (np.square(wide).sum() or 1.0) or 1.0  # of a coefficient
        return cls(basis, share * np.eye(n_components), share * wide, TRUSTED)

    def including(
        self, x: np.ndarray, codes: np.ndarray, forgetting: float = RESUMED_FORGETTING
    ) -> BasisState:
        """Return the state with samples added to its decayed sums, and the same basis.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns.
        codes : ndarray of shape (n_components, n_samples)
            Their coefficients.
        forgetting : float
            If m of N samples are new, past sums are weighted by (1 − m/N)^forgetting: about the
            last N / forgetting samples count.
        """
        n_samples = self.n_samples + x.shape[1]
        kept = (self.n_samples / n_samples) ** forgetting  # the weights of all sum to one
        codes_moments, cross_moments = _moments(x, codes)
        return BasisState(
            self.basis,
            kept * self.codes_moments + (1 - kept) * codes_moments,
            kept * self.cross_moments + (1 - kept) * cross_moments,
            n_samples,
        )

    def resumable(self) -> BasisState:
        """Return only the state from which another search can be resumed."""
        return BasisState(self.basis, self.codes_moments, self.cross_moments, self.n_samples)

    def moved_to(self, basis: np.ndarray) -> BasisState:
        """Return the state with another basis; coefficients are rescaled to its norms.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_components)
            The same atoms, perhaps with other norms.
        """
        before, after = (np.linalg.norm(a.astype(np.float64), axis=0) for a in (self.basis, basis))
        ratios = np.where(after > 0, before / np.where(after > 0, after, 1), 1)
        moments = self.codes_moments * np.outer(ratios, ratios)
        return BasisState(basis, moments, self.cross_moments * ratios, self.n_samples)


#: Types and shapes of a state in a file.
FITTED_STATE = Record(
    BasisState,
    {
        "basis": Numbers(("features", "components")),
        "codes_moments": Numbers(("components", "components")),
        "cross_moments": Numbers(("features", "components")),
        "n_samples": Size("samples"),
    },
)


@dataclass(frozen=True, eq=False)
class AlternationState(BasisState):
    """The state of the alternation between iterations.

    It keeps the last batch, `samples`, with its codes: if the next batch is the same, it starts
    there. `start` is the basis with unused atoms replaced, `value` the objective, and `replacing`
    says whether atoms are still replaced.
    """

    samples: np.ndarray
    codes: np.ndarray
    start: np.ndarray
    value: float
    n_steps: int
    replacing: bool


#: Types and shapes of states in a checkpoint, with the objective's history.
KEPT_STATE: dict[str, Any] = {
    **FITTED_STATE.attributes,
    "history": Numbers(("iterations",), finite=False),
}
KEPT_ALTERNATION: dict[str, Any] = {
    **KEPT_STATE,
    "codes": Numbers(("components", "batch")),
    "start": Maybe(Numbers(("features", "components"))),
    "value": Numbers(),
    "n_steps": Size("steps"),
    "replacing": bool,
}


@dataclass(frozen=True, eq=False)
class BasisResult(Result):
    """The result of a search for a basis.

    Parameters
    ----------
    state : BasisState
        The state from which the search can be resumed.
    """

    state: BasisState


def packed_state(state: BasisState) -> dict[str, np.ndarray]:
    """Return what to keep of a state.

    That is all but the samples, which are known, and the start where it is the basis itself.
    """
    same = getattr(state, "start", None) is state.basis
    left_out = ("samples", "start") if same else ("samples",)
    return {k: np.asarray(v) for k, v in vars(state).items() if k not in left_out}


def unpacked_state(kept: dict[str, Any], samples: np.ndarray) -> BasisState:
    """Return a state from what `packed_state` returned, and the batch of its step."""
    if "codes" not in kept:
        return BasisState(**kept)
    return AlternationState(**{"start": kept["basis"], "samples": samples, **kept})


def _moments(x: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of s sᵀ and x sᵀ over some samples."""
    n_samples = x.shape[1]
    codes, x = widened(codes), widened(x)
    return to_numpy(codes @ codes.T) / n_samples, to_numpy(x @ codes.T) / n_samples
