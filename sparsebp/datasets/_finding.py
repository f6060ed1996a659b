"""The files meant by a file, a folder, a pattern such as ``*.png``, or several of these."""

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image

from sparsebp._files import require_file

#: Arrays, which Pillow does not read.
ARRAYS = (".npy", ".npz", ".mat", ".iml", ".imc")
#: A folder with this file was written by `sparsebp learn`: its pictures are not photographs.
_RESULTS = "model.npz"

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


def find_files(images: Paths) -> dict[str, Path]:
    """Find the files that are meant, each once, by unique names.

    Names are relative to the folder that was searched. Folders are searched with those within them,
    in the order of the names; hidden files and folders are skipped. A path that leads to no file is
    a ValueError.
    """
    found: dict[str, Path] = {}
    seen: set[Path] = set()
    for entry in _listed(images):
        files = list(_files_of(entry))
        if not files:
            raise ValueError(f"images={str(entry)!r} has no files: give a folder of images")
        for name, path in files:
            if path.resolve() not in seen:
                seen.add(path.resolve())
                found[name if name not in found else str(path)] = path
    if not found:
        raise ValueError("images is empty: give an image file, a folder of some, or a pattern")
    return found


def is_image_name(path: Path) -> bool:
    """Return whether a file name has the suffix of an image."""
    suffix = path.suffix.lower()
    return suffix in ARRAYS or Image.registered_extensions().get(suffix, "") in Image.OPEN


def _listed(images: Any) -> list[Path]:
    if isinstance(images, str | bytes | os.PathLike) or not isinstance(images, Iterable):
        images = [images]
    listed: list[Any] = list(images)
    for entry in listed:
        if not isinstance(entry, str | os.PathLike):
            raise TypeError(
                f"images={entry!r} is not a path: give the name of an image file, of a folder, "
                "or a list of such names"
            )
    return [Path(entry).expanduser() for entry in listed]


def _files_of(entry: Path) -> Iterator[tuple[str, Path]]:
    try:
        if entry.is_dir():
            yield from ((str(path.relative_to(entry)), path) for path in _below(entry))
        elif entry.exists():
            require_file(entry)
            yield entry.name, entry
        else:
            found = sorted(glob.glob(str(entry), recursive=True))  # noqa: PTH207 (may be absolute)
            matches = [match for match in found if Path(match).exists()]  # no dangling links
            if not matches:
                raise ValueError("there is no such file or folder, and no file matches")
            for match in matches:
                yield from _files_of(Path(match))
    # A null character is a ValueError.
    except (OSError, ValueError) as error:
        raise ValueError(
            f"images={str(entry)!r} cannot be found: give an existing image file, a folder of "
            f"images, or a pattern such as 'photographs/*.png' "
            f"({getattr(error, 'strerror', None) or error})"
        ) from error


def _below(folder: Path) -> Iterator[Path]:
    """Yield a folder's files, then those of each folder within it; links to folders are left."""
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    shown = [entry for entry in entries if not entry.name.startswith(".")]
    yield from (entry for entry in shown if entry.is_file())
    for entry in shown:
        if entry.is_dir() and not entry.is_symlink() and not (entry / _RESULTS).exists():
            yield from _below(entry)
