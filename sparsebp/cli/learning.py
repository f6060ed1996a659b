"""Learning with a progress bar, and writing down what was learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from sparsebp import __version__
from sparsebp.cli.endings import interruptible
from sparsebp.cli.models import Estimator
from sparsebp.cli.output import Output
from sparsebp.cli.recipe import Recipe, Track, in_silence
from sparsebp.displays import BasisDisplay, ObjectiveDisplay
from sparsebp.estimators import SparseFiltering
from sparsebp.metrics import coefficient_kurtosis, gabor_fit
from sparsebp.saving import save_model

MODEL_FILE = "model.npz"
PICTURE_FILES = ("filters.png", "objective.png")
_SAMPLES_MEASURED = 5000
#: Samples encoded, and filters fitted, between two steps of a bar.
_SAMPLES_A_STEP, _FILTERS_A_STEP = 1000, 48


@interruptible()
def run_experiment(
    estimator: Estimator,
    recipe: Recipe,
    out: Path,
    *,
    images: Path | None,
    n_patches: int,
    seed: int,
    numbered: bool = False,
    prepare: Callable[[np.ndarray], np.ndarray] | None = None,
    output: Output | None = None,
) -> np.ndarray:
    """Learn from photographs behind a progress bar, write the results and print a summary.

    Parameters
    ----------
    estimator : one of the package's estimators
        Fitted in place.
    recipe : Recipe
        How photographs become samples.
    out : Path
        Folder for the results; made if need be. One that holds a model already is refused.
    images : Path, optional
        Folder of photographs; None takes the bundled ones.
    n_patches : int
        Number of samples.
    seed : int
        Draws the patches.
    numbered : bool
        Whether to take the first of out-1, out-2, … that is not there.
    prepare : callable, optional
        What else is done to the samples. The model is then saved without its recipe.
    output : Output, optional
        How much is said; None says everything.

    Returns
    -------
    samples : ndarray of shape (n_patches, n_features)
        What was learned from.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C ended the learning; the best model so far has then been saved.
    """
    output = output or Output()
    with _folder(out, numbered) as out:
        photographs = recipe.load(images, output.track)
        samples, recipe = recipe.draw(photographs, n_patches, seed)
        samples = prepare(samples) if prepare else samples
        size = "×".join(map(str, recipe.patch_shape))
        output.remark(f"{len(samples)} patches of {size} from {len(photographs)} photographs")
        finished = fit_with_progress(estimator, samples, output)
        metadata = {"version": __version__, "seed": seed, "n_patches": n_patches}
        metadata |= {"images": str(images or "bundled"), "patch_shape": recipe.patch_shape}
        metadata |= {} if prepare else {"recipe": recipe.metadata()}
        save_model(estimator, out / MODEL_FILE, metadata=metadata)
    if not finished:
        output.remark(f"Interrupted; the best model so far is saved in {out}.")
    write_pictures(estimator, recipe.patch_shape, out)
    found = summarize(estimator, samples, recipe.patch_shape, output.track)
    files = (MODEL_FILE, *PICTURE_FILES)
    output.summary(
        [*found.lines(), f"saved     {', '.join(files)} in {out}"],
        {**asdict(found), "finished": finished, "files": [str(out / name) for name in files]},
    )
    if not finished:
        raise KeyboardInterrupt
    return samples


@contextmanager
def _folder(out: Path, numbered: bool) -> Iterator[Path]:
    """Make the folder for the results, before any work that could be lost; remove it if empty."""
    if numbered:
        out = next(f for n in count(1) if _made(f := out.with_name(f"{out.name}-{n}")))
    elif (out / MODEL_FILE).exists():
        raise ValueError(f"{out} holds a model already; name another folder, or remove it.")
    out.mkdir(parents=True, exist_ok=True)
    try:
        with NamedTemporaryFile(dir=out):  # writable?
            pass
        yield out
    finally:
        if not any(out.iterdir()):
            out.rmdir()


def _made(folder: Path) -> bool:
    """Make a folder; False if it is there already, perhaps through another run just now."""
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        return False
    return True


def fit_with_progress(estimator: Estimator, samples: np.ndarray, output: Output) -> bool:
    """Fit an estimator behind a progress bar.

    Parameters
    ----------
    estimator : one of the package's estimators
        Fitted in place; its callback is taken for the bar.
    samples : ndarray of shape (n_samples, n_features)
        What to learn from.
    output : Output
        Where the bar is drawn, if at all.

    Returns
    -------
    finished : bool
        False if Ctrl-C ended it; the estimator is then fitted with the best so far.
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

        def show(iteration: int, objective: float) -> None:
            progress.update(task, completed=iteration, objective=f"{objective:.4g}")

        estimator.set_params(callback=show)
        try:
            estimator.fit(samples)
        except KeyboardInterrupt:
            if not hasattr(estimator, "components_"):
                raise
            return False
        finally:
            estimator.set_params(callback=None)
        progress.update(task, total=estimator.n_iter_, completed=estimator.n_iter_)
    return True


