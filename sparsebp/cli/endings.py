"""How a command ends: exit statuses, messages instead of tracebacks, interrupts, closed pipes."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

#: A user error that can be fixed: a wrong option, or a folder that is not writable.
USER_ERROR = 2
#: Too little memory.
OUT_OF_MEMORY = 3
#: What shells report for a program whose reader exits, as in ``sparsebp derive | head -1``.
CLOSED_PIPE = 141

STATUSES = (
    "Exit status: 0 success; 1 unexpected error, please report it; 2 an error that you can fix, "
    "described on stderr; 3 out of memory; 130, 143 or 129 interrupted by Ctrl-C, SIGTERM or "
    "SIGHUP."
)

#: Handled like Ctrl-C: `kill` sends SIGTERM, a terminal that closes sends SIGHUP.
_SIGNALS = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
#: The last one received; the KeyboardInterrupt that estimators re-raise does not contain it.
_last_signal: int = signal.SIGINT
#: Seconds in which further signals count as the same: what was learned is being saved.
_SAME = 3.0
_interrupted_at = -inf


def leave_on_interrupt() -> None:
    """Let Ctrl-C end the process at once and silently, while there is nothing to lose.

    Other signals end it with a sentence, since another program may have sent them.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL):
            signal.signal(number, _leave)


def _leave(number: int, _: Any) -> None:
    if number != signal.SIGINT and _interrupted_at == -inf:
        with suppress(OSError):
            text = f"Ended by {signal.Signals(number).name} before there was anything to save.\n"
            os.write(2, text.encode())
    os._exit(128 + number)


def _interrupt(number: int, _: Any) -> None:
    global _last_signal, _interrupted_at
    _last_signal = number
    if monotonic() - _interrupted_at > _SAME:
        _interrupted_at = monotonic()
        raise KeyboardInterrupt


def was_terminated() -> bool:
    """Return whether SIGTERM interrupted the command: its sender may soon kill the process."""
    return _last_signal == signal.SIGTERM


@contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and SIGHUP raise KeyboardInterrupt where there is something to save.

    It decorates the functions that implement commands. Signals that are ignored, like SIGHUP under
    nohup, or handled by the caller are left alone. Signals soon after the first have no effect.
    """
    global _interrupted_at
    _interrupted_at = -inf
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
    """Turn user errors into a message and an exit status, without a traceback."""
    try:
        yield
    except BrokenPipeError:
        raise SystemExit(CLOSED_PIPE) from None
    except SystemExit as ending:  # rich exits with 1 if the pipe is closed
        if isinstance(ending.__context__, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from None
        raise
    except MemoryError as error:
        say("Error:", sentence(error), "red")
        raise SystemExit(OUT_OF_MEMORY) from error
    except (OSError, TypeError, ValueError, Warning) as error:
        say("Error:", sentence(error), "red")
        raise SystemExit(USER_ERROR) from error
    except KeyboardInterrupt:
        if _last_signal != signal.SIGINT:
            say("Note:", f"Ended by {signal.Signals(_last_signal).name}.", "yellow")
        raise SystemExit(128 + _last_signal) from None


def show_warning(message: Warning | str, *_: Any) -> None:
    """Print a warning; replaces `warnings.showwarning`."""
    say("Warning:", str(message), "yellow")


def say(label: str, text: str, style: str) -> None:
    """Print a labeled message on stderr."""
    from rich.text import Text

    from sparsebp._files import printable
    from sparsebp.cli.output import stderr

    console = stderr()
    with suppress(OSError):  # a full or closed stderr is no reason to stop
        console.print(
            Text.assemble((label, style), " ", printable(text)), soft_wrap=not console.is_terminal
        )


def open_streams() -> None:
    """Make streams accept any text: ? for ‖ or δ where needed, and nothing if one is closed."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # as in ``sparsebp derive >&-``
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        elif isinstance(stream := getattr(sys, name), TextIOWrapper):
            stream.reconfigure(errors="replace")


def close_streams() -> None:
    """Flush the output; a reader that is gone is not an error, a full disk is."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            with suppress(OSError):  # Python flushes again at the end, and would complain
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            if not isinstance(error, BrokenPipeError):
                raise


def sentence(error: Any) -> str:
    """Return an error as a sentence, without its number."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}."
    if isinstance(error, MemoryError):
        what = f": {str(error).rstrip('.')}" if str(error) else ""
        return f"Out of memory{what}. Use fewer or smaller images or patches, or fewer components."
    return str(error)
