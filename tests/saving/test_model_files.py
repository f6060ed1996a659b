"""Model files that somebody damaged or made up: one sentence that names the file, and no crash."""

import copy
import io
import json
import time
import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

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
from sparsebp._archive import read_arrays
from sparsebp.penalties import Topographic
from sparsebp.preprocessing import Whitening
from sparsebp.saving.registry import ESTIMATORS

X = np.random.default_rng(0).laplace(size=(60, 6))
HEADER = "sparsebp.json"
KINDS = {
    "coding": lambda: SparseCoding(
        4, penalty=Topographic((2, 2)), max_iter=3, batch_size=20, random_state=0
    ),
    "rica": lambda: ReconstructionICA(4, whiten=True, tol=1e-2, random_state=0),
    "ica": lambda: OrthonormalICA(3, tol=1e-2, random_state=0),
    "coder": lambda: SparseCoder(np.eye(6)[:4] * 2, alpha=0.5),
    "filtering": lambda: SparseFiltering(3, tol=1e-2, random_state=0),
    "pipeline": lambda: make_pipeline(Whitening(), SparseFiltering(3, tol=1e-2, random_state=0)),
}


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Return the header and the arrays of a model's file, for each kind."""
    read = {}
    for name, make in KINDS.items():
        path = tmp_path_factory.mktemp("models") / "model.npz"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            save_model(make().fit(X), path, metadata={"a": [1, {"b": 2}]})
        with path.open("rb") as file:
            arrays = read_arrays(file)
        read[name] = (json.loads(arrays.pop(HEADER).tobytes()), arrays)
    return read


def written(path, header, arrays):
    text = header if isinstance(header, str) else json.dumps(header)
    np.savez(path, **{HEADER: np.frombuffer(text.encode(), np.uint8)}, **arrays)
    return path


def deep(header, arrays):
    model = header["model"]
    for _ in range(9):
        model = {"class": "Pipeline", "steps": [["a", model]]}
    header["model"] = model


def of_state(name, value):
    def change(header, arrays):
        header["model"]["state"][name] = value

    return change


def of_array(name, change_array):
    def change(header, arrays):
        key = header["model"]["state"][name]["array"]
        arrays[key] = change_array(arrays[key])

    return change


def of_parameters(name, value):
    def change(header, arrays):
        header["model"]["params"][name] = value

    return change


def of_format(value):
    def change(header, arrays):
        header["format"] = value

    return change


def grid(shape, neighborhood):
    packed = {"class": "Topographic", "grid_shape": shape, "neighborhood": neighborhood}
    return {"penalty": {**packed, "wrap": True, "epsilon": 0.01}}


