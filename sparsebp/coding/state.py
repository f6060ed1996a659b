"""What a search for a basis found, and what it can be resumed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from sparsebp._fitted import Numbers, Record, Size
from sparsebp.minimizers import Result

#: The past's sums are weighted by (1 − m/N)^48 where m of N samples are new: about the last N / 48
#: samples count.
_FORGETTING = 48
#: Samples that a dictionary counts as whose sums are not known: those of a fit with the defaults.
TRUSTED = 100_000


@dataclass(frozen=True, eq=False)
class OnlineState:
    """What the samples so far have taught: a basis, and the sums that it was fitted to.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_components)
        A.
    codes_moments : ndarray of shape (n_components, n_components)
        Mean of s sᵀ over the samples, weighted towards the recent ones.
    cross_moments : ndarray of shape (n_features, n_components)
        Mean of x sᵀ, weighted alike.
    n_samples : int
        Samples seen, those that came again counted again.
    """

    basis: np.ndarray
    codes_moments: np.ndarray
    cross_moments: np.ndarray
    n_samples: int

    @classmethod
    def empty(cls, basis: np.ndarray) -> Self:
        """Return the state of a search that has seen no samples."""
        n_features, n_components = basis.shape
        return cls(basis, np.zeros((n_components,) * 2), np.zeros((n_features, n_components)), 0)

    @classmethod
    def fitted(cls, basis: np.ndarray, x: np.ndarray, codes: np.ndarray, n_samples: int) -> Self:
        """Return the state of a basis that was fitted to these samples and coefficients alone."""
        return cls(basis, *_moments(x, codes), n_samples)

    @classmethod
    def trusted(cls, basis: np.ndarray, x: np.ndarray) -> Self:
        """Return the state of a basis that somebody has learned whose sums are not known.

        It counts as much as `TRUSTED` samples whose coefficients are independent and have the
        energy of x: sums for which this basis is the best one.
        """
        n_components, wide = basis.shape[1], basis.astype(np.float64)
        energy = np.square(x, dtype=np.float64).mean() * len(x)  # of a sample
        share = energy / (np.square(wide).sum() or 1.0) or 1.0  # of a coefficient
        return cls(basis, share * np.eye(n_components), share * wide, TRUSTED)

    def including(self, x: np.ndarray, codes: np.ndarray) -> OnlineState:
        """Return the state with more samples in its sums, the past faded; the basis is the same.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns.
        codes : ndarray of shape (n_components, n_samples)
            Their coefficients.
        """
        n_samples = self.n_samples + x.shape[1]
        kept = (self.n_samples / n_samples) ** _FORGETTING  # the weights of all sum to one
        codes_moments, cross_moments = _moments(x, codes)
        return OnlineState(
            self.basis,
            kept * self.codes_moments + (1 - kept) * codes_moments,
            kept * self.cross_moments + (1 - kept) * cross_moments,
            n_samples,
        )

    def at_rest(self) -> OnlineState:
        """Return what another search can be resumed from, and nothing else."""
        return OnlineState(self.basis, self.codes_moments, self.cross_moments, self.n_samples)

    def moved_to(self, basis: np.ndarray) -> OnlineState:
        """Return the state with another basis; coefficients of an atom twice as long are halved.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_components)
            The same atoms, perhaps of other lengths.
        """
        before, after = (np.linalg.norm(a.astype(np.float64), axis=0) for a in (self.basis, basis))
        ratios = np.where(after > 0, before / np.where(after > 0, after, 1), 1)
        moments = self.codes_moments * np.outer(ratios, ratios)
        return OnlineState(basis, moments, self.cross_moments * ratios, self.n_samples)


#: What a state in a file has to be.
FITTED_STATE = Record(
    OnlineState,
    {
        "basis": Numbers(("features", "components")),
        "codes_moments": Numbers(("components", "components")),
        "cross_moments": Numbers(("features", "components")),
        "n_samples": Size("samples"),
    },
)


@dataclass(frozen=True, eq=False)
class TurnState(OnlineState):
    """What one turn of the alternation leaves to the next.

    Parameters
    ----------
    samples : ndarray of shape (n_features, n_samples)
        The turn's batch: coefficients carry over where the next turn has the same one.
    codes : ndarray of shape (n_components, n_samples)
        Their coefficients.
    start : ndarray of shape (n_features, n_components)
        The basis with which the next turn starts: unused atoms are replaced.
    value : float
        The objective.
    n_turns : int
        Turns made.
    replacing : bool
        Whether unused atoms are still replaced.
    """

    samples: np.ndarray
    codes: np.ndarray
    start: np.ndarray
    value: float
    n_turns: int
    replacing: bool


@dataclass(frozen=True)
class BasisResult(Result):
    """A basis that was found, and how the search for it ended.

    Parameters
    ----------
    state : OnlineState
        What the search can be resumed from.
    """

    state: OnlineState


def _moments(x: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means of s sᵀ and x sᵀ over some samples."""
    n_samples = x.shape[1]
    wide = (codes.astype(np.float64, copy=False), x.astype(np.float64, copy=False))
    codes, x = wide
    return codes @ codes.T / n_samples, x @ codes.T / n_samples
