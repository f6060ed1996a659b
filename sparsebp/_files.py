"""Files written completely or not at all, which replace only regular files."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOENT
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows does not remove open files
    fcntl = None

_DRAFT = ".sparsebp-{}.draft"
#: Seconds before a draft may count as abandoned: its writer locks it just after creating it.
_YOUNG = 60.0
#: Names that a message lists.
_LISTED = 5


def named(path: str | os.PathLike[str]) -> Path:
    """Return a path; one that no file can have, such as with a null character, is a ValueError."""
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"A path must be text or a Path, got {path!r}.")
    path = Path(path)
    try:
        if b"\0" in os.fsencode(path):
            raise ValueError(f"{str(path)!r} has a null character; give another name.")
    except UnicodeEncodeError as error:
        raise ValueError(f"{str(path)!r} is no name for a file; give another name.") from error
    return path


@contextmanager
def writing(
    path: str | os.PathLike[str], *, over: Literal["any", "this", "none"] = "any"
) -> Iterator[BinaryIO]:
    """Yield a temporary file next to the target, and move it there when it is complete.

    A symbolic link is kept, and its target replaced. The new file keeps the mode of a replaced one.
    Drafts that killed processes left in the folder are removed. `over` says which file may be
    replaced: any, only this one that is there now, or none; what else is there is an error, also if
    another process wrote it meanwhile.
    """
    path = named(path)
    target = Path(os.path.realpath(path))
    before = _found(path, target)
    if before is not None and over == "none":
        raise FileExistsError(EEXIST, "The file exists; give another name", str(path))
    draft = target.with_name(_DRAFT.format(uuid4().hex))
    try:
        remove_abandoned_drafts(target.parent)
        with draft.open("xb") as file:
            lock(file)
            if before is not None:
                draft.chmod(stat.S_IMODE(before.st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
            if over == "any":
                draft.replace(target)
            elif before is None:
                _move_to_nothing(draft, target)
            elif _is_another(target, before):
                raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target))
            else:
                draft.replace(target)
    except OSError as error:
        if error.filename in (None, str(draft), str(target)):
            raise _about(error, path, is_new=before is None) from error
        raise
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def remove_abandoned_drafts(folder: Path) -> None:
    """Remove the drafts of processes that were killed while they wrote into a folder.

    A draft that is being written is locked or recent, and kept.
    """
    for draft in folder.glob(_DRAFT.format("*")):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _YOUNG and not _in_use(draft):
                draft.unlink()


def require_other(path: Path, read: Iterable[Path]) -> None:
    """Raise an error if a file to be written is one of those that are read."""
    if path.exists() and any(file.exists() and path.samefile(file) for file in read):
        raise ValueError(f"{path} is also read, and would be replaced; give another name.")


def require_file(path: Path) -> None:
    """Raise an error unless a path is a regular file; reading from a pipe might never end."""
    if kind := _no_file(path.stat()):
        raise ValueError(f"{path} is {kind}; give the name of a file.")


def lock(file: BinaryIO) -> bool:
    """Lock a file until it is closed; return False if it is locked already.

    A file system without locks accepts any.
    """
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            pass
    return True


def _no_file(found: os.stat_result) -> str:
    """Return what a path is, if not a regular file."""
    if stat.S_ISREG(found.st_mode):
        return ""
    return "a folder" if stat.S_ISDIR(found.st_mode) else "a device, a pipe or a socket"


def _found(path: Path, target: Path) -> os.stat_result | None:
    """Return the status of the file to be replaced; None if there is none."""
    try:
        found = target.stat()
    except FileNotFoundError:
        if not target.parent.is_dir():  # that of a link's target, if the link's own is there
            missing = target.parent if path.parent.is_dir() else path.parent
            raise FileNotFoundError(ENOENT, "No such folder", str(missing)) from None
        return None
    if kind := _no_file(found):
        raise ValueError(f"{path} is {kind} and is not replaced by a file; give another name.")
    return found


def _is_another(target: Path, before: os.stat_result) -> bool:
    """Return whether the file at a path was replaced or changed since its status was taken."""
    try:
        now = target.stat()
    except FileNotFoundError:
        return False
    return not os.path.samestat(now, before) or now.st_mtime_ns != before.st_mtime_ns


def _about(error: OSError, path: Path, *, is_new: bool) -> OSError:
    """Return an error about the given path, with the state of the file."""
    state = "nothing was written" if is_new else "the existing file is unchanged"
    if isinstance(error, FileExistsError):
        state = "another process has just written it; give another name"
    return type(error)(error.errno, f"{error.strerror or error}; {state}", str(path))


def _move_to_nothing(draft: Path, target: Path) -> None:
    """Move a file to a path without a file; raise FileExistsError if there is one."""
    try:
        os.link(draft, target)  # unlike renaming, fails atomically if the target exists
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target)) from None
        draft.replace(target)


def _in_use(draft: Path) -> bool:
    if fcntl is None:
        return False
    with draft.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def printable(text: str) -> str:
    r"""Escape control characters and what cannot be encoded: file names may contain anything.

    Examples
    --------
    >>> printable("red \x1b[31m, \udcff")
    'red \\x1b[31m, \\udcff'
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def listed_names(names: Sequence[str]) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(map(printable, names[:_LISTED])) + more
