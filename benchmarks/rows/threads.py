"""Threads: how much faster fits and codes are with more of them."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.data import patches
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import race
from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoder, SparseCoding

#: Share of the ideal speed-up that each more thread should give.
_EFFICIENCY = 0.85


def thread_scaling(setting: Setting) -> list[Record]:
    """Compare fits and codes in one thread with those in 2, 4 and 8, where there are as many cores.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each solver and number of threads; the peer is the same work in one thread.
    """
    side, n, repeats = setting.size((12, 40_000, 3), (6, 2000, 1))
    X = patches(side, n, setting.images)
    cores = os.cpu_count() or 1
    counts = [count for count in (1, 2, 4, 8) if count == 1 or count <= cores]
    records = []
    for work, run in _work(X, setting).items():
        times = race({str(count): partial(run, count) for count in counts}, repeats)
        records += [
            Record(
                f"{work}, {n:,} × {side**2}, {count} threads",
                "one thread",
                times[str(count)],
                times["1"],
                _EFFICIENCY * count,
                f"efficiency {times['1'] / count / times[str(count)]:.2f}",
            )
            for count in counts[1:]
        ]
    return records


def _work(X: Any, setting: Setting) -> dict[str, Callable[[int], Any]]:
    """Return what to time, as functions of the number of threads."""
    few, many = setting.size((8, 60), (2, 2))
    n_atoms = setting.size(144, 36)
    common = {"random_state": 0, "tol": 0.0}
    coding = partial(SparseCoding, n_atoms, **common)
    learners = {
        'SparseCoding, "lbfgs"': partial(coding, max_iter=few),
        'SparseCoding(penalty="l1"), "lbfgs"': partial(coding, penalty="l1", max_iter=few),
        'SparseCoding, "exact"': partial(coding, solver="exact", gamma=0.01, max_iter=few),
        'SparseCoding(n_nonzero=5), "exact"': partial(
            coding, solver="exact", n_nonzero=5, max_iter=few, batch_size=10_000
        ),
        'SparseCoding(penalty="l1"), "online"': partial(
            coding, solver="online", penalty="l1", batch_size=1000, max_iter=many
        ),
        'OrthonormalICA, "lbfgs"': partial(OrthonormalICA, max_iter=many, **common),
        'OrthonormalICA, "manifold"': partial(
            OrthonormalICA, solver="manifold", max_iter=many, **common
        ),
        "ReconstructionICA": partial(ReconstructionICA, n_atoms, max_iter=many, **common),
    }
    atoms = SparseCoding(n_atoms, penalty="l1", max_iter=2, random_state=0).fit(X).components_
    rules = {"l1": {}, "log_cosh": {}, "topographic": {}, "pursuit": {"n_nonzero": 5}}
    work: dict[str, Callable[[int], Any]] = {
        f"fit of {name}": partial(_fit, learner, X) for name, learner in learners.items()
    }
    for name, options in rules.items():
        options = options or {"penalty": name}
        work[f"codes, {name}"] = partial(_encode, partial(SparseCoder, atoms, **options), X)
    return work


def _fit(learner: Callable[..., Any], X: Any, n_jobs: int) -> Any:
    return learner(n_jobs=n_jobs).fit(X)


def _encode(coder: Callable[..., Any], X: Any, n_jobs: int) -> Any:
    return coder(n_jobs=n_jobs).fit(X).transform(X)
