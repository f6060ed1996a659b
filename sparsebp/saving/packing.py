"""Estimators as JSON and arrays, and back."""

from __future__ import annotations

from dataclasses import fields
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sparsebp._dispatch import on_host
from sparsebp._fitted import check_attributes
from sparsebp.coding import BasisState
from sparsebp.penalties import Penalty, Signed, Topographic
from sparsebp.saving.registry import ESTIMATORS, PENALTIES

#: Parameters that belong to a run, not to the model.
_OF_THE_RUN = ("callback", "checkpoint", "init")
_CONTAINERS = (None, "default", "pandas", "polars")
#: A step of a pipeline that does nothing; scikit-learn also takes None.
_PASSTHROUGH = "passthrough"
#: Estimators within estimators.
_DEEPEST = 8


class UnregisteredError(ValueError):
    """A file names a class that is not registered."""


def packed_estimator(estimator: Any, arrays: dict[str, np.ndarray], *, fitted: bool = True) -> dict:
    """Convert an estimator to JSON values, and add its arrays to `arrays`.

    Of one that is a parameter, which is not `fitted`, only the parameters are kept. A class or an
    attribute that cannot be saved is a TypeError, an invalid value a ValueError.
    """
    name = type(estimator).__name__
    if estimator is None or (name == "str" and estimator == _PASSTHROUGH):
        return {"class": _PASSTHROUGH}
    if isinstance(estimator, Pipeline):
        steps = [
            [key, packed_estimator(step, arrays, fitted=fitted)] for key, step in estimator.steps
        ]
        return {"class": "Pipeline", "steps": steps}
    if isinstance(estimator, FrozenEstimator):
        return {"class": "FrozenEstimator", "of": packed_estimator(estimator.estimator, arrays)}
    entry = ESTIMATORS.get(name)
    if entry is None or entry.kind is not type(estimator):
        raise TypeError(
            f"{name} cannot be saved; give one of {', '.join(sorted(ESTIMATORS))}, or a "
            "scikit-learn Pipeline of them, or register the class by sparsebp.saving.register."
        )
    if fitted:
        check_is_fitted(estimator)
    params: dict[str, Any] = estimator.get_params(deep=False)
    params = {k: v for k, v in params.items() if k not in _OF_THE_RUN}
    if not isinstance(params.get("random_state", 0), Integral):
        params["random_state"] = None
    _check_parameters(estimator)  # invalid ones could not be loaded again
    packed: dict[str, Any] = {
        "class": name,
        "params": {k: _packed(v, arrays) for k, v in params.items()},
    }
    if fitted:
        kept = vars(on_host(estimator))
        state = {k: v for k, v in kept.items() if k in entry.attributes}
        check_attributes(name, entry.attributes, state)
        packed["state"] = {k: _packed(v, arrays, fitted=True) for k, v in state.items()}
        packed["output"] = getattr(estimator, "_sklearn_output_config", {}).get("transform")
    return packed


def _packed(value: Any, arrays: dict[str, np.ndarray], *, fitted: bool = False) -> Any:
    """Return a value that JSON can represent; arrays go into the archive."""
    if isinstance(value, BaseEstimator):
        return {"estimator": packed_estimator(value, arrays, fitted=fitted)}
    if isinstance(value, Penalty):
        return {"penalty": _packed_penalty(value, arrays)}
    if isinstance(value, list | tuple):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_packed(entry, arrays) for entry in value]}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind == "O":
        if not all(isinstance(name, str) for name in value.flat) or value.ndim != 1:
            raise TypeError("An array of objects that are not all text cannot be saved.")
        return {"names": value.tolist()}
    if isinstance(value, np.ndarray):
        key = f"array{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, BasisState):
        sums = {f.name: getattr(value, f.name) for f in fields(value)}
        return {"state": {k: _packed(v, arrays) for k, v in sums.items() if v is not None}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"A {type(value).__name__} cannot be saved.")


def _packed_penalty(penalty: Penalty, arrays: dict[str, np.ndarray]) -> dict:
    name = type(penalty).__name__
    if PENALTIES.get(name) is not type(penalty):
        raise TypeError(
            f"The penalty {name} is not one of sparsebp's own and cannot be saved; register its "
            "class by sparsebp.saving.register."
        )
    if isinstance(penalty, Topographic):
        names = ("grid_shape", "neighborhood", "wrap", "epsilon")
        packed: dict = {"class": name, **{n: getattr(penalty, n) for n in names}}
        if penalty.grid_shape is None:
            packed["grouping"] = _packed(penalty.grouping, arrays)["array"]
        return packed
    if isinstance(penalty, Signed):
        inner = _packed_penalty(penalty.penalty, arrays)
        return {"class": name, "penalty": inner, "signs": penalty.signs}
    names = [f.name for f in fields(penalty)]  # type: ignore[arg-type]
    return {"class": name, **{n: _packed(getattr(penalty, n), arrays) for n in names}}


