"""The memory that a fit needs beyond its data, as the samples grow."""

from __future__ import annotations

from benchmarks.fresh import Work, measure
from benchmarks.records import Record
from benchmarks.setting import Setting

_PAIRS = {
    "SparseCoding": "MiniBatchDictionaryLearning",
    "SparseCoding online": "MiniBatchDictionaryLearning",
    "ReconstructionICA": "FastICA",
    "OrthonormalICA": "FastICA",
}


def peak_memory(setting: Setting) -> list[Record]:
    """Compare peaks of memory with scikit-learn's counterparts.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each estimator, of the largest number of samples; the note has the others.
    """
    side, n_components = setting.size((12, 100), (5, 16))
    counts = setting.size((12_500, 25_000, 50_000, 100_000), (1000,))
    max_iter = setting.size(10, 2)

    def peaks(estimator: str) -> list[float]:
        works = [Work(estimator, n, n_components, side, max_iter, setting.images) for n in counts]
        return [measure(work).megabytes for work in works]

    theirs = {peer: peaks(peer) for peer in dict.fromkeys(_PAIRS.values())}
    records = []
    for estimator, peer in _PAIRS.items():
        ours = peaks(estimator)
        data = counts[-1] * side**2 * 8 / 1e6
        work = f"memory of {estimator} beyond {counts[-1]:,} × {side**2} ({data:.0f} MB)"
        note = f"{_grows(counts, ours)}; theirs {_grows(counts, theirs[peer])}"
        records.append(Record(work, peer, ours[-1], theirs[peer][-1], note=note, unit="MB"))
    return records


def _grows(counts: tuple[int, ...], megabytes: list[float]) -> str:
    pairs = zip(counts, megabytes, strict=True)
    return ", ".join(f"{n:,}: {peak:.3g} MB" for n, peak in pairs)
