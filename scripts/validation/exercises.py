"""Whether the tutorial's exercises give the tutorial's pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import rica_exercise
import sparse_coding_exercise

from sparsebp import load_model
from sparsebp.metrics import GaborFit, gabor_fit, topography_index
from validation.setting import Setting
from validation.table import Row

_POINT = "exercises"


def rows(setting: Setting) -> Iterator[Row]:
    """Run the exercises' scripts; measure the fraction of used and of Gabor-like features."""
    n_patches = setting.size(10_000, 500)
    for as_printed in (False, True):
        living, fit = _learned(
            rica_exercise.main,
            (9, 9),
            n_patches=n_patches,
            max_iter=setting.size(500, 3),
            as_printed=as_printed,
        )
        yield from _common("RICA", living, fit, as_printed=as_printed)
    n_patches = setting.size(20_000, 500)
    for as_printed in (False, True):
        living, fit = _learned(
            sparse_coding_exercise.main,
            (8, 8),
            n_patches=n_patches,
            max_iter=setting.size(100, 3),
            as_printed=as_printed,
        )
        yield from _common("sparse coding", living, fit, as_printed=as_printed)
        index = topography_index(fit, (11, 11)).orientation
        goal = None if as_printed else 0.6
        what = "sparse coding: orientation index of the map"
        yield Row(_POINT, what, index, at_most=goal, note=_note(as_printed))


def _learned(
    script: Callable[..., None], patch_shape: tuple[int, int], **options: int
) -> tuple[np.ndarray, GaborFit]:
    with TemporaryDirectory() as folder:
        script(out=Path(folder) / "learned", **options)
        features = load_model(Path(folder) / "learned" / "model.npz").features_
    lengths = np.linalg.norm(features, axis=1)
    return lengths > 0.01 * lengths.max(), gabor_fit(features, patch_shape)


def _common(exercise: str, living: np.ndarray, fit: GaborFit, *, as_printed: bool) -> Iterator[Row]:
    goals = (None, None) if as_printed else (1.0, 0.85)
    figures = {
        "share of living features": living.mean(),
        "median Gabor R²": np.median(fit.r_squared),
    }
    for (what, figure), goal in zip(figures.items(), goals, strict=True):
        name = f"{exercise}: {what}"
        yield Row(_POINT, name, float(figure), at_least=goal, note=_note(as_printed))


def _note(as_printed: bool) -> str:
    return "the exercise's printed numbers" if as_printed else "seed 0"
