"""The command line: learn, show, compare, encode, derive, doctor.

Commands import what they need when they run, so that help and completion are fast.
"""

from __future__ import annotations

import shlex
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sparsebp import __version__
from sparsebp.cli import options
from sparsebp.cli.choices import Model, Style
from sparsebp.cli.endings import (
    STATUSES,
    close_streams,
    exit_with_message,
    open_streams,
    show_warning,
)

#: Options that do not change what is learned.
_OF_THE_OUTPUT = ("checkpoint", "out", "report", "quiet", "as_json")


class _Commands(TyperGroup):
    def invoke(self, ctx: Any) -> Any:
        """Run a command; messages about its options lose the prefix that pydantic gives them."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _examples(*commands: str) -> str:
    return "\n\n".join(["Examples:", *(f"  [bold]{command}[/bold]" for command in commands)])


def _show_version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback(
    epilog="Start with [bold]sparsebp learn[/bold]: it needs nothing else and takes a minute or "
    f"two.\n\n{STATUSES}"
)
def common(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Learn the features of natural images, such as edges, bars and gratings."""


@app.command(
    epilog=_examples(
        "sparsebp learn --report",
        "sparsebp learn --model topographic --images ~/photographs --patch-size 10",
    )
)
def learn(
    context: typer.Context,
    model: options.ModelKind = Model.SPARSE_CODING,
    n_components: options.Components = None,
    images: options.Photographs = None,
    more_images: options.MoreImages = None,
    patch_size: options.PatchSize = 8,
    n_patches: options.Patches = 20_000,
    color: options.Color = False,
    no_whiten: options.Whiten = False,
    seed: options.Seed = 0,
    alpha: options.Alpha = None,
    gamma: options.Gamma = None,
    epsilon: options.Epsilon = None,
    penalty: options.PenaltyName = None,
    group_size: options.GroupSize = None,
    n_nonzero: options.Nonzero = None,
    error: options.Error = None,
    solver: options.Solver = None,
    batch_size: options.BatchSize = None,
    max_iter: options.MaxIter = None,
    checkpoint: options.Checkpoint = None,
    scheduler: options.Scheduler = None,
    out: options.Folder = None,
    report: options.Report = False,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Learn features from photographs; save the model, a picture and the objective's curve.

    Ctrl-C ends the fit and keeps the best model so far.
    """
    given = {"alpha": alpha, "gamma": gamma, "epsilon": epsilon, "penalty": penalty}
    given |= {"n_nonzero": n_nonzero, "error": error, "solver": solver, "batch_size": batch_size}
    given |= {"max_iter": max_iter, "checkpoint": checkpoint, "group_size": group_size}
    with exit_with_message():
        from sparsebp.cli.learning import run_experiment
        from sparsebp.cli.models import make_estimator, make_recipe
        from sparsebp.cli.output import Output

        run_experiment(
            make_estimator(model, n_components, color=color, random_state=seed, **given),
            make_recipe(model, patch_size, color, whiten=not no_whiten),
            out or Path(f"learned-{model.value}"),
            images=_all(images, more_images),
            n_patches=n_patches,
            seed=seed,
            numbered=out is None,
            output=Output(quiet, as_json),
            report=_command(context) if report else None,
            scheduler=scheduler,
        )


@app.command(
    epilog=_examples("sparsebp show learned-topographic-1/model.npz", "sparsebp show rica-12x12")
)
def show(
    model: options.SavedModel,
    out: options.Picture = None,
    patch_shape: options.PatchShape = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Draw the features of a saved model, and print how it was learned."""
    with exit_with_message():
        from sparsebp.cli.commands import show_model
        from sparsebp.cli.output import Output

        show_model(model, out, patch_shape, Output(quiet, as_json))


@app.command(
    epilog=_examples(
        "sparsebp compare rica-12x12 sparse-coding-12x12",
        "sparsebp compare learned-*/model.npz --images ~/photographs --csv models.csv",
    )
)
def compare(
    models: options.SavedModels,
    images: options.Images = None,
    n_patches: options.MeasuredPatches = 2_000,
    seed: options.Seed = 0,
    csv: options.Csv = None,
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Compare saved models in a table, measured on patches of the same images.

    Each model gets patches of its own size and preprocessing; models with the same size and
    preprocessing get the same patches.
    """
    with exit_with_message():
        from sparsebp.cli.comparing import compare_saved
        from sparsebp.cli.output import Output

        compare_saved(models, images, n_patches, seed, csv, Output(quiet, as_json))


@app.command(epilog=_examples("sparsebp encode rica-12x12 --images ~/photographs --stride 4"))
def encode(
    model: options.SavedModel,
    images: options.Images = None,
    more_images: options.MoreImages = None,
    stride: options.Stride = None,
    out: options.Codes = Path("codes.npz"),
    quiet: options.Quiet = False,
    as_json: options.Json = False,
) -> None:
    """Write how strongly each feature is active in each patch of images.

    The file has one array of shape (rows, columns, features) for each image; read it with
    numpy.load.
    """
    with exit_with_message():
        from sparsebp.cli.commands import encode_images
        from sparsebp.cli.output import Output

        encode_images(model, _all(images, more_images), out, stride, Output(quiet, as_json))


@app.command(epilog=_examples("sparsebp derive", "sparsebp derive topographic --style latex"))
def derive(name: options.Function = None, style: options.WrittenAs = Style.TEXT) -> None:
    """Write out the gradient of an objective, layer by layer."""
    with exit_with_message():
        from sparsebp.cli.derivations import write_derivation

        write_derivation(name, style)


@app.command(epilog=_examples("sparsebp doctor", "sparsebp doctor --json"))
def doctor(quiet: options.Quiet = False, as_json: options.Json = False) -> None:
    """Check versions, threads and speed, and say what to do if something is wrong or slow.

    The exit status is 2 if something is wrong, and 0 if it is only slow.
    """
    with exit_with_message():
        from sparsebp.cli.doctor import examine
        from sparsebp.cli.output import Output

        examine(Output(quiet, as_json))


def _all(images: list[Path] | None, more: list[Path] | None) -> list[Path] | None:
    """Return all images given: the shell expands a pattern to several arguments."""
    if more and not images:
        raise ValueError(f"{more[0]} is unexpected; name images with --images.")
    return [*images, *(more or [])] if images else None


def _command(context: typer.Context) -> str:
    """Return the command as it was given, without the options for its output."""
    words = ["sparsebp", context.info_name or ""]
    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        said = source is not None and source.name == "COMMANDLINE"
        if said and name not in _OF_THE_OUTPUT:
            value = context.params[name]
            names = ["--images"] if name == "more_images" else option.opts[:1]
            if name == "patch_size" and isinstance(value, tuple):
                value = ["x".join(map(str, value))]
            for entry in value if isinstance(value, list | tuple) else [value]:
                words += [*names, *([] if entry is True else [str(entry)])]
    from sparsebp._files import printable

    return printable(shlex.join(words))


def run() -> None:
    """Run the command line, without tracebacks for user errors."""
    open_streams()
    warnings.showwarning = show_warning
    with exit_with_message():
        try:
            app(prog_name="sparsebp")
        finally:
            close_streams()
