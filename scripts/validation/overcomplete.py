"""More filters than directions: filters in use, Gabor fits, and reconstruction."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment

from sparsebp import ReconstructionICA
from sparsebp.metrics import explained_variance, gabor_fit
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images
from validation.setting import Setting
from validation.table import Row

SEEDS = (0, 1, 2)
#: (side of a patch, filters for each direction).
SIZES = ((8, 2), (8, 4), (12, 2))


def rows(setting: Setting) -> Iterator[Row]:
    """Measure the default objective and the tutorial's."""
    images = whiten_images(setting.photographs())
    n_patches = setting.size(20_000, 1_000)
    for side, times in setting.size(SIZES, ((4, 2),)):
        found = []
        for seed in setting.size(SEEDS, (0,)):
            patches = sample_patches(images, side, n_patches, random_state=seed)
            found.append(_measured(remove_mean(patches), side, times, seed, setting))
        silent, r_squared, lost, doubles = np.transpose(found)
        case, note = f"{side}×{side}, {times}×", f"{n_patches} patches, {len(found)} seeds"
        yield Row("overcomplete", f"{case}: silent, %", 100 * silent.max(), at_most=2, note=note)
        goal = 0.88 if times == 2 else None
        yield Row("overcomplete", f"{case}: median Gabor R²", r_squared.min(), goal, note=note)
        yield Row("overcomplete", f"{case}: variance lost, %", 100 * lost.max(), at_most=10)
        yield Row(
            "overcomplete", f"{case}: filters with a double (cosine > 0.97), %", 100 * doubles.max()
        )
    yield from _planted(setting)


def _measured(
    patches: np.ndarray, side: int, times: int, seed: int, setting: Setting
) -> tuple[float, float, float, float]:
    """Return the shares of silent filters, the median R², the variance lost, the doubles."""
    n_filters = times * (side * side - 1)
    tol = setting.size(1e-5, 1e-2)
    model = ReconstructionICA(n_filters, whiten=True, tol=tol, random_state=seed).fit(patches)
    codes = model.transform(patches)
    lost = 1 - explained_variance(patches, model.inverse_transform(codes))
    r_squared = float(np.median(gabor_fit(model.features_, (side, side)).r_squared))
    cosines = np.abs(np.triu(model.whitened_components_ @ model.whitened_components_.T, 1))
    doubles = float((np.maximum(cosines.max(axis=0), cosines.max(axis=1)) > 0.97).mean())
    return len(model.silent_components(codes)) / n_filters, r_squared, lost, doubles


def _planted(setting: Setting) -> Iterator[Row]:
    """Match what is learned from 16 mixtures of 32 Laplace sources with the mixing matrix."""
    seeds, n_samples = setting.size(range(5), range(1)), setting.size(10_000, 500)
    found: dict[str, list[float]] = {"default": [], "free lengths": [], "random": []}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        mixing = rng.normal(size=(16, 32))
        samples = rng.laplace(size=(n_samples, 32)) @ (mixing / np.linalg.norm(mixing, axis=0)).T
        for name, unit_norm in (("default", "auto"), ("free lengths", False)):
            model = ReconstructionICA(32, unit_norm=unit_norm, whiten=True, random_state=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # with free norms half of the filters are silent
                found[name].append(_matched(model.fit(samples).features_, mixing))
        found["random"].append(_matched(rng.normal(size=(32, 16)), mixing))
    for name, cosines in found.items():
        goal = 0.78 if name == "default" else None
        what = f"32 planted sources in 16 features, {name}: mean cosine with the truth"
        yield Row("overcomplete", what, float(np.mean(cosines)), goal, note=f"{len(seeds)} seeds")


def _matched(features: np.ndarray, mixing: np.ndarray) -> float:
    cosines = np.abs(_unit(features) @ _unit(mixing.T).T)
    return float(cosines[linear_sum_assignment(cosines, maximize=True)].mean())


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
