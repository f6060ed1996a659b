"""Concepts in superposition.

[Barin Pacela, Joshi, Camacho, Lacoste-Julien & Klindt, 2026](https://arxiv.org/abs/2603.28744) draw
samples that are sums of 10 of 100, 500 or 1,000 random directions with coefficients uniform between
0 and 1, in 47, 79 or 93 dimensions, 2,500 samples to learn from. New samples combine directions of
the second half with the first direction, which were never seen together. The figure is the mean
correlation of true coefficients with learned ones that are matched one to one. Alternating FISTA
and least squares reaches 0.94, 0.96 and 0.47 (medians of three seeds in the results that their
[repository](https://github.com/shrutij01/compositional-sparse-ood) keeps), the best of their sparse
autoencoders 0.70, 0.22 and 0.19, and FISTA with the true directions 0.99.

We draw samples by the same rule. Online learning finds the directions (with exact coefficients for
1,000, more than seven times the dimensions), and iterations on all samples, with exact coefficients
≥ 0, finish them. The source's objective is ours with α = 0.2; with 100 directions we take 0.1 (0.2
gives 0.90). SPAMS has the same weights, and half as many batches as our online learning.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from math import ceil, log
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from sparsebp import SparseCoder, SparseCoding
from sparsebp.penalties import L1
from validation.finding import Finding
from validation.setting import Setting

_ACTIVE, _SAMPLES = 10, 2_500
#: Samples of a batch, and batches that we learn from.
_BATCH, _BATCHES = 512, 400
#: Of a number of directions the median of three seeds in the source's results, our number of seeds,
#: and our α.
_PUBLISHED = {100: (0.944, 3, 0.1), 500: (0.958, 3, 0.2), 1_000: (0.471, 3, 0.2)}
_RARE = (
    "the figure depends on the directions of the second half, each in about a dozen samples: we "
    "find about a third of them, and all of the first half (cosine > 0.9). With the true "
    "directions the coefficients are right."
)
#: More directions than this leave those of the second half rare.
_FEW = 500


class _Problem(NamedTuple):
    X: np.ndarray
    new: np.ndarray
    codes_of_new: np.ndarray
    directions: np.ndarray


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure the correlation for each number of directions."""
    for n_directions in setting.size(tuple(_PUBLISHED), (40,)):
        published, n_seeds, alpha = _PUBLISHED.get(n_directions, (0.5, 1, 0.2))
        ours, true, peers = [], [], []
        for seed in setting.seeds(n_seeds):
            problem = _drawn(n_directions, setting.size(_SAMPLES, 60), seed)
            learn = (setting, problem.X, n_directions, alpha, seed)
            ours.append(_correlation(problem, _learned(*learn), alpha))
            true.append(_correlation(problem, problem.directions, alpha))
            if find_spec("spams") is not None:
                peers.append(_correlation(problem, _spams(*learn), alpha))
        yield Finding(
            f"mean correlation on new samples, {n_directions} directions",
            f"{published:g}",
            ours,
            at_least=published - 0.02,
            at_most=published + 0.02,
            better=1,
            others={**({"SPAMS": peers} if peers else {}), "true directions": true},
            remark=_RARE if n_directions > _FEW else "",
        )


def _drawn(n_directions: int, n_samples: int, seed: int) -> _Problem:
    rng = np.random.default_rng(seed)
    n_features = ceil(2 * _ACTIVE * log(n_directions / _ACTIVE))
    directions = rng.normal(size=(n_directions, n_features))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    half = n_directions - n_directions // 2
    codes = np.zeros((2 * n_samples, n_directions))
    for number, row in enumerate(codes):
        if number >= n_samples:
            active = np.r_[0, rng.choice(np.arange(half, n_directions), _ACTIVE - 1, replace=False)]
        elif rng.random() < 0.5:
            active = np.r_[0, rng.choice(np.arange(1, half), _ACTIVE - 1, replace=False)]
        else:
            active = rng.choice(np.arange(1, n_directions), _ACTIVE, replace=False)
        row[active] = rng.random(_ACTIVE)
    X = codes @ directions
    return _Problem(X[:n_samples], X[n_samples:], codes[n_samples:], directions)


def _learned(
    setting: Setting, X: np.ndarray, n_directions: int, alpha: float, seed: int
) -> np.ndarray:
    n_batches, n_iter = setting.size((_BATCHES, 30), (3, 2))
    shared: dict[str, Any] = {
        "penalty": L1(positive=True),
        "alpha": alpha,
        "tol": 0.0,
        "random_state": seed,
    }
    online: dict[str, Any] = {"solver": "online", "batch_size": _BATCH, "max_iter": n_batches}
    X = X.astype(np.float32)
    atoms = SparseCoding(n_directions, **online, **shared).fit(X).components_
    exact: dict[str, Any] = {"batch_size": None, "max_iter": n_iter, "init": atoms}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations
        learned = SparseCoding(n_directions, **exact, **shared).fit(X).components_
    return learned.astype(np.float64)


def _spams(
    setting: Setting, X: np.ndarray, n_directions: int, alpha: float, seed: int
) -> np.ndarray:
    import spams

    drawn = X[np.random.default_rng(seed).choice(len(X), n_directions, replace=False)]
    start = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).T
    options: dict[str, Any] = {
        "mode": 2,
        "lambda1": alpha / 2,
        "posAlpha": True,
        "batchsize": _BATCH,
    }
    columns, start = np.asfortranarray(X.T), np.asfortranarray(start)
    n_batches = setting.size(_BATCHES // 2, 3)
    with redirect_stdout(StringIO()):
        return spams.trainDL(
            columns, D=start, iter=n_batches, numThreads=1, verbose=False, **options
        ).T


def _correlation(problem: _Problem, directions: np.ndarray, alpha: float) -> float:
    """Return the mean correlation of matched coefficients of the new samples."""
    coder = SparseCoder(directions, penalty=L1(positive=True), alpha=alpha)
    found = coder.fit(problem.X).transform(problem.new)
    true = problem.codes_of_new[:, problem.codes_of_new.var(axis=0) > 0]
    found = found[:, np.argsort(-found.var(axis=0))[: true.shape[1]]]
    alike = np.abs(_standardized(true).T @ _standardized(found))
    return float(alike[linear_sum_assignment(alike, maximize=True)].mean())


def _standardized(codes: np.ndarray) -> np.ndarray:
    centered = codes - codes.mean(axis=0)
    norms = np.linalg.norm(centered, axis=0)
    return centered / np.where(norms > 1e-8, norms, 1)
