"""Samples in columns, wherever they are, and sums and maps over them block by block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._memory import check_memory
from sparsebp._namespaces import is_foreign, namespace
from sparsebp.samples.sums import BlockSums
from sparsebp.samples.threads import in_blocks, slices

#: Columns of a block: a few arrays of so many columns fit the cache, and a matrix product of so
#: many is as fast as one of all.
BLOCK = 1024
#: Memory for one of the large blocks that are computed one after the other, in bytes.
_LARGE = 2**25


class Samples(ABC):
    """Samples in columns, used one block at a time.

    A place where samples are is a subclass that defines `shape`, `dtype` and `block`; the rest
    follows, and is overridden where the place can do it better.

    ============================== ==================================================
    to get                         ask for
    ============================== ==================================================
    numbers summed over samples    ``sum(function)``, of blocks
    a result for each block        ``map_blocks(function)``
    a row for each sample          ``map_rows(function, n_outputs, out)``, also in a file
    an array of some samples       ``block(first, size)``, ``take(indices)``, ``take_evenly(n)``
    batches in random order        ``batches(size, seed)``, which follow ``shuffle(seed)``
    other samples                  ``select(indices)``, ``transform(matrix, mean)``, ``load()``
    a matrix where the blocks are  ``place(matrix)``
    ============================== ==================================================

    Attributes
    ----------
    n_threads : int
        Number of blocks computed at the same time. The sums do not depend on it.
    is_in_memory : bool
        Whether the samples are in memory, and so small enough for arrays of their size.
    is_drawn : bool
        Whether each pass draws the blocks again, at some cost; a few samples then represent all.
    computes_later : bool
        Whether `map_rows` calls its function later and elsewhere, on copies of it.
    """

    n_threads: int = 1
    is_in_memory: bool = False
    is_drawn: bool = False
    computes_later: bool = False

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of samples."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype:
        """Precision of the samples."""

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

    @staticmethod
    def of(x: np.ndarray | Samples, n_threads: int = 1) -> Samples:
        """Return samples as they are, and an array (n_rows, n_samples) as its columns."""
        if isinstance(x, Samples):
            return x
        if is_foreign(x):
            from sparsebp.samples.device import DeviceSamples

            return DeviceSamples(x.T)
        return ArraySamples(x, n_threads)

    def place(self, matrix: Any) -> Any:
        """Return a matrix in the library and on the device of the blocks."""
        return matrix

    def map_blocks(self, function: Callable[[np.ndarray], Any]) -> Iterator[Any]:
        """Yield what a function returns for each block of at most `BLOCK`, in their order."""

        def call(columns: slice) -> Any:
            return function(self.block(columns.start, BLOCK))

        return (found for _, found in in_blocks(call, self.shape[1], BLOCK, self.n_threads))

    def sum(self, function: Callable[[np.ndarray], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks, in float64 whatever the samples' precision.

        Parameters
        ----------
        function : callable
            Maps a block to numbers or arrays. It may be sent to other processes, so it must not
            refer to the samples.

        Returns
        -------
        totals : list of ndarray
            Their sums, which do not depend on who computes which block.
        """
        sums = BlockSums()
        for index, parts in enumerate(self.map_blocks(function)):
            sums.add(index, parts)
        return sums.totals()

    def map_rows(
        self, function: Callable[[np.ndarray], np.ndarray], n_outputs: int, out: Any = None
    ) -> Any:
        """Compute a row for every sample, in large blocks, one after the other.

        Parameters
        ----------
        function : callable
            Maps a block (n_rows, n) to rows (n, n_outputs); it may use several threads.
        n_outputs : int
            Length of a row.
        out : array of shape (n_samples, n_outputs), optional
            Where to write the rows: anything that ``out[first:last] = rows`` writes to.

        Returns
        -------
        rows : ndarray of shape (n_samples, n_outputs)
            ``out`` if it was given.

        Raises
        ------
        ValueError, MemoryError
            If out is unusable, or the rows do not fit into memory.
        """
        shape = self.shape[1], n_outputs
        check_output(out, shape)
        if out is None:
            check_memory("n_samples", shape[0], shape, itemsize=self.dtype.itemsize)
        widest = max(self.shape[0], n_outputs)
        size = BLOCK * max(1, _LARGE // (widest * self.dtype.itemsize * BLOCK))
        for rows in slices(shape[0], size):
            found = function(self.block(rows.start, size))
            out = np.empty(shape, found.dtype) if out is None else out
            out[rows] = found
        return out

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Return samples (n_rows, n) by their indices, in memory."""
        ascending = np.argsort(indices, kind="stable")
        rows = np.empty((len(indices), self.shape[0]), self.dtype)
        numbers = indices[ascending] // BLOCK
        for these in np.split(ascending, np.flatnonzero(np.diff(numbers)) + 1):
            if len(these):
                first = int(indices[these[0]])
                block = self.block(first, int(indices[these[-1]]) - first + 1)
                rows[these] = block.T[indices[these] - first]
        return rows.T

    def take_evenly(self, n_samples: int) -> np.ndarray:
        """Return at most so many samples (n_rows, n), evenly spread, in memory."""
        step = -(-self.shape[1] // n_samples)
        return self.take(np.arange(0, self.shape[1], step))

    def select(self, indices: np.ndarray) -> Samples:
        """Return samples by their indices, gathered in memory."""
        return Samples.of(self.take(indices), self.n_threads)

    def batches(self, size: int | None, seed: int, start: int = 0) -> Iterator[np.ndarray]:
        """Yield batches (n_rows, size) without end, every sample once before any comes again.

        Parameters
        ----------
        size : int or None
            Samples of a batch. None or too many yield all, the same array every time.
        seed : int
            Determines, with the number of a batch, which samples are in it.
        start : int
            Number of the first batch.
        """
        n_samples = self.shape[1]
        if size is None or size >= n_samples:
            batch = self.block(0, n_samples)
            while True:
                yield batch
        epoch, passed = divmod(start * size, n_samples)
        left = np.empty(0, dtype=np.intp)
        while True:
            for part in self.shuffle([seed, epoch]):
                left, passed = np.concatenate([left, part[passed:]]), max(passed - len(part), 0)
                for first in range(0, len(left) - size + 1, size):
                    yield self.take(left[first : first + size])
                left = left[len(left) - len(left) % size :]
            epoch += 1

    def shuffle(self, seed: list[int]) -> Iterator[np.ndarray]:
        """Yield parts of a random order of all samples, which batches follow; here one part."""
        yield np.random.default_rng(seed).permutation(self.shape[1])

    def transform(self, matrix: np.ndarray, mean: np.ndarray) -> Samples:
        """Return K (x − μ) for a matrix K (n_outputs, n_rows) and a mean μ (n_rows, 1)."""
        from sparsebp.samples.derived import Affine, DerivedSamples

        function = Affine(self.place(matrix), self.place(mean))
        return DerivedSamples(self, function, matrix.shape[0], self.dtype)

    def load(self) -> Samples:
        """Return the same samples, computed once and kept in memory."""
        rows, first = np.empty((0, 0)), 0
        for block in self.map_blocks(_itself):
            if not first:
                shape, place = (self.shape[1], block.shape[0]), {"device": block.device}
                rows = namespace(block).empty(shape, dtype=block.dtype, **place)
            rows[first : first + block.shape[1], :] = block.T
            first += block.shape[1]
        return Samples.of(rows.T, self.n_threads)


@dataclass(frozen=True, eq=False)
class ArraySamples(Samples):
    """The columns of an array in memory.

    Parameters
    ----------
    array : ndarray of shape (n_rows, n_samples)
        As given; a transposed view is fine. It is never copied as a whole.
    n_threads : int
        Number of blocks computed at the same time.

    Examples
    --------
    >>> samples = ArraySamples(np.ones((2, 3000)))
    >>> samples.shape, samples.sum(lambda block: (block.sum(axis=1), block.shape[1]))
    ((2, 3000), [array([3000., 3000.]), array(3000.)])
    """

    array: np.ndarray
    n_threads: int = 1
    is_in_memory = True

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of samples."""
        n_rows, n_samples = self.array.shape
        return n_rows, n_samples

    @property
    def dtype(self) -> np.dtype:
        """Precision of the array."""
        return self.array.dtype

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Return a view of some columns."""
        return self.array[:, first : first + size]

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Copy some columns."""
        # A transposed view has its samples in rows, which are gathered in one piece each.
        return self.array.T[indices].T


def check_output(out: Any, shape: tuple[int, int]) -> None:
    """Raise an error unless rows can be written to an array that the user gave, if any.

    Its first row is read and written back: each library has its own ways not to be writable.
    """
    if out is None:
        return
    wanted = f"out must be an array of shape {shape}, a row for each sample, of float32 or float64"
    if isinstance(out, np.memmap) and out.mode == "c":
        raise ValueError(
            "out is a memmap of mode 'c', whose changes never reach its file; open it with mode "
            "'r+'."
        )
    try:
        given, dtype = tuple(out.shape), str(out.dtype)
        if given == shape and dtype in ("float32", "float64"):
            out[:1] = out[:1]
            return
    except (AttributeError, TypeError) as error:
        raise TypeError(f"{wanted}, got {type(out).__name__}.") from error
    except Exception as error:
        raise ValueError(
            f"out cannot be written to ({error}); give a writable array, or open its file for "
            "writing."
        ) from error
    raise ValueError(f"{wanted}, got shape {given} and dtype {dtype}.")


def _itself(block: np.ndarray) -> np.ndarray:
    return block