def unpacked_estimator(
    packed: dict, arrays: dict[str, np.ndarray], depth: int = 0, *, fitted: bool = True
) -> Any:
    """Return the estimator that `packed_estimator` packed, from a file that is not trusted.

    `depth` counts the estimators around it. Damaged files raise ValueError, KeyError, TypeError,
    AttributeError, RecursionError or OverflowError.
    """
    if packed["class"] == _PASSTHROUGH:
        return _PASSTHROUGH
    if depth >= _DEEPEST:
        raise ValueError(f"more than {_DEEPEST} estimators within each other")
    if packed["class"] == "FrozenEstimator":
        return FrozenEstimator(unpacked_estimator(packed["of"], arrays, depth + 1))
    if packed["class"] == "Pipeline":
        names = [key for key, _ in packed["steps"]]
        _check_step_names(names)
        steps = [
            unpacked_estimator(step, arrays, depth + 1, fitted=fitted)
            for _, step in packed["steps"]
        ]
        return Pipeline(list(zip(names, steps, strict=True)))
    params = {k: _unpacked(v, arrays, depth) for k, v in packed["params"].items()}
    entry = _registered(ESTIMATORS, packed["class"])
    estimator: Any = entry.kind(**params)
    _check_parameters(estimator)
    if not fitted:
        return estimator
    state = {k: _unpacked(v, arrays, depth, fitted=True) for k, v in packed["state"].items()}
    check_attributes(packed["class"], entry.attributes, state)
    for name, value in state.items():
        setattr(estimator, name, value)
    if hasattr(estimator, "_check_fitted"):
        estimator._check_fitted()
    if isinstance(penalty := state.get("penalty_"), Penalty):
        penalty.check_components(len(state["components_"]))
    if packed.get("output") not in _CONTAINERS:
        raise ValueError(f"output is {packed['output']!r}")
    output = packed.get("output")
    return estimator if output is None else estimator.set_output(transform=output)


def _check_step_names(names: list[Any]) -> None:
    taken = ("steps", "memory", "verbose", "transform_input")
    text = all(isinstance(name, str) and name and "__" not in name for name in names)
    if not names or not text or len(set(names)) < len(names) or set(names) & set(taken):
        raise ValueError(f"the steps of a pipeline are named {names!r}"[:200])


def _unpacked(
    value: Any, arrays: dict[str, np.ndarray], depth: int = 0, *, fitted: bool = False
) -> Any:
    if not isinstance(value, dict):
        return value
    if "estimator" in value:
        return unpacked_estimator(value["estimator"], arrays, depth + 1, fitted=fitted)
    if "array" in value:
        return arrays[value["array"]]
    for kind in (list, tuple):
        if kind.__name__ in value:
            return kind(_unpacked(entry, arrays) for entry in value[kind.__name__])
    if "state" in value:
        return BasisState(**{k: _unpacked(v, arrays) for k, v in value["state"].items()})
    if "names" in value:
        return np.array(value["names"], dtype=object)
    return _unpacked_penalty(dict(value["penalty"]), arrays)


def _unpacked_penalty(fields: dict, arrays: dict[str, np.ndarray]) -> Penalty:
    name = fields.pop("class")
    if name == "Signed":
        return Signed(_unpacked_penalty(fields["penalty"], arrays), tuple(fields["signs"]))
    if name != "Topographic":
        values = {n: _unpacked(value, arrays) for n, value in fields.items()}
        return _registered(PENALTIES, name)(**values)
    if "grouping" in fields:
        return Topographic.from_groups(arrays[fields["grouping"]], epsilon=fields["epsilon"])
    return Topographic(**fields)


def _registered(table: dict[str, Any], name: Any) -> Any:
    if not isinstance(name, str) or name not in table:
        raise UnregisteredError(
            f"contains a {str(name)[:80]}, which is not registered; import the module that "
            "registers it first."
        )
    return table[name]


def _check_parameters(estimator: Any) -> None:
    """Raise an error for parameters that are invalid in `fit`."""
    if hasattr(estimator, "check_parameters"):
        estimator.check_parameters()
    elif hasattr(estimator, "_parameter_constraints"):
        estimator._validate_params()
