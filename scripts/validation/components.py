"""Independent components: signs, number of components, few samples of many features."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import FastICA
from sklearn.preprocessing import StandardScaler

from sparsebp import OrthonormalICA
from sparsebp.metrics import amari_distance
from validation.setting import Setting
from validation.table import Row

#: Sources sparser than a Gaussian, and less sparse.
_KINDS = ((4, 4), (0, 8), (7, 1), (8, 0))


def rows(setting: Setting) -> Iterator[Row]:
    """Measure signs, directions and wide samples, compared with FastICA."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # FastICA's, about iterations
        for kind in _KINDS:
            yield from _signs(kind, setting)
        yield _waves()
        yield from _digits()
        for n_features in setting.size((3_000, 20_000), (300,)):
            yield from _wide(n_features, setting.size(5, 1))


def _signs(kind: tuple[int, int], setting: Setting) -> Iterator[Row]:
    seeds = range(setting.size(11, 2))
    ours, theirs, ratios = np.array([_one_mixture(kind, seed) for seed in seeds]).T
    name, note = "{} sparse and {} uniform sources".format(*kind), f"median of {len(seeds)} seeds"
    limit = 1.02 * float(np.median(theirs))
    yield Row("signs", f"Amari distance, {name}", float(np.median(ours)), None, limit, note)
    yield Row("signs", f"FastICA's, {name}", float(np.median(theirs)), note=note)
    what = f"time over that of a fit with given signs, {name}"
    yield Row("signs", what, float(np.median(ratios)), None, 1.5, note)


def _one_mixture(kind: tuple[int, int], seed: int) -> tuple[float, float, float]:
    """Return the distances of our components and FastICA's, and the ratio of times."""
    rng = np.random.default_rng(seed)
    sparse = rng.laplace(size=(2_000, kind[0])) / np.sqrt(2)
    sources = np.c_[sparse, rng.uniform(-np.sqrt(3), np.sqrt(3), (2_000, kind[1]))]
    mixing = rng.normal(size=(8, 8))
    X = sources @ mixing.T
    shared: dict[str, Any] = {"penalty": "log_cosh", "random_state": seed}
    given = np.repeat([1, -1], kind)
    pairs = [
        (_seconds(OrthonormalICA(**shared), X), _seconds(OrthonormalICA(signs=given, **shared), X))
        for _ in range(3)
    ]
    found = OrthonormalICA(**shared).fit(X).components_
    theirs = FastICA(random_state=seed, max_iter=1_000).fit(X).components_
    ratio = float(np.median([ours / other for ours, other in pairs]))
    return amari_distance(found, mixing), amari_distance(theirs, mixing), ratio


def _seconds(model: Any, X: np.ndarray) -> float:
    start = process_time()
    model.fit(X)
    return process_time() - start


def _waves() -> Row:
    t = np.arange(1_000)
    sources = np.c_[np.sin(0.025 * t), np.sign(np.sin(0.0377 * t))]
    found = OrthonormalICA(random_state=0).fit_transform(sources @ [[1, 0.6], [0.4, 1]])
    alike = np.abs(np.corrcoef(found.T, sources.T)[:2, 2:]).max(axis=0)
    return Row("signs", "correlation, a sine and a square wave", float(alike.min()), 0.99)


def _digits() -> Iterator[Row]:
    X = StandardScaler().fit_transform(load_digits().data)
    for name, directions, goal in (("largest", "largest", 0.588), ("all", "all", None)):
        model = OrthonormalICA(10, directions=directions, random_state=0)
        back = model.inverse_transform(model.fit_transform(X))
        share = 1 - np.square(back - X).sum() / np.square(X).sum()
        what = f"variance of digits explained by 10 components in the {name} directions"
        yield Row("number of components", what, float(share), goal)


def _wide(n_features: int, repeats: int) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    X = rng.laplace(size=(100, 8)) @ rng.normal(size=(8, n_features))
    X += 0.3 * rng.normal(size=X.shape)
    fits: tuple[Callable[[int], Any], ...] = (
        lambda seed: OrthonormalICA(8, penalty="log_cosh", random_state=seed),
        lambda seed: FastICA(8, random_state=seed, max_iter=500),
    )
    times = np.array([[_seconds(fit(seed), X) for fit in fits] for seed in range(repeats)])
    note = f"100 samples of {n_features} features, median of {repeats}"
    ratio = float(np.median(times[:, 0] / times[:, 1]))
    yield Row("few samples", "time over FastICA's", ratio, None, 1.0, note)
    tracemalloc.start()
    fits[0](0).fit(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    square = peak / (8 * n_features**2)
    yield Row("few samples", "peak memory over n_features²", square, None, 0.5, note)
