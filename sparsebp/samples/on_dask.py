"""Samples in the rows of a dask array, computed with on the machines that hold its chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dask
import numpy as np

from sparsebp._cached import cached_property
from sparsebp.samples.samples import BLOCK, ArraySamples, Samples, check_output
from sparsebp.samples.sums import BlockSums, Subtotal


@dataclass(frozen=True, eq=False)
class DaskSamples(Samples):
    """Samples in the chunks of a dask array.

    The chunks are computed once and stay on the workers. Each sum sends one task to each worker,
    with the function and its matrices, and gets sums back. If a worker is lost, dask computes its
    chunks again. Where chunks are multiples of `BLOCK`, sums are those of an array in memory to
    the last bit.

    Parameters
    ----------
    array : dask.array.Array of shape (n_samples, n_features)
        Of float32 or float64, with chunks of rows, persisted; see `of`.
    """

    array: Any

    @classmethod
    def of(cls, X: Any) -> DaskSamples:  # type: ignore[override]
        """Return the samples in the rows of any dask array of real numbers.

        Raises
        ------
        ValueError
            If it is no such array, or the sizes of its chunks are unknown.
        """
        if not hasattr(X, "chunks") or getattr(X, "ndim", 0) != 2:
            raise ValueError(
                f"X must be a dask array of shape (n_samples, n_features), got {type(X).__name__}; "
                "of a dask DataFrame take X.to_dask_array(lengths=True)."
            )
        if np.isnan(X.shape).any():
            raise ValueError(
                "X must have chunks of known sizes, got unknown ones; call X.compute_chunk_sizes()."
            )
        if X.dtype.kind not in "biuf":
            raise ValueError(f"X must hold real numbers, got dtype {X.dtype}.")
        X = X.rechunk({1: -1}) if X.numblocks[1] > 1 else X
        X = X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)
        return cls(X.persist())

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and of samples."""
        n_samples, n_features = self.array.shape
        return n_features, n_samples

    @property
    def dtype(self) -> np.dtype:
        """Precision of the array."""
        return self.array.dtype

    @cached_property
    def _edges(self) -> np.ndarray:
        return np.concatenate([[0], np.cumsum(self.array.chunks[0])])

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Fetch some samples."""
        return self.taken(np.arange(first, min(first + size, self.shape[1])))

    def taken(self, order: np.ndarray) -> np.ndarray:
        """Fetch samples by their indices."""
        owners = np.searchsorted(self._edges, order, side="right") - 1
        chunks = np.unique(owners)
        wanted = [np.flatnonzero(owners == chunk) for chunk in chunks]
        work = [
            [(order[these] - self._edges[chunk]).astype(np.intp)]
            for chunk, these in zip(chunks, wanted, strict=True)
        ]
        rows = np.empty((len(order), self.shape[0]), self.dtype)
        for these, found in zip(wanted, self._run(_take, work, chunks), strict=True):
            rows[these] = found
        return rows.T

    def each(self, function: Callable[[np.ndarray], Any]) -> Iterator[Any]:
        """Yield what a function returns for each block of each chunk."""
        return (found for part in self._run(_Each(function)) for found in part)

    def sum(self, function: Callable[[np.ndarray], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks, in parts on the workers."""
        n_blocks = -(-np.diff(self._edges) // BLOCK)
        firsts = [[int(first)] for first in np.cumsum(n_blocks) - n_blocks]
        sums = BlockSums()
        for part in self._run(_Sum(function), firsts):
            for subtotal in part:
                sums.add(subtotal.index, subtotal.totals, subtotal.level)
        return sums.totals()

    def rows(self, function: Callable, n_outputs: int, out: Any = None) -> Any:
        """Return a dask array with a row for every sample, or write them chunk by chunk."""
        like = function(np.ones((self.shape[0], 1), self.dtype))
        chunks = self.array.chunks[0], (n_outputs,)
        found = self.array.map_blocks(
            _rows_of, function, dtype=like.dtype, chunks=chunks, meta=like[:0]
        )
        if out is None:
            return found
        check_output(out, found.shape)
        for first, last in zip(self._edges[:-1], self._edges[1:], strict=True):
            out[first:last] = found[first:last].compute()
        return out

    def _run(
        self, function: Callable, work: list[list[Any]] | None = None, chunks: Any = None
    ) -> list[Any]:
        """Call ``function(chunk, *work)`` for chunks, in one task for each worker."""
        chunks = range(len(self.array.chunks[0])) if chunks is None else chunks
        work = [[] for _ in chunks] if work is None else work
        call = _Calls(function, np.geterr())
        keys = [self.array.__dask_keys__()[chunk][0] for chunk in chunks]
        client = _client()
        if client is None:  # the threads of dask
            graph = self.array.__dask_graph__()
            return call(work, *dask.get(graph, keys))
        futures = self._futures(keys)
        where = client.who_has(futures)
        groups: dict[Any, list[int]] = {}
        for number, future in enumerate(futures):
            groups.setdefault(next(iter(where.get(future.key, ())), None), []).append(number)
        tasks = []
        for worker, these in groups.items():
            # Elsewhere if the worker is lost: the chunks are computed there again.
            place = {} if worker is None else {"workers": [worker], "allow_other_workers": True}
            arguments = [work[i] for i in these], *(futures[i] for i in these)
            tasks.append(client.submit(call, *arguments, pure=False, **place))
        found: dict[int, Any] = {}
        for these, parts in zip(groups.values(), client.gather(tasks), strict=True):
            found.update(zip(these, parts, strict=True))
        return [found[number] for number in range(len(futures))]

    def _futures(self, keys: list[Any]) -> list[Any]:
        from distributed import futures_of

        known = {future.key: future for future in futures_of(self.array)}
        return [known[key] for key in keys]


@dataclass(frozen=True)
class _Calls:
    """Calls of a function for several chunks, on the worker that holds them."""

    function: Callable
    errors: dict[str, Any]

    def __call__(self, work: list[list[Any]], *chunks: np.ndarray) -> list[Any]:
        with np.errstate(**self.errors):
            calls = zip(chunks, work, strict=True)
            return [self.function(np.asarray(chunk), *more) for chunk, more in calls]


@dataclass(frozen=True)
class _Each:
    function: Callable[[np.ndarray], Any]

    def __call__(self, chunk: np.ndarray) -> list[Any]:
        return list(_samples_in(chunk).each(self.function))


@dataclass(frozen=True)
class _Sum:
    function: Callable[[np.ndarray], Sequence[Any]]

    def __call__(self, chunk: np.ndarray, first_block: int) -> list[Subtotal]:
        sums = BlockSums()
        for index, parts in enumerate(_samples_in(chunk).each(self.function), first_block):
            sums.add(index, parts)
        return sums.subtotals


def _take(chunk: np.ndarray, order: np.ndarray) -> np.ndarray:
    return chunk[order]


def _rows_of(chunk: np.ndarray, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    return function(chunk.T)


def _samples_in(chunk: np.ndarray) -> ArraySamples:
    return ArraySamples(chunk.T, _threads_of_worker())


def _threads_of_worker() -> int:
    try:
        from distributed import get_worker

        return get_worker().state.nthreads
    except (ImportError, ValueError):  # not on a worker
        return 1


def _client() -> Any:
    try:
        from distributed import get_client

        return get_client()
    except (ImportError, ValueError):  # not installed, or no cluster
        return None
