"""Sparse coding: the time to learn a basis."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import dictionary_peers, peers, tutorial
from benchmarks.data import atoms_from, patches
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import Curve, Trail, timed
from sparsebp import SparseCoding
from sparsebp.coding import BasisState, OnlineLearning, encode
from sparsebp.penalties import L1, Topographic
from sparsebp.problems import UnitColumns
from sparsebp.problems import sparse_coding as problem_of

_ALPHA = 0.5
_BATCH = 256


def sparse_coding(setting: Setting) -> list[Record]:
    """Compare the times to the held-out objectives that SPAMS and scikit-learn reach.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each peer.
    """
    side, n, n_atoms = setting.size((12, 100_000, 256), (6, 8000, 48))
    n_batches, stops = setting.size((200, (1, 3, 10, 20, 45)), (5, (1,)))
    X = patches(side, n, setting.images)
    start = atoms_from(X, n_atoms)
    held_out = patches(side, setting.size(5000, 500), setting.images, seed=1)
    objective = _held_out(held_out, setting.n_threads)
    curves = setting.curves["Sparse coding"] = {
        "sparsebp": _learn_online(X, start, setting.size(60.0, 2.0), setting).curve(objective)
    }
    work = f"sparse coding, {n:,} × {side**2}, {n_atoms} atoms, to the peer's held-out objective"
    records = []
    if peers.installed("spams"):
        curves["SPAMS"] = _spams_curve(X, start, stops, objective, setting.n_threads)
        records.append(_when(work, f"SPAMS, {stops[-1]} s", curves["SPAMS"], curves, 8.0))
    else:
        records.append(Record.missing(work, "SPAMS"))
    trail = Trail(growth=1.2)
    last = dictionary_peers.sklearn_minibatch(X[: n_batches * _BATCH], start, _ALPHA, trail)
    trail.keep(last, always=True)
    curves["MiniBatchDictionaryLearning"] = theirs = trail.curve(objective)
    peer = f"MiniBatchDictionaryLearning, {n_batches} batches"
    return [*records, _when(work, peer, theirs, curves, 30.0)]


def _held_out(X: np.ndarray, n_threads: int) -> Callable[[np.ndarray], float]:
    """Return the objective of a basis on other samples, with exact codes, the same for all."""
    x, problem = np.ascontiguousarray(X.T), problem_of(L1(), _ALPHA)

    def objective(basis: np.ndarray) -> float:
        unit = UnitColumns.project(basis.astype(x.dtype))
        codes = encode(x, unit, L1(), _ALPHA, tol=1e-4, n_threads=n_threads).points
        return problem.value({"x": x, "A": unit, "s": codes})

    return objective


def _learn_online(X: np.ndarray, start: np.ndarray, seconds: float, setting: Setting) -> Trail:
    """Run the solver of ``SparseCoding(solver="online")``, whose callback sees the basis."""
    trail = Trail(seconds, growth=1.1)
    search = OnlineLearning(
        L1(),
        _ALPHA,
        None,
        batch_size=_BATCH,
        max_iter=1_000_000,
        tol=0.0,
        n_threads=setting.n_threads,
    )
    result = search.run(
        X.T,
        BasisState.empty(start),
        0,
        callback=lambda turn, value, state: trail.keep(state.basis),
    )
    trail.keep(result.point, always=True)
    return trail


def _spams_curve(
    X: np.ndarray, start: np.ndarray, stops: tuple[int, ...], objective: Callable, n_threads: int
) -> Curve:
    """Run SPAMS again for each time, since it returns its basis only at the end."""
    times, values = [], []
    for stop in stops:
        seconds, basis = timed(
            lambda s=stop: dictionary_peers.spams_dictionary(X, start, _ALPHA, -s, n_threads)
        )
        times.append(seconds)
        values.append(objective(basis))
    return Curve(tuple(times), tuple(np.minimum.accumulate(values).tolist()))


def _when(work: str, peer: str, theirs: Curve, curves: dict[str, Curve], target: float) -> Record:
    ours = curves["sparsebp"]
    note = f"theirs {theirs.best:.6g}, ours {ours.best:.6g} after {ours.seconds[-1]:.0f} s"
    return Record(work, peer, ours.reaches(theirs.best), theirs.seconds[-1], target, note)


def tutorial_exercise(setting: Setting) -> list[Record]:
    """Compare the tutorial's exercise with a literal implementation.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        Two for each of our two alternating solvers: as many iterations, and as many (a sixteenth,
        an eighth …) as reach the literal implementation's objective.
    """
    side, n, grid, batch, turns = setting.size((8, 20_000, 11, 2000, 200), (5, 2000, 6, 200, 2))
    alpha, epsilon, gamma = weights = (0.1, 1e-5, 1e-2)
    X = patches(side, n, setting.images)
    x = patches(side, setting.size(5000, 500), setting.images, seed=1).T
    theirs, basis = timed(lambda: tutorial.exercise(X, grid, turns, batch, weights))
    penalty = Topographic((grid, grid), epsilon=epsilon)

    def value(a: np.ndarray) -> float:
        found = encode(x, a, penalty, alpha, tol=1e-4, n_threads=setting.n_threads)
        known = {"x": x, "A": a, "s": found.points}
        return problem_of(penalty, alpha, gamma).value(known)

    def fitted(solver: str, turns: int) -> SparseCoding:
        return SparseCoding(
            grid**2,
            penalty="topographic",
            alpha=alpha,
            epsilon=epsilon,
            gamma=gamma,
            solver=solver,
            batch_size=batch,
            max_iter=turns,
            tol=0.0,
            random_state=0,
        ).fit(X)

    peer, reached, records = "NumPy + SciPy, literally", value(basis), []
    size = f"{n:,} × {side**2}, {grid**2} features"
    for solver in ("exact", "lbfgs"):
        ours, model = timed(lambda solver=solver: fitted(solver, turns))
        note = f"held-out objective {value(model.components_.T):.5g}, theirs {reached:.5g}"
        work = f"tutorial's exercise, {size}, {turns} turns, {solver}"
        records.append(Record(work, peer, ours, theirs, 5.0, note))
        for fewer in (*(turns // part for part in (16, 8, 4, 2) if turns >= part), turns):
            ours, model = timed(lambda solver=solver, fewer=fewer: fitted(solver, fewer))
            found = value(model.components_.T)
            if found <= reached:
                break
        note = f"{fewer} turns, held-out objective {found:.5g}, theirs {reached:.5g}"
        work = f"the same, to its held-out objective, {solver}"
        records.append(Record(work, peer, ours, theirs, 6.0, note))
    return records
