"""Constructor parameters checked in `fit`, with sentences that say what is needed."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np


def check_real(name: str, value: Any, *, positive: bool = False) -> None:
    """Refuse what is not a finite number ≥ 0 (> 0 where positive)."""
    number = isinstance(value, Real) and not isinstance(value, bool) and np.isfinite(float(value))
    if not number or float(value) < 0 or (positive and float(value) == 0):
        raise ValueError(
            f"{name} is {value!r}; it must be a number {'> 0' if positive else '≥ 0'}."
        )


def check_whole(name: str, value: Any, *, minimum: int = 1, none: str | None = None) -> None:
    """Refuse what is not a whole number ≥ minimum (nor None, where None has a meaning)."""
    if value is None and none is not None:
        return
    if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < minimum:
        also = f", or None for {none}" if none else ""
        raise ValueError(f"{name} is {value!r}; it must be a whole number ≥ {minimum}{also}.")


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Refuse what is not one of the choices."""
    if not (isinstance(value, str) and value in choices):
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(choices)}.")
