"""The memory of fits to samples in files, as the files grow."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import Any

import numpy as np

from benchmarks.records import Record
from benchmarks.setting import Setting
from sparsebp import ReconstructionICA, SparseCoding
from sparsebp.samples import slices

_MODELS: dict[str, Any] = {
    "ReconstructionICA": ReconstructionICA(16, max_iter=3, tol=0, random_state=0),
    "SparseCoding online": SparseCoding(
        16, penalty="l1", alpha=5.0, solver="online", max_iter=20, tol=0, random_state=0
    ),
}
_GOAL = 200.0
_STATUS = Path("/proc/self/status")


def stored_samples(setting: Setting) -> list[Record]:
    """Measure the memory of fits beyond that of their process, one size after the other.

    Parameters
    ----------
    setting : Setting
        Sizes. The files are in the folder for temporary ones, 4 GB at a time.

    Returns
    -------
    records : list of Record
        Of the largest size, against the goal of 200 MB; the note has the others.
    """
    sizes, n_features = setting.size(((500, 1000, 2000, 4000), 144), ((2,), 16))
    records = []
    for kind in ("memmap", "HDF5", "zarr"):
        works = {name: f"memory of {name}, {sizes[-1]:,} MB in {kind}" for name in _MODELS}
        try:
            found = [_peaks(kind, 10**6 * size // (4 * n_features), n_features) for size in sizes]
        except ImportError:
            records += [Record.missing(work, "goal") for work in works.values()]
            continue
        for name, work in works.items():
            peaks = [peaks[name] for peaks in found]
            note = ", ".join(f"{size:,}: {mb:.0f}" for size, mb in zip(sizes, peaks, strict=True))
            records.append(Record(work, "goal", peaks[-1], _GOAL, target=1, note=note, unit="MB"))
    return records


def _peaks(kind: str, n_samples: int, n_features: int) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "X"
        stored = _array(kind, path, (n_samples, n_features))
        part = np.random.default_rng(0).laplace(size=(50_000, n_features)).astype(np.float32)
        for rows in slices(n_samples, len(part)):
            stored[rows] = part[: rows.stop - rows.start]
        if kind == "HDF5":
            stored.file.close()
        del stored
        return {name: _in_new_process(_peak, name, kind, path) for name in _MODELS}


def _array(kind: str, path: Path, shape: tuple[int, int] | None = None) -> Any:
    """Create an array of a shape in a file, or open the one that is there."""
    if kind == "memmap":
        if shape is None:
            return np.load(path, mmap_mode="r")
        return np.lib.format.open_memmap(path, "w+", np.float32, shape)
    if kind == "HDF5":
        import h5py

        if shape is None:
            return h5py.File(path)["X"]
        return h5py.File(path, "w").create_dataset("X", shape, "f4", chunks=(1024, shape[1]))
    import zarr

    if shape is None:
        return zarr.open_array(path, mode="r")
    return zarr.create_array(path, shape=shape, chunks=(10_240, shape[1]), dtype="f4")


def _in_new_process(function: Callable[..., float], *arguments: Any) -> float:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *arguments).result()


def _peak(name: str, kind: str, path: Path) -> float:
    """Fit, and return by how many MB memory grew, after a fit to few samples has loaded all.

    It is at least 1, about what can be told.
    """
    warnings.simplefilter("ignore")  # that the iterations ran out is meant to be
    stored = _array(kind, path)
    _MODELS[name].fit(stored[:2000])
    before, peak, has_ended = _resident(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not has_ended.is_set():
            peak = max(peak, _resident())
            sleep(0.002)

    watching = threading.Thread(target=watch)
    watching.start()
    _MODELS[name].fit(stored)
    has_ended.set()
    watching.join()
    return max(peak - before, 1.0)


def _resident() -> float:
    """Return the megabytes in memory that are not pages of a file; NaN if not on Linux."""
    if not _STATUS.exists():
        return np.nan
    lines = _STATUS.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1e3
