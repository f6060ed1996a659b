"""The options of the commands, in words for whoever meets them first."""

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


def _beginning(incomplete: str, words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]


_BUNDLED = "without it, two that come with scikit-learn."

ModelKind = Annotated[Model, _option(WHAT, "MODEL", f"One of {', '.join(Model)}.")]
Components = Annotated[
    int | None,
    _option(
        WHAT,
        "COUNT",
        "How many features; without it, as many as pixels (topographic: 121; rica and ica: as "
        "many as directions with 99 % of the variance).",
        min=1,
    ),
]
_WHICH = "Image file, folder or pattern, any number of them"
Photographs = Annotated[
    list[Path] | None, _option(FROM, "IMAGES", f"{_WHICH}; {_BUNDLED}", "--images")
]
MoreImages = Annotated[list[Path] | None, typer.Argument(hidden=True, metavar="IMAGES")]
Whiten = Annotated[
    bool,
    typer.Option(
        "--no-whiten",
        help="Take the images as they are: for images that are white already.",
        rich_help_panel=FROM,
    ),
]
PatchSize = Annotated[
    Any,
    _option(
        FROM, "PIXELS", "Side of a patch in pixels, or height and width: 4x16.", parser=read_sides
    ),
]
Patches = Annotated[int, _option(FROM, "COUNT", "How many patches, 2 or more.")]
Color = Annotated[bool, typer.Option("--color", help="Keep the colors.", rich_help_panel=FROM)]
Seed = Annotated[int, _option(FROM, "NUMBER", "The same seed learns the same again.", min=0)]
Alpha = Annotated[
    float | None,
    _option(HOW, "NUMBER", "Weight α of sparsity: the more, the fewer features are active."),
]
Gamma = Annotated[
    float | None,
    _option(HOW, "NUMBER", "Weight decay γ of the basis; without it, atoms have length one."),
]
Epsilon = Annotated[
    float | None, _option(HOW, "NUMBER", "How far ε the penalty is rounded at zero.")
]
PenaltyName = Annotated[
    str | None,
    _option(
        HOW,
        "NAME",
        f"What measures sparsity: {', '.join(PENALTIES)}.",
        autocompletion=lambda incomplete: _beginning(incomplete, PENALTIES),
    ),
]
Solver = Annotated[
    str | None,
    _option(
        HOW,
        "NAME",
        "What searches: lbfgs; for sparse-coding and topographic also online, and exact, which "
        "needs --gamma; for ica also manifold.",
        autocompletion=lambda incomplete: _beginning(incomplete, SOLVERS),
    ),
]
BatchSize = Annotated[int | None, _option(HOW, "COUNT", "Patches looked at in one turn.", min=1)]
MaxIter = Annotated[int | None, _option(HOW, "COUNT", "Stop after so many iterations.", min=1)]

SavedModel = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help="A file that `sparsebp learn` wrote, or a basis that comes with the package, such as "
        "rica-12x12.",
        autocompletion=complete_model,
    ),
]
SavedModels = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL",
        help="Files that `sparsebp learn` wrote, or bases that come with the package.",
        autocompletion=complete_model,
    ),
]
MeasuredPatches = Annotated[
    int, _option(IMAGES, "COUNT", "How many patches are measured, 2 to 5000.", min=2, max=5000)
]
Csv = Annotated[
    Path | None, _option(RESULTS, "FILE", "Table to write, as comma-separated values.", "--csv")
]
Images = Annotated[
    list[Path] | None, _option(IMAGES, "IMAGES", f"{_WHICH}; {_BUNDLED}", "--images")
]
Stride = Annotated[
    int | None,
    _option(IMAGES, "PIXELS", "From one patch to the next; without it, the patch size.", min=1),
]
PatchShape = Annotated[
    Any,
    _option(
        RESULTS,
        "SIDES",
        "Shape of the patches, such as 4x16, 8x8x3 in color or 5x8x8 with frames; without it, as "
        "the model says.",
        parser=read_sides,
    ),
]
Function = Annotated[
    str | None,
    typer.Argument(
        metavar="FUNCTION",
        help="Which function; without it, a list of them.",
        autocompletion=complete_derivation,
    ),
]
WrittenAs = Annotated[Style, _option("Options", "STYLE", f"One of {', '.join(Style)}.")]

Folder = Annotated[
    Path | None, _option(RESULTS, "FOLDER", "Folder for the results; without it, a new one.")
]
Report = Annotated[
    bool,
    typer.Option(
        "--report",
        help="Write a page, too, to open in a browser.",
        rich_help_panel=RESULTS,
    ),
]
Picture = Annotated[
    Path | None,
    _option(
        RESULTS, "FILE", "Picture to write; without it, one beside the model (of a basis: here)."
    ),
]
Codes = Annotated[Path, _option(RESULTS, "FILE", "File for the codes.")]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Say nothing but warnings and errors.", rich_help_panel=RESULTS
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the summary as JSON, for programs.", rich_help_panel=RESULTS
    ),
]
