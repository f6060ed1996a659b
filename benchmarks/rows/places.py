"""One value and gradient of samples in a file and on a cluster, against those in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.data import random_rows
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import race
from sparsebp.cli.clusters import LOCAL, on_cluster
from sparsebp.cli.output import Output
from sparsebp.penalties import SmoothL1
from sparsebp.problems import reconstruction_ica
from sparsebp.samples import ArraySamples, Samples, StoredSamples, one_blas_thread


def places(setting: Setting) -> list[Record]:
    """Compare places where samples are with an array in memory, the peer here.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for a file mapped into memory, in the cache of the system, and one for a dask cluster
        with a worker for each processor.
    """
    n_samples, n_features = setting.size((500_000, 144), (5000, 16))
    X = np.random.default_rng(0).standard_normal((n_samples, n_features), dtype=np.float32)
    w = random_rows((n_features, n_features)).astype(np.float32)
    work = f"RICA value and gradient, {n_samples:,} × {n_features}, from {{}}"
    here = _evaluation(ArraySamples(X.T, setting.n_threads), w)
    with TemporaryDirectory() as folder:
        X.tofile(Path(folder) / "X")
        mapped = np.memmap(Path(folder) / "X", X.dtype, "r", shape=X.shape)
        file = _evaluation(StoredSamples(mapped, setting.n_threads), w)
        records = [_compared(work.format("a memmap"), file, here, 1 / 1.1, setting)]
    work = work.format("the workers of a dask cluster")
    try:
        from sparsebp.samples.on_dask import DaskSamples
    except ImportError:
        return [*records, Record.missing(work, "array in memory")]
    with on_cluster(X, LOCAL, Output(quiet=True)) as spread:
        there = _evaluation(DaskSamples.of(spread), w)
        return [*records, _compared(work, there, here, 1 / 1.25, setting)]


def _evaluation(samples: Samples, w: np.ndarray) -> Callable[[], Any]:
    objective = reconstruction_ica(SmoothL1(0.01), 1.0).objective("W", {"x": samples})
    return one_blas_thread()(lambda: objective.value_and_gradient(w))


def _compared(
    work: str, ours: Callable[[], Any], theirs: Callable[[], Any], target: float, setting: Setting
) -> Record:
    value, gradient = ours()
    expected, slopes = theirs()
    same = value == expected and (gradient == slopes).all()
    times = race({"ours": ours, "theirs": theirs}, setting.repeats)
    note = "the same to the last bit" if same else "NOT the same"
    return Record(work, "array in memory", *times.values(), target=target, note=note)
