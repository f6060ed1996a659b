"""Samples in the rows of a store that is read in slices: HDF5, zarr, a file mapped into memory."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar
from weakref import WeakSet

import numpy as np

from sparsebp.samples.samples import BLOCK, Samples

#: Bytes of the samples among which batches are drawn: chunks in random order.
_WINDOW = 2**25


def is_store(X: Any) -> bool:
    """Return whether X is a table of numbers that is better not read as a whole.

    Parameters
    ----------
    X : object
        Given by the caller.

    Returns
    -------
    is_store : bool
        True for `numpy.memmap`, and for what has ``shape``, ``dtype`` and ``chunks`` but is no
        dask array: datasets of h5py, arrays of zarr, `sparsebp.PatchStream`, and the like.
    """
    if isinstance(X, np.ndarray):
        return isinstance(X, np.memmap)
    attributes = ("shape", "dtype", "chunks")
    return all(hasattr(X, a) for a in attributes) and not hasattr(X, "__dask_graph__")


@dataclass(frozen=True, eq=False)
class StoredSamples(Samples):
    """The rows of a store, read when they are needed.

    Parameters
    ----------
    store : object
        Of shape (n_samples, n_features), with a ``dtype`` of real numbers; ``store[first:last]``
        returns rows. If it has ``chunks``, whole chunks of rows are read, and the last few kept. If
        it has a method ``sample``, this returns a few thousand rows that stand for all.
    n_threads : int
        Number of blocks computed at the same time.

    Examples
    --------
    >>> samples = StoredSamples(np.arange(6, dtype=np.uint8).reshape(3, 2))
    >>> samples.shape, samples.dtype, samples.block(1)
    ((2, 3), dtype('float64'), array([[2., 4.],
           [3., 5.]]))
    """

    store: Any
    n_threads: int = 1
    _reader: _Reader = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_reader", _Reader(self.store))

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and of samples."""
        n_samples, n_features = self._reader.shape
        return n_features, n_samples

    @property
    def dtype(self) -> np.dtype:
        """Float32 if the store has it in either byte order, else float64."""
        given = np.dtype(self.store.dtype)
        return np.dtype(np.float32 if (given.kind, given.itemsize) == ("f", 4) else np.float64)

    @property
    def is_drawn(self) -> bool:  # type: ignore[override]
        """Whether the store draws its rows, and more of them than are kept."""
        return hasattr(self.store, "sample") and self.shape[1] > self._reader.n_rows_kept

    def take_evenly(self, n_samples: int) -> np.ndarray:
        """Return a few samples, evenly spread, or those that a store of drawn rows offers."""
        if not self.is_drawn:
            return super().take_evenly(n_samples)
        rows = self.store.sample()
        return rows[:: -(-len(rows) // n_samples)].astype(self.dtype, copy=False).T

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Read some samples; a view of a file that is mapped into memory."""
        rows = self._reader.read(first, min(first + size, self.shape[1]))
        return rows.astype(self.dtype, copy=False).T

    def shuffle(self, seed: list[int]) -> Iterator[np.ndarray]:
        """Yield the samples of a few random chunks, shuffled, then of the next few."""
        n_samples, chunk = self.shape[1], self._reader.chunk
        rng = np.random.default_rng(seed)
        firsts = chunk * rng.permutation(-(-n_samples // chunk))
        at_once = self._reader.n_chunks_at_once
        for start in range(0, len(firsts), at_once):
            window = firsts[start : start + at_once, np.newaxis] + np.arange(chunk)
            yield rng.permutation(window[window < n_samples])


class _Reader:
    """Reads rows of a store, whole chunks at a time, the last of which are kept."""

    of_this_process: ClassVar[WeakSet[_Reader]] = WeakSet()

    def __init__(self, store: Any) -> None:
        self.store, self.shape = store, tuple(store.shape)
        self.chunk, self.is_chunked = _rows_of_chunk(store)
        if isinstance(store, np.ndarray):
            self.store = np.asarray(store)  # slices of a memmap are slow to make
        bytes_of_chunk = self.chunk * self.shape[1] * np.dtype(store.dtype).itemsize
        self.n_chunks_at_once = max(1, _WINDOW // bytes_of_chunk)
        self.n_rows_kept = 2 * self.n_chunks_at_once * self.chunk  # batches span two windows
        self.forget()
        self.of_this_process.add(self)

    def forget(self) -> None:
        """Forget what was read, and who is reading."""
        self.kept: OrderedDict[int, np.ndarray] = OrderedDict()
        self.lock = threading.Lock()

    def read(self, first: int, last: int) -> np.ndarray:
        """Return the rows from first to last − 1."""
        if not self.is_chunked:
            return self._rows(first, last)
        with self.lock:
            numbers = range(first // self.chunk, -(-last // self.chunk))
            parts = [
                self._of_chunk(n)[max(0, first - n * self.chunk) : last - n * self.chunk]
                for n in numbers
            ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _rows(self, first: int, last: int) -> np.ndarray:
        try:
            now, rows = tuple(self.store.shape), np.asarray(self.store[first:last])
        except (OSError, RuntimeError, LookupError, TypeError) as error:  # closed, or damaged
            raise ValueError(
                f"X[{first}:{last}] cannot be read; open its file again. ({error})"
            ) from error
        if now != self.shape:
            raise ValueError(
                f"X had shape {self.shape} and has shape {now}: it must not change while it is "
                "read. Start again."
            )
        if rows.shape != (wanted := (last - first, self.shape[1])):
            raise ValueError(f"X[{first}:{last}] has shape {rows.shape}; expected {wanted}.")
        return rows

    def _of_chunk(self, number: int) -> np.ndarray:
        if number not in self.kept:
            first = number * self.chunk
            last = min(first + self.chunk, self.shape[0])
            self.kept[number] = self._rows(first, last)
            while len(self.kept) * self.chunk > self.n_rows_kept:
                self.kept.popitem(last=False)
        self.kept.move_to_end(number)
        return self.kept[number]

    def __getstate__(self) -> dict[str, Any]:
        return {"store": self.store}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["store"])


def _rows_of_chunk(store: Any) -> tuple[int, bool]:
    """Return how many rows are read together, and whether they are a chunk of the store."""
    chunks: Any = getattr(store, "chunks", None)
    first = chunks[0] if isinstance(chunks, tuple | list) and chunks else None
    if isinstance(first, Integral) and int(first) > 0:
        return int(first), True
    return BLOCK, False


def _forget_all() -> None:
    for reader in list(_Reader.of_this_process):
        reader.forget()


if hasattr(os, "register_at_fork"):
    # A thread that was reading is not in the child, and would never release its lock.
    os.register_at_fork(after_in_child=_forget_all)
