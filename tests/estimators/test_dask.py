"""Fits of dask arrays, whose chunks stay with the workers."""

import numpy as np
import pytest
from sklearn.base import clone
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.preprocessing import Whitening

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

QUICK = {"max_iter": 4, "tol": 0, "random_state": 0}
MODELS = {
    "ica": OrthonormalICA(**QUICK),
    "rica": ReconstructionICA(8, whiten=True, **QUICK),
    "lbfgs": SparseCoding(8, batch_size=300, **QUICK),
    "online": SparseCoding(8, batch_size=300, solver="online", **QUICK),
    "filtering": SparseFiltering(5, **QUICK),
}
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    mixed = rng.laplace(size=(5000, 6)) @ rng.normal(size=(6, 6))
    return mixed.astype(np.float32)


@pytest.fixture(scope="module")
def chunked(X):
    options = {"processes": False, "n_workers": 2, "threads_per_worker": 1}
    with distributed.Client(dashboard_address=None, **options):
        yield da.from_array(X, chunks=(1024, 3))


@pytest.mark.parametrize("kind", first_fast([*MODELS]))
def test_fits_scores_and_codes_are_those_of_an_array(kind, X, chunked):
    model = MODELS[kind].fit(X)
    components, codes, score = model.components_.copy(), model.transform(X), model.score(X)
    model.fit(chunked)
    np.testing.assert_array_equal(model.components_, components)
    assert model.score(chunked) == score
    found = model.transform(chunked)
    assert found.chunks[0] == chunked.chunks[0]
    np.testing.assert_array_equal(found.compute(), codes)
    out = np.empty_like(codes)
    np.testing.assert_array_equal(model.transform(chunked, out=out), codes)


@pytest.mark.parametrize("kind", first_fast(["rica", "online"]))
def test_a_fit_that_was_killed_resumes_from_its_checkpoint(kind, X, chunked, tmp_path, monkeypatch):
    monkeypatch.setattr("sparsebp._checkpoint.PAUSE", 0.0)

    def kill(iteration, _):
        if iteration == 3:
            raise SystemExit

    checkpoint = {"checkpoint": tmp_path / "a"}
    with pytest.raises(SystemExit):
        clone(MODELS[kind]).set_params(callback=kill, **checkpoint).fit(chunked)
    resumed = clone(MODELS[kind]).set_params(**checkpoint).fit(X)  # in memory, to the same bits
    np.testing.assert_array_equal(resumed.components_, MODELS[kind].fit(X).components_)
    assert not checkpoint["checkpoint"].exists()


def test_whitening_is_that_of_an_array(X, chunked):
    plain, there = Whitening().fit(X), Whitening().fit(chunked)
    np.testing.assert_array_equal(there.directions_, plain.directions_)
    np.testing.assert_array_equal(there.transform(chunked).compute(), plain.transform(X))


def test_missing_values_are_found(X, chunked):
    bad = chunked.copy()
    bad[4000, 2] = np.nan
    with pytest.raises(ValueError, match="X contains NaN or infinity"):
        OrthonormalICA(**QUICK).fit(bad)
