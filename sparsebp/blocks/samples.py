"""Samples as columns of an array, and sums over them block by block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsebp.blocks.threads import in_order

#: Columns of a block: a few arrays of so many columns fit the cache, and a matrix product of so
#: many is as fast as one of all.
BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Samples:
    """Samples in columns, of which only a block at a time is ever computed with.

    Parameters
    ----------
    array : ndarray of shape (n_rows, n_samples)
        As given; a transposed view is fine. It is never copied as a whole.
    n_threads : int
        Blocks at work at the same time. The sums do not depend on it.
    order : ndarray of int, optional
        Which columns, in which order; all as they stand by default.
    mapping : (ndarray of shape (n_outputs, n_rows), ndarray of shape (n_rows, 1)), optional
        A matrix K and a mean μ: the samples are K (x − μ), computed block by block.

    Examples
    --------
    >>> samples = Samples(np.ones((2, 3000)))
    >>> samples.shape, samples.sum(lambda block: (block.sum(axis=1), block.shape[1]))
    ((2, 3000), [array([3000., 3000.]), array(3000.)])
    """

    array: np.ndarray
    n_threads: int = 1
    order: np.ndarray | None = None
    mapping: tuple[np.ndarray, np.ndarray] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows, after the mapping, and of samples."""
        n_rows = self.array.shape[0] if self.mapping is None else self.mapping[0].shape[0]
        return n_rows, self.array.shape[1] if self.order is None else len(self.order)

    @property
    def dtype(self) -> np.dtype:
        """Precision of the samples."""
        return self.array.dtype

    def only(self, order: np.ndarray) -> Samples:
        """Return some of the samples.

        Parameters
        ----------
        order : ndarray of int
            Columns of the array.

        Returns
        -------
        samples : Samples
            They are gathered anew for every sum.
        """
        return replace(self, order=order)

    def computed(self) -> Samples:
        """Return the same samples, computed once and kept.

        Returns
        -------
        samples : Samples
            Of an array of shape (n_outputs, n_samples).
        """
        starts = range(0, self.shape[1], BLOCK)
        return Samples(np.hstack([self.block(first) for first in starts]), self.n_threads)

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Compute a block of samples.

        Parameters
        ----------
        first : int
            Number of its first sample.
        size : int
            How many there are, if the samples do not end before.

        Returns
        -------
        block : ndarray of shape (n_rows, at most size)
            A view of the array where nothing has to be computed.
        """
        columns = slice(first, first + size)
        # A transposed view has its samples in rows, which are gathered in one piece each.
        x = self.array[:, columns] if self.order is None else self.array.T[self.order[columns]].T
        if self.mapping is None:
            return x
        matrix, mean = self.mapping
        return matrix @ (x - mean)

    def sum(self, function: Callable[[np.ndarray], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks, in float64 whatever the samples' precision.

        Parameters
        ----------
        function : callable
            Maps a block to numbers or arrays.

        Returns
        -------
        totals : list of ndarray
            Their sums over the blocks, added in the blocks' order.
        """
        starts = range(0, self.shape[1], BLOCK)
        totals: list[np.ndarray] = []
        for parts in in_order(lambda first: function(self.block(first)), starts, self.n_threads):
            if not totals:
                wide = [np.result_type(part, np.float64) for part in parts]
                totals = [np.array(p, dtype=d) for p, d in zip(parts, wide, strict=True)]
                continue
            for total, part in zip(totals, parts, strict=True):
                total += part
        return totals
