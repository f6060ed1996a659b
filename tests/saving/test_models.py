import json
import os
import stat

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    load_model,
    read_metadata,
    save_model,
)
from sparsebp.penalties import Cauchy, Penalty, SmoothL1, Subspace, Topographic
from sparsebp.preprocessing import Whitening

X = np.random.default_rng(0).laplace(size=(60, 6))

MODELS = [
    SparseCoding(8, max_iter=2, batch_size=20, random_state=0),
    SparseCoding(4, penalty=Topographic((2, 2), wrap=False), max_iter=1, batch_size=20),
    SparseCoding(4, penalty=Topographic.from_groups(np.eye(4)), max_iter=1, batch_size=20),
    ReconstructionICA(4, penalty=Subspace(2, 2), group_size=2, tol=1e-2),
    SparseCoding(4, penalty="l1", max_iter=3, batch_size=20, random_state=np.random.RandomState(1)),
    SparseCoding(4, n_nonzero=2, error=0.1, max_iter=3, batch_size=20),
    ReconstructionICA(8, penalty=Cauchy(), tol=1e-3, callback=lambda i, value: None),
    OrthonormalICA(3, penalty=SmoothL1(0.5), solver="manifold", tol=1e-3),
    SparseCoder(np.eye(6)[:4] * 2, alpha=0.5),
    SparseCoder(np.eye(6)[:4] * 2, n_nonzero=2, error=0.5, split_sign=True),
    SparseFiltering(3, tol=1e-3),
    Whitening("pca", n_components=4),
    make_pipeline(Whitening(), ReconstructionICA(3, tol=1e-3)),
    make_pipeline(StandardScaler(), PCA(4), Normalizer(), OrthonormalICA(3, tol=1e-3)),
]


@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_a_model_comes_back_as_it_was(model, dtype, tmp_path):
    model.fit(X.astype(dtype))
    save_model(model, tmp_path / "model.npz", metadata={"seed": 3})
    loaded = load_model(tmp_path / "model.npz")
    assert type(loaded) is type(model)
    expected = model.transform(X)
    np.testing.assert_array_equal(loaded.transform(X), expected)
    assert loaded.transform(X).dtype == expected.dtype
    assert read_metadata(tmp_path / "model.npz") == {"seed": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_everything_fitted_comes_back(tmp_path):
    model = MODELS[0].fit(X)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert vars(loaded).keys() == vars(model).keys()
    assert loaded.get_params() == model.get_params()
    for name, value in vars(model.state_).items():
        np.testing.assert_array_equal(getattr(loaded.state_, name), value)
    for name in vars(model).keys() - {"state_"}:
        value = getattr(model, name)
        np.testing.assert_array_equal(getattr(loaded, name), value)
    assert loaded.fit(X).components_.tolist() == model.components_.tolist()


@pytest.mark.parametrize("chosen", ["pandas", "default", None])
@pytest.mark.parametrize("model", MODELS[-4:-1], ids=lambda m: type(m).__name__)
def test_the_container_of_outputs_comes_back(model, chosen, tmp_path):
    model = clone(model).set_output(transform=chosen).fit(X)
    save_model(model, tmp_path / "model.npz")
    found, expected = load_model(tmp_path / "model.npz").transform(X), model.transform(X)
    assert type(found) is type(expected)
    assert type(found).__name__ == ("DataFrame" if chosen == "pandas" else "ndarray")
    np.testing.assert_array_equal(found, expected)


def test_names_of_features_come_back(tmp_path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    save_model(Whitening().fit(frame), tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert loaded.feature_names_in_.tolist() == list("abcdef")
    loaded.transform(frame)


@pytest.mark.parametrize("nothing", ["passthrough", None])
def test_steps_that_do_nothing_come_back(nothing, tmp_path):
    pipeline = make_pipeline(nothing, PCA(2)).fit(X)
    save_model(pipeline, tmp_path / "model.npz")
    back = load_model(tmp_path / "model.npz")
    assert back.steps[0][1] == "passthrough"
    np.testing.assert_array_equal(back.transform(X), pipeline.transform(X))


def test_what_cannot_be_saved_is_refused(tmp_path):
    class Own(Penalty):
        layers = Cauchy().layers

    path = tmp_path / "model.npz"
    with pytest.raises(TypeError, match=r"TruncatedSVD cannot be saved; give one of .* register"):
        save_model(TruncatedSVD().fit(X), path)
    with pytest.raises(NotFittedError):
        save_model(SparseCoding(), path)
    own = ReconstructionICA(3, penalty=Own(), tol=1e-2).fit(X)
    with pytest.raises(TypeError, match=r"Own is not one of sparsebp's own .* register"):
        save_model(own, path)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    save_model(MODELS[0].fit(X), path)
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_model(MODELS[0], path)
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_the_file_has_the_permissions_of_any_other(tmp_path):
    (tmp_path / "other").touch()
    save_model(Whitening().fit(X), tmp_path / "model.npz")
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(modes) == 1


def damaged_files(good):
    yield b""
    yield b"no archive"
    yield good[: len(good) // 2]
    yield good[:200] + bytes(100) + good[300:]


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "model.npz"
    save_model(MODELS[0].fit(X), path)
    for bad in damaged_files(path.read_bytes()):
        path.write_bytes(bad)
        with pytest.raises(ValueError, match="damaged or not a model"):
            load_model(path)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"format": 99, "model": {}}, "format 99; this version of sparsebp reads up to 1"),
        ({"format": "2", "model": {}}, "format 2"),
        ({"format": 1, "model": {"class": "os.system"}}, "damaged"),
        ({"format": 1, "model": {"class": "Whitening"}}, "damaged"),
        ({"format": 1}, "damaged"),
        ([], "damaged"),
    ],
)
def test_other_headers_are_refused(header, message, tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, **{"sparsebp.json": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(ValueError, match=message):
        load_model(path)


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "model.npz"
    np.savez(path, **{"sparsebp.json": np.array([object()])})
    with pytest.raises(ValueError, match="damaged"):
        load_model(path)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "nowhere.npz")


@pytest.mark.parametrize(
    "penalty",
    [
        SmoothL1(np.float32(0.01)),
        Topographic((2, 2), neighborhood=np.int64(1), wrap=np.True_, epsilon=np.float32(0.1)),
        Topographic(np.array([2, 2]), neighborhood=(1, 2)),
    ],
)
def test_numbers_of_numpy_in_penalties_are_saved(penalty, tmp_path):
    model = ReconstructionICA(4, penalty=penalty, tol=1e-2, random_state=np.int64(3)).fit(X)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert loaded.penalty == penalty
    assert loaded.random_state == 3


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX files")
def test_a_pipe_is_not_replaced_by_a_model(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"pipe is .* give another name"):
        save_model(OrthonormalICA(2, tol=1e-3, random_state=0).fit(X), tmp_path / "pipe")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("bad", [{"x": np.arange(3)}, {"x": {1}}, {(1, 2): 3}, [1], "text"])
def test_metadata_that_json_cannot_hold_is_named(bad, tmp_path):
    model = ReconstructionICA(2, tol=0.1, random_state=0).fit(np.eye(3))
    with pytest.raises(TypeError, match=r"^metadata"):
        save_model(model, tmp_path / "a.npz", metadata=bad)
    assert not list(tmp_path.iterdir())
