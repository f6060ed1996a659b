"""Checks that arrays fit into memory before they are allocated."""

import math
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

#: Bytes below which memory is not checked.
_SMALL = 2**28
_CGROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def check_memory(name: str, value: Any, *shapes: Sequence[int], itemsize: int = 8) -> None:
    """Raise MemoryError if arrays of these shapes do not fit into memory together.

    `name` and `value` are those of the parameter that determines the size.
    """
    n_bytes = itemsize * sum(math.prod(map(int, shape)) for shape in shapes)
    if n_bytes > _SMALL and n_bytes > (available := available_bytes()):
        raise MemoryError(
            f"{name}={value!r} needs {n_bytes / 2**30:.2g} GiB of memory, of which "
            f"{available / 2**30:.2g} GiB are available; give a smaller number."
        )


def available_bytes() -> float:
    """Return the available memory; infinity if the system does not report it."""
    found = [math.inf]
    with suppress(OSError, ValueError, IndexError):  # Linux
        text = Path("/proc/meminfo").read_text("ascii")
        found.append(1024 * int(text.split("MemAvailable:")[1].split()[0]))
    with suppress(OSError, ValueError, AttributeError):  # macOS
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for limit in _CGROUPS:
        with suppress(OSError, ValueError):  # "max" is not a number
            found.append(int(Path(limit).read_text("ascii")))
    return min(found)
