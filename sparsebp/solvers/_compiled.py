"""How loops over single samples are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def compiled(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter's lock; sums may be reordered, NaN and infinity hold."""
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract", "arcp", "nsz"}}
    try:
        return njit(cache=True, **options)(function)
    except RuntimeError:  # no folder may be written to: it is compiled again in every process
        return njit(**options)(function)
