"""Samples in columns, from any source, and sums over them block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsebp._namespaces import is_foreign
from sparsebp.samples.sums import BlockSums
from sparsebp.samples.threads import in_blocks, slices

#: Columns of a block: a few arrays of so many columns fit the cache, and a matrix product of so
#: many is as fast as one of all.
BLOCK = 1024
#: Memory for one of the large blocks that are computed one after the other, in bytes.
_LARGE = 2**25


class Samples(ABC):
    """Samples in columns, used one block at a time.

    A source of samples is a subclass that defines `shape`, `dtype`, `block` and `only`; the rest
    follows.

    Attributes
    ----------
    n_threads : int
        Blocks at work at the same time. The sums do not depend on it.
    """

    n_threads: int = 1

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of samples."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """Precision of the samples."""

    @property
    def is_in_memory(self) -> bool:
        """Whether the samples are in memory, and so small enough for arrays of their size."""
        return False

    @abstractmethod
    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Return a block of samples.

        Parameters
        ----------
        first : int
            Index of its first sample.
        size : int
            How many there are, if the samples do not end before.

        Returns
        -------
        block : ndarray of shape (n_rows, at most size)
            To be read only; a view where nothing has to be computed.
        """

    @abstractmethod
    def only(self, order: np.ndarray) -> Samples:
        """Return some of the samples.

        Parameters
        ----------
        order : ndarray of int
            Their indices.

        Returns
        -------
        samples : Samples
            They are gathered again for every sum.
        """

    @staticmethod
    def of(x: np.ndarray | Samples, n_threads: int = 1) -> Samples:
        """Return samples as they are, and an array (n_rows, n_samples) as its columns."""
        if is_foreign(x):
            from sparsebp.samples.device import DeviceSamples

            return DeviceSamples(x.T)
        return x if isinstance(x, Samples) else ArraySamples(x, n_threads)

    def placed(self, matrix: Any) -> Any:
        """Return a matrix in the library and on the device of the blocks."""
        return matrix

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
        sums = BlockSums()
        for index, parts in enumerate(self.each(function)):
            sums.add(index, parts)
        return sums.totals()

    def each(self, function: Callable[[np.ndarray], Any]) -> Iterator[Any]:
        """Yield what a function returns for each block of at most `BLOCK`, in their order."""

        def call(columns: slice) -> Any:
            return function(self.block(columns.start, BLOCK))

        return (found for _, found in in_blocks(call, self.shape[1], BLOCK, self.n_threads))

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Compute a column for every sample.

        Parameters
        ----------
        function : callable
            Maps a block (n_rows, n) to columns (n_outputs, n).

        Returns
        -------
        columns : ndarray of shape (n_outputs, n_samples)
            In the samples' order.
        """
        first = 0
        rows = np.empty((0, 0))
        for columns in self.each(function):
            if not first:
                rows = np.empty((self.shape[1], len(columns)), columns.dtype)
            rows[first : first + columns.shape[1]] = columns.T
            first += columns.shape[1]
        return rows.T

    def large_blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield large blocks, for functions with threads of their own, and their columns."""
        in_memory = self.shape[0] * self.dtype.itemsize * BLOCK
        size = BLOCK * max(1, _LARGE // in_memory)
        for columns in slices(self.shape[1], size):
            yield columns, self.block(columns.start, size)

    def some(self, n_samples: int) -> np.ndarray:
        """Return at most so many samples (n_rows, n), evenly spread, in memory."""
        step = -(-self.shape[1] // n_samples)
        return self.taken(np.arange(0, self.shape[1], step))

    def taken(self, order: np.ndarray) -> np.ndarray:
        """Return samples (n_rows, n) by their indices, in memory."""
        return self.only(order).block(0, len(order))

    def batches(self, size: int | None, seed: int, start: int = 0) -> Iterator[np.ndarray]:
        """Yield batches without end, every sample once before any comes again.

        Parameters
        ----------
        size : int or None
            Samples of a batch.
        seed : int
            Determines, with the number of a batch, which samples are in it.
        start : int
            Number of the first batch.

        Yields
        ------
        batch : ndarray of shape (n_rows, size)
            Some of the samples; all of them, the same array every time, where there are no more.
        """
        n_samples = self.shape[1]
        if size is None or size >= n_samples:
            batch = self.block(0, n_samples)
            while True:
                yield batch
        epoch, passed = divmod(start * size, n_samples)
        left = np.empty(0, dtype=np.intp)
        while True:
            for part in self.shuffled([seed, epoch]):
                left, passed = np.concatenate([left, part[passed:]]), max(passed - len(part), 0)
                for first in range(0, len(left) - size + 1, size):
                    yield self.taken(left[first : first + size])
                left = left[len(left) - len(left) % size :]
            epoch += 1

    def shuffled(self, seed: list[int]) -> Iterator[np.ndarray]:
        """Yield parts of a random order of all samples, which batches follow.

        Parameters
        ----------
        seed : list of int
            Determines the order.

        Yields
        ------
        order : ndarray of int
            Indices of samples; here of all at once.
        """
        yield np.random.default_rng(seed).permutation(self.shape[1])

    def mapped(self, matrix: np.ndarray, mean: np.ndarray) -> Samples:
        """Return the samples K (x − μ), computed block by block.

        Parameters
        ----------
        matrix : ndarray of shape (n_outputs, n_rows)
            K.
        mean : ndarray of shape (n_rows, 1)
            μ.
        """
        from sparsebp.samples.derived import MappedSamples

        return MappedSamples(self, self.placed(matrix), self.placed(mean))

    def computed(self) -> Samples:
        """Return the same samples, computed once and kept in memory."""
        return Samples.of(self.map(lambda block: block), self.n_threads)


@dataclass(frozen=True, eq=False)
class ArraySamples(Samples):
    """The columns of an array in memory, or mapped into it from a file.

    Parameters
    ----------
    array : ndarray of shape (n_rows, n_samples)
        As given; a transposed view is fine. It is never copied as a whole.
    n_threads : int
        Blocks at work at the same time.
    order : ndarray of int, optional
        Which columns, in which order; all as they stand by default.

    Examples
    --------
    >>> samples = ArraySamples(np.ones((2, 3000)))
    >>> samples.shape, samples.sum(lambda block: (block.sum(axis=1), block.shape[1]))
    ((2, 3000), [array([3000., 3000.]), array(3000.)])
    """

    array: np.ndarray
    n_threads: int = 1
    order: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of samples."""
        return self.array.shape[0], self.array.shape[1] if self.order is None else len(self.order)

    @property
    def dtype(self) -> np.dtype:
        """Precision of the array."""
        return self.array.dtype

    @property
    def is_in_memory(self) -> bool:
        """True."""
        return True

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Return some columns, a view unless an order is given."""
        columns = slice(first, first + size)
        if self.order is None:
            return self.array[:, columns]
        # A transposed view has its samples in rows, which are gathered in one piece each.
        return self.array.T[self.order[columns]].T

    def only(self, order: np.ndarray) -> ArraySamples:
        """Return some of the samples."""
        return replace(self, order=order if self.order is None else self.order[order])
