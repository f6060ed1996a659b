"""How a command ends: exit statuses, sentences instead of tracebacks, interrupts, closed pipes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any

#: An error of the user's that can be fixed: a wrong option, or a folder that cannot be written.
USER_ERROR = 2
#: Too little memory, which less work or another machine helps.
OUT_OF_MEMORY = 3
#: What shells report of a program whose reader went away, as in ``sparsebp derive | head -1``.
CLOSED_PIPE = 141

STATUSES = (
    "Exit status: 0 done; 1 something unexpected, please report it; 2 an error that you can fix, "
    "described on stderr; 3 out of memory; 130, 143 or 129 interrupted by Ctrl-C, SIGTERM or "
    "SIGHUP."
)

#: What ends a command as Ctrl-C does: `kill` sends SIGTERM, a terminal that closes SIGHUP.
_SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
#: The one that came last; KeyboardInterrupt, which estimators raise again, does not say it.
_last_signal: int = signal.SIGINT


def leave_on_interrupt() -> None:
    """Let Ctrl-C end the process at once and in silence, while there is nothing to lose."""
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, _leave)


def _leave(number: int, _: Any) -> None:
    os._exit(128 + number)


def _interrupt(number: int, _: Any) -> None:
    global _last_signal
    _last_signal = number
    raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt where there is something to save.

    It decorates the functions that do a command's work. Signals that are ignored, as SIGHUP is
    under nohup, or that the caller handles, stay so.
    """
    replaced: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # the only one that may set handlers
        defaults = (_leave, signal.default_int_handler, signal.SIG_DFL)
        replaced = {n: h for n in _SIGNALS if (h := signal.getsignal(n)) in defaults}
    for number in replaced:
        signal.signal(number, _interrupt)
    try:
        yield
        sys.stdout.flush()
    finally:
        for number, handler in replaced.items():
            signal.signal(number, handler)


@contextmanager
def exit_with_message() -> Iterator[None]:
    """End with a sentence and an exit status where no traceback helps."""
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(CLOSED_PIPE) from None
    except SystemExit as ending:  # rich, which writes the help, makes 1 of a closed pipe
        if isinstance(ending.__context__, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from None
        raise
    except MemoryError as error:
        say("Error:", _sentence(error), "red")
        raise SystemExit(OUT_OF_MEMORY) from error
    except (OSError, TypeError, ValueError, Warning) as error:
        say("Error:", _sentence(error), "red")
        raise SystemExit(USER_ERROR) from error
    except KeyboardInterrupt:
        raise SystemExit(128 + _last_signal) from None


def show_warning(message: Warning | str, *_: Any) -> None:
    """Print a warning as a sentence; takes the place of `warnings.showwarning`."""
    say("Warning:", str(message), "yellow")


def say(label: str, text: str, style: str) -> None:
    """Print a labeled sentence on stderr."""
    from rich.text import Text

    from sparsebp.cli.output import printable, stderr

    console = stderr()
    with suppress(OSError):  # a full or closed stderr ends no work
        console.print(
            Text.assemble((label, style), " ", printable(text)), soft_wrap=not console.is_terminal
        )


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
        what = f": {str(error).rstrip('.')}" if str(error) else ""
        return f"Out of memory{what}. Take fewer or smaller images or patches, or fewer components."
    return str(error)
