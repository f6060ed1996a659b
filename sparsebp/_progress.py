"""How long loops show their progress: by a function that they are given."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

#: Yields the items of a collection and shows progress with a label.
Track = Callable[[Collection[Any], str], Iterable[Any]]


def no_progress(items: Collection[Any], words: str) -> Iterable[Any]:
    """Yield the items without showing progress."""
    return items
