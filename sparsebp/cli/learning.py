"""The command `sparsebp learn`: fit with a progress bar, and write the results."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from sparsebp import __version__
from sparsebp._checkpoint import keeping_checkpoints
from sparsebp._files import writing
from sparsebp.cli.clusters import on_cluster
from sparsebp.cli.endings import interruptible, say, was_terminated
from sparsebp.cli.models import Estimator
from sparsebp.cli.output import Output, counted
from sparsebp.cli.results import MODEL_FILE, keep_model, results_folder
from sparsebp.displays import BasisDisplay, ObjectiveDisplay
from sparsebp.recipe import Paths, Recipe, check_enough, describe_images
from sparsebp.report import Measurements, Summary, write_page
from sparsebp.report.page import IMAGES_SHOWN

PICTURE_FILES = ("filters.png", "objective.png")
REPORT_FILE = "report.html"
PICTURE_DPI = 200
#: Bytes of samples beyond which patches are drawn while learning.
IN_MEMORY = 2**29


@interruptible()
def run_experiment(
    estimator: Estimator,
    recipe: Recipe,
    out: Path,
    *,
    images: Paths | None,
    n_patches: int,
    seed: int,
    numbered: bool = False,
    prepare: Callable[[np.ndarray], np.ndarray] | None = None,
    output: Output | None = None,
    report: str | None = None,
    scheduler: str | None = None,
) -> Any:
    """Learn from photographs with a progress bar, write results, print a summary.

    Return the samples, which are a `PatchStream` if they would take more than half a GB (and there
    is no `prepare`). If the model cannot be saved in the folder `out`, it is saved elsewhere,
    with a warning. If `numbered`, results go to the first of out-1, out-2, … that does not exist. A
    model with further preprocessing, `prepare`, is saved without its recipe. `report` is the
    command that reproduces the run; None writes no report. `scheduler` is the address of a dask
    cluster to learn on, see `on_cluster`. After Ctrl-C the best model so far is saved and drawn,
    and KeyboardInterrupt is re-raised; after SIGTERM it is only saved.
    """
    output = output or Output()
    estimator.check_parameters()  # before photographs are loaded
    check_enough(n_patches)
    with _telling_of_nothing(estimator, output), results_folder(out, numbered=numbered) as out:
        streamed = not prepare and math.prod((n_patches, 8, *recipe.patch_shape)) > IN_MEMORY
        drawn = _drawn(recipe, images, n_patches, seed, output, streamed=streamed)
        samples, measured, photographs, recipe = drawn
        if prepare:
            samples = measured = prepare(samples)
        _tell_patches(estimator, recipe, n_patches, photographs, output, streamed=streamed)
        shown = list(photographs[:IMAGES_SHOWN]) if report else []
        del photographs  # large, and not needed while learning
        estimator.set_params(patch_shape=recipe.patch_shape)
        metadata = {"version": __version__, "seed": seed, "n_patches": n_patches}
        metadata |= {"images": describe_images(images), "patch_shape": recipe.patch_shape}
        metadata |= {} if prepare else {"recipe": recipe.metadata()}
        with keeping_checkpoints(), on_cluster(samples, scheduler, output) as spread:
            ending = fit_with_progress(estimator, spread, output)
            out = keep_model(estimator, out, metadata)
    finished = not isinstance(ending, KeyboardInterrupt)
    if not finished:
        _tell_interrupted(estimator, out, output)
        if was_terminated():  # there may be no time for pictures
            raise ending
    try:
        files, found = _describe(estimator, recipe, out, measured, metadata, output, report, shown)
    except BaseException:
        _say_where_saved(estimator, out, metadata)
        raise
    output.summary(
        [*found.lines(), f"saved     {', '.join(files)} in {out}"],
        {**found.to_dict(), "finished": finished, "files": [str(out / name) for name in files]},
    )
    if ending is not None:
        raise ending
    return samples


@contextmanager
def _telling_of_nothing(estimator: Estimator, output: Output) -> Iterator[None]:
    """Say, after an interrupt, if nothing was learned."""
    try:
        yield
    except KeyboardInterrupt:
        if not hasattr(estimator, "components_"):
            output.remark("Interrupted before anything was learned, so nothing is saved.")
        raise


def _tell_interrupted(estimator: Estimator, out: Path, output: Output) -> None:
    resumes = " The same command with another --out resumes." if estimator.checkpoint else ""
    output.remark(f"Interrupted; the best model so far is saved in {out}.{resumes}")


def _say_where_saved(estimator: Estimator, out: Path, metadata: dict[str, Any]) -> None:
    """Say where the model is; save it again if its folder was removed meanwhile."""
    if not (out / MODEL_FILE).exists():
        out = keep_model(estimator, out, metadata)
    say("Note:", f"{MODEL_FILE} is saved in {out}; other files may be missing.", "yellow")


def _drawn(
    recipe: Recipe,
    images: Paths | None,
    n_patches: int,
    seed: int,
    output: Output,
    *,
    streamed: bool,
) -> tuple[Any, np.ndarray, Sequence[np.ndarray], Recipe]:
    """Return samples, those to measure, the photographs, and the recipe with a scale."""
    if streamed:
        stream, recipe = recipe.draw_stream(images, n_patches, seed, output.track)
        return stream, stream.sample(), stream.images, recipe
    photographs = recipe.load(images, output.track)
    samples, recipe = recipe.draw(photographs, n_patches, seed)
    return samples, samples, list(photographs.values()), recipe


def _tell_patches(
    estimator: Estimator,
    recipe: Recipe,
    n_patches: int,
    photographs: Sequence[Any],
    output: Output,
    *,
    streamed: bool,
) -> None:
    """Say what is learned from, and how much of it a fit in batches uses."""
    size = "×".join(map(str, recipe.patch_shape))
    later = ", drawn while learning" if streamed else ""
    found = counted(len(photographs), "photograph")
    output.remark(f"{n_patches} patches of {size} from {found}{later}")
    batch = getattr(estimator, "batch_size", None) or n_patches
    used = batch * estimator.max_iter
    if used < n_patches:
        output.remark(
            f"Only {used} of them are used, in {estimator.max_iter} batches of {batch}; add "
            f"--max-iter {-(-n_patches // batch)} to use all"
        )


def _describe(
    estimator: Estimator,
    recipe: Recipe,
    out: Path,
    samples: np.ndarray,
    metadata: dict[str, Any],
    output: Output,
    report: str | None,
    images: list[np.ndarray],
) -> tuple[list[str], Summary]:
    """Write pictures, and a report if requested; return the files' names and the summary."""
    write_pictures(estimator, recipe.patch_shape, out)
    measured = Measurements.of(estimator, samples, recipe.patch_shape, output.track)
    files = [MODEL_FILE, *PICTURE_FILES]
    if report is not None:
        run = {"images": metadata["images"], "patches": metadata["n_patches"]}
        run |= {"seed": metadata["seed"], "prepared": recipe.describe()}
        write_page(out / REPORT_FILE, measured, command=report, run=run, images=images)
        files.append(REPORT_FILE)
    return files, measured.summary


