"""A planted dictionary: how much of it is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from benchmarks import dictionary_peers, peers
from benchmarks.data import atoms_from, planted
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import timed
from sparsebp import SparseCoding
from sparsebp.metrics import dictionary_recovery

#: Samples of a batch. Of 32, 64, 128 and 256 each method gets the number with which it finds 49 of
#: 50 atoms in the least time.
_BATCH, _SPAMS_BATCH = 128, 64


def planted_dictionary(setting: Setting) -> list[Record]:
    """Compare how many of 50 planted atoms are found, and how soon.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each peer; times are medians over the seeds.
    """
    alpha, seeds = 0.2, range(setting.size(10, 1))
    # Each takes as many batches as it needs to find 49 atoms.
    n_ours, n_batches, n_iter = setting.size((90, 1200, 200), (50, 50, 3))
    learn: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
        "sparsebp": lambda X, seed: _fit_online(
            X, n_ours, seed, penalty="l1", alpha=alpha, batch_size=_BATCH
        ),
        "DictionaryLearning": lambda X, seed: dictionary_peers.sklearn_dictionary(
            X, alpha, seed, n_iter
        ),
    }
    if peers.installed("spams"):
        learn["SPAMS"] = lambda X, seed: dictionary_peers.spams_dictionary(
            X, atoms_from(X, 50, seed), alpha, n_batches, setting.n_threads, _SPAMS_BATCH
        )
    work = f"planted dictionary, 20 × 50, 20 dB, {len(seeds)} seeds"
    return _compared(work, learn, seeds, planted, ("SPAMS", "DictionaryLearning"))


def planted_by_pursuit(setting: Setting) -> list[Record]:
    """Compare the same with codes by pursuit, of 3,000 signals of 5 atoms.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        For SPAMS; times are medians over the seeds.
    """
    n_ours, n_batches = setting.size((200, 1000), (20, 20))
    limit, seeds = {"n_nonzero": 5}, range(setting.size(10, 1))
    learn: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
        "sparsebp": lambda X, seed: _fit_online(X, n_ours, seed, batch_size=256, **limit)
    }
    if peers.installed("spams"):
        learn["SPAMS"] = lambda X, seed: dictionary_peers.spams_dictionary(
            X, atoms_from(X, 50, seed), 0.0, n_batches, setting.n_threads, 512, **limit
        )
    work = f"planted dictionary by pursuit, 20 × 50, 5 atoms, 20 dB, {len(seeds)} seeds"
    return _compared(work, learn, seeds, partial(planted, n=3000, **limit), ("SPAMS",))


def _compared(
    work: str,
    learn: Mapping[str, Callable[[np.ndarray, int], np.ndarray]],
    seeds: Iterable[int],
    draw: Callable[[int], tuple[np.ndarray, np.ndarray]],
    against: Iterable[str],
) -> list[Record]:
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in learn}
    for seed in seeds:
        X, dictionary = draw(seed)
        for name, fit in learn.items():
            seconds, basis = timed(lambda f=fit, X=X, s=seed: f(X, s))
            found[name].append((seconds, dictionary_recovery(dictionary, basis.T).n_found))
    return [_found(work, peer, found) for peer in against]


def _fit_online(X: np.ndarray, n_batches: int, seed: int, **options: Any) -> np.ndarray:
    limits = {"max_iter": n_batches, "tol": 0.0, "random_state": seed}
    return SparseCoding(50, solver="online", **limits, **options).fit(X).components_.T


def _found(work: str, peer: str, found: dict[str, list[tuple[float, int]]]) -> Record:
    if peer not in found:
        return Record.missing(work, peer)
    (ours, our_atoms), (theirs, their_atoms) = (
        np.array(found[name]).T for name in ("sparsebp", peer)
    )
    note = f"{our_atoms.mean():.1f} atoms found of 50, theirs {their_atoms.mean():.1f}"
    return Record(work, peer, float(np.median(ours)), float(np.median(theirs)), note=note)
