"""Attributes of fitted estimators, with types and shapes; checked when models are loaded."""

from __future__ import annotations

from dataclasses import fields
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np

from sparsebp.coding import OnlineState
from sparsebp.penalties import Penalty


class Numbers(NamedTuple):
    """An array of finite floats with named dimensions; () is a number."""

    sides: tuple[str, ...] = ()
    at_least: float = -np.inf
    above: float = -np.inf
    finite: bool = True
    none: bool = False  # None is the identity matrix, or absent


class Size(NamedTuple):
    """An integer: the size of a dimension."""

    side: str


class Names(NamedTuple):
    """Strings, one for each index of a dimension."""

    side: str


_ATOMS = Numbers(("components", "features"))
_SEARCH = {
    "n_features_in_": Size("features"),
    "feature_names_in_": Names("features"),
    "components_": _ATOMS,
    "sample_scale_": Numbers(at_least=0),
    "objective_": Numbers(),
    "objective_history_": Numbers(("entries",), finite=False),
    "n_iter_": Size("iterations"),
    "status_": str,
}
_FILTERS = {
    **_SEARCH,
    "penalty_": Penalty,
    "whitened_components_": Numbers(("components", "directions")),
    "mixing_": Numbers(("features", "components")),
    "whitening_": Numbers(("directions", "features"), none=True),
    "mean_": Numbers(("features",)),
}
#: Attributes of each estimator, by the name of its class.
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "OrthonormalICA": _FILTERS,
    "ReconstructionICA": {
        **_FILTERS,
        "alpha_": Numbers(at_least=0),
        "decoder_scale_": Numbers(above=0),
    },
    "SparseCoder": {"feature_names_in_": Names("features")},
    "SparseCoding": {
        **_SEARCH,
        "penalty_": Penalty,
        "alpha_": Numbers(at_least=0),
        "gamma_": Numbers(at_least=0, none=True),
        "state_": OnlineState,
    },
    "SparseFiltering": {
        **_SEARCH,
        "epsilon_": Numbers(above=0),
        "scale_": Numbers(("components",), above=0),
    },
    "Whitening": {
        "n_features_in_": Size("features"),
        "feature_names_in_": Names("features"),
        "mean_": Numbers(("features",)),
        "eigenvalues_": Numbers(("directions",), at_least=0),
        "rank_": Size("rank"),
        "n_components_": Size("directions"),
        "directions_": Numbers(("features", "directions")),
        "scales_": Numbers(("directions",), above=0),
        "method_": ("pca", "zca"),
    },
}
_STATE = {
    "basis": Numbers(("features", "components")),
    "codes_moments": Numbers(("components", "components")),
    "cross_moments": Numbers(("features", "components")),
    "n_samples": Size("samples"),
}
#: Attributes missing from models of earlier versions, or of samples without names.
_OPTIONAL = {"feature_names_in_", "sample_scale_", "decoder_scale_", "state_", "epsilon_"}


def check_attributes(name: str, attributes: dict[str, Any]) -> None:
    """Raise an error for attributes that no fitted estimator has.

    Parameters
    ----------
    name : str
        Of the estimator's class, one of `ATTRIBUTES`.
    attributes : dict
        By name.

    Raises
    ------
    ValueError
        If one is unknown, missing, of the wrong type, or inconsistent with the others.
    """
    table = ATTRIBUTES[name]
    for unknown in attributes.keys() - table.keys():
        raise ValueError(f"{name} has no attribute {unknown!r}")
    for missing in table.keys() - attributes.keys() - _OPTIONAL:
        raise ValueError(f"{missing} is missing")
    sizes: dict[str, int] = {}
    for attribute, kind in table.items():
        if attribute in attributes:
            _check(attribute, attributes[attribute], kind, sizes)
    if isinstance(penalty := attributes.get("penalty_"), Penalty):
        penalty.check_components(sizes["components"])


def _check(name: str, value: Any, kind: Any, sizes: dict[str, int]) -> None:
    if isinstance(kind, Numbers):
        _check_numbers(name, value, kind, sizes)
    elif isinstance(kind, Size):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        _require(whole and 1 <= int(value) < 2**62, name, value, "an integer > 0")
        _agree(name, {kind.side: int(value)}, sizes)
    elif isinstance(kind, Names):
        text = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == object
        _require(text and all(isinstance(v, str) for v in value), name, value, "names")
        _agree(name, {kind.side: len(value)}, sizes)
    elif isinstance(kind, tuple):
        _require(isinstance(value, str) and value in kind, name, value, f"one of {kind}")
    elif value is not None or kind is not OnlineState:
        _require(isinstance(value, kind), name, value, f"of type {kind.__name__}")
        if isinstance(value, OnlineState):
            for field in fields(value):
                of_state = getattr(value, field.name)
                _check(f"{name}.{field.name}", of_state, _STATE[field.name], sizes)


def _check_numbers(name: str, value: Any, kind: Numbers, sizes: dict[str, int]) -> None:
    if value is None and kind.none:
        if kind.sides:
            first, second = kind.sides
            _agree(name, {first: sizes[second]}, sizes)
        return
    if not kind.sides:
        number: Any = value if isinstance(value, Real) and not isinstance(value, bool) else np.inf
        _require(abs(number) < 2**1023, name, value, "a finite number")
    elif not isinstance(value, np.ndarray):
        _require(False, name, type(value).__name__, "an array")
    else:
        wanted = f"a float array of shape ({', '.join(kind.sides)})"
        shape = (value.dtype, value.shape)
        floats = value.dtype in (np.dtype(np.float64), np.dtype(np.float32))
        _require(floats and value.ndim == len(kind.sides) and value.size > 0, name, shape, wanted)
        if len(set(kind.sides)) < len(kind.sides):
            _require(len(set(value.shape)) == 1, name, shape, "square")
        _agree(name, dict(zip(kind.sides, value.shape, strict=True)), sizes)
    array = np.asarray(value)
    _require(not kind.finite or bool(np.isfinite(array).all()), name, "not finite", "finite")
    fits = bool((array >= kind.at_least).all() and (array > kind.above).all())
    _require(fits or not kind.finite, name, "too small", f"≥ {kind.at_least} and > {kind.above}")


def _agree(name: str, found: dict[str, int], sizes: dict[str, int]) -> None:
    for side, size in found.items():
        _require(
            sizes.setdefault(side, size) == size,
            f"the number of {side} of {name}",
            size,
            f"{sizes[side]} as elsewhere",
        )


def _require(condition: bool, name: str, value: Any, wanted: str) -> None:
    if not condition:
        raise ValueError(f"{name} is {str(value)[:80]}; it must be {wanted}")
