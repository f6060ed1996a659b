"""Fitted estimators in files: arrays and JSON in one ``.npz``, without pickle."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from sparsebp._archive import read_arrays, write_arrays
from sparsebp._files import named, require_file, writing
from sparsebp.saving.packing import UnregisteredError, packed_estimator, unpacked_estimator

FORMAT = 1

_HEADER = "sparsebp.json"


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
    estimator : one of the package's estimators, or a Pipeline of them
        Fitted. `Whitening`, `PooledFeatures` and scikit-learn's StandardScaler, Normalizer, PCA and
        FrozenEstimator can be saved, too, and classes of your own after `register`. The choice of
        `set_output` is saved; a callback, ``init``, or a ``random_state`` that is not an integer,
        is not.
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
    header = {"format": FORMAT, "model": packed_estimator(estimator, arrays)}
    header["metadata"] = _checked_metadata(metadata)
    arrays[_HEADER] = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with writing(path, over="any" if replace else "none") as file:
        write_arrays(file, arrays)


def load_model(path: str | os.PathLike[str]) -> Any:
    """Read a fitted estimator from a file that `save_model` wrote.

    Parameters
    ----------
    path : path
        The file.

    Returns
    -------
    estimator : estimator or Pipeline
        As it was saved.

    Raises
    ------
    ValueError
        If the file is not a saved model, is damaged, or has a newer format.
    OSError
        If the file cannot be read.
    """
    arrays = _read_arrays(named(path))
    header = _header(path, arrays)
    try:
        return unpacked_estimator(header["model"], arrays)
    except UnregisteredError as error:
        raise ValueError(f"{path} {error}") from error
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
    metadata = _header(path, _read_arrays(named(path), [_HEADER])).get("metadata", {})
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
                f"metadata[{name!r}] is a {type(value).__name__} that JSON cannot represent "
                f"({error}); "
                "give strings, numbers, and lists and dicts of them with string keys, such as "
                "array.tolist() for an array."
            ) from error
    return metadata or {}


def _header(path: Any, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return all but the arrays."""
    try:
        read = json.loads(arrays[_HEADER].tobytes(), object_pairs_hook=_without_doubles)
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
        with path.open("rb") as file:
            return read_arrays(file, names)
    except ValueError as error:
        raise ValueError(_damaged(path, f" ({error})")) from error


def _damaged(path: Any, reason: str = "") -> str:
    return f"{path} is damaged or not a model saved by sparsebp{reason}; save the model again."
