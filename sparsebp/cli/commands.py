"""The commands `sparsebp show` and `encode`; `learn` is in `learning`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from sparsebp._files import printable, require_other, writing
from sparsebp._progress import Track
from sparsebp._shapes import PatchShape
from sparsebp.cli.endings import interruptible
from sparsebp.cli.learning import save_picture
from sparsebp.cli.models import find_model
from sparsebp.cli.output import Output
from sparsebp.datasets._finding import find_files
from sparsebp.displays import BasisDisplay
from sparsebp.displays._features import last_step
from sparsebp.images import encode_image
from sparsebp.recipe import Paths, Recipe
from sparsebp.saving import load_model, read_metadata


@interruptible()
def show_model(model: str, out: Path | None, patch_shape: PatchShape, output: Output) -> None:
    """Draw the features of a saved model or of a basis, and print what it is.

    Without `out` the picture is written next to the model file, or here for a basis.
    """
    file = find_model(model)
    estimator, metadata = load_model(file), read_metadata(file)
    if not hasattr(last_step(estimator), "components_"):
        raise ValueError(f"{model} holds a {type(estimator).__name__}, which has no features.")
    folder = file.parent if file == Path(model) else Path()
    picture = out or folder / f"{file.stem}-filters.png"
    require_other(picture, [file])
    saved = metadata.get("patch_shape")
    display = BasisDisplay.from_estimator(estimator, patch_shape=patch_shape or saved)
    picture = save_picture(display, picture)
    about = [f"{name}: {_text(value)}" for name, value in metadata.items()]
    output.summary(
        [str(estimator), *about, f"saved {picture}"],
        {
            "model": type(estimator).__name__,
            "parameters": estimator.get_params(),
            "n_components": len(display.components),
            "metadata": metadata,
            "files": [str(picture)],
        },
    )


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(entry)}" for key, entry in value.items())
    return "×".join(map(str, value)) if isinstance(value, list) else str(value)


@interruptible()
def encode_images(
    model: str, images: Paths | None, out: Path, stride: int | None, output: Output
) -> None:
    """Write the codes of images, each an array (rows, columns, components).

    The file appears when all are written; one that another run writes meanwhile is kept, and an
    error. Without `stride` patches do not overlap.
    """
    source = find_model(model)
    estimator, recipe = load_model(source), Recipe.from_metadata(read_metadata(source))
    steps = stride or recipe.sides
    shapes: dict[str, tuple[int, ...]] = {}
    n_files = 1

    def counting(files: Collection[Any], _: str) -> Collection[Any]:
        nonlocal n_files
        n_files = len(files)
        return files

    with (
        writing(out, over="this") as file,
        ZipFile(file, "w", ZIP_DEFLATED) as archive,
        output.bar("encoding", 1) as advance,
    ):
        require_other(out, [source, *(find_files(images).values() if images else ())])
        for file_name, image in recipe.stream(images, counting):
            name = printable(file_name)
            watch = _moving(advance, 1 / n_files)
            codes = encode_image(
                image, estimator, stride=steps, prepare=recipe.prepare, progress=watch
            )
            shapes[name] = codes.shape
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, codes, allow_pickle=False)
    output.summary(
        [
            *(f"{name}: {r}×{c} patches, {n} components" for name, (r, c, n) in shapes.items()),
            f"saved {out}",
        ],
        {"shapes": shapes, "stride": steps, "files": [str(out)]},
    )


def _moving(advance: Callable[[float], None], share: float) -> Track:
    """Return an iterator over the blocks of an image that advances a bar by its share."""

    def through(blocks: Collection[Any], _: str) -> Iterator[Any]:
        for block in blocks:
            yield block
            advance(share / len(blocks))

    return through