def fit_with_progress(
    estimator: Estimator, samples: Any, output: Output
) -> KeyboardInterrupt | Warning | None:
    """Fit an estimator with a progress bar, for which its callback is used.

    Return what ended the fit early, or a warning raised as an error at its end. The estimator is
    fitted nevertheless; the caller saves it and then raises this.
    """
    columns = (
        TextColumn("learning"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("objective {task.fields[objective]}"),
    )
    with output.progress(*columns) as progress:
        task = progress.add_task("learning", total=estimator.max_iter, objective="…")

        estimator.set_params(callback=_Shown(progress, task, output))
        try:
            estimator.fit(samples)
        except (KeyboardInterrupt, Warning) as ending:
            if not hasattr(estimator, "components_"):
                raise
            return ending
        finally:
            estimator.set_params(callback=None)
        progress.update(task, total=estimator.n_iter_, completed=estimator.n_iter_)
    if estimator.checkpoint and Path(estimator.checkpoint).exists():
        output.remark(
            f"stopped at --max-iter {estimator.max_iter}; the same command with a larger one and "
            f"another --out resumes from {estimator.checkpoint}"
        )
    return None


@dataclass(frozen=True)
class _Shown:
    """The callback that moves a progress bar."""

    progress: Progress
    task: TaskID
    output: Output

    def __call__(self, iteration: int, objective: float) -> None:
        self.progress.update(self.task, completed=iteration, objective=f"{objective:.4g}")

    def resumed(self, text: str) -> None:
        self.output.remark(text)


def write_pictures(estimator: Estimator, patch_shape: tuple[int, ...], folder: Path) -> None:
    """Write the picture of the features and the curve of the objective."""
    features = BasisDisplay.from_estimator(estimator, patch_shape=patch_shape)
    objective = ObjectiveDisplay.from_estimator(estimator)
    for display, name in zip((features, objective), PICTURE_FILES, strict=True):
        save_picture(display, folder / name)


def save_picture(display: Any, path: Path) -> Path:
    """Draw a display without a screen, save it, and return the file's path.

    The suffix of the path determines the format; a path without one gets ``.png``.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    FigureCanvasAgg(figure)
    display.plot(ax=figure.subplots())
    path = path if path.suffix else path.with_name(f"{path.name}.png")
    with writing(path) as file:
        figure.savefig(file, format=path.suffix[1:], dpi=PICTURE_DPI, bbox_inches="tight")
    return path
