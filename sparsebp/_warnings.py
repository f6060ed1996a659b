"""Warnings that point at the user's line."""

from __future__ import annotations

import sys
import warnings

#: Modules whose frames lie between a user's line and a warning.
_INNER = ("sparsebp.", "sklearn.", "contextlib", "functools")


def warn_from_task(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn from a task of dask, also in the process that wants its result."""
    distributed = sys.modules.get("distributed")  # is imported on a worker
    (warnings if distributed is None else distributed).warn(message, category)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called this package, through any number of decorators and wrappers."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(_INNER):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
