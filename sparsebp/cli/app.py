"""The command line: learn, show, encode, derive."""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from sparsebp import __version__, load_model, read_metadata
from sparsebp.cli.derivations import DERIVATIONS
from sparsebp.cli.learning import run_experiment, save_picture
from sparsebp.cli.models import Model, find_model, make_estimator, make_recipe
from sparsebp.cli.recipe import Recipe
from sparsebp.displays import BasisDisplay
from sparsebp.network import delta_table

app = typer.Typer(
    help="Learn the features of natural images.", no_args_is_help=True, add_completion=False
)
_console = Console(stderr=True)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Learn the features of natural images."""


class Style(StrEnum):
    """How a derivation is written."""

    TEXT = "text"
    MARKDOWN = "markdown"
    LATEX = "latex"


@app.command()
def learn(
    model: Annotated[Model, typer.Option(help="What to learn.")] = Model.SPARSE_CODING,
    images: Annotated[
        Path | None, typer.Option(help="Folder of images; default: two bundled photographs.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results; default: a new one.")
    ] = None,
    patch_size: Annotated[int, typer.Option(min=2, help="Height and width in pixels.")] = 8,
    n_components: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Atoms or filters; default: as many as pixels (topographic: 121; "
            "rica, ica: as many as directions with 99 % of the variance).",
        ),
    ] = None,
    n_patches: Annotated[int, typer.Option(min=1, help="Patches to learn from.")] = 20_000,
    color: Annotated[bool, typer.Option(help="Keep the colors.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
    alpha: Annotated[float | None, typer.Option(help="Weight α of the sparsity penalty.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Weight decay γ of the basis.")] = None,
    epsilon: Annotated[float | None, typer.Option(help="Smoothing ε of the penalty.")] = None,
    penalty: Annotated[str | None, typer.Option(help="Name of the penalty.")] = None,
    solver: Annotated[str | None, typer.Option(help="Name of the solver.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Patches of a turn.")] = None,
    max_iter: Annotated[int | None, typer.Option(min=1, help="Iterations at most.")] = None,
) -> None:
    """Learn features from photographs; write the filters, the objective's curve and the model."""
    options = {"alpha": alpha, "gamma": gamma, "epsilon": epsilon, "penalty": penalty}
    options |= {"solver": solver, "batch_size": batch_size, "max_iter": max_iter}
    with _errors_in_words():
        estimator = make_estimator(model, n_components, random_state=seed, **options)
        recipe = make_recipe(model, patch_size, color)
        run_experiment(
            estimator,
            recipe,
            out or Path(f"learned-{model.value}"),
            images=images,
            n_patches=n_patches,
            seed=seed,
            numbered=out is None,
        )


@app.command()
def show(
    model: Annotated[str, typer.Argument(help="A saved model, or a basis such as rica-12x12.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Picture to write; default: beside the model; of a basis: here."),
    ] = None,
) -> None:
    """Draw the filters of a saved model, and say what it is."""
    with _errors_in_words():
        file = find_model(model)
        estimator, metadata = load_model(file), read_metadata(file)
        if not hasattr(estimator, "components_"):
            raise ValueError(f"{model} holds a {type(estimator).__name__}, which has no filters.")
        patch_shape = metadata.get("patch_shape")
        folder = file.parent if file == Path(model) else Path()
        path = out or folder / f"{file.stem}-filters.png"
        save_picture(BasisDisplay.from_estimator(estimator, patch_shape=patch_shape), path)
        print(estimator)
        for name, value in metadata.items():
            print(f"{name}: {value}")
        print(f"saved {path}")


@app.command()
def encode(
    model: Annotated[
        str,
        typer.Argument(help="A model that `sparsebp learn` saved, or a basis such as rica-12x12."),
    ],
    images: Annotated[
        Path | None, typer.Option(help="Folder of images; default: two bundled photographs.")
    ] = None,
    out: Annotated[Path, typer.Option(help="File for the codes.")] = Path("codes.npz"),
    stride: Annotated[
        int | None, typer.Option(min=1, help="Pixels between patches; default: the patch size.")
    ] = None,
) -> None:
    """Write the codes of images: for each, an array (rows, columns, components)."""
    with _errors_in_words():
        file = find_model(model)
        estimator, recipe = load_model(file), Recipe.from_metadata(read_metadata(file))
        photographs = recipe.load(images)
        draft = out.with_name(f".{out.name}.draft")
        try:
            with ZipFile(draft, "w", ZIP_DEFLATED) as archive:
                for name in track(photographs, "encoding", console=_console):
                    samples, grid = recipe.cut(photographs[name], stride or recipe.patch_size)
                    codes = estimator.transform(samples).reshape(*grid, -1)
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, codes, allow_pickle=False)
                    print(f"{name}: {grid[0]}×{grid[1]} patches, {codes.shape[2]} components")
            draft.replace(out)
        finally:
            draft.unlink(missing_ok=True)
        print(f"saved {out}")


@app.command()
def derive(
    name: Annotated[str | None, typer.Argument(help="Which function; without it, a list.")] = None,
    style: Annotated[Style, typer.Option(help="What to write.")] = Style.TEXT,
) -> None:
    """Write out the gradient of an objective, layer by layer."""
    if name is None:
        for key, (formula, _) in DERIVATIONS.items():
            print(f"{key:20}{formula}")
        return
    with _errors_in_words():
        if name not in DERIVATIONS:
            raise ValueError(f"There is no {name!r}; choose one of {', '.join(DERIVATIONS)}.")
        if style is Style.TEXT and not _can_show("∇ᵀδ⁽¹⁾∘−½"):
            _console.print("This terminal cannot show the formulas; try --style latex.")
        print(delta_table(DERIVATIONS[name][1], style.value))


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that cannot show ‖ or δ shows ?
            stream.reconfigure(errors="replace")
    warnings.showwarning = _show_warning
    if hasattr(signal, "SIGPIPE"):  # `sparsebp derive | head` ends as other programs do
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    app()


def _show_warning(message: Warning | str, *_: Any) -> None:
    _console.print(f"[yellow]Warning:[/yellow] {message}", highlight=False)


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """End with a sentence and exit status 2 where the user can mend what is wrong."""
    try:
        yield
    except (OSError, TypeError, ValueError, MemoryError) as error:
        _console.print(f"[red]Error:[/red] {_sentence(error)}", highlight=False)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _can_show(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _sentence(error: Any) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}." if error.filename else error.strerror
    if isinstance(error, MemoryError):
        return f"Out of memory: {error}. Take fewer or smaller patches, or fewer components."
    return str(error)
