"""Exact L1 coefficients, many and few, and pursuits."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks import dictionary_peers, peers
from benchmarks.data import atoms_from, patches
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import race
from sparsebp import SparseCoder
from sparsebp.coding import encode, pursue
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
    spams = 4.0 if X.dtype == np.float32 else 5.0
    threads, targets = setting.n_threads, {"SPAMS lasso": spams, "scikit-learn lasso_cd": 15.0}
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


def few_codes(setting: Setting) -> list[Record]:
    """Compare the time of few exact L1 codes, called again and again for other samples.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each number of samples and way to call.
    """
    side, n, n_atoms, calls = setting.size((12, 2000, 256, 100), (6, 500, 48, 2))
    X = patches(side, n, setting.images, np.float32)
    basis = atoms_from(X, n_atoms)
    coder = SparseCoder(np.ascontiguousarray(basis.T), alpha=_ALPHA)
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "encode": lambda few: (
            encode(few.T, basis, L1(), _ALPHA, n_threads=setting.n_threads).points
        ),
        "SparseCoder": coder.transform,
    }
    peer = "SPAMS lasso"
    if peers.installed("spams"):
        ways[peer] = lambda few: dictionary_peers.spams_codes(few, basis, _ALPHA, setting.n_threads)
    records = []
    for size in (1, 20, 500):
        starts = np.linspace(0, n - size, max(calls // size, 2)).astype(int)
        times = race(
            {way: partial(_repeat, f, X, starts, size) for way, f in ways.items()}, setting.repeats
        )
        for way in ("encode", "SparseCoder"):
            work = f"{size} exact L1 codes a call, {side**2} × {n_atoms}, float32, {way}"
            found = [times[name] / len(starts) for name in (way, peer) if name in times]
            records.append(
                Record(work, peer, *found, 1.0) if peer in times else Record.missing(work, peer)
            )
    return records


def _repeat(
    encoder: Callable[[np.ndarray], np.ndarray], X: np.ndarray, starts: np.ndarray, size: int
) -> None:
    for first in starts:
        encoder(X[first : first + size])


def pursuits(setting: Setting) -> list[Record]:
    """Compare orthogonal matching pursuit to a number of atoms and to a squared error.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each stopping criterion and precision.
    """
    side, n, n_atoms = setting.size((12, 10_000, 256), (6, 500, 48))
    records = []
    for dtype in (np.float32, np.float64):
        X = patches(side, n, setting.images, dtype)
        basis = atoms_from(X, n_atoms)
        error = 0.2 * side**2
        for stop, limits in (
            ("10 atoms", {"n_nonzero": 10}),
            ("a fifth of the energy", {"max_energy": error}),
        ):
            work = f"{n:,} pursuits to {stop}, {side**2} × {n_atoms}, {np.dtype(dtype).name}"
            records.append(_pursuit(work, X, basis, limits, setting))
    return records


def _pursuit(
    work: str, X: np.ndarray, basis: np.ndarray, limits: dict[str, Any], setting: Setting
) -> Record:
    peer, threads = "SPAMS omp", setting.n_threads
    if not peers.installed("spams"):
        return Record.missing(work, peer)
    run: dict[str, Callable[[], np.ndarray]] = {
        "sparsebp": lambda: pursue(X.T, basis, n_threads=threads, **limits),
        peer: lambda: dictionary_peers.spams_pursuit(X, basis, threads, **limits),
    }
    times = race(run, setting.size(3, 1))
    left = [float(((X.T - basis @ find()) ** 2).sum(axis=0).mean()) for find in run.values()]
    note = f"mean squared error {left[0]:.3g}; theirs {left[1]:.3g}"
    return Record(work, peer, times["sparsebp"], times[peer], 2.0, note)


def _said(gap: np.ndarray) -> str:
    return f"mean {gap.mean():.0e}, largest {gap.max():.0e}"
