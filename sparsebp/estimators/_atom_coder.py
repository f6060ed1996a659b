"""Encoding with atoms, learned or given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import check_number
from sparsebp._dispatch import on_host
from sparsebp._namespaces import like
from sparsebp._warnings import warn_user
from sparsebp.coding import encode
from sparsebp.estimators._coder import Reconstructor
from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import L1
from sparsebp.problems import Problem, sparse_coding
from sparsebp.samples import count_threads

if TYPE_CHECKING:
    from sparsebp.estimators.sparse_coder import SparseCoder


class AtomCoder(Reconstructor):
    """Base of estimators that write a sample as a combination of few atoms, the ``components_``."""

    alpha: float
    alpha_: float
    gamma_: float | None
    patch_shape: Any

    def _warn_of_changes(self) -> None:
        if self.alpha != self.alpha_:
            warn_user(
                f"alpha is {self.alpha!r}, but was {self.alpha_:g} when this model was fitted, "
                f"and transform uses that weight. with_alpha({self.alpha!r}) returns a coder with "
                "the same atoms and the new weight; fit learns atoms for it.",
            )

    @property
    def _learns_anywhere(self) -> bool:  # by reflections; all else needs SciPy or numba
        is_l1 = self.penalty == "l1" or isinstance(self.penalty, L1)
        return is_l1 and getattr(self, "solver", None) == "online"

    def _encode(self, x: np.ndarray) -> ColumnResult:
        weights = (self.components_.T, self.penalty_, self.alpha_)
        return encode(x, *weights, n_threads=count_threads(self.n_jobs))

    def with_alpha(self, alpha: float) -> SparseCoder:
        """Return a coder with the same atoms and penalty and another weight α ≥ 0 of the penalty.

        It encodes as this model would with that weight; the model is not changed.

        Examples
        --------
        >>> from sparsebp import SparseCoder
        >>> SparseCoder(np.eye(2), alpha=1.0).with_alpha(4.0).transform([[3.0, 1.0]]) + 0.0
        array([[1., 0.]])
        """
        from sparsebp.estimators.sparse_coder import SparseCoder  # a subclass of this class

        check_is_fitted(self)
        check_number("alpha", alpha, minimum=0)
        coder = SparseCoder(
            on_host(self).components_,
            penalty=self.penalty_,
            alpha=float(alpha),
            n_jobs=self.n_jobs,
            patch_shape=self.patch_shape,
        )
        for name in ("feature_names_in_", "_sklearn_output_config"):
            if name in vars(self):
                setattr(coder, name, vars(self)[name])
        return coder

    def _objective_of(self, x: np.ndarray, codes: np.ndarray) -> float:
        atoms = like(self.components_, x)
        return self.problem_.value({"x": x, "A": atoms.T, "s": codes.T})

    @property
    def problem_(self) -> Problem:
        """What the codes minimize: `sparsebp.problems.sparse_coding` with the weights used."""
        return sparse_coding(self.penalty_, self.alpha_, self.gamma_)
