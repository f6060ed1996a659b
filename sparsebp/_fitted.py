"""Declarations of the attributes that fitted estimators have; files are checked against them."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np


class Numbers(NamedTuple):
    """An array of floats, or a number.

    Parameters
    ----------
    sides : tuple of str
        Names of its dimensions; those of one name have the same size in all attributes. () is a
        number.
    at_least, above : float
        Bounds of every element.
    finite : bool
        Whether infinities and NaN are errors.
    none : bool
        Whether it may be None: a matrix None is the identity, with equal sides.
    """

    sides: tuple[str, ...] = ()
    at_least: float = -np.inf
    above: float = -np.inf
    finite: bool = True
    none: bool = False


class Size(NamedTuple):
    """A positive integer, the size of the dimension of this name."""

    side: str


class Names(NamedTuple):
    """Strings, one for each element along the dimension of this name."""

    side: str


class Record(NamedTuple):
    """An object of a class, and its attributes."""

    kind: type
    attributes: Mapping[str, Any]


class Maybe(NamedTuple):
    """An attribute that may be missing or None."""

    attribute: Any


def check_attributes(
    name: str, table: Mapping[str, Any], attributes: Mapping[str, Any], **sizes: int
) -> None:
    """Raise ValueError for attributes, by name, that no fitted estimator of a class has.

    The table has the type of each: Numbers, Size, Names, Record, Maybe, a type, or a tuple of
    allowed strings. Sizes of dimensions may be given by their names.
    """
    for unknown in attributes.keys() - table.keys():
        raise ValueError(f"{name} has no attribute {unknown!r}")
    # None agrees with sizes that the others have.
    for attribute in sorted(table, key=lambda name: attributes.get(name) is None):
        kind = table[attribute]
        if attribute in attributes:
            _check(attribute, attributes[attribute], kind, sizes)
        elif not isinstance(kind, Maybe):
            raise ValueError(f"{attribute} is missing")


def _check(name: str, value: Any, kind: Any, sizes: dict[str, int]) -> None:
    if isinstance(kind, Maybe):
        if value is not None:
            _check(name, value, kind.attribute, sizes)
    elif isinstance(kind, Numbers):
        _check_numbers(name, value, kind, sizes)
    elif isinstance(kind, Size):
        whole = isinstance(value, Integral) and not isinstance(value, bool)
        _require(whole and 1 <= int(value) < 2**62, name, value, "an integer > 0")
        _agree(name, {kind.side: int(value)}, sizes)
    elif isinstance(kind, Names):
        text = isinstance(value, np.ndarray) and value.ndim == 1 and value.dtype == object
        _require(text and all(isinstance(v, str) for v in value), name, value, "names")
        _agree(name, {kind.side: len(value)}, sizes)
    elif isinstance(kind, tuple) and not isinstance(kind, Record):
        _require(isinstance(value, str) and value in kind, name, value, f"one of {kind}")
    else:
        expected = kind.kind if isinstance(kind, Record) else kind
        _require(isinstance(value, expected), name, value, f"of type {expected.__name__}")
        for inner, declared in kind.attributes.items() if isinstance(kind, Record) else ():
            _check(f"{name}.{inner}", getattr(value, inner), declared, sizes)


def _check_numbers(name: str, value: Any, kind: Numbers, sizes: dict[str, int]) -> None:
    if value is None and kind.none:
        if len(kind.sides) == 2:
            first, second = kind.sides
            _agree(name, {first: sizes.get(second, sizes.get(first, 1))}, sizes)
        return
    if not kind.sides:
        plain = value.item() if isinstance(value, np.generic) else value
        real = isinstance(plain, Real) and not isinstance(plain, bool)
        number: Any = plain if real else np.inf
        _require(abs(number) < 2**1023, name, value, "a finite number")
    elif not isinstance(value, np.ndarray):
        _require(False, name, type(value).__name__, "an array")
    else:
        wanted = f"a float array of shape ({', '.join(kind.sides)})"
        shape = (value.dtype, value.shape)
        floats = value.dtype in (np.dtype(np.float64), np.dtype(np.float32))
        _require(floats and value.ndim == len(kind.sides) and value.size > 0, name, shape, wanted)
        named = set(zip(kind.sides, value.shape, strict=True))
        _require(len(named) == len(set(kind.sides)), name, shape, "square")
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
        raise ValueError(f"{name} must be {wanted}, got {' '.join(str(value).split())[:80]}")
