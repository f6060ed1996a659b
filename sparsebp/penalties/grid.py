"""Neighborhoods and groups on a grid as a matrix that is never formed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from sparsebp._namespaces import namespace


@dataclass(frozen=True)
class GridGrouping:
    """V of rectangular neighborhoods: neighbors among rows ⊗ neighbors among columns.

    Row r of the matrices `rows` and `columns` holds ones at the neighbors of r, or at the members
    of group r. A product with V sums over rows and over columns, which needs a few percent of the
    multiplications of the full matrix.

    Examples
    --------
    >>> V = GridGrouping(np.eye(2), np.ones((3, 3)))
    >>> V.shape, (V @ np.arange(6.0)[:, np.newaxis]).ravel()
    ((6, 6), array([ 3.,  3.,  3., 12., 12., 12.]))
    >>> np.array_equal(V @ np.eye(6), V.toarray())
    True
    """

    rows: np.ndarray
    columns: np.ndarray
    ndim: ClassVar[int] = 2

    @classmethod
    def of(cls, shape: tuple[int, int], size: tuple[int, int], *, wrap: bool) -> GridGrouping:
        """Return neighborhoods of a size, centered where it is odd, on a grid or torus (`wrap`)."""
        return cls(*(_neighbors(n, width, wrap) for n, width in zip(shape, size, strict=True)))

    def __matmul__(self, a: np.ndarray) -> np.ndarray:
        """Compute V a for an array of shape (n_rows · n_columns, n_samples)."""
        (height, rows), (width, columns) = self.rows.shape, self.columns.shape
        n, reshape = a.shape[1], namespace(a).reshape
        if width < columns:  # sums over columns leave less to sum over rows
            summed = self.columns @ reshape(a, (rows, columns, n))
            return reshape(self.rows @ reshape(summed, (rows, width * n)), (height * width, n))
        summed = self.rows @ reshape(a, (rows, columns * n))
        return reshape(self.columns @ reshape(summed, (height, columns, n)), (height * width, n))

    def map_arrays(self, function: Callable[[Any], Any]) -> GridGrouping:
        """Return the same matrix with its factors converted."""
        return GridGrouping(function(self.rows), function(self.columns))

    @property
    def T(self) -> GridGrouping:
        """The transpose."""
        return GridGrouping(self.rows.T, self.columns.T)

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the whole matrix."""
        (height, rows), (width, columns) = self.rows.shape, self.columns.shape
        return height * width, rows * columns

    @property
    def dtype(self) -> np.dtype:
        """Its precision."""
        return self.rows.dtype

    def astype(self, dtype: Any, *, copy: bool = True) -> GridGrouping:
        """Return the same in another precision."""
        if dtype == self.dtype and not copy:
            return self
        return self.map_arrays(lambda factor: factor.astype(dtype))

    def toarray(self) -> np.ndarray:
        """Return the whole matrix."""
        return np.kron(self.rows, self.columns)


def _neighbors(n: int, width: int, wrap: bool) -> np.ndarray:
    neighbors = np.zeros((n, n))
    at = np.arange(n)
    width = min(width, 2 * n)  # reaches everything already
    for shift in range(-((width - 1) // 2), width // 2 + 1):
        inside = np.full(n, True) if wrap else (at + shift >= 0) & (at + shift < n)
        neighbors[at[inside], (at + shift)[inside] % n] = 1
    return neighbors
