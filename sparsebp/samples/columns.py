"""Arithmetic on columns whose rounding does not depend on the other columns.

BLAS computes the columns at the edge of a product, and those of narrow products, by other kernels,
which add in another order. In double precision, and on columns in C order whose number is a
multiple of 16, OpenBLAS gives a column the same bits at any position: for matrices of any shape
with AVX-512, otherwise (x86 from Nehalem on) where the matrix has a multiple of 8 rows. In single
precision the kernels for AVX2 do not. NumPy's elementwise sums and products are also the same for
such columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp.samples.threads import one_blas_thread, slices

#: Columns come in multiples of this number.
PANEL = 16
#: Columns of one product: copies stay in the cache, and their rows are not a power of two apart.
_BLOCK = 15 * PANEL


def filled(columns: np.ndarray) -> np.ndarray:
    """Repeat the last of some column numbers until their number is a multiple of `PANEL`.

    Parameters
    ----------
    columns : ndarray of int, shape (n,)
        Numbers of columns. None stay none.

    Returns
    -------
    columns : ndarray of int, shape (at least n,)
        The same, and the last again up to 15 times. What is computed for the repetitions is what is
        computed for the last column.

    Examples
    --------
    >>> filled(np.arange(3))
    array([0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    """
    return np.concatenate([columns, np.repeat(columns[-1:], -len(columns) % PANEL)])


def taken(array: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Copy some columns in C order, which ``array[:, columns]`` does not keep.

    Parameters
    ----------
    array : ndarray of shape (n_rows, n_columns) or (n_columns,)
        From which to take.
    columns : ndarray of int
        Their numbers, or of bool: which of them.

    Returns
    -------
    columns : ndarray of shape (n_rows, n) or (n,)
        A copy.
    """
    if columns.dtype == bool:
        return np.compress(columns, array, axis=-1)
    return np.take(array, columns, axis=-1)


def product(matrix: np.ndarray, x: np.ndarray, dtype: Any = np.float64) -> np.ndarray:
    """Compute a matrix times columns in double precision, each rounded as if it stood alone.

    Parameters
    ----------
    matrix : ndarray of shape (n_outputs, n_rows)
        The same for all columns.
    x : ndarray of shape (n_rows, n_columns)
        In any order and precision.
    dtype : dtype
        To which the product is rounded in the end.

    Returns
    -------
    product : ndarray of shape (n_outputs, n_columns)
        ``matrix @ x``, columns contiguous.

    Examples
    --------
    >>> product(np.eye(2), np.array([[1.0], [2.0]]))
    array([[1.],
           [2.]])
    """
    matrix, n = matrix.astype(np.float64, copy=False), x.shape[1]
    out = np.empty((n, len(matrix)), dtype)
    padded = result = np.empty((0, 0))
    for block in slices(n, _BLOCK):
        width = block.stop - block.start
        panels = -(-width // PANEL) * PANEL
        if panels != padded.shape[1]:  # fresh memory is slow
            padded, result = np.empty((len(x), panels)), np.empty((len(matrix), panels))
        padded[:, :width], padded[:, width:] = x[:, block], 0
        with one_blas_thread():  # several would mostly wait for each other
            np.matmul(matrix, padded, out=result)
        out[block] = result[:, :width].T
    return out.T
