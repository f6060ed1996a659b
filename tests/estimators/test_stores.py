"""Fits, codes and scores of samples in files, read block by block."""

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
)
from sparsebp.preprocessing import Whitening
from sparsebp.samples import ArraySamples

N_SAMPLES, N_FEATURES = 2500, 6


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    mixed = rng.laplace(size=(N_SAMPLES, N_FEATURES)) @ rng.normal(size=(N_FEATURES, N_FEATURES))
    return mixed.astype(np.float32)


class Rows:
    """A store in memory; fails when it is read as a whole."""

    def __init__(self, rows, chunk=300):
        self.rows, self.chunks = rows, (chunk, rows.shape[1])
        self.shape, self.dtype = rows.shape, rows.dtype

    def __getitem__(self, rows):
        return self.rows[rows]

    def __array__(self, *args, **kwargs):
        raise AssertionError("read as a whole")


def memmap(X, tmp_path):
    X.tofile(tmp_path / "X")
    return np.memmap(tmp_path / "X", X.dtype, "r", shape=X.shape)


QUICK = {"max_iter": 5, "tol": 0, "random_state": 0}
MODELS = {
    "ica": OrthonormalICA(**QUICK),
    "manifold": OrthonormalICA(solver="manifold", **QUICK),
    "rica": ReconstructionICA(8, **QUICK),
    "white": ReconstructionICA(4, whiten=0.99, **QUICK),
    "filtering": SparseFiltering(5, **QUICK),
    "all samples": SparseCoding(8, batch_size=None, **{**QUICK, "max_iter": 1}),
}
SLOW = ("white", "all samples")  # of which the others share the parts, and whose codes take long
models = pytest.mark.parametrize("kind", first_fast(sorted(MODELS, key=SLOW.__contains__), 4))
unconverged = pytest.mark.filterwarnings("ignore:.*stopped after", "ignore:.*not white")


@models
@unconverged
def test_a_fit_to_stored_samples_is_that_to_an_array(kind, X, tmp_path):
    model = MODELS[kind].fit(X)
    components, objective = model.components_.copy(), model.objective_
    for store in (Rows(X), memmap(X, tmp_path), ArraySamples(X.T)):
        model.fit(store)
        np.testing.assert_array_equal(model.components_, components)
        assert model.objective_ == objective


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["lbfgs", "online"])
@unconverged
def test_batches_of_a_store_learn_as_well(solver, X):
    found = []
    for samples in (X, Rows(X)):
        model = SparseCoding(6, solver=solver, alpha=0.3, batch_size=200, max_iter=30, tol=0)
        found.append(model.set_params(random_state=0).fit(samples).score(X))
    assert found[1] == pytest.approx(found[0], rel=0.05)


@models
@unconverged
def test_codes_and_scores_of_stored_samples_are_those_of_an_array(kind, X, tmp_path):
    model = MODELS[kind].fit(X)
    codes = model.transform(X)
    assert model.score(Rows(X)) == model.score(X)
    np.testing.assert_array_equal(model.transform(Rows(X)), codes)
    out = np.empty_like(codes)
    assert model.transform(memmap(X, tmp_path), out=out) is out
    np.testing.assert_array_equal(out, codes)


def test_codes_are_written_into_files(X, tmp_path):
    h5py = pytest.importorskip("h5py")
    model = SparseCoder(np.eye(N_FEATURES, dtype=np.float32), penalty="l1", alpha=0.5)
    with h5py.File(tmp_path / "codes.h5", "w") as file:
        stored = file.create_dataset("X", data=X)
        codes = file.create_dataset("codes", shape=X.shape, dtype=np.float32)
        assert model.transform(stored, out=codes) is codes
        np.testing.assert_array_equal(codes, model.transform(X))


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_whitening_of_stored_samples_is_that_of_an_array(method, X, tmp_path):
    for rows in (X, X[:4]):
        plain, stored = Whitening(method).fit(rows), Whitening(method).fit(Rows(rows))
        np.testing.assert_array_equal(stored.directions_, plain.directions_)
        out = np.empty_like(plain.transform(rows))
        assert stored.transform(memmap(rows, tmp_path), out=out) is out
        np.testing.assert_array_equal(out, plain.transform(rows))


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, ">f4"])
@unconverged
def test_numbers_of_other_types_are_learned_from_like_those_of_an_array(dtype, X, tmp_path):
    rows = (40 * np.abs(X)).astype(dtype)
    model = OrthonormalICA(**QUICK).fit(rows)
    components = model.components_.copy()
    model.fit(memmap(rows, tmp_path))
    np.testing.assert_allclose(model.components_, components, rtol=1e-4, atol=1e-7)


@unconverged
def test_codes_have_the_precision_of_the_model(X, tmp_path):
    model = OrthonormalICA(**QUICK).fit(X)
    wide = X.astype(np.float64)
    assert model.transform(memmap(wide, tmp_path)).dtype == np.float32
    np.testing.assert_array_equal(model.transform(memmap(wide, tmp_path)), model.transform(wide))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@unconverged
def test_missing_and_infinite_values_are_found(value, X):
    bad = X.copy()
    bad[2100, 3] = value
    for model in MODELS.values():
        if np.isnan(value) and isinstance(model, SparseCoding):
            continue  # a missing value
        with pytest.raises(ValueError, match=r"X contains (NaN or )?infinity"):
            model.fit(Rows(bad))
    model = MODELS["ica"].fit(X)
    for use in (model.transform, model.score, Whitening().fit):
        with pytest.raises(ValueError, match=r"X contains NaN or infinity"):
            use(Rows(bad))


