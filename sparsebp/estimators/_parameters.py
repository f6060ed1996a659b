"""Checks of constructor parameters in `fit`; messages say what is required."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from sparsebp._checks import is_one_of
from sparsebp._hints import about_value


def _as_float(value: Any) -> float:
    """Return a number as a float; NaN if it is not a number or too large."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return np.nan
    try:
        return float(value)
    except OverflowError:
        return np.nan


def is_auto(value: Any) -> bool:
    """Return whether a parameter is "auto"; arrays are not compared."""
    return isinstance(value, str) and value == "auto"


def check_real(name: str, value: Any, *, positive: bool = False, auto: bool = False) -> None:
    """Raise an error unless value is a finite number ≥ 0 (> 0 if positive) or an allowed "auto"."""
    number = _as_float(value)
    if auto and is_auto(value):
        return
    if not 0 <= number < np.inf or (positive and number == 0):
        also = " or 'auto'" if auto else ""
        raise ValueError(
            f"{name} is {value!r}; it must be a number {'> 0' if positive else '≥ 0'}{also}."
        )


def check_flag_or_share(name: str, value: Any) -> None:
    """Raise an error unless value is a bool or a number between 0 and 1."""
    if not isinstance(value, bool | np.bool_) and not 0 < _as_float(value) < 1:
        raise ValueError(
            f"{name} is {value!r}; it must be True, False or a number in (0, 1)."
            f"{about_value(name, value)}"
        )


def check_flag_or_auto(name: str, value: Any) -> None:
    """Raise an error unless value is a bool or "auto"."""
    if not isinstance(value, bool | np.bool_) and not is_auto(value):
        raise ValueError(f"{name} is {value!r}; it must be True, False or 'auto'.")


def check_flag(name: str, value: Any) -> None:
    """Raise an error unless value is a bool."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} is {value!r}; it must be True or False.")


def check_whole(name: str, value: Any, *, minimum: int = 1, none: str | None = None) -> None:
    """Raise an error unless value is an integer ≥ minimum (or None, if that has a meaning)."""
    if value is None and none is not None:
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < minimum:
        also = f", or None for {none}" if none else ""
        raise ValueError(f"{name} is {value!r}; it must be an integer ≥ {minimum}{also}.")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Raise an error unless value is one of the choices."""
    if not is_one_of(value, choices):
        raise ValueError(
            f"{name} is {value!r}; it must be one of {', '.join(choices)}."
            f"{about_value(name, value, choices)}"
        )
