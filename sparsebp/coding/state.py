"""The state of a search for a basis, from which it can be resumed, and its result."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

import numpy as np

from sparsebp._fitted import Maybe, Numbers, Record, Size
from sparsebp._memory import check_memory
from sparsebp._namespaces import to_numpy, widened
from sparsebp.coding.missing import split_missing
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
    feature_moments : ndarray of shape (n_features, n_components, n_components), optional
        Once values were missing, the mean of s sᵀ for each feature, over the samples that know it;
        `cross_moments` are means over these, too. None: as `codes_moments` for all features.
    n_known : ndarray of shape (n_features,), optional
        For how many samples each of these means counts.
    """

    basis: np.ndarray
    codes_moments: np.ndarray
    cross_moments: np.ndarray
    n_samples: int
    feature_moments: np.ndarray | None = field(default=None, kw_only=True)
    n_known: np.ndarray | None = field(default=None, kw_only=True)

    @classmethod
    def empty(cls, basis: np.ndarray) -> Self:
        """Return the state before any samples."""
        n_features, n_components = basis.shape
        return cls(basis, np.zeros((n_components,) * 2), np.zeros((n_features, n_components)), 0)

    @classmethod
    def fitted(cls, basis: np.ndarray, x: np.ndarray, codes: np.ndarray, n_samples: int) -> Self:
        """Return the state of a basis that was fitted only to these samples and coefficients."""
        if split_missing(x)[1] is None:
            return cls(basis, *_moments(x, codes), n_samples)
        empty = cls.empty(basis)
        found = empty.including(x, codes)
        assert found.n_known is not None
        assert found.feature_moments is not None
        # A feature that none of these samples knows stays as it is.
        unknown = found.n_known == 0
        found.feature_moments[unknown] = found.codes_moments
        found.cross_moments[unknown] = basis[unknown] @ found.codes_moments
        n_known = np.where(unknown, 1.0, found.n_known / x.shape[1]) * n_samples
        return replace(found, n_samples=n_samples, n_known=n_known)

    @classmethod
    def trusted(cls, basis: np.ndarray, x: np.ndarray) -> Self:
        """Return the state of a given basis with unknown sums.

        It counts as much as `TRUSTED` samples whose coefficients are independent and have the
        energy of x: sums for which this basis is the best one.
        """
        n_components, wide = basis.shape[1], basis.astype(np.float64)
        x, known = split_missing(x)
        energy = np.square(x, dtype=np.float64).mean() * len(x)  # of a sample
        energy /= 1.0 if known is None else known.mean() or 1.0
        share = energy / (np.square(wide).sum() or 1.0) or 1.0  # of a coefficient
        return cls(basis, share * np.eye(n_components), share * wide, TRUSTED)

    def including(
        self, x: np.ndarray, codes: np.ndarray, forgetting: float = RESUMED_FORGETTING
    ) -> Self:
        """Return the state with samples added to its decayed sums, and the same basis.

        Parameters
        ----------
        x : ndarray of shape (n_features, n_samples)
            Samples in columns; NaN is missing.
        codes : ndarray of shape (n_components, n_samples)
            Their coefficients.
        forgetting : float
            If m of N samples are new, past sums are weighted by (1 − m/N)^forgetting: about the
            last N / forgetting samples count. With missing values m and N are numbers of samples
            that know a feature, so that one which is unknown for a while is not forgotten.

        Raises
        ------
        MemoryError
            If values are missing and the moments of each feature do not fit into memory.
        """
        n_samples = self.n_samples + x.shape[1]
        kept = (self.n_samples / n_samples) ** forgetting  # the weights of all sum to one
        x, known = split_missing(x)
        codes_moments, cross_moments = _moments(x, codes)
        moments = kept * self.codes_moments + (1 - kept) * codes_moments
        if known is None and self.feature_moments is None:
            cross = kept * self.cross_moments + (1 - kept) * cross_moments
            return type(self)(self.basis, moments, cross, n_samples)
        own = self._including_features(x, codes, known, forgetting)
        return type(self)(self.basis, moments, n_samples=n_samples, **own)

    def _including_features(
        self, x: np.ndarray, codes: np.ndarray, known: np.ndarray | None, forgetting: float
    ) -> dict[str, np.ndarray]:
        """Return the sums of each feature; missing values of x, the unknown ones, are 0."""
        n_features, n_components = self.basis.shape
        shape = n_features, n_components, n_components
        check_memory("With missing values n_components", n_components, shape, shape)
        before, counted = self.feature_moments, self.n_known
        if before is None or counted is None:
            before = np.broadcast_to(self.codes_moments, shape)
            counted = np.full(n_features, float(self.n_samples))
        known = np.ones(x.shape, dtype=bool) if known is None else known
        whole = _moments(x, codes)[0]
        moments, cross, n_known = np.empty(shape), self.cross_moments.copy(), counted.copy()
        for i, here in enumerate(known):
            n_here = np.count_nonzero(here)
            if not n_here:
                moments[i] = before[i]
                continue
            n_known[i] += n_here
            kept = (counted[i] / n_known[i]) ** forgetting
            values, own = widened(x[i, here]), widened(codes[:, here])
            own_moments = whole if n_here == len(here) else own @ own.T / n_here
            moments[i] = kept * before[i] + (1 - kept) * own_moments
            cross[i] = kept * cross[i] + (1 - kept) * (own @ values) / n_here
        return {"cross_moments": cross, "feature_moments": moments, "n_known": n_known}

    def resumable(self) -> BasisState:
        """Return only the state from which another search can be resumed."""
        return BasisState(**{f.name: getattr(self, f.name) for f in fields(BasisState)})

    def without(self, unused: np.ndarray) -> BasisState:
        """Return the state without what is known of some atoms, by their indices."""
        moments, cross = self.codes_moments.copy(), self.cross_moments.copy()
        moments[unused], moments[:, unused], cross[:, unused] = 0, 0, 0
        of_features = None if self.feature_moments is None else self.feature_moments.copy()
        if of_features is not None:
            of_features[:, unused], of_features[:, :, unused] = 0, 0
        sums = {"codes_moments": moments, "cross_moments": cross, "feature_moments": of_features}
        return replace(self, **sums)

    def moved_to(self, basis: np.ndarray) -> BasisState:
        """Return the state with another basis; coefficients are rescaled to its norms.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_components)
            The same atoms, perhaps with other norms.
        """
        before, after = (np.linalg.norm(a.astype(np.float64), axis=0) for a in (self.basis, basis))
        ratios = np.where(after > 0, before / np.where(after > 0, after, 1), 1)
        squares, of_features = np.outer(ratios, ratios), self.feature_moments
        return replace(
            self.resumable(),
            basis=basis,
            codes_moments=self.codes_moments * squares,
            cross_moments=self.cross_moments * ratios,
            feature_moments=None if of_features is None else of_features * squares,
        )


#: Types and shapes of a state in a file.
FITTED_STATE = Record(
    BasisState,
    {
        "basis": Numbers(("features", "components")),
        "codes_moments": Numbers(("components", "components")),
        "cross_moments": Numbers(("features", "components")),
        "n_samples": Size("samples"),
        "feature_moments": Maybe(Numbers(("features", "components", "components"))),
        "n_known": Maybe(Numbers(("features",), at_least=0)),
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

    That is all but the samples, which are known, what is None, and the start where it is the basis
    itself.
    """
    same = getattr(state, "start", None) is state.basis
    left_out = ("samples", "start") if same else ("samples",)
    kept = {k: v for k, v in vars(state).items() if k not in left_out and v is not None}
    return {k: np.asarray(v) for k, v in kept.items()}


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
