"""Files that appear whole or not at all, and replace nothing but files."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EEXIST, ENOENT
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows refuses to remove a file that somebody writes
    fcntl = None

_DRAFT = ".sparsebp-{}.draft"
#: Seconds before a draft may count as left behind: its writer locks it just after making it.
_YOUNG = 60.0


@contextmanager
def writing(path: str | os.PathLike[str], *, replace: bool = True) -> Iterator[BinaryIO]:
    """Write a file beside its place and move it there when it is complete.

    A symbolic link stays, and what it points to is replaced. A replaced file hands on its mode.
    Drafts that killed processes left in the folder are removed.

    Parameters
    ----------
    path : path
        Where the file is to be.
    replace : bool
        Whether a file may be there already. If not, it is refused at the beginning, and also at
        the end if another process has put one there meanwhile.

    Yields
    ------
    file : binary file
        To be written to. If the block raises, nothing appears.

    Raises
    ------
    ValueError
        If what stands at the path is not a regular file, such as a folder or a device.
    OSError
        If the file cannot be written, with the path that was given and what is there now.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with writing(Path(folder) / "numbers.txt") as file:
    ...         _ = file.write(b"1 2 3")
    ...     os.listdir(folder), (Path(folder) / "numbers.txt").read_text()
    (['numbers.txt'], '1 2 3')
    """
    path = Path(path)
    target = Path(os.path.realpath(path))
    mode = _mode(path, target, replace=replace)
    draft = target.with_name(_DRAFT.format(uuid4().hex))
    try:
        remove_abandoned_drafts(target.parent)
        with draft.open("xb") as file:
            _lock(file)
            if mode is not None:
                draft.chmod(mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
            if replace:
                draft.replace(target)
            else:
                _move_to_nothing(draft, target)
    except OSError as error:
        if error.filename in (None, str(draft), str(target)):
            raise _about(error, path, mode) from error
        raise
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def remove_abandoned_drafts(folder: Path) -> None:
    """Remove the drafts of processes that were killed while they wrote into a folder.

    Parameters
    ----------
    folder : Path
        Where to look. A draft that is being written is locked, or very young, and stays.
    """
    for draft in folder.glob(_DRAFT.format("*")):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > _YOUNG and not _in_use(draft):
                draft.unlink()


def require_file(path: Path) -> None:
    """Refuse to read what is no regular file: at a pipe that nobody writes, reading never ends.

    Parameters
    ----------
    path : Path
        What is to be read.

    Raises
    ------
    ValueError
        If it is a folder, a device, a pipe or a socket.
    OSError
        If there is nothing.
    """
    if kind := _no_file(path.stat()):
        raise ValueError(f"{path} is {kind}; give the name of a file.")


def _no_file(found: os.stat_result) -> str:
    """Say what is there, if it is no regular file."""
    if stat.S_ISREG(found.st_mode):
        return ""
    return "a folder" if stat.S_ISDIR(found.st_mode) else "a device, a pipe or a socket"


def _mode(path: Path, target: Path, *, replace: bool) -> int | None:
    """Return the permissions of the file to be replaced; None where there is none yet."""
    try:
        found = target.stat()
    except FileNotFoundError:
        if not target.parent.is_dir():
            raise FileNotFoundError(ENOENT, "No such folder", str(path.parent)) from None
        return None
    if kind := _no_file(found):
        raise ValueError(f"{path} is {kind}, which is not replaced by a file; give another name.")
    if not replace:
        raise FileExistsError(EEXIST, "Exists already; give another name", str(path))
    return stat.S_IMODE(found.st_mode)


def _about(error: OSError, path: Path, mode: int | None) -> OSError:
    """Return an error about the path that was given, which says what is there now."""
    state = "nothing was written" if mode is None else "the file there is as it was"
    if isinstance(error, FileExistsError):
        state = "another process has just written it; give another name"
    return type(error)(error.errno, f"{error.strerror or error}; {state}", str(path))


def _move_to_nothing(draft: Path, target: Path) -> None:
    """Move a file to a place where none is; raise FileExistsError where one is."""
    try:
        os.link(draft, target)  # unlike renaming, refuses an existing target in one step
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileExistsError(EEXIST, os.strerror(EEXIST), str(target)) from None
        draft.replace(target)


def _lock(file: BinaryIO) -> None:
    if fcntl is not None:
        with suppress(OSError):  # a file system without locks: young drafts are safe all the same
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _in_use(draft: Path) -> bool:
    if fcntl is None:
        return False
    with draft.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
