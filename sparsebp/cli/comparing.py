"""The command `sparsebp compare`: a table of saved models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sparsebp._files import require_other
from sparsebp.cli.endings import interruptible
from sparsebp.cli.models import find_model
from sparsebp.cli.output import Output
from sparsebp.datasets._finding import find_files
from sparsebp.recipe import Recipe
from sparsebp.report import compare_models
from sparsebp.saving import load_model, read_metadata

#: The columns of a comparison: label and number format.
_WORDS = {
    "method": ("method", ""),
    "patch_shape": ("patch in pixels", ""),
    "n_components": ("features", "d"),
    "silent": ("silent", "d"),
    "gabor_r2": ("median R² of Gabor fits", ".2f"),
    "gabor_like": ("R² above 0.8", ".0%"),
    "well_determined": ("and well determined", ".0%"),
    "frequency": ("  cycles per pixel, median", ".3f"),
    "bandwidth": ("  bandwidth in octaves", ".2f"),
    "aspect_ratio": ("  length : width", ".2f"),
    "n_x": ("  n_x", ".2f"),
    "n_y": ("  n_y", ".2f"),
    "kurtosis": ("kurtosis of coefficients", ".1f"),
    "near_zero": ("coefficients near zero", ".0%"),
    "explained_variance": ("variance explained", ".1%"),
}


@interruptible()
def compare_saved(
    models: Sequence[str],
    images: Any,
    n_patches: int,
    seed: int,
    csv: Path | None,
    output: Output,
) -> None:
    """Measure saved models on patches of the same images, and print a table, also as CSV."""
    twice = sorted({name for name in models if models.count(name) > 1})
    if twice:
        raise ValueError(f"{twice[0]} is given twice; give each model once.")
    files = {name: find_model(name) for name in models}
    if csv is not None:
        require_other(csv, [*files.values(), *(find_files(images).values() if images else ())])
    metadata = {name: read_metadata(file) for name, file in files.items()}
    samples, without = _samples(metadata, images, n_patches, seed, output)
    for name in without:
        output.remark(
            f"{name} was saved without its recipe, so the preprocessing of its patches is unknown: "
            "only its features are measured."
        )
    compared = compare_models(
        {name: load_model(file) for name, file in files.items()},
        samples,
        patch_shape={name: found.get("patch_shape") for name, found in metadata.items()},
        track=output.track,
    )
    columns = compared.to_dict()
    if csv is not None:
        compared.to_csv(csv)
    output.summary(
        [*_table(columns), *([f"saved {csv}"] if csv else [])],
        {
            "models": compared.to_rows(),
            "n_patches": n_patches,
            "seed": seed,
            "files": [str(csv)] if csv else [],
        },
    )


def _samples(
    metadata: Mapping[str, Mapping[str, Any]],
    images: Any,
    n_patches: int,
    seed: int,
    output: Output,
) -> tuple[dict[str, np.ndarray], list[str]]:
    """Draw each model's samples; return them by name, and the models that have no recipe.

    Models of one size and preparation get the same patches, since the seed is the same.
    """
    recipes = {n: Recipe.from_metadata(dict(m)) for n, m in metadata.items() if "recipe" in m}
    samples: dict[str, np.ndarray] = {}
    for reading in dict.fromkeys(replace(recipe, scale=None) for recipe in recipes.values()):
        loaded = reading.load(images, output.track)
        for name, recipe in recipes.items():
            if replace(recipe, scale=None) == reading:
                samples[name], _ = recipe.draw(loaded, n_patches, seed)
    return samples, [name for name in metadata if name not in recipes]


def _table(columns: Mapping[str, Sequence[Any]]) -> list[str]:
    """Return the lines of a table in which every model is a column."""
    rows = [["", *map(str, columns["model"])]]
    for name, (words, form) in _WORDS.items():
        rows.append([words, *("–" if v is None else format(v, form) for v in columns[name])])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    first, *others = widths
    return [
        "  ".join(
            [row[0].ljust(first), *(c.rjust(w) for c, w in zip(row[1:], others, strict=True))]
        ).rstrip()
        for row in rows
    ]
