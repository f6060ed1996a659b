"""Constraints as reparametrizations: a free matrix is mapped onto the constraint, once.

Wrapped around a whole objective, not built in as a layer: every term sees the constrained matrix,
and the gradient is mapped back once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sparsebp._magnitudes import decomposing
from sparsebp._namespaces import namespace
from sparsebp.network import NormalizeColumns, NormalizeRows
from sparsebp.problems.objective import Differentiable

_KEPT = (
    "enforced by normalization inside the objective: the component of a gradient along its own "
    "vector is removed, and the rest is divided by the norm."
)


@dataclass(frozen=True)
class UnitVectors:
    """Base of constraints to unit-norm vectors."""

    objective: Differentiable
    normalize: ClassVar[NormalizeRows | NormalizeColumns]
    formula: ClassVar[str]
    words: ClassVar[str]

    @classmethod
    def project(cls, point: np.ndarray) -> np.ndarray:
        """Return the matrix with its vectors divided by their norms; zeros stay zeros."""
        return cls.normalize(point, {})

    def value_and_gradient(self, point: np.ndarray) -> tuple[Any, np.ndarray]:
        """Compute F of the constrained point, and the gradient in the free one."""
        unit = self.project(point)
        value, gradient = self.objective.value_and_gradient(unit)
        return value, self.normalize.pull_back(gradient, point, unit, {})


@dataclass(frozen=True)
class UnitRows(UnitVectors):
    """F(P) of an objective at the free matrix with normalized rows.

    Parameters
    ----------
    objective : Objective
        In a matrix with unit rows.

    Notes
    -----
    The tutorial's RICA exercise normalizes the rows inside the cost and maps the gradient back:
    the component of a row's gradient along the row is removed, and the rest is divided by the norm.
    """

    normalize = NormalizeRows()
    formula = r"\| w_r \| = 1"
    words = "for every row, " + _KEPT


@dataclass(frozen=True)
class UnitColumns(UnitVectors):
    """F(P) of an objective at the free matrix with normalized columns.

    Parameters
    ----------
    objective : Objective
        In a matrix with unit columns, such as a basis of unit-norm atoms.
    """

    normalize = NormalizeColumns()
    formula = r"\| a_r \| = 1"
    words = "for every atom, " + _KEPT


@dataclass(frozen=True)
class OrthonormalRows:
    """F(W) of an objective at W = (MMᵀ)^(−½) M, the orthonormal matrix nearest to a free M.

    Parameters
    ----------
    objective : Objective
        In a matrix with WWᵀ = I.

    Notes
    -----
    With the thin singular value decomposition M = L diag(σ) R, the constrained matrix is W = LR
    and changes with M by

        dW = L [(S − Sᵀ)ᵢⱼ / (σᵢ + σⱼ)] R + L diag(1/σ) Lᵀ dM (I − RᵀR),  S = Lᵀ dM Rᵀ,

    so the gradient in M is the transpose of that map, applied to the gradient in W.
    """

    objective: Differentiable
    formula: ClassVar[str] = "W W^T = I"
    words: ClassVar[str] = (
        "enforced by minimizing over free matrices and taking the nearest orthonormal one."
    )

    @staticmethod
    def project(point: np.ndarray) -> np.ndarray:
        """Return (MMᵀ)^(−½) M, the matrix with orthonormal rows nearest to M.

        Parameters
        ----------
        point : ndarray of shape (n_components, n_features)
            M, of full row rank, n_components ≤ n_features.

        Returns
        -------
        w : ndarray of shape (n_components, n_features)
            W with WWᵀ = I, in M's precision.

        Raises
        ------
        ValueError
            If M has more rows than columns, which cannot be orthonormal.

        Examples
        --------
        >>> w = OrthonormalRows.project(np.array([[2.0, 0.0, 1.0], [1.0, 1.0, 0.0]]))
        >>> np.allclose(w @ w.T, np.eye(2))
        True
        """
        _require_wide(point)
        with decomposing():
            left, _, right = namespace(point).linalg.svd(point, full_matrices=False)
        return left @ right

    def value_and_gradient(self, point: np.ndarray) -> tuple[Any, np.ndarray]:
        """Compute F of the constrained point, and the gradient in the free one."""
        _require_wide(point)
        with decomposing():
            left, roots, right = namespace(point).linalg.svd(point, full_matrices=False)
        w = left @ right
        value, gradient = self.objective.value_and_gradient(w)
        inner = left.T @ gradient @ right.T
        turned = (inner - inner.T) / (roots[:, None] + roots)
        outside = gradient - left @ (inner @ right)
        return value, left @ (turned @ right) + left @ ((left.T @ outside) / roots[:, None])


def _require_wide(matrix: np.ndarray) -> None:
    if matrix.shape[0] > matrix.shape[1]:
        raise ValueError(
            f"{matrix.shape[0]} rows of {matrix.shape[1]} elements cannot be orthonormal; "
            "give at most as many rows as columns."
        )
