"""Output of a command: progress bars and remarks on stderr, a summary on stdout, maybe as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from sparsebp._files import printable


@cache
def stderr() -> Console:
    """Return the shared console, so that a warning appears above a bar and not in it."""
    console = Console(stderr=True, highlight=False)
    console.on_broken_pipe = lambda: None  # rich would exit, and lose what is being learned
    return console


def counted(n: int, thing: str) -> str:
    """Return a number with a noun in singular or plural, as in ``"1 patch"``."""
    plural = f"{thing}es" if thing.endswith("ch") else f"{thing}s"
    return f"{n} {thing if n == 1 else plural}"


@dataclass(frozen=True)
class Output:
    """How much a command prints.

    `quiet` leaves out bars, remarks and, unless it is JSON, the summary. Bars are drawn only if the
    console is a terminal.
    """

    quiet: bool = False
    as_json: bool = False
    console: Console = field(default_factory=stderr)

    def remark(self, text: str) -> None:
        """Print a remark on stderr; a broken stderr is no reason to stop."""
        if not self.quiet:
            with suppress(OSError):
                self.console.print(
                    printable(text), markup=False, soft_wrap=not self.console.is_terminal
                )

    def summary(self, lines: Sequence[str], values: Mapping[str, Any]) -> None:
        """Print the summary, as lines or as one JSON object."""
        if self.as_json:
            text = json.dumps(values, ensure_ascii=False, indent=2, default=str)
            safe = (c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)
            print("".join(safe))
        elif not self.quiet:
            print(*map(printable, lines), sep="\n")

    def progress(self, *columns: TextColumn | BarColumn | Any, transient: bool = False) -> Progress:
        """Return a progress bar, disabled unless the console is a terminal."""
        unseen = self.quiet or not self.console.is_terminal
        return Progress(*columns, console=self.console, transient=transient, disable=unseen)

    @contextmanager
    def bar(self, words: str, total: float) -> Iterator[Callable[[float], None]]:
        """Show a bar with the time left; yield a function that advances it."""
        columns = (TextColumn(words), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with self.progress(*columns, transient=True) as progress:
            task = progress.add_task(words, total=total)
            yield lambda step: progress.update(task, advance=step)

    def track(self, items: Collection[Any], words: str) -> Iterator[Any]:
        """Yield the items with a progress bar."""
        with self.bar(words, len(items)) as advance:
            for item in items:
                yield item
                advance(1)
