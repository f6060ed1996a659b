"""Samples on the workers of a dask cluster: ``sparsebp learn --scheduler``."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sparsebp.cli.output import Output, counted
from sparsebp.patch_stream import PatchStream
from sparsebp.samples import BLOCK

#: The scheduler that starts a cluster on this machine.
LOCAL = "local"
#: Seconds to wait for a scheduler.
_PATIENCE = 10
#: Dask warns of samples that are sent, which here is meant.
_SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1 TB"}


@contextmanager
def on_cluster(samples: Any, scheduler: str | None, output: Output) -> Iterator[Any]:
    """Return a context in which samples in rows are spread over a dask cluster.

    `scheduler` is an address; "local" starts a cluster on this machine, with a worker for each
    processor, for the duration of the context; None leaves the samples as they are. That dask is
    not installed, or that there is no scheduler or no worker, is a ValueError.
    """
    if scheduler is None:
        yield samples
        return
    try:
        import dask
        import dask.array
        import dask.config
        import distributed  # noqa: F401
    except ImportError as error:
        raise ValueError(
            f"--scheduler is {scheduler!r}, which needs dask; install it with "
            "pip install 'sparsebp[dask]'."
        ) from error
    with dask.config.set(_SETTINGS), _connected(scheduler) as client:
        n_workers = len(client.nthreads())
        if not n_workers:
            raise ValueError(f"The dask scheduler {scheduler} has no workers; start some.")
        output.remark(f"learning on {counted(n_workers, 'dask worker')}")
        if isinstance(samples, PatchStream):
            yield samples.to_dask()
        else:
            rows = -(-len(samples) // (4 * n_workers * BLOCK)) * BLOCK
            chunks: Any = (rows, -1)
            yield dask.array.from_array(samples, chunks=chunks)


@contextmanager
def _connected(scheduler: str) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if scheduler == LOCAL:
        with _ignoring_interrupts():
            options: dict[str, Any] = {"dashboard_address": None}
            cluster = LocalCluster(threads_per_worker=1, **options)
        with cluster, Client(cluster) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"--scheduler is {scheduler!r}, where no dask scheduler answers; give the address that "
            f"`dask scheduler` prints, or {LOCAL!r}."
        ) from error
    with client:
        yield client


@contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which a terminal sends to all: this one ends the fit."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
