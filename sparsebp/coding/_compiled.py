"""How loops over single samples are compiled."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.compiler_lock import global_compiler_lock

from sparsebp._warnings import warn_user

logger = logging.getLogger(__name__)


def compiled(function: Callable[..., Any]) -> Any:
    """Compile without the interpreter's lock; sums may be reordered, NaN and infinity hold.

    Functions that compiled code calls are inlined before they are compiled, so each is compiled
    once. Otherwise a new process calls the function itself, one that reads the cache a copy in
    which sums have another order.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract", "arcp", "nsz"}}
    dispatcher: Any = njit(**options, inline="always")(function)
    with suppress(RuntimeError):  # no folder may be written to: every process compiles again
        dispatcher._cache = _ForgivingCache(function)
    return dispatcher


class _ForgivingCache(FunctionCache):
    """An optional cache on disk: its errors are warnings."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return cached code; None if there is none, or its file is damaged or unreadable."""
        code = None
        try:
            code = super().load_overload(sig, target_context)
        except Exception as error:
            self._warn("read", error)
        if code is None:
            _say_that_it_takes_seconds()
        return code

    def save_overload(self, sig: Any, data: Any) -> None:
        """Cache compiled code; if that fails, keep it in memory."""
        try:
            super().save_overload(sig, data)
        except Exception as error:
            self._warn("written", error)

    def _warn(self, done: str, error: Exception) -> None:
        warn_user(
            f"The compiled code in {self.cache_path} could not be {done} "
            f"({type(error).__name__}: {error}), so it is compiled in memory, which takes some "
            "seconds in each process. Remove that folder, free disk space, or set "
            "NUMBA_CACHE_DIR to a writable folder.",
        )


@cache
def _say_that_it_takes_seconds() -> None:
    """Explain the pause, once in a process; no warning, which could be raised as an error."""
    logger.warning("Compiling sparsebp's encoders, which takes some seconds after installation.")


if hasattr(os, "register_at_fork"):
    # A fork waits until no other thread compiles; otherwise the child's copy of numba's lock would
    # never be released.
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )
