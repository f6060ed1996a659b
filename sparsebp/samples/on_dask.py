"""Samples in the rows of a dask array, computed with on the machines that hold its chunks."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from dask.local import get_sync

from sparsebp._cached import cached_property
from sparsebp.samples.cluster import (
    as_current,
    explained,
    futures_in,
    keep_freed_memory,
    placed,
    shares_of,
    threads_of_worker,
)
from sparsebp.samples.samples import BLOCK, ArraySamples, Samples, check_output
from sparsebp.samples.sums import BlockSums, Subtotal
from sparsebp.samples.threads import one_blas_thread, slices


@dataclass(frozen=True, eq=False)
class DaskSamples(Samples):
    """Samples in the chunks of a dask array.

    The chunks are computed once and stay on the workers. Each sum sends one task to each worker,
    with the function and its matrices, and gets sums back. If a worker is lost, dask computes its
    chunks again. Where chunks are multiples of `BLOCK`, sums are those of an array in memory to
    the last bit; otherwise they differ by rounding.

    Parameters
    ----------
    array : dask.array.Array of shape (n_samples, n_features)
        Of float32 or float64, with chunks of rows, persisted; see `of`.
    """

    array: Any
    computes_later = True

    @classmethod
    def of(cls, X: Any) -> DaskSamples:  # type: ignore[override]
        """Return the samples in the rows of any dask array of real numbers; errors as `in_rows`."""
        return cls(placed(in_rows(X)).persist())

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
        return self.take(np.arange(first, min(first + size, self.shape[1])))

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Fetch samples by their indices."""
        owners = np.searchsorted(self._edges, indices, side="right") - 1
        wanted = {int(chunk): np.flatnonzero(owners == chunk) for chunk in np.unique(owners)}
        local = {chunk: indices[at] - self._edges[chunk] for chunk, at in wanted.items()}
        rows = np.empty((len(indices), self.shape[0]), self.dtype)
        for chunk, found in self._run(_take, local, spread=False):
            rows[wanted[chunk]] = found
        return rows.T

    def map_blocks(self, function: Callable[[np.ndarray], Any]) -> Iterator[Any]:
        """Yield what a function returns for each block of each chunk."""
        parts = dict(self._run(_Each(function), dict(enumerate(self._edges[:-1]))))
        return (found for chunk in sorted(parts) for found in parts[chunk])

    def sum(self, function: Callable[[np.ndarray], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks, in parts on the workers."""
        n_blocks = -(-np.diff(self._edges) // BLOCK)
        firsts = dict(enumerate((np.cumsum(n_blocks) - n_blocks).tolist()))
        subtotals = self._run(_Sum(function), firsts)
        sums = BlockSums()
        for part in sorted(subtotals, key=lambda part: part.number << part.level):
            sums.add(part.number, part.totals, part.level)
        return sums.totals()

    def map_rows(self, function: Callable, n_outputs: int, out: Any = None) -> Any:
        """Return a dask array with a row for every sample, or write them chunk by chunk."""
        found = map_rows(self.array, partial(_rows_of, function))
        if out is None:
            return found
        check_output(out, found.shape)
        client = self._client
        at_once = 1 if client is None else sum(client.nthreads().values()) or 1
        with explained(client), as_current(client):
            for part in slices(len(found.chunks[0]), at_once):
                out[self._edges[part.start] : self._edges[part.stop]] = found.blocks[part].compute()
        return out

    def _run(
        self, function: Callable, work: Mapping[int, Any], *, spread: bool = True
    ) -> list[Any]:
        """Return all that ``function(chunks, work)`` returns, from one task for each worker.

        `work` has something for each chunk that is needed, by its number. To spread the work
        evenly, chunks may move between workers.
        """
        numbers, sizes = list(work), [self.array.chunks[0][number] for number in work]
        call = _Call(function, dict(np.geterr()), dict(zip(numbers, sizes, strict=True)))
        if self._client is None:
            chunks: Any = get_sync(self.array.__dask_graph__(), self._keys(numbers))
            return call(work, *chunks)
        futures = [self._futures[key] for key in self._keys(numbers)]
        with explained(self._client) as client:
            # One task passes it on, as large matrices are in it; if its worker is lost, it runs
            # again, unlike scattered data.
            shared = client.submit(_itself, call, pure=False)
            tasks = []
            for worker, share in shares_of(client, futures, sizes, spread=spread).items():
                # Elsewhere if the worker is lost: its chunks are computed there again.
                place = {"workers": [worker], "allow_other_workers": True} if worker else {}
                here = {numbers[i]: work[numbers[i]] for i in share}
                chunks = [futures[i] for i in share]
                tasks.append(client.submit(_perform, shared, here, *chunks, pure=False, **place))
            parts = client.gather(tasks)
            for future in (shared, *tasks):  # a Ctrl-C in its __del__ would be lost
                future.release()
            return [found for part in parts for found in part]

    def _keys(self, numbers: Iterable[int]) -> list[Any]:
        keys = self.array.__dask_keys__()
        return [keys[number][0] for number in numbers]

    @cached_property
    def _client(self) -> Any:
        """Client of the cluster that holds the chunks, if there is one; not the current client."""
        return next((future.client for future in self._futures.values()), None)

    @cached_property
    def _futures(self) -> dict[Any, Any]:
        """Chunks on the cluster that computed them, by their keys; empty without one."""
        return {future.key: future for future in futures_in(self.array)}


def in_rows(X: Any) -> Any:
    """Return a dask array of real numbers with whole rows in each chunk, of float32 or float64.

    Raises
    ------
    ValueError
        If X is no such array, or the sizes of its chunks are unknown.
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
    return X if X.dtype in (np.float32, np.float64) else X.astype(np.float64)


def map_rows(array: Any, function: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Return a dask array with a row for every row of an array as `in_rows` returns it.

    The function is called once here, with a row of ones, whose errors are raised at once.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        like = function(np.ones((1, array.shape[1]), array.dtype))
    chunks = array.chunks[0], like.shape[1:]
    rows = partial(_unless_empty, function, like[:0])
    return array.map_blocks(rows, dtype=like.dtype, chunks=chunks, meta=like[:0])


@dataclass(frozen=True)
class _Call:
    """A function of chunks, with the error state of the caller, and the chunks' numbers of rows."""

    function: Callable
    errors: dict[str, Any]
    sizes: dict[int, int]

    def __call__(self, work: Mapping[int, Any], *chunks: np.ndarray) -> list[Any]:
        for number, chunk in zip(work, chunks, strict=True):
            _require_rows(chunk, self.sizes[number])
        with np.errstate(**self.errors), one_blas_thread():
            return list(self.function(chunks, work))


def _perform(call: _Call, work: Mapping[int, Any], *chunks: np.ndarray) -> list[Any]:
    keep_freed_memory()
    return call(work, *chunks)


def _itself(given: Any) -> Any:
    return given


@dataclass(frozen=True)
class _Each:
    function: Callable[[np.ndarray], Any]

    def __call__(self, chunks: Any, work: Mapping[int, Any]) -> Iterator[tuple[int, list[Any]]]:
        for number, chunk in zip(work, chunks, strict=True):
            yield number, list(_samples_in(chunk).map_blocks(self.function))


@dataclass(frozen=True)
class _Sum:
    function: Callable[[np.ndarray], Sequence[Any]]

    def __call__(self, chunks: Any, work: Mapping[int, Any]) -> list[Subtotal]:
        sums = BlockSums()
        for first_block, chunk in zip(work.values(), chunks, strict=True):
            blocks = _samples_in(chunk).map_blocks(self.function)
            for index, parts in enumerate(blocks, first_block):
                sums.add(index, parts)
        return sums.subtotals


def _take(chunks: Any, work: Mapping[int, np.ndarray]) -> Iterator[tuple[int, np.ndarray]]:
    for (number, order), chunk in zip(work.items(), chunks, strict=True):
        yield number, chunk[order]


def _unless_empty(
    function: Callable, empty: np.ndarray, chunk: np.ndarray, block_info: Any = None
) -> np.ndarray:
    if block_info:  # of dask
        (first, last), _ = block_info[0]["array-location"]
        _require_rows(chunk, last - first)
    return function(chunk) if len(chunk) else empty


def _require_rows(chunk: np.ndarray, n_rows: int) -> None:
    if len(chunk) != n_rows:
        raise ValueError(
            f"X has a chunk of {len(chunk)} rows, but {n_rows} were declared for it; declare the "
            "true shape, for example in from_delayed, or call X.compute_chunk_sizes()."
        )


def _rows_of(function: Callable[[np.ndarray], np.ndarray], chunk: np.ndarray) -> np.ndarray:
    return function(chunk.T)


def _samples_in(chunk: np.ndarray) -> ArraySamples:
    return ArraySamples(chunk.T, threads_of_worker())
