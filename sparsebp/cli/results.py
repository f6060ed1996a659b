"""The folder for results, created before the work, and a model that is saved in any case."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from errno import ENOTDIR
from itertools import count
from pathlib import Path
from typing import Any

from sparsebp._files import named
from sparsebp.cli.endings import say, sentence
from sparsebp.saving import save_model

MODEL_FILE = "model.npz"


@contextmanager
def results_folder(out: Path, *, numbered: bool) -> Iterator[Path]:
    """Create a writable folder for results before any work that could be lost.

    It must not contain a model. If `numbered`, it is the first of out-1, out-2, … that does not
    exist. If it was created here and is empty at the end, it is removed.
    """
    named(out)
    if numbered:
        out = next(f for n in count(1) if _made(f := out.with_name(f"{out.name}-{n}")))
        made = True
    elif (out / MODEL_FILE).exists():
        raise ValueError(f"{out} already contains a model; give another folder, or remove it.")
    else:
        made = _made(out)
    try:
        with tempfile.TemporaryFile(dir=out):  # writable?
            pass
        yield out
    finally:
        if made:
            with suppress(OSError):  # not empty, or removed meanwhile
                out.rmdir()


def _made(folder: Path) -> bool:
    """Create a folder; False if it exists, perhaps created by another run just now."""
    try:
        folder.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError) as error:
        if not folder.is_dir():
            raise NotADirectoryError(
                ENOTDIR, "it, or a folder in its path, is a file; give another folder", str(folder)
            ) from error
        return False
    return True


def keep_model(estimator: Any, out: Path, metadata: Mapping[str, Any]) -> Path:
    """Save a fitted model in a folder or, with a warning, elsewhere if that fails; return where.

    Elsewhere is the working directory, the home directory or that for temporary files; no other
    model is replaced. If all fail, the error is that of the folder.
    """
    try:
        return _saved(estimator, out, metadata)
    except (OSError, ValueError) as error:
        for place in (lambda: out.parent, Path.cwd, Path.home, tempfile.gettempdir):
            with suppress(OSError, ValueError, RuntimeError):
                name = Path(place()) / (out.name or "learned")
                with results_folder(name, numbered=True) as elsewhere:
                    folder = _saved(estimator, elsewhere, metadata)
                reason = sentence(error)
                say("Warning:", f"{reason} The model is saved in {folder} instead.", "yellow")
                return folder
        raise


def _saved(estimator: Any, folder: Path, metadata: Mapping[str, Any]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_model(estimator, folder / MODEL_FILE, metadata=dict(metadata), replace=False)
    return folder
