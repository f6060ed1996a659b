"""Few samples of many features: nothing of n_features² numbers is ever made."""

import tracemalloc
import warnings

import numpy as np
import pytest

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
)
from sparsebp.preprocessing import Whitening

N_FEATURES = 4000
RNG = np.random.default_rng(0)
X = RNG.laplace(size=(30, 4)) @ RNG.normal(size=(4, N_FEATURES))
X += 0.05 * RNG.normal(size=X.shape)
LIMITED = {"random_state": 0, "max_iter": 3}
MODELS = {
    "ica": OrthonormalICA(4, **LIMITED),
    "all directions": OrthonormalICA(4, directions="all", **LIMITED),
    "ica of samples as they are": OrthonormalICA(4, whiten=False, **LIMITED),
    "manifold": OrthonormalICA(4, solver="manifold", **LIMITED),
    "rica": ReconstructionICA(4, **LIMITED),
    "white rica": ReconstructionICA(4, whiten=True, **LIMITED),
    "sparse coding": SparseCoding(4, **LIMITED),
    "online": SparseCoding(4, penalty="l1", solver="online", batch_size=20, **LIMITED),
    "sparse filtering": SparseFiltering(4, **LIMITED),
    "zca": Whitening(),
    "pca": Whitening("pca"),
}


#: One of each way through the code; what is compiled or solved in loops takes long while traced.
FAST = ("all directions", "white rica", "sparse filtering", "pca")


@pytest.mark.parametrize(
    "kind",
    [pytest.param(kind, marks=() if kind in FAST else pytest.mark.slow) for kind in MODELS],
)
def test_memory_grows_with_the_samples_not_with_features_squared(kind, tmp_path):
    model = MODELS[kind]
    tracemalloc.start()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        codes = model.fit_transform(X)
        model.transform(X)
        if hasattr(model, "score"):
            model.score(X)
        if hasattr(model, "inverse_transform"):
            model.inverse_transform(codes)
        save_model(model, tmp_path / "model.npz")
        load_model(tmp_path / "model.npz").transform(X)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * N_FEATURES**2 / 3


def test_the_components_are_those_of_the_few_directions():
    whitened = Whitening("pca", n_components=4).fit_transform(X)
    inside = OrthonormalICA(4, random_state=0).fit(X)
    before = OrthonormalICA(whiten=False, random_state=0).fit(whitened)
    alike = np.abs(np.corrcoef(inside.transform(X).T, before.transform(whitened).T)[:4, 4:])
    assert alike.max(axis=0).min() > 0.999
    back = inside.inverse_transform(inside.transform(X))
    assert ((back - X) ** 2).sum() < 0.01 * ((X - X.mean(axis=0)) ** 2).sum()


def test_there_are_no_more_filters_than_samples_unless_asked():
    few = X[:, :60]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind in (OrthonormalICA, ReconstructionICA):
            assert kind(whiten=False, **LIMITED).fit(few).components_.shape == (30, 60)
        assert ReconstructionICA(40, **LIMITED).fit(few).components_.shape == (40, 60)
