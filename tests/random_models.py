"""Random estimators: parameters that fit, that do not, and garbage."""

import numpy as np
from random_data import GARBAGE, matrix, pick
from sklearn.pipeline import make_pipeline

from sparsebp import penalties
from sparsebp import preprocessing as prep
from sparsebp.estimators import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
)

PENALTIES = [
    *("l1", "smooth_l1", "topographic", "log_cosh", "cauchy", "welsch", "subspace"),
    *(penalties.L1(), penalties.L1(positive=True), penalties.SmoothL1(0.1), penalties.LogCosh(2)),
    *(penalties.Topographic((2, 2), neighborhood=2), penalties.Topographic((2, 3), wrap=False)),
    *(penalties.Cauchy(), penalties.Welsch(), penalties.Signed(penalties.Cauchy(), (1, -1, 1, 1))),
    *(penalties.Topographic.from_groups(np.eye(4)), penalties.Subspace(2, 2)),
]


def sometimes(iteration, value):
    return iteration > 1


COMMON = {
    "n_components": [None, 1, 2, 4, 4, 9, 12, np.int32(3)],
    "max_iter": [1, 2, 5, 20],
    "tol": [0, 1e-2, 1e-4, 1.0],
    "epsilon": [1e-3, 1e-1, 1.0, 1e-8, 1e3],
    "random_state": [0, 1, None, np.random.RandomState(0), np.random.default_rng(0)],
    "init": [None, np.eye(4, 9), np.ones((4, 9)), np.eye(9), [[1.0] * 9] * 4],
    "warm_start": [False, True],
    "patch_shape": [None, (3, 3), 3, (1, 9), (9, 1), (3, 1, 3), [3, 3], (4, 4)],
    "verbose": [False, 0],
    "callback": [None, sometimes],
}
SHARED = {
    **COMMON,
    "penalty": PENALTIES,
    "group_size": [1, 2, 3, 4],
    "alpha": [0.1, 0.5, 1.0, 0, 100.0, 1e-6],
    "n_jobs": [None, 1, 2, -1],
}
ICA = {
    **SHARED,
    "whiten": [True, False, 0.9, 0.5],
    "directions": ["largest", "all"],
    "signs": ["auto", None, 1, -1, (1, 1, 1, 1), (1, -1, 1, -1)],
}
KINDS = {
    SparseCoding: {
        **SHARED,
        "gamma": [None, 0.1, 1e-6, 10],
        "n_nonzero": [None, None, None, 1, np.int32(3), 20],
        "error": [None, None, None, 0, 0.5],
        "solver": ["lbfgs", "exact", "online"],
        "positive_basis": [False, False, True],
        "batch_size": [1000, None, 1, 10, 30],
    },
    ReconstructionICA: {**ICA, "unit_norm": ["auto", True, False], "solver": ["lbfgs"]},
    OrthonormalICA: {
        **{k: v for k, v in ICA.items() if k != "alpha"},
        "solver": ["lbfgs", "manifold"],
    },
    SparseFiltering: COMMON,
    SparseCoder: {
        **{k: SHARED[k] for k in ("penalty", "alpha", "epsilon", "patch_shape", "n_jobs")},
        "n_nonzero": [None, None, 1, np.int32(3), 20],
        "error": [None, None, 0, 0.5],
        "split_sign": [False, True],
        "sparse_output": [False, False, True],
    },
    prep.Whitening: {
        "method": ["zca", "pca"],
        "n_components": [None, 1, 4, 0.9, 0.5, 1.0],
        "regularization": [0, 0.1, 1e-5, 100.0],
    },
}


def drawn(rng, options, broken=0.1):
    """Draw keyword arguments: left out, fitting, or garbage."""
    found = {}
    for name, values in options.items():
        if rng.random() < broken:
            found[name] = pick(rng, GARBAGE)
        elif rng.random() < 0.5:
            found[name] = pick(rng, values)
    return found


def estimator(rng, broken=0.02):
    kind = pick(rng, list(KINDS))
    given = drawn(rng, KINDS[kind], broken)
    if kind is SparseCoder:
        given["dictionary"] = matrix(rng, 9)[1] if rng.random() < 0.5 else rng.normal(size=(4, 9))
    elif kind is not prep.Whitening:
        given.setdefault("max_iter", 3)
    return kind(**given)


def fitted(rng):
    """Draw a model fitted to ordinary samples, whose parameters fit."""
    kind = pick(rng, list(KINDS))
    options = {
        **KINDS[kind],
        "init": [None],
        "signs": ["auto"],
        "n_jobs": [None, 1],
        "n_components": [None, 1, 2, 4],
        "whiten": [True, False, 0.9],
    }
    options = {k: v for k, v in options.items() if k in KINDS[kind]}
    options |= {"patch_shape": [None, (3, 3)]} if "patch_shape" in options else {}
    options |= {"penalty": PENALTIES[:6]} if "penalty" in options else {}
    given = {k: pick(rng, v) for k, v in options.items() if rng.random() < 0.3}
    if given.pop("positive_basis", None) and given.get("solver") == "online":
        given["positive_basis"] = True
    if given.get("solver") == "exact":
        given["gamma"] = 0.1
    if (given.get("n_nonzero"), given.get("error")) != (None, None):
        given = {k: v for k, v in given.items() if k not in ("penalty", "alpha", "gamma")}
    if kind is SparseCoder:
        return SparseCoder(rng.normal(size=(4, 9)), **given)
    given |= {"max_iter": 3} if kind is not prep.Whitening else {}
    samples = rng.laplace(size=(40, 9)).astype(pick(rng, ["f8", "f4"]))
    model = kind(**given).fit(samples)
    return make_pipeline(prep.Whitening().fit(samples), model) if rng.random() < 0.1 else model
