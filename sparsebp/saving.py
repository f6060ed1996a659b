"""Fitted estimators in files: arrays and JSON in one ``.npz``, without pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import fields
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

import sparsebp.penalties as penalties
from sparsebp._archive import read_arrays, write_arrays
from sparsebp._files import require_file, writing
from sparsebp._fitted import ATTRIBUTES, check_attributes
from sparsebp.coding import OnlineState
from sparsebp.estimators import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
)
from sparsebp.penalties import Penalty, Signed, Topographic
from sparsebp.preprocessing import Whitening
from sparsebp.preprocessing.whitening import factors_of_matrix

FORMAT = 1

_KINDS = (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    Whitening,
)
_ESTIMATORS = {kind.__name__: kind for kind in _KINDS}
_PENALTIES = {n: getattr(penalties, n) for n in penalties.__all__}
_HEADER = "sparsebp.json"
#: Parameters that belong to a run, not to the model.
_OF_THE_RUN = ("callback", "init")
_CONTAINERS = (None, "default", "pandas", "polars")
#: Pipelines within pipelines.
_DEEPEST = 8


def save_model(
    estimator: BaseEstimator,
    path: str | os.PathLike[str],
    *,
    metadata: dict | None = None,
    replace: bool = True,
) -> None:
    """Write a fitted estimator to a file.

    The file is written completely or not at all: a temporary file is moved to the path at the end.
    A symbolic link is kept, and so are the permissions of a replaced file.

    Parameters
    ----------
    estimator : one of the package's estimators, Whitening, or a Pipeline of them
        Fitted. The choice of `set_output` is saved; a callback, ``init``, or a ``random_state``
        that is not an integer, is not.
    path : path
        The file, by convention with the suffix ``.npz``.
    metadata : dict, optional
        Anything that JSON can represent, such as the preprocessing; `read_metadata` returns it.
    replace : bool, default=True
        Whether an existing file is replaced; otherwise FileExistsError is raised.

    Raises
    ------
    TypeError
        If the estimator, or one of its attributes, is of a type that cannot be saved.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If a parameter or an attribute has an invalid value, or if the path is not a regular file,
        such as a folder or a device.
    OSError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from sparsebp import ReconstructionICA, load_model
    >>> model = ReconstructionICA(2, random_state=0).fit(np.eye(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, Path(folder) / "model.npz")
    ...     loaded = load_model(Path(folder) / "model.npz")
    >>> bool((loaded.components_ == model.components_).all())
    True
    """
    arrays: dict[str, np.ndarray] = {}
    header = {"format": FORMAT, "model": _packed_estimator(estimator, arrays)}
    header["metadata"] = _checked_metadata(metadata)
    arrays[_HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with writing(path, replace=replace) as file:
        write_arrays(file, arrays)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Read a fitted estimator from a file that `save_model` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    estimator : one of the package's estimators, Whitening or Pipeline
        As it was saved.

    Raises
    ------
    ValueError
        If the file is not a saved model, is damaged, or has a newer format.
    OSError
        If the file cannot be read.
    """
    header = _read_header(Path(path))
    arrays = _read_arrays(Path(path))
    try:
        return _unpacked_estimator(header["model"], arrays)
    except ValueError as error:
        raise ValueError(_damaged(path, f" ({error})")) from error
    except (KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise ValueError(_damaged(path)) from error


def read_metadata(path: str | os.PathLike[str]) -> dict:
    """Read the metadata of a saved model.

    Parameters
    ----------
    path : path
        A file that `save_model` wrote.

    Returns
    -------
    metadata : dict
        As saved; empty if there is none.

    Raises
    ------
    ValueError
        If the file is not a saved model, is damaged, or has a newer format.
    OSError
        If the file cannot be read.
    """
    metadata = _read_header(Path(path)).get("metadata", {})
    if not isinstance(metadata, dict):
        raise ValueError(_damaged(path, " (its metadata are not a dict)"))
    return metadata


def _checked_metadata(metadata: Any) -> dict:
    """Return metadata, or raise an error for what JSON cannot represent."""
    if not isinstance(metadata, dict | None):
        raise TypeError(f"metadata is a {type(metadata).__name__}; give a dict, or None.")
    for name, value in (metadata or {}).items():
        try:
            json.dumps({name: value})
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(
                f"metadata[{name!r}] is a {type(value).__name__} that JSON cannot hold ({error}); "
                "give text, numbers, lists and dicts of them under names that are text, such as "
                "array.tolist() for an array."
            ) from error
    return metadata or {}


def _read_header(path: Path) -> dict[str, Any]:
    """Read all but the arrays."""
    header = _read_arrays(path, [_HEADER])[_HEADER]
    try:
        read = json.loads(header.tobytes(), object_pairs_hook=_without_doubles)
        version = read["format"]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(_damaged(path)) from error
    if isinstance(version, int) and (version < 1 or isinstance(version, bool)):
        raise ValueError(_damaged(path, f" (format {version})"))
    if not isinstance(version, int) or version > FORMAT:
        raise ValueError(
            f"{path} has format {version}; this version of sparsebp reads up to {FORMAT}. "
            "Install a newer sparsebp."
        )
    return read


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(read := dict(pairs)) != len(pairs):
        raise ValueError("a name occurs twice")
    return read


def _read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    require_file(path)
    try:
        return read_arrays(path, names)
    except ValueError as error:
        raise ValueError(_damaged(path, f" ({error})")) from error


def _damaged(path: Any, reason: str = "") -> str:
    return f"{path} is damaged or not a model saved by sparsebp{reason}; save the model again."


def _packed_estimator(estimator: Any, arrays: dict[str, np.ndarray]) -> dict:
    name = type(estimator).__name__
    if isinstance(estimator, Pipeline):
        steps = [[key, _packed_estimator(step, arrays)] for key, step in estimator.steps]
        return {"class": "Pipeline", "steps": steps}
    if _ESTIMATORS.get(name) is not type(estimator):
        raise TypeError(
            f"{name} cannot be saved; give one of {', '.join(sorted(_ESTIMATORS))}, or a "
            "scikit-learn Pipeline of them."
        )
    check_is_fitted(estimator)
    params = {k: v for k, v in estimator.get_params().items() if k not in _OF_THE_RUN}
    if not isinstance(params.get("random_state", 0), Integral):
        params["random_state"] = None
    state = {k: v for k, v in vars(estimator).items() if k in ATTRIBUTES[name]}
    estimator.check_parameters()  # invalid ones could not be loaded again
    check_attributes(name, state)
    return {
        "class": name,
        "params": {k: _packed(v, arrays) for k, v in params.items()},
        "state": {k: _packed(v, arrays) for k, v in state.items()},
        "output": getattr(estimator, "_sklearn_output_config", {}).get("transform"),
    }


def _packed(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value that JSON can represent; arrays go into the archive."""
    if isinstance(value, Penalty):
        return {"penalty": _packed_penalty(value, arrays)}
    if isinstance(value, tuple) and all(isinstance(entry, Integral) for entry in value):
        return {"tuple": [int(entry) for entry in value]}
    if isinstance(value, list | tuple):
        value = np.array(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "O":
            return {"names": [str(name) for name in value]}
        key = f"array{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, OnlineState):
        return {"state": {f.name: _packed(getattr(value, f.name), arrays) for f in fields(value)}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"A {type(value).__name__} cannot be saved.")


def _packed_penalty(penalty: Penalty, arrays: dict[str, np.ndarray]) -> dict:
    name = type(penalty).__name__
    if isinstance(penalty, Topographic):
        names = ("grid_shape", "neighborhood", "wrap", "epsilon")
        packed: dict = {"class": name, **{n: getattr(penalty, n) for n in names}}
        if penalty.grid_shape is None:
            packed["grouping"] = _packed(penalty.grouping, arrays)["array"]
        return packed
    if _PENALTIES.get(name) is not type(penalty):
        raise TypeError(f"The penalty {name} is not one of sparsebp's own and cannot be saved.")
    own = {f.name: getattr(penalty, f.name) for f in fields(penalty)}  # type: ignore[arg-type]
    if isinstance(penalty, Signed):
        own["penalty"] = _packed_penalty(penalty.penalty, arrays)
    return {"class": name, **own}


def _unpacked_estimator(packed: dict, arrays: dict[str, np.ndarray], depth: int = 0) -> Any:
    if packed["class"] == "Pipeline":
        if depth >= _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} pipelines within each other")
        names = [key for key, _ in packed["steps"]]
        _check_step_names(names)
        steps = [_unpacked_estimator(step, arrays, depth + 1) for _, step in packed["steps"]]
        return Pipeline(list(zip(names, steps, strict=True)))
    params = {k: _unpacked(v, arrays) for k, v in packed["params"].items()}
    if packed["class"] in ("OrthonormalICA", "ReconstructionICA"):
        params.setdefault("directions", "all")  # of a version that always searched in all
    estimator = _ESTIMATORS[packed["class"]](**params)
    estimator.check_parameters()
    state = {name: _unpacked(value, arrays) for name, value in packed["state"].items()}
    if "dewhitening_matrix_" in state:  # of a version that wrote matrices out
        del state["whitening_matrix_"]
        matrix = state.pop("dewhitening_matrix_")
        state |= factors_of_matrix(params["method"], matrix, state["n_components_"])
    check_attributes(packed["class"], state)
    for name, value in state.items():
        setattr(estimator, name, value)
    if isinstance(estimator, SparseFiltering) and not hasattr(estimator, "epsilon_"):
        estimator.epsilon_ = estimator.epsilon  # saved before ε was relative to the samples
    if packed.get("output") not in _CONTAINERS:
        raise ValueError(f"output is {packed['output']!r}")
    return estimator.set_output(transform=packed.get("output"))


def _check_step_names(names: list[Any]) -> None:
    taken = ("steps", "memory", "verbose", "transform_input")
    text = all(isinstance(name, str) and name and "__" not in name for name in names)
    if not names or not text or len(set(names)) < len(names) or set(names) & set(taken):
        raise ValueError(f"the steps of a pipeline are named {names!r}"[:200])


def _unpacked(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "tuple" in value:
        return tuple(value["tuple"])
    if "state" in value:
        return OnlineState(**{k: _unpacked(v, arrays) for k, v in value["state"].items()})
    if "names" in value:
        return np.array(value["names"], dtype=object)
    return _unpacked_penalty(dict(value["penalty"]), arrays)


def _unpacked_penalty(fields: dict, arrays: dict[str, np.ndarray]) -> Penalty:
    name = fields.pop("class")
    if name == "Signed":
        return Signed(_unpacked_penalty(fields["penalty"], arrays), tuple(fields["signs"]))
    if name != "Topographic":
        return _PENALTIES[name](**fields)
    if "grouping" in fields:
        return Topographic.from_groups(arrays[fields["grouping"]], epsilon=fields["epsilon"])
    return Topographic(**fields)
