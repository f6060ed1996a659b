"""A dask cluster: who holds which chunks, and what its workers and its loss are like."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import dask.array
import numpy as np

#: The value of MALLOC_TRIM_THRESHOLD_ that dask gives its workers.
_OF_DASK = "65536"
#: M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of glibc, of which the second is 32 MB at most.
_MALLOC = {-1: 2**27, -3: 2**25}


def placed(X: Any) -> Any:
    """Return an array that is not computed yet with neighboring chunks on the same worker.

    Sums of neighbors are added there; of chunks that are scattered at random, each sum would have
    to be sent.
    """
    client = _current_client()
    if client is None or futures_in(X):
        return X
    threads = client.nthreads()
    ends = np.cumsum(X.chunks[0])
    limits = np.cumsum(list(threads.values())) / sum(threads.values()) * ends[-1]
    edges = [0, *np.searchsorted(ends, limits, side="left") + 1]
    parts = [
        client.persist(X.blocks[first:last], workers=[worker], allow_other_workers=True)
        for worker, first, last in zip(threads, edges[:-1], edges[1:], strict=True)
        if first < last
    ]
    return dask.array.concatenate(parts)


def shares_of(
    client: Any, futures: list[Any], sizes: Sequence[int], *, spread: bool
) -> dict[str, list[int]]:
    """Assign chunks to workers that hold them, and to others where that evens the load."""
    from distributed import wait

    with client.as_current():
        wait(futures)  # those of a lost worker are computed again
    where, threads = client.who_has(futures), client.nthreads()
    shares: dict[str, list[int]] = {worker: [] for worker in threads}
    loads = dict.fromkeys(threads, 0.0)
    for number, future in enumerate(futures):
        holders = [worker for worker in where.get(future.key, ()) if worker in threads]
        worker = min(holders or threads, key=lambda worker: loads[worker])
        shares[worker].append(number)
        loads[worker] += sizes[number] / threads[worker]
    while spread:
        most, least = (choose(loads, key=lambda worker: loads[worker]) for choose in (max, min))
        size = sizes[shares[most][-1]]
        if loads[least] + size / threads[least] >= loads[most]:
            break
        shares[least].append(shares[most].pop())
        loads[most] -= size / threads[most]
        loads[least] += size / threads[least]
    return {worker: sorted(share) for worker, share in shares.items() if share}


def futures_in(array: Any) -> list[Any]:
    """Return the chunks of an array that a cluster holds or computes."""
    try:
        from distributed import futures_of
    except ImportError:
        return []
    return futures_of(array)


def _current_client() -> Any:
    try:
        from distributed import get_client

        return get_client()
    except (ImportError, ValueError):  # not installed, or no cluster
        return None


def as_current(client: Any) -> Any:
    """Return a context in which a client is the current one, if there is one."""
    return nullcontext() if client is None else client.as_current()


@contextmanager
def explained(client: Any) -> Iterator[Any]:
    """Return a context in which the loss of the cluster raises an error that explains it."""
    if client is None:
        yield None
        return
    from distributed import KilledWorker

    try:
        yield client
    except KilledWorker as error:
        raise RuntimeError(
            "Several dask workers died, one after the other, while they computed with X, most "
            "likely for lack of memory; give X smaller chunks, or the workers more memory."
        ) from error
    except Exception as error:
        if client.status == "running" and not isinstance(error, CancelledError):
            raise  # of the function
        raise RuntimeError(
            "The dask cluster that holds X was closed, restarted or lost; connect to a running "
            "one, and call again with an X of this cluster."
        ) from error


@cache
def keep_freed_memory() -> None:
    """Let a worker's allocator use freed memory again, up to 128 MB of it.

    By dask's default glibc returns it to the system after every array, and sums take 1.3 to 1.5
    times as long. Where a user has set something else, it stays.
    """
    if os.environ.get("MALLOC_TRIM_THRESHOLD_") != _OF_DASK:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, n_bytes in _MALLOC.items():
            mallopt(option, n_bytes)


def threads_of_worker() -> int:
    """Return the number of threads of the worker that runs this task."""
    try:
        from distributed import get_worker

        return get_worker().state.nthreads
    except (ImportError, ValueError):  # not on a worker
        return 1
