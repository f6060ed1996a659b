"""What patches cost that are drawn while learning: memory as their number grows, and time."""

from __future__ import annotations

from time import process_time

import numpy as np

from benchmarks.data import patches
from benchmarks.fresh import Work, measure
from benchmarks.records import Record
from benchmarks.setting import Setting
from sparsebp import Recipe

#: Estimators, and how many patches are drawn, at full size and for a test.
_COUNTS = {
    "SparseCoding online": ((1_000_000, 10_000_000), (20_000, 200_000)),
    "OrthonormalICA": ((100_000, 1_000_000), (2_000, 20_000)),
}


def streamed_patches(setting: Setting) -> list[Record]:
    """Compare fits of a stream with fits of a tenth of it, and a drawn patch with one in memory.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        Peaks of memory, and processor time for a patch.
    """
    side, n_components = setting.size((12, 100), (5, 16))
    max_iter = setting.size(5, 2)
    records = []
    for estimator, counts in _COUNTS.items():
        works = [
            Work(estimator, n, n_components, side, max_iter, setting.images, streamed=True)
            for n in setting.size(*counts)
        ]
        fewer, ours = (measure(work).megabytes for work in works)
        work = f"memory of {estimator}, {works[1].n_samples:,} patches from a stream"
        records.append(Record(work, "a tenth of them", ours, fewer, target=0.9, unit="MB"))
    return [*records, _time(setting, side)]


def _time(setting: Setting, side: int) -> Record:
    n = setting.size(100_000, 2_000)
    stream, _ = Recipe(side, min_contrast=0).draw_stream(setting.images, n, 0)
    begun = process_time()
    np.asarray(stream)
    ours = process_time() - begun
    begun = process_time()
    patches(side, n, setting.images)
    theirs = process_time() - begun
    work = f"a {side}×{side} patch of a stream"
    return Record(work, "sample_patches", 1e6 * ours / n, 1e6 * theirs / n, unit="µs")