@unconverged
def test_unusable_stores_and_outputs_are_refused(X):
    model = OrthonormalICA(**QUICK)
    for shape in ((0, 6), (6,), (2, 3, 4), (5, 0)):
        with pytest.raises(ValueError, match=r"X has shape"):
            model.fit(Rows(np.empty(shape).reshape(shape)) if len(shape) > 1 else _flat(shape))
    with pytest.raises(ValueError, match="expected real numbers"):
        model.fit(Rows(X.astype(complex)))
    with pytest.raises(ValueError, match="a minimum of 2 is required"):
        model.fit(Rows(X[:1]))
    with pytest.raises(ValueError, match="numbers as large as"):
        ReconstructionICA(**QUICK).fit(Rows(np.full((5, 6), 1e30, np.float32)))
    model.fit(X)
    with pytest.raises(ValueError, match="5 features"):
        model.transform(Rows(X[:, :5]))
    for out in (
        np.empty((3, 6)),
        np.empty((N_SAMPLES, 6), dtype=np.float16),
        np.empty(X.shape, int),
    ):
        with pytest.raises(ValueError, match=r"out must be an array of shape \(2500, 6\)"):
            model.transform(X, out=out)


@unconverged
def test_outputs_that_overlap_with_the_samples_are_refused(X):
    model, whitening = OrthonormalICA(**QUICK).fit(X), Whitening().fit(X)
    for use in (model.transform, whitening.transform):
        wanted, buffer = use(X), np.hstack([np.vstack([X, X]), np.vstack([X, X])])
        rows = buffer[:, : X.shape[1]]
        for samples, out in [(rows[: len(X)], rows[7 : 7 + len(X)]), (rows[::2], rows[: len(X)])]:
            with pytest.raises(ValueError, match="out shares memory with X, whose samples"):
                use(samples, out=out)
        beside = buffer[: len(X), X.shape[1] :]
        np.testing.assert_array_equal(use(rows[: len(X)], out=beside), wanted)
        itself = X.copy()
        np.testing.assert_array_equal(use(itself, out=itself), wanted)


@unconverged
def test_outputs_that_cannot_be_written_to_are_refused_before_the_work(X, tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    pd = pytest.importorskip("pandas")
    model, whitening = OrthonormalICA(**QUICK).fit(X), Whitening().fit(X)
    monkeypatch.setattr(OrthonormalICA, "_encode", lambda *_: pytest.fail("it worked"))
    monkeypatch.setattr(Whitening, "_whitened", lambda *_: pytest.fail("it worked"))
    constant = np.empty_like(X)
    constant.flags.writeable = False
    np.save(tmp_path / "codes.npy", constant)
    with h5py.File(tmp_path / "codes.h5", "w") as file:
        closed = file.create_dataset("codes", shape=X.shape, dtype=np.float32)
    reading = h5py.File(tmp_path / "codes.h5")
    for out, kind, message in [
        (
            constant,
            ValueError,
            "out cannot be written to .*give a writable array, or open its file",
        ),
        (np.load(tmp_path / "codes.npy", mmap_mode="r"), ValueError, "cannot be written to"),
        (np.load(tmp_path / "codes.npy", mmap_mode="c"), ValueError, "never reach its file"),
        (closed, ValueError, "cannot be written to"),
        (reading["codes"], ValueError, "cannot be written to"),
        ([1], TypeError, "out must be an array of shape .* got list"),
        ("codes.npy", TypeError, "got str"),
        (pd.DataFrame(X), TypeError, "got DataFrame"),
        (Rows(np.empty_like(X)), TypeError, "got Rows"),
    ]:
        for use in (model.transform, whitening.transform):
            with pytest.raises(kind, match=message):
                use(X, out=out)
    reading.close()


def _flat(shape):
    rows = Rows(np.empty((1, 6)))
    rows.shape = shape
    return rows


@pytest.mark.filterwarnings("ignore:X has another scale")
def test_a_large_store_is_read_once_for_codes(X):
    coder = SparseCoder(np.eye(N_FEATURES, dtype=np.float32), penalty="l1", alpha=0.5)
    rows = Rows(X, chunk=1000)
    read = []
    rows.__class__ = type(
        "Counted",
        (Rows,),
        {"__getitem__": lambda self, key: read.append(key.start) or self.rows[key]},
    )
    coder.transform(rows)
    assert read == [0, 1000, 2000]


def test_unreadable_stores_are_told_in_words(X, tmp_path):
    h5py = pytest.importorskip("h5py")
    model = OrthonormalICA(**QUICK)
    with h5py.File(tmp_path / "X.h5", "w") as file:
        stored = file.create_dataset("X", data=X)
    with pytest.raises(ValueError, match="X cannot be read; open its file again"):
        model.fit(stored)
    cut = Rows(X[:1000])
    cut.shape = X.shape
    with pytest.raises(ValueError, match=r"X\[900:1200\] has shape \(100, 6\); expected \(300, 6"):
        model.fit(cut)


def test_a_file_is_no_dataset(X, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "X.h5", "w") as file:
        file["x"] = X
        with pytest.raises(TypeError, match=r"got File, whose datasets are 'x'; give X\[name\]"):
            OrthonormalICA().fit(file)
