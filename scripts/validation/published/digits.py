"""Digits, classified on learned features.

The [UFLDL
tutorial](http://ufldl.stanford.edu/tutorial/selftaughtlearning/ExerciseSelfTaughtLearning/) learns
32 filters of 9 × 9 pixels from the digits 5 to 9 of MNIST by reconstruction ICA, and classifies the
digits 0 to 4 on their responses, pooled in squares of 5 × 5: 99 % are right, with random filters
97.5 %. [Sparse
filtering](https://proceedings.neurips.cc/paper/2011/hash/192fc044e74dffea144f9ac5dc9f3395-Abstract.html)
(Ngiam and others 2011) has no weight to choose; its paper has no figure for digits.

We take the first 6,000 digits, of which half of the digits 0 to 4 are for training: a tenth of the
tutorial's. The filters see whitened patches, and the responses of all methods are pooled and
classified alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import numpy as np
from sklearn.cluster import MiniBatchKMeans
from sklearn.decomposition import FastICA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsebp import ReconstructionICA, SparseFiltering
from sparsebp.preprocessing import Whitening, remove_mean, sample_patches
from validation.finding import Finding
from validation.setting import Setting

_SIDE, _N_FILTERS, _POOL = 9, 32, 5


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure the accuracy with learned and with random filters."""
    images, labels = setting.digits()
    found: dict[str, list[float]] = {}
    few = labels < 5
    for seed in setting.seeds(3):
        others = list(images[~few])
        some = sample_patches(others, _SIDE, setting.size(20_000, 400), random_state=seed)
        white = Whitening("pca", n_components=0.99).fit(remove_mean(some))
        for name, learn in _METHODS.items():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of iterations
                filters = learn(setting, white.transform(remove_mean(some)), seed)
            features = _pooled(images[few], _of_pixels(filters, white))
            found.setdefault(name, []).append(_accuracy(features, labels[few], seed))
    random = np.array(found["random"])
    others = {name: found[name] for name in ("random", "k-means", "PCA", "FastICA")}
    yield Finding(
        "reconstruction ICA: accuracy, %",
        "99",
        found["reconstruction ICA"],
        at_least=98.5,
        at_most=99.5,
        better=1,
        others=others,
        recalled=True,
    )
    for name, published in (
        ("reconstruction ICA", "99 − 97.5 = 1.5"),
        ("sparse filtering", "better"),
    ):
        yield Finding(
            f"{name}: points above random filters",
            published,
            (np.array(found[name]) - random).tolist(),
            at_least=0.0 if published == "better" else 1.0,
            at_most=None if published == "better" else 2.0,
            better=1,
            recalled=published != "better",
        )


def _reconstruction_ica(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    limits = {"max_iter": setting.size(500, 3), "tol": 1e-5}
    return ReconstructionICA(_N_FILTERS, alpha=0.1, random_state=seed, **limits).fit(X).components_


def _sparse_filtering(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    limits = {"max_iter": setting.size(200, 3), "tol": 1e-4}
    return SparseFiltering(_N_FILTERS, random_state=seed, **limits).fit(X).components_


def _random(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(_N_FILTERS, X.shape[1]))


def _k_means(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    return MiniBatchKMeans(_N_FILTERS, n_init=3, random_state=seed).fit(X).cluster_centers_


def _pca(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    return np.eye(_N_FILTERS, X.shape[1])  # the directions are sorted by variance


def _fast_ica(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    model = FastICA(_N_FILTERS, max_iter=setting.size(200, 3), random_state=seed)
    return model.fit(X).components_


_METHODS: dict[str, Callable[[Setting, np.ndarray, int], np.ndarray]] = {
    "reconstruction ICA": _reconstruction_ica,
    "sparse filtering": _sparse_filtering,
    "random": _random,
    "k-means": _k_means,
    "PCA": _pca,
    "FastICA": _fast_ica,
}


def _of_pixels(filters: np.ndarray, white: Whitening) -> np.ndarray:
    """Return the filters of patches as they are, with their means."""
    whitening = white.transform(np.eye(_SIDE**2)) - white.transform(np.zeros((1, _SIDE**2)))
    return remove_mean(filters @ whitening.T)


def _pooled(images: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """Return the root of the sum of squares of the responses in squares of the image."""
    found = []
    for some in np.array_split(images, max(len(images) // 200, 1)):
        windows = np.lib.stride_tricks.sliding_window_view(some, (_SIDE, _SIDE), axis=(1, 2))
        responses = windows.reshape(*windows.shape[:3], -1) @ kernels.T
        places = range(0, responses.shape[1] - _POOL + 1, _POOL)
        found.append(
            [
                np.square(responses[:, r : r + _POOL, c : c + _POOL]).sum(axis=(1, 2))
                for r in places
                for c in places
            ]
        )
    return np.sqrt(np.concatenate([np.concatenate(part, axis=1) for part in found]))


def _accuracy(features: np.ndarray, labels: np.ndarray, seed: int) -> float:
    parts = train_test_split(features, labels, test_size=0.5, stratify=labels, random_state=seed)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    return float(100 * classifier.fit(parts[0], parts[2]).score(parts[1], parts[3]))
