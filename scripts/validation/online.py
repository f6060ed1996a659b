"""Online learning, units of the samples, and codes that depend on no other sample."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np

from sparsebp import SparseCoding, SparseFiltering
from sparsebp.datasets import make_dictionary_signals
from sparsebp.metrics import dictionary_recovery, gabor_fit
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images
from validation.setting import Setting
from validation.table import Row

_SIDE, _ALPHA = 12, 0.2


def rows(setting: Setting) -> Iterator[Row]:
    """Measure planted dictionaries, many atoms on patches, company and units."""
    yield from _planted(setting, n_nonzero=5, n_samples=500, snr_db=None, n_batches=600, goal=45.5)
    yield from _planted(setting, n_nonzero=3, n_samples=1500, snr_db=20, n_batches=100, goal=49)
    X = _patches(setting)
    model = _learned(setting, X)
    yield from _atoms(model)
    yield _company(setting, X)
    yield _unit(X)


def _planted(
    setting: Setting,
    *,
    n_nonzero: int,
    n_samples: int,
    snr_db: float | None,
    n_batches: int,
    goal: float,
) -> Iterator[Row]:
    seeds = range(setting.size(10, 1))
    what = f"of 50 atoms found, {n_nonzero} a signal, {n_samples} signals"
    found: dict[str, list[int]] = {"": []}
    for seed in seeds:
        X, truth, _ = make_dictionary_signals(
            n_samples, 20, 50, n_nonzero=n_nonzero, snr_db=snr_db, random_state=seed
        )
        model = SparseCoding(
            50,
            penalty="l1",
            alpha=_ALPHA,
            solver="online",
            batch_size=256,
            max_iter=setting.size(n_batches, 3),
            tol=0.0,
            random_state=seed,
        )
        found[""].append(dictionary_recovery(truth, model.fit(X).components_).n_found)
        if find_spec("spams") is not None:
            atoms = _spams(X, seed, setting.size(600, 3))
            found.setdefault("SPAMS: ", []).append(dictionary_recovery(truth, atoms).n_found)
    for who, numbers in found.items():
        note = f"{len(seeds)} seeds, {min(numbers)} to {max(numbers)}"
        wanted = goal if not who else None
        yield Row("online", who + what, float(np.mean(numbers)), at_least=wanted, note=note)


def _spams(X: np.ndarray, seed: int, n_batches: int) -> np.ndarray:
    import spams

    start = np.random.default_rng(100 + seed).normal(size=(X.shape[1], 50))
    start = np.asfortranarray(start / np.linalg.norm(start, axis=0))
    options = {"mode": 2, "lambda1": _ALPHA / 2, "iter": n_batches, "batchsize": 256}
    found = spams.trainDL(np.asfortranarray(X.T), D=start, numThreads=1, verbose=False, **options)
    return found.T


def _patches(setting: Setting) -> np.ndarray:
    images = whiten_images(setting.photographs())
    X = remove_mean(sample_patches(images, _SIDE, setting.size(100_000, 500), random_state=0))
    return (X / X.std()).astype(np.float32)


def _learned(setting: Setting, X: np.ndarray) -> SparseCoding:
    n_atoms, n_batches = setting.size((576, 4000), (16, 3))
    return SparseCoding(
        n_atoms,
        penalty="l1",
        solver="online",
        batch_size=256,
        max_iter=n_batches,
        tol=0.0,
        random_state=0,
    ).fit(X)


def _atoms(model: SparseCoding) -> Iterator[Row]:
    quality = gabor_fit(model.components_.astype(np.float64), (_SIDE, _SIDE)).r_squared
    eighths = [float(np.median(part)) for part in np.array_split(quality, 8)]
    note = "by eighth of the index " + " ".join(f"{median:.2f}" for median in eighths)
    what = f"median Gabor R² of {len(quality)} atoms, {_SIDE}×{_SIDE}"
    yield Row("online", what, float(np.median(quality)), at_least=0.9, note=note)
    spread = max(eighths) - min(eighths)
    yield Row("online", "spread of that median over eighths of the index", spread, at_most=0.08)


def _company(setting: Setting, X: np.ndarray) -> Row:
    model = SparseCoding(64, penalty="welsch", solver="online", batch_size=256, max_iter=20)
    model.set_params(random_state=0).fit(X)
    some = X[: setting.size(1500, 40)]
    together = model.transform(some)
    alone = np.vstack([model.transform(some[i : i + 1]) for i in range(0, len(some), 20)])
    differ = np.count_nonzero(alone != together[::20])
    return Row("company", "float32 Welsch codes that differ alone", float(differ), at_most=0)


def _unit(X: np.ndarray) -> Row:
    some = X[:500].astype(np.float64)
    units = (1.0, 2.0**-20, 2.0**20)  # which round nothing
    models = [SparseFiltering(16, tol=1e-3, random_state=0).fit(unit * some) for unit in units]
    difference = max(np.abs(m.components_ - models[0].components_).max() for m in models)
    what = "largest change of sparse filtering's filters with the unit"
    return Row("units", what, float(difference), at_most=0)
