"""Fits of dask arrays, whose chunks stay with the workers."""

import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
)
from sparsebp.minimizers import ColumnResult
from sparsebp.preprocessing import Whitening

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

QUICK = {"max_iter": 4, "tol": 0, "random_state": 0}
MODELS = {
    "ica": OrthonormalICA(**QUICK),
    "subspaces": OrthonormalICA(penalty="subspace", group_size=2, **QUICK),
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
    with distributed.Client(dashboard_address=":0", **options):
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rica", "online"])
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


@pytest.mark.slow
def test_whitening_is_that_of_an_array(X, chunked):
    plain, there = Whitening().fit(X), Whitening().fit(chunked)
    np.testing.assert_array_equal(there.directions_, plain.directions_)
    np.testing.assert_array_equal(there.transform(chunked).compute(), plain.transform(X))


@pytest.mark.slow
def test_samples_come_back_chunk_by_chunk(X, chunked):
    codes = chunked[da.arange(len(X), chunks=1024) >= 1024].compute_chunk_sizes()
    assert codes.chunks[0][0] == 0  # a chunk of which nothing is left
    coder, ica, whitening = SparseCoder(np.eye(6) + 1), MODELS["ica"].fit(X), Whitening().fit(X)
    for model in (coder, ica, whitening):
        found = model.inverse_transform(codes)
        assert found.chunks == (codes.chunks[0], (6,))
        there = found.compute()
        expected = model.inverse_transform(X[1024:])
        np.testing.assert_allclose(there, expected, rtol=1e-4, atol=1e-5)
        assert there.dtype == found.dtype == expected.dtype
        np.testing.assert_allclose(model.transform(codes), model.transform(X[1024:]), rtol=1e-5)
        with pytest.raises(ValueError, match="columns"):
            model.inverse_transform(codes[:, :4])


@pytest.mark.parametrize("is_spread", first_fast([False, True]))
def test_split_codes_are_a_dask_array_and_sparse_ones_a_matrix(is_spread, X, request):
    samples = request.getfixturevalue("chunked") if is_spread else da.from_array(X, (1024, 6))
    coder = SparseCoder(np.eye(6) + 1, n_nonzero=2, split_sign=True)
    expected, codes = coder.transform(X), coder.transform(samples)
    assert codes.chunks == (samples.chunks[0], (12,))
    np.testing.assert_array_equal(codes.compute(), expected)
    there = coder.set_params(sparse_output=True).transform(samples)
    np.testing.assert_array_equal(there.toarray(), expected)


def told(seen):
    return {str(warning.message) for warning in seen if warning.category is ConvergenceWarning}


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("is_spread", first_fast([False, True]))
def test_codes_that_have_not_converged_are_a_warning_when_computed(
    is_written, is_spread, X, monkeypatch, request
):
    samples = request.getfixturevalue("chunked") if is_spread else da.from_array(X, (1024, 6))
    coder = SparseCoder(np.eye(6, dtype=np.float32))
    monkeypatch.setattr(SparseCoder, "_encode", lambda _, x: ColumnResult(x, 1))
    message = (
        "The coefficients of some samples have not converged; scale the samples to about unit "
        "variance, or raise epsilon."
    )
    out = np.empty_like(X) if is_written else None
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        codes = coder.transform(samples, out=out)
        assert is_written or not told(seen)
        np.testing.assert_array_equal(codes, X)
    assert told(seen) == {message}


def test_missing_values_are_found(X, chunked):
    bad = chunked.copy()
    bad[4000, 2] = np.nan
    with pytest.raises(ValueError, match="X contains NaN or infinity"):
        OrthonormalICA(**QUICK).fit(bad)
