"""What has atoms codes samples alike, whether the atoms were learned or given."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sparsebp.blocks import count_threads
from sparsebp.estimators._base import Coder, quietly
from sparsebp.solvers import SparseCodingProblem, encode


class AtomCoder(Coder):
    """Base of what writes a sample as a combination of few atoms, the rows of ``components_``."""

    alpha_: float
    gamma_: float | None

    def transform(self, X: Any) -> np.ndarray:
        """Compute the coefficients of samples, each by itself, with the weight ``alpha_``.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Samples in rows.

        Returns
        -------
        codes : ndarray of shape (n_samples, n_components)
            argmin over s of ‖A s − x‖² + α S(s), for each x.

        Raises
        ------
        ValueError
            If X is unusable.
        """
        x = self._checked(X).T.astype(self.components_.dtype, copy=False)
        n_threads = count_threads(self.n_jobs)
        with quietly():
            found = encode(x, self.components_.T, self.penalty_, self.alpha_, n_threads=n_threads)
        if found.n_unfinished:
            warnings.warn(
                f"The coefficients of {found.n_unfinished} of {x.shape[1]} samples have not "
                "converged; scale the samples to about unit variance, or raise epsilon.",
                ConvergenceWarning,
                stacklevel=2,
            )
        return np.ascontiguousarray(found.codes.T)

    def inverse_transform(self, X: Any) -> np.ndarray:
        """Compute the samples that coefficients stand for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_components)
            Coefficients in rows.

        Returns
        -------
        samples : ndarray of shape (n_samples, n_features)
            A s.

        Raises
        ------
        ValueError
            If there are not n_components columns.
        """
        return self._checked_codes(X) @ self.components_

    def _objective_of(self, X: Any, codes: np.ndarray) -> float:
        x = self._checked(X).T.astype(self.components_.dtype, copy=False)
        fitted = SparseCodingProblem(self.penalty_, self.alpha_, self.gamma_)
        return fitted.value(x, self.components_.T, codes.T)
