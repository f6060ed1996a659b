"""Digits, classified on learned features.

The [UFLDL
tutorial](http://ufldl.stanford.edu/tutorial/selftaughtlearning/ExerciseSelfTaughtLearning/) learns
32 filters of 9 × 9 pixels from the digits 5 to 9 of MNIST by reconstruction ICA, and classifies the
digits 0 to 4 on their responses, pooled in squares of 5 × 5: 99 % are right, with random filters
97.5 %. [Sparse
filtering](https://proceedings.neurips.cc/paper/2011/hash/192fc044e74dffea144f9ac5dc9f3395-Abstract.html)
(Ngiam and others 2011) has no weight to choose; its paper has no figure for digits.

We take the first 6,000 digits, of which half of the digits 0 to 4 are for training: a tenth of the
tutorial's. `PooledFeatures` whitens the patches and pools the responses of all methods alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import PCA, FastICA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.random_projection import GaussianRandomProjection

from sparsebp import ReconstructionICA, SparseFiltering
from sparsebp.images import PooledFeatures
from validation.finding import Finding
from validation.setting import Setting

DATA = "mnist"
_N_FILTERS, _SIDE, _CELLS = 32, 9, 4
_RANDOM = (
    "the accuracy is the tutorial's, with a tenth of its labels; random filters are better here "
    "than there, which leaves less to gain."
)
_WITHIN = "the gain is smaller than its spread over seeds, so three seeds do not show one."


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure the accuracy with learned and with random filters."""
    images, labels = setting.digits(DATA)
    seen = labels < 5
    found: dict[str, list[float]] = {}
    for seed in setting.seeds(3):
        for name, model in _models(setting).items():
            pooled = PooledFeatures(
                model,
                patch_shape=_SIDE,
                activation=None,
                pooling="rms",
                grid=_CELLS,
                n_patches=setting.size(20_000, 400),
                random_state=seed,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of iterations
                features = pooled.fit(images[~seen]).transform(images[seen])
            found.setdefault(name, []).append(_accuracy(features, labels[seen], seed))
    random = np.array(found["random"])
    yield Finding(
        "reconstruction ICA: accuracy, %",
        "99",
        found["reconstruction ICA"],
        at_least=98.5,
        at_most=99.5,
        better=1,
        others={name: found[name] for name in ("random", "PCA", "FastICA")},
        recalled=True,
    )
    yield Finding(
        "reconstruction ICA: points above random filters",
        "99 − 97.5 = 1.5",
        (np.array(found["reconstruction ICA"]) - random).tolist(),
        at_least=1.0,
        at_most=2.0,
        better=1,
        recalled=True,
        remark=_RANDOM,
    )
    yield Finding(
        "sparse filtering: points above random filters",
        "better, on other data",
        (np.array(found["sparse filtering"]) - random).tolist(),
        at_least=0.0,
        remark=_WITHIN,
    )


def _models(setting: Setting) -> dict[str, Any]:
    limits = {"max_iter": setting.size(200, 3), "tol": 1e-4}
    return {
        "reconstruction ICA": ReconstructionICA(_N_FILTERS, alpha=0.1, **limits),
        "sparse filtering": SparseFiltering(_N_FILTERS, **limits),
        "random": GaussianRandomProjection(_N_FILTERS),
        "PCA": PCA(_N_FILTERS),
        "FastICA": FastICA(_N_FILTERS, **limits),
    }


def _accuracy(features: np.ndarray, labels: np.ndarray, seed: int) -> float:
    parts = train_test_split(features, labels, test_size=0.5, stratify=labels, random_state=seed)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    return float(100 * classifier.fit(parts[0], parts[2]).score(parts[1], parts[3]))
