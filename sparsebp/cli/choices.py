"""Choices on the command line; imports little, since help and completion need it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Any


class Model(StrEnum):
    """What can be learned."""

    SPARSE_CODING = "sparse-coding"
    TOPOGRAPHIC = "topographic"
    RICA = "rica"
    ICA = "ica"
    SPARSE_FILTERING = "sparse-filtering"


#: Those of `sparsebp.penalties`, which is slow to load; a test checks that they agree.
PENALTIES = ("l1", "smooth_l1", "topographic", "subspace", "log_cosh", "cauchy", "welsch")
SOLVERS = ("lbfgs", "exact", "online", "manifold")


class Style(StrEnum):
    """How a derivation is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    LATEX = "latex"


def read_sides(text: Any) -> int | tuple[int, ...]:
    """Read the sides of a patch, ≥ 2, with x or × between them: ``8`` or ``4x16``."""
    sides = str(text).replace("×", "x").split("x")
    if not all(side.isdecimal() and int(side) > 1 for side in sides):
        raise ValueError(f"{text} is not the size of a patch; give 8 or 4x16, sides of 2 or more")
    return int(sides[0]) if len(sides) == 1 else tuple(map(int, sides))


def complete_model(incomplete: str) -> list[str]:
    """Return completions for a model: bases, saved models, and folders, which end with a slash."""
    from sparsebp.bases import basis_names

    names = [name for name in basis_names() if name.startswith(incomplete)]
    typed = Path(incomplete or ".")
    folder = typed if not incomplete or incomplete.endswith("/") else typed.parent
    beside = sorted(path for path in folder.glob("*") if str(path).startswith(incomplete))
    files = [str(path) for path in beside if path.suffix == ".npz"]
    return names + files + [f"{path}/" for path in beside if path.is_dir()]


def complete_derivation(incomplete: str) -> list[str]:
    """Return the names of derivations with this prefix."""
    from sparsebp.cli.derivations import ALIASES, DERIVATIONS

    return [name for name in (*DERIVATIONS, *ALIASES) if name.startswith(incomplete)]
