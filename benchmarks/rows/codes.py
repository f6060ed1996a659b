"""Exact L1 coefficients, and how exact they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import dictionary_peers, peers
from benchmarks.data import atoms_from, patches
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import race
from sparsebp.coding import encode
from sparsebp.metrics import duality_gap
from sparsebp.penalties import L1

_ALPHA = 0.5


def exact_codes(setting: Setting) -> list[Record]:
    """Compare encoders of exact L1, each with the duality gap it leaves.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each peer and precision.
    """
    side, n, n_atoms = setting.size((12, 10_000, 256), (6, 500, 48))
    records = []
    for dtype in (np.float32, np.float64):
        X = patches(side, n, setting.images, dtype)
        basis = atoms_from(X, n_atoms)
        work = f"{n:,} exact L1 codes, {side**2} × {n_atoms}, {np.dtype(dtype).name}"
        records += _encoders(work, X, basis, setting)
    return records


def _encoders(work: str, X: np.ndarray, basis: np.ndarray, setting: Setting) -> list[Record]:
    threads, targets = setting.n_threads, {"SPAMS lasso": 3.0, "scikit-learn lasso_cd": 15.0}
    run: dict[str, Callable[[], np.ndarray]] = {
        "sparsebp": lambda: encode(X.T, basis, L1(), _ALPHA, n_threads=threads).points,
        "scikit-learn lasso_cd": lambda: dictionary_peers.sklearn_codes(X, basis, _ALPHA, threads),
    }
    if peers.installed("spams"):
        run["SPAMS lasso"] = lambda: dictionary_peers.spams_codes(X, basis, _ALPHA, threads)
    times = race(run, setting.size(3, 1))
    gaps = {name: duality_gap(X, basis.T, find().T, _ALPHA) for name, find in run.items()}
    return [
        Record(
            work,
            peer,
            times["sparsebp"],
            times[peer],
            target,
            f"relative duality gap {_said(gaps['sparsebp'])}; theirs {_said(gaps[peer])}",
        )
        if peer in run
        else Record.missing(work, peer)
        for peer, target in targets.items()
    ]


def _said(gap: np.ndarray) -> str:
    return f"mean {gap.mean():.0e}, largest {gap.max():.0e}"
