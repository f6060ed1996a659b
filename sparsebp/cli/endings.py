"""How a command ends: exit statuses, sentences instead of tracebacks, interrupts, closed pipes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

#: What a user can mend, such as a wrong option or a folder that cannot be written.
MENDABLE = 2
INTERRUPTED = 130
#: What shells report of a program whose reader went away, as in ``sparsebp derive | head -1``.
CLOSED_PIPE = 141

STATUSES = (
    "Exit status: 0 done; 1 something unexpected, please report it; 2 something you can mend, said "
    "on stderr; 130 interrupted by Ctrl-C."
)


def leave_on_interrupt() -> None:
    """Let Ctrl-C end the process at once and in silence, while there is nothing to lose."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def _leave(*_: Any) -> None:
    os._exit(INTERRUPTED)


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C raise KeyboardInterrupt, for work that has something to save or to clear up.

    It decorates the functions that do a command's work.
    """
    leaves = signal.getsignal(signal.SIGINT) is _leave
    if leaves:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
        sys.stdout.flush()
    finally:
        if leaves:
            signal.signal(signal.SIGINT, _leave)


@contextmanager
def errors_in_words() -> Iterator[None]:
    """End with a sentence and an exit status where no traceback helps."""
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(CLOSED_PIPE) from None
    except SystemExit as ending:  # rich, which writes the help, makes 1 of a closed pipe
        if isinstance(ending.__context__, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from None
        raise
    except (OSError, TypeError, ValueError, MemoryError, Warning) as error:
        say("Error:", _sentence(error), "red")
        raise SystemExit(MENDABLE) from error
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def show_warning(message: Warning | str, *_: Any) -> None:
    """Print a warning as a sentence; takes the place of `warnings.showwarning`."""
    say("Warning:", str(message), "yellow")


def say(label: str, text: str, style: str) -> None:
    """Print a labelled sentence on stderr."""
    from rich.text import Text

    from sparsebp.cli.output import stderr

    console = stderr()
    with suppress(OSError):  # a full or closed stderr ends no work
        console.print(Text.assemble((label, style), " ", text), soft_wrap=not console.is_terminal)


def open_streams() -> None:
    """Have streams that take whatever is printed: ? for ‖ or δ, and nothing where one is closed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # as in ``sparsebp derive >&-``
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        elif isinstance(stream := getattr(sys, name), TextIOWrapper):
            stream.reconfigure(errors="replace")


def close_streams() -> None:
    """Flush what was printed; if nobody reads it any more, let that be no error.

    Raises
    ------
    OSError
        If what was printed cannot be written, say because the disk is full.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            with suppress(OSError):  # Python flushes again at the end, and would complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not isinstance(error, BrokenPipeError):
                raise


def _sentence(error: Any) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    if isinstance(error, MemoryError):
        return f"Out of memory: {error}. Take fewer or smaller patches, or fewer components."
    return str(error)
