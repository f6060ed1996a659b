"""Encoding with atoms, learned or given."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sparsebp._checks import check_integer, check_number
from sparsebp._dispatch import on_host
from sparsebp._fitted import Maybe, Numbers, Size
from sparsebp._namespaces import like
from sparsebp._warnings import warn_user
from sparsebp.coding import BasisSearch, BasisState, Pursuit, encode, split_missing
from sparsebp.estimators._coder import Reconstructor
from sparsebp.estimators._units import warn_of_many_active
from sparsebp.minimizers import ColumnResult
from sparsebp.penalties import L1, Penalty
from sparsebp.problems import Problem, sparse_coding
from sparsebp.samples import count_threads

if TYPE_CHECKING:
    from sparsebp.estimators.sparse_coder import SparseCoder

#: What `fit` sets of the penalty and its weights, or of the pursuit.
FITTED_RULE: dict[str, Any] = {
    "penalty_": Maybe(Penalty),
    "alpha_": Numbers(at_least=0),
    "gamma_": Numbers(at_least=0, none=True),
    "n_nonzero_": Maybe(Size("atoms of a sample")),
    "error_": Maybe(Numbers(at_least=0)),
}


class AtomCoder(Reconstructor):
    """Base of estimators that write a sample as a combination of few atoms, the ``components_``."""

    alpha: float
    n_nonzero: int | None
    error: float | None
    gamma: float | None
    patch_shape: Any
    penalty_: Penalty | None  # type: ignore[assignment]  # None: codes are found by pursuit
    alpha_: float
    gamma_: float | None
    n_nonzero_: int | None = None
    error_: float | None = None
    _default_penalty: ClassVar[str]

    def _check_rule(self) -> None:
        """Raise an error for invalid parameters of the penalty and of the pursuit, or for both."""
        check_number("alpha", self.alpha, minimum=0)
        check_integer("n_nonzero", self.n_nonzero, none="any number of atoms")
        if self.error is not None:
            check_number("error", self.error, minimum=0, also=", or None for no bound")
        limits = {"n_nonzero": self.n_nonzero, "error": self.error}
        given = [name for name, limit in limits.items() if limit is not None]
        if not given:
            return
        selects = " and ".join(f"{name}={limits[name]!r}" for name in given)
        selects += " selects" if len(given) == 1 else " select"
        defaults = {"penalty": self._default_penalty, "alpha": 1.0, "gamma": None}
        for name, default in defaults.items():
            value = getattr(self, name, None)
            if not (value is default or (isinstance(value, str | Real) and value == default)):
                raise ValueError(
                    f"{selects} a pursuit, which has no {name}, but {name} is {value!r}. Leave "
                    f"{name} at its default, {default!r}, or remove {' and '.join(given)}."
                )

    @property
    def _pursues(self) -> bool:
        return Pursuit.of(self.n_nonzero, self.error) is not None

    @property
    def _rule(self) -> Penalty | Pursuit:
        """What makes the codes sparse."""
        rule = Pursuit.of(self.n_nonzero_, self.error_) or self.penalty_
        assert rule is not None
        return rule

    def _warn_of_changes(self) -> None:
        for name in ("n_nonzero", "error"):
            now, fitted = getattr(self, name), getattr(self, f"{name}_")
            if now != fitted:
                warn_user(
                    f"{name} is {now!r}, but was {fitted!r} when this model was fitted, and "
                    f"transform uses that. SparseCoder(model.components_, {name}={now!r}) encodes "
                    "with the same atoms; fit learns atoms for it.",
                )
        if self.penalty_ is not None and self.alpha != self.alpha_:
            warn_user(
                f"alpha is {self.alpha!r}, but was {self.alpha_:g} when this model was fitted, "
                f"and transform uses that weight. with_alpha({self.alpha!r}) returns a coder with "
                "the same atoms and the new weight; fit learns atoms for it.",
            )

    @property
    def _learns_anywhere(self) -> bool:  # by reflections; all else needs SciPy or numba
        is_l1 = self.penalty == "l1" or isinstance(self.penalty, L1)
        return is_l1 and not self._pursues and getattr(self, "solver", None) == "online"

    @property
    def _takes_missing(self) -> bool:
        return True

    def _encode(self, x: np.ndarray) -> ColumnResult:
        sparsely = (self.components_.T, self._rule, self.alpha_)
        return encode(x, *sparsely, n_threads=count_threads(self.n_jobs))

    def _codes_to_count(self, X: np.ndarray) -> np.ndarray:
        x, A, n_threads = np.ascontiguousarray(X.T), self.components_.T, count_threads(self.n_jobs)
        return encode(x, A, self._rule, self.alpha_, tol=1e-3, n_threads=n_threads).points.T

    def _warn_of_many_active(self, samples: np.ndarray) -> None:
        if self.error is not None and self.n_nonzero is None:
            warn_of_many_active(self.error, samples, self._codes_to_count(samples.T).T)

    def _silence(self) -> tuple[str, str]:
        lengths = "" if self.gamma is None else ", or set gamma=None"
        sparser = "error or " if self.error is not None else "" if self._pursues else "alpha or "
        return "atoms {} unused", f"Lower {sparser}n_components, or raise max_iter{lengths}."

    def with_alpha(self, alpha: float) -> SparseCoder:
        """Return a coder with the same atoms and penalty and another weight.

        Parameters
        ----------
        alpha : float
            Weight α ≥ 0 of the penalty.

        Returns
        -------
        coder : SparseCoder
            Encodes as this model would with the weight α. The model is not changed.

        Raises
        ------
        ValueError
            If alpha is not a number ≥ 0, or if the codes of this model are found by pursuit.

        Examples
        --------
        >>> from sparsebp import SparseCoder
        >>> SparseCoder(np.eye(2), alpha=1.0).with_alpha(4.0).transform([[3.0, 1.0]]) + 0.0
        array([[1., 0.]])
        """
        from sparsebp.estimators.sparse_coder import SparseCoder  # a subclass of this class

        check_is_fitted(self)
        check_number("alpha", alpha, minimum=0)
        if self.penalty_ is None:
            raise ValueError(
                "The codes of this model are found by pursuit, without a penalty that alpha could "
                f"be the weight of. Write SparseCoder(model.components_, alpha={alpha!r})."
            )
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
        x, known = split_missing(x)
        matrices = {"x": x, "A": like(self.components_, x).T, "s": codes.T}
        if known is None:
            return self.problem_.value(matrices)
        return self._problem(masked=True).value({**matrices, "M": known.astype(x.dtype)})

    @property
    def problem_(self) -> Problem:
        """What the codes minimize: `sparsebp.problems.sparse_coding` with the weights used."""
        return self._problem(masked=False)

    def _problem(self, *, masked: bool) -> Problem:
        return sparse_coding(self.penalty_, self.alpha_, self.gamma_, masked=masked)


def fitted_attributes(search: BasisSearch, state: BasisState) -> dict[str, Any]:
    """Return the attributes of an estimator in a state of its search."""
    rule = search.penalty
    pursuit = rule if isinstance(rule, Pursuit) else Pursuit()
    return {
        "components_": np.ascontiguousarray(state.basis.T),
        "state_": state,
        "penalty_": None if rule is pursuit else rule,
        "alpha_": search.alpha,
        "gamma_": search.gamma,
        "n_nonzero_": pursuit.n_nonzero,
        "error_": pursuit.error,
    }
