"""Codes of a sample do not depend on the samples beside it, to the last bit."""

import numpy as np
import pytest
from sklearn.base import clone
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.coding import encode
from sparsebp.penalties import L1, Cauchy, LogCosh, SmoothL1, Subspace, Topographic, Welsch

PENALTIES = [
    L1(),
    L1(positive=True),
    SmoothL1(1e-3),
    LogCosh(2.0),
    Cauchy(),
    Welsch(),
    Topographic((4, 6)),
    Subspace(6, 4),
    Topographic.from_groups(np.eye(24) + np.eye(24, 24, 4)),
]
FAST = {"max_iter": 12, "tol": 1.0, "random_state": 0}
ESTIMATORS = [
    SparseCoding(24, penalty="welsch", alpha=0.3, solver="online", batch_size=50, **FAST),
    SparseCoding(24, penalty="l1", alpha=0.3, batch_size=50, **FAST),
    OrthonormalICA(**FAST),
    ReconstructionICA(24, whiten=True, **FAST),
    SparseFiltering(24, **FAST),
]
#: Several blocks of the encoder, the last one short.
FEW, MANY = 150, 1100


def a_problem(n_samples, dtype):
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(16, 24))
    basis /= np.linalg.norm(basis, axis=0)
    # Sizes that differ, so that samples finish at different times.
    x = rng.normal(size=(16, n_samples)) * np.geomspace(0.05, 5, n_samples)
    return x.astype(dtype), basis.astype(dtype)


def selections(n):
    rng = np.random.default_rng(1)
    few = rng.choice(n, 7, replace=False)
    return {"alone": few[:1], "last": np.array([n - 1]), "seven": few, "mixed": rng.permutation(n)}


def assert_alike_in_any_company(penalty, n_samples, dtype, *, masked, max_iter=60):
    x, basis = a_problem(n_samples, dtype)
    if masked:  # most samples, but not all, miss a value
        x[np.random.default_rng(2).random(x.shape) < 0.1] = np.nan
    limits = {"max_iter": max_iter}
    together = encode(x, basis, penalty, 0.3, **limits).points
    assert together.any()
    for name, order in selections(n_samples).items():
        for layout in ("C", "F"):
            part = np.array(x[:, order], order=layout)
            n_threads = 2 if name == "mixed" and layout == "F" else 1
            codes = encode(part, basis, penalty, 0.3, n_threads=n_threads, **limits)
            np.testing.assert_array_equal(codes.points, together[:, order], err_msg=name + layout)


@pytest.mark.parametrize("masked", first_fast([True, False]), ids=["masked", "whole"])
@pytest.mark.parametrize("penalty", [L1(), Welsch()], ids=repr)
def test_codes_are_the_same_bits_for_any_other_samples(penalty, masked):
    assert_alike_in_any_company(penalty, FEW, np.float32, masked=masked, max_iter=20)


@pytest.mark.slow
@pytest.mark.parametrize("masked", [False, True], ids=["whole", "masked"])
@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: repr(p)[:30])
def test_all_codes_are_the_same_bits_for_any_other_samples(penalty, dtype, masked):
    assert_alike_in_any_company(penalty, MANY, dtype, masked=masked)


@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
@pytest.mark.parametrize("estimator", first_fast(ESTIMATORS[::-1], 4), ids=lambda e: repr(e)[:40])
def test_transforms_are_the_same_bits_for_any_other_samples(estimator, dtype):
    X = a_problem(FEW, dtype)[0].T
    model = clone(estimator).fit(X)
    together = model.transform(X)
    assert together.dtype == dtype
    for layout, order in zip("CFCF", selections(FEW).values(), strict=True):
        part = np.array(X[order], order=layout)
        np.testing.assert_array_equal(model.transform(part), together[order])
