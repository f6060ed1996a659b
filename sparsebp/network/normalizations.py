"""Activations that normalize every row or every column.

They are not applied element by element, so their f' is a matrix for each row or column, symmetric:
J = (I − a aᵀ) / ‖z‖, and the backward step multiplies by J.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sparsebp._namespaces import namespace, sum_along
from sparsebp.network.activations import Activation
from sparsebp.network.notation import Formula
from sparsebp.network.weights import Variables


class _Normalize(Activation):
    axis: ClassVar[int]

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute z / ‖z‖."""
        return z / _lengths(z, self.axis)

    def pull_back(
        self, delta: np.ndarray, z: np.ndarray, a: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute J δ = (δ − a aᵀδ) / ‖z‖ for each row or column."""
        along = sum_along(delta * a, self.axis, keepdims=True)
        return (delta - along * a) / _lengths(z, self.axis)


@dataclass(frozen=True)
class NormalizeRows(_Normalize):
    """f(z) = z / ‖z‖ for every row: a unit's outputs over all samples. No row may be zero.

    Examples
    --------
    >>> NormalizeRows()(np.array([[3.0, 4.0], [0.0, 2.0]]), {})
    array([[0.6, 0.8],
           [0. , 1. ]])
    """

    axis = 1
    formula = Formula(
        "z/‖z‖ by rows",
        "(I − a aᵀ)/‖z‖",
        "rows({z})",
        (r"z/\Vert z\Vert_{{\text{{row}}}}", r"(I - a a^T)/\Vert z\Vert", r"\text{{rows}}({z})"),
        binding=3,
        jacobian=True,
    )


@dataclass(frozen=True)
class NormalizeColumns(_Normalize):
    """f(z) = z / ‖z‖ for every column: the outputs for a sample. No column may be zero.

    Examples
    --------
    >>> NormalizeColumns()(np.array([[3.0, 0.0], [4.0, 2.0]]), {})
    array([[0.6, 0. ],
           [0.8, 1. ]])
    """

    axis = 0
    formula = Formula(
        "z/‖z‖ by columns",
        "(I − a aᵀ)/‖z‖",
        "columns({z})",
        (
            r"z/\Vert z\Vert_{{\text{{column}}}}",
            r"(I - a a^T)/\Vert z\Vert",
            r"\text{{columns}}({z})",
        ),
        binding=3,
        jacobian=True,
    )


def _lengths(z: np.ndarray, axis: int) -> np.ndarray:
    xp, squares = namespace(z), sum_along(z * z, axis, keepdims=True)
    return xp.sqrt(xp.where(squares == 0, xp.ones_like(squares), squares))  # zeros stay zeros