HOSTILE = {
    "a method's name": of_state("transform", 3),
    "a private name": of_state("__class__", 3),
    "no components": of_state("components_", None),
    "a vector": of_array("components_", np.ravel),
    "another shape": of_array("components_", lambda a: a[:, :2]),
    "another precision": of_array("components_", lambda a: a.astype(np.float16)),
    "integers": of_array("components_", lambda a: a.astype(int)),
    "not finite": of_array("components_", lambda a: a * np.nan),
    "a negative weight": of_state("alpha_", -1.0),
    "an infinite weight": of_state("alpha_", np.inf),
    "a truth value": of_state("n_iter_", True),
    "a penalty for others": of_state("penalty_", grid([3, 3], 3)),
    "an enormous grid": of_state("penalty_", grid([100_000, 100_000], 400_000)),
    "a bad parameter": of_parameters("max_iter", -3),
    "an unknown parameter": of_parameters("os", 1),
    "format 0": of_format(0),
    "format true": of_format(True),
    "too deep": deep,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_with_a_message_that_names_it(what, contents, tmp_path):
    header, arrays = copy.deepcopy(contents["coding"])
    HOSTILE[what](header, arrays)
    path = written(tmp_path / "hostile.npz", header, arrays)
    start = time.process_time()
    with pytest.raises(ValueError, match=r"hostile\.npz is damaged or not a model saved"):
        load_model(path)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": 1, "format": 1}', '{"format": 1e400}'])
def test_headers_that_are_no_headers_are_refused(text, tmp_path):
    with pytest.raises(ValueError, match=r"x\.npz"):
        load_model(written(tmp_path / "x.npz", text, {}))


def test_metadata_of_another_type_are_refused(contents, tmp_path):
    header, arrays = copy.deepcopy(contents["coding"])
    header["metadata"] = [1]
    with pytest.raises(ValueError, match="metadata are not a dict"):
        read_metadata(written(tmp_path / "x.npz", header, arrays))


@pytest.mark.parametrize("names", [["a", "a"], ["a__b", "c"], [3, "b"], ["steps", "b"]], ids=str)
def test_steps_of_pipelines_need_names(names, contents, tmp_path):
    header, arrays = copy.deepcopy(contents["pipeline"])
    for step, name in zip(header["model"]["steps"], names, strict=True):
        step[0] = name
    with pytest.raises(ValueError, match="steps of a pipeline are named"):
        load_model(written(tmp_path / "x.npz", header, arrays))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_fitted_attribute_is_in_the_table(kind):
    model = KINDS[kind]().fit(X)
    for step in [s for _, s in getattr(model, "steps", [])] or [model]:
        found = {k for k in vars(step) if k.endswith("_") and k[0] != "_"}
        assert found <= ESTIMATORS[type(step).__name__].attributes.keys()


def test_a_model_that_could_not_be_read_again_is_not_saved(tmp_path):
    model = ReconstructionICA(2, tol=1e-2, random_state=0).fit(X)
    with pytest.raises(ValueError, match="alpha must be a finite number ≥ 0, got -1"):
        save_model(model.set_params(alpha=-1), tmp_path / "model.npz")
    model.set_params(alpha=1).components_ = model.components_[:1]
    with pytest.raises(ValueError, match="the number of components"):
        save_model(model, tmp_path / "model.npz")
    assert not list(tmp_path.iterdir())


VALUES = [None, True, -1, 0, 3, 10**9, 10**400, 1e300, -0.5, "", "x", [], [1, 2], {}]
VALUES += [{"array": "a"}]


def places(value, found=()):
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        yield (*found, key)
        if isinstance(inner, dict | list):
            yield from places(inner, (*found, key))


def mutated(rng, header, arrays):
    header, arrays = copy.deepcopy(header), dict(arrays)
    for _ in range(rng.integers(1, 3)):
        if arrays and rng.random() < 0.3:
            key = list(arrays)[rng.integers(len(arrays))]
            array = arrays[key]
            large = np.full_like(array, 1e200)
            arrays[key] = [array[:1], array.T, 0 * array, large, -array][rng.integers(5)]
            continue
        within = list(places(header["model"]))
        *outer, last = within[rng.integers(len(within))]
        target = header["model"]
        for key in outer:
            target = target[key]
        target[last] = VALUES[rng.integers(len(VALUES))]
    return header, arrays


def mutated_bytes(rng, data):
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        data[rng.integers(len(data))] = rng.integers(256)
    start = rng.integers(len(data))
    if rng.random() < 0.3:
        del data[start : start + rng.integers(1, 60)]
    return bytes(data)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_mutated_files_are_refused_or_work(kind, contents, tmp_path):
    """A thousand over all kinds: half of them in structure, half in bytes."""
    rng, path, n_read = np.random.default_rng(0), tmp_path / "m.npz", 0
    whole = io.BytesIO()
    written(whole, *contents[kind])
    for i in range(170):
        if i % 2:
            written(path, *mutated(rng, *contents[kind]))
        else:
            path.write_bytes(mutated_bytes(rng, whole.getvalue()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read_metadata(path)
                model = load_model(path)
            except ValueError as error:
                if "m.npz" not in str(error):
                    raise
                continue
            n_read += 1
            for call in (model.transform, getattr(model, "score", None)):
                try:
                    if call is not None:
                        call(X)
                except ValueError as error:
                    if any(word in str(error) for word in ("operand", "matmul", "aligned")):
                        raise
    assert n_read > 5
