"""What both kinds of ICA share: linear filters, behind whitening or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp.blocks import Samples, count_threads, product
from sparsebp.estimators._base import Learner
from sparsebp.estimators._parameters import check_choice, check_flag_or_share
from sparsebp.penalties import Penalty, Signed
from sparsebp.preprocessing import Whitening


class FilterLearner(Learner):
    """What both kinds of ICA share: linear filters, behind whitening or not."""

    solver: str
    whiten: bool | float
    signs: Any
    whitened_components_: np.ndarray
    mixing_: np.ndarray
    whitening_: np.ndarray
    mean_: np.ndarray

    @property
    def features_(self) -> np.ndarray:
        """What each component adds to a sample, in rows: ``mixing_`` turned over."""
        return self.mixing_.T

    def transform(self, X: Any) -> np.ndarray:
        """Compute the filters' responses.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            W x for each x, centered and whitened first if `fit` did so.

        Raises
        ------
        ValueError
            If X is unusable.
        """
        X = self._checked(X).astype(self.components_.dtype, copy=False)
        return product(self.components_, (X - self.mean_).T, X.dtype).T

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute the samples that responses stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Responses in rows.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            The model's reconstruction, ``mixing_`` times s, and the mean added.

        Raises
        ------
        ValueError
            If there are not n_components columns.
        """
        return self._checked_codes(X) @ self.mixing_.T + self.mean_

    def _energies(self, codes: np.ndarray) -> np.ndarray:
        lengths = np.linalg.norm(self.whitened_components_.astype(np.float64), axis=1)
        return np.square(codes).mean(axis=0) * lengths**2

    def _codes_to_count(self, X: np.ndarray) -> np.ndarray:
        return (X - self.mean_) @ self.components_.T

    def _whitened(self, X: np.ndarray) -> Whitened:
        n_threads = count_threads(self.n_jobs)
        if not self.whiten:
            unit = np.eye(X.shape[1], dtype=X.dtype)
            return Whitened(
                Samples(X.T, n_threads), unit, unit, np.zeros(X.shape[1], dtype=X.dtype)
            )
        share = float(self.whiten) if self.whiten < 1 else None
        whitening = Whitening("pca", n_components=share).fit(X)
        maps = (whitening.whitening_matrix_, whitening.dewhitening_matrix_, whitening.mean_)
        forward, backward, mean = (a.astype(X.dtype) for a in maps)
        samples = Samples(X.T, n_threads, mapping=(forward, mean[:, np.newaxis]))
        return Whitened(samples, forward, backward, mean)

    def _filters_at(
        self, filters: np.ndarray, white: Whitened, penalty: Penalty, decoder: float = 1.0
    ) -> dict[str, Any]:
        """Return the attributes of an estimator that has these filters of white samples."""
        return {
            "penalty_": penalty,
            "whitened_components_": filters,
            "components_": filters @ white.forward,
            "mixing_": white.backward @ (decoder * filters.T),
            "whitening_": white.forward,
            "mean_": white.mean,
        }

    def _make_penalty(self, n_components: int) -> Penalty:
        penalty = super()._make_penalty(n_components)
        if getattr(penalty, "positive", False):
            raise ValueError(
                f"penalty is {penalty!r}, which keeps coefficients ≥ 0; a filter's responses have "
                "either sign. Set positive=False, or take SparseCoding."
            )
        if self.signs is None:
            return penalty
        signed = Signed(penalty, self.signs)
        signed.check_components(n_components)
        return signed

    def _check_parameters(self, solvers: tuple[str, ...]) -> None:
        self._check_common()
        check_choice("solver", self.solver, solvers)
        check_flag_or_share("whiten", self.whiten)


@dataclass(frozen=True)
class Whitened:
    """White samples, made block by block; the linear maps there and back, and the mean."""

    samples: Samples
    forward: np.ndarray
    backward: np.ndarray
    mean: np.ndarray
