"""The options of the commands and their help texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sparsebp.cli.choices import (
    PENALTIES,
    SOLVERS,
    Model,
    Style,
    complete_derivation,
    complete_model,
    read_sides,
)

WHAT, FROM, HOW = "What to learn", "What to learn from", "How to learn"
IMAGES, RESULTS = "Which images", "Results"


def _option(panel: str, metavar: str, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def _flag(panel: str, text: str, *names: str) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel)


def _beginning(incomplete: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


_BUNDLED = "default: two that come with scikit-learn."

ModelKind = Annotated[Model, _option(WHAT, "MODEL", f"One of {', '.join(Model)}.")]
Components = Annotated[
    int | None,
    _option(
        WHAT,
        "COUNT",
        "Number of features; default: as many as pixels (topographic: 121; rica and ica: as many "
        "as directions with 99 % of the variance).",
        min=1,
    ),
]
_WHICH = "Image files, folders or patterns"
Photographs = Annotated[
    list[Path] | None, _option(FROM, "IMAGES", f"{_WHICH}; {_BUNDLED}", "--images")
]
MoreImages = Annotated[list[Path] | None, typer.Argument(hidden=True, metavar="IMAGES")]
Whiten = Annotated[
    bool, _flag(FROM, "Do not whiten: for images that are already white.", "--no-whiten")
]
PatchSize = Annotated[
    Any,
    _option(FROM, "PIXELS", "Side of a patch, or height and width as in 4x16.", parser=read_sides),
]
Patches = Annotated[int, _option(FROM, "COUNT", "Number of patches, 2 or more.")]
Color = Annotated[bool, _flag(FROM, "Keep the colors.", "--color")]
Seed = Annotated[int, _option(FROM, "NUMBER", "Seed; the same seed gives the same result.", min=0)]
Alpha = Annotated[
    float | None,
    _option(HOW, "NUMBER", "Sparsity weight α; larger values make fewer features active."),
]
Gamma = Annotated[
    float | None,
    _option(HOW, "NUMBER", "Weight decay γ of the basis; default: unit-norm atoms."),
]
Epsilon = Annotated[float | None, _option(HOW, "NUMBER", "Smoothing ε of the penalty at zero.")]
PenaltyName = Annotated[
    str | None,
    _option(
        HOW,
        "NAME",
        f"Sparsity penalty: {', '.join(PENALTIES)}.",
        autocompletion=lambda incomplete: _beginning(incomplete, PENALTIES),
    ),
]
GroupSize = Annotated[
    int | None, _option(HOW, "COUNT", "Features of a group of --penalty subspace.", min=1)
]
Nonzero = Annotated[
    int | None,
    _option(
        HOW,
        "COUNT",
        "At most this many features per patch, chosen by pursuit instead of a penalty.",
        min=1,
    ),
]
Error = Annotated[
    float | None,
    _option(
        HOW,
        "NUMBER",
        "Pursuit until a patch's squared error, summed over its pixels (of unit variance in the "
        "mean), is at most this.",
    ),
]
Solver = Annotated[
    str | None,
    _option(
        HOW,
        "NAME",
        "Solver: lbfgs; for sparse-coding and topographic also online, and exact, which needs "
        "--gamma, --n-nonzero or --error; for ica also manifold.",
        autocompletion=lambda incomplete: _beginning(incomplete, SOLVERS),
    ),
]
BatchSize = Annotated[int | None, _option(HOW, "COUNT", "Patches per iteration.", min=1)]
Scheduler = Annotated[
    str | None,
    _option(
        HOW,
        "ADDRESS",
        "Dask cluster to learn on, such as tcp://10.0.0.1:8786; local starts one here.",
    ),
]
MaxIter = Annotated[int | None, _option(HOW, "COUNT", "Maximum number of iterations.", min=1)]
Checkpoint = Annotated[
    Path | None,
    _option(
        HOW,
        "FILE",
        "File from which the same command, given again after it was killed, resumes learning.",
    ),
]

SavedModel = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A file written by `sparsebp learn`, or a basis of this package, such as rica-12x12.",
        autocompletion=complete_model,
    ),
]
SavedModels = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL",
        help="Files written by `sparsebp learn`, or bases of this package.",
        autocompletion=complete_model,
    ),
]
MeasuredPatches = Annotated[
    int, _option(IMAGES, "COUNT", "Number of patches to measure, 2 to 5000.", min=2, max=5000)
]
Csv = Annotated[Path | None, _option(RESULTS, "FILE", "CSV file for the table.", "--csv")]
Images = Annotated[
    list[Path] | None, _option(IMAGES, "IMAGES", f"{_WHICH}; {_BUNDLED}", "--images")
]
Stride = Annotated[
    int | None,
    _option(IMAGES, "PIXELS", "Distance between patches; default: the patch size.", min=1),
]
PatchShape = Annotated[
    Any,
    _option(
        RESULTS,
        "SIDES",
        "Shape of the patches, such as 4x16, 8x8x3 in color or 5x8x8 with frames; default: the "
        "model's.",
        parser=read_sides,
    ),
]
Function = Annotated[
    str | None,
    typer.Argument(
        metavar="FUNCTION",
        help="Name of the function; default: list all.",
        autocompletion=complete_derivation,
    ),
]
WrittenAs = Annotated[Style, _option("Options", "STYLE", f"One of {', '.join(Style)}.")]

Folder = Annotated[
    Path | None, _option(RESULTS, "FOLDER", "Folder for the results; default: a new one.")
]
Report = Annotated[bool, _flag(RESULTS, "Also write an HTML report.", "--report")]
Picture = Annotated[
    Path | None,
    _option(RESULTS, "FILE", "Picture to write; default: next to the model (for a basis: here)."),
]
Codes = Annotated[Path, _option(RESULTS, "FILE", "File for the codes.")]
Quiet = Annotated[bool, _flag(RESULTS, "Print only warnings and errors.", "--quiet", "-q")]
Json = Annotated[bool, _flag(RESULTS, "Print the summary as JSON.", "--json")]