def write_pictures(estimator: Estimator, patch_shape: tuple[int, ...], folder: Path) -> None:
    """Write the picture of the features and the curve of the objective.

    Parameters
    ----------
    estimator : one of the package's estimators
        Fitted.
    patch_shape : tuple of int
        (height, width) or (height, width, 3).
    folder : Path
        Exists.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    features = BasisDisplay.from_estimator(estimator, patch_shape=patch_shape)
    objective = ObjectiveDisplay.from_estimator(estimator)
    for display, name in zip((features, objective), PICTURE_FILES, strict=True):
        save_picture(display, folder / name)


def save_picture(display: Any, path: Path) -> None:
    """Draw a display and write it as a picture, without a screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 6), layout="constrained")
    FigureCanvasAgg(figure)
    display.plot(ax=figure.subplots())
    figure.savefig(path, dpi=200, bbox_inches="tight")


@dataclass(frozen=True)
class Summary:
    """What was learned, in numbers.

    Parameters
    ----------
    objective : float
        As the estimator gives it.
    n_iter : int
        Iterations made.
    n_components : int
        Atoms or filters learned.
    kurtosis : float
        Of the coefficients; 3 for a Gaussian.
    small : float
        Share of the coefficients below a tenth of their standard deviation.
    explained : float or None
        Share of the samples' squares that the reconstruction explains; None without one.
    gabor_r2 : float
        Median over the filters of R² of the best Gabor function.
    gabor_like : float
        Share of the filters with R² above 0.8.
    """

    objective: float
    n_iter: int
    n_components: int
    kurtosis: float
    small: float
    explained: float | None
    gabor_r2: float
    gabor_like: float

    def lines(self) -> list[str]:
        """Return the summary for people."""
        explained = ""
        if self.explained is not None:
            explained = f"; {self.explained:.0%} of the patches' variance explained"
        return [
            f"objective {self.objective:.4g} after {self.n_iter} iterations",
            f"sparsity  {self.small:.0%} of the coefficients near zero, kurtosis "
            f"{self.kurtosis:.1f} (a Gaussian has 3){explained}",
            f"filters   {self.n_components} learned, median R² {self.gabor_r2:.2f} of the best "
            f"Gabor function, {self.gabor_like:.0%} above 0.8",
        ]


def summarize(
    estimator: Estimator,
    samples: np.ndarray,
    patch_shape: tuple[int, ...],
    track: Track = in_silence,
) -> Summary:
    """Measure a fitted estimator on some of its samples.

    Parameters
    ----------
    estimator : one of the package's estimators
        Fitted.
    samples : ndarray of shape (n_samples, n_features)
        The first few thousand are used.
    patch_shape : tuple of int
        (height, width) or (height, width, 3).
    track : callable
        Shows how far it is.

    Returns
    -------
    summary : Summary
        The numbers.
    """
    samples = samples[:_SAMPLES_MEASURED]
    blocks = track(_blocks(samples, _SAMPLES_A_STEP), "encoding")
    codes = np.concatenate([estimator.transform(block) for block in blocks])
    blocks = track(_blocks(estimator.features_, _FILTERS_A_STEP), "fitting Gabor functions")
    r_squared = np.concatenate([gabor_fit(block, patch_shape).r_squared for block in blocks])
    return Summary(
        objective=float(estimator.objective_),
        n_iter=int(estimator.n_iter_),
        n_components=len(r_squared),
        kurtosis=float(coefficient_kurtosis(codes)),
        small=float((np.abs(codes) < 0.1 * codes.std()).mean()),
        explained=_explained(estimator, samples, codes),
        gabor_r2=float(np.median(r_squared)),
        gabor_like=float((r_squared > 0.8).mean()),
    )


def _blocks(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[first : first + size] for first in range(0, len(rows), size)]


def _explained(estimator: Estimator, samples: np.ndarray, codes: np.ndarray) -> float | None:
    if isinstance(estimator, SparseFiltering):
        return None
    residual = samples - estimator.inverse_transform(codes)
    return float(1 - (residual**2).sum() / ((samples - samples.mean(axis=0)) ** 2).sum())
