"""Recovery of planted Gabor functions by Gabor fits, and measures of the learned bases."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsebp import load_basis
from sparsebp.metrics import gabor_fit
from sparsebp.metrics._gabor_result import ORIENTATION_LIMIT
from validation.setting import Setting
from validation.table import Row

_SIDE, _PADDED = 14, 256


def rows(setting: Setting) -> Iterator[Row]:
    """Measure planted Gabor functions, with noise and of one cycle, and the learned bases."""
    n_filters = setting.size(600, 12)
    for name, edges in (("Gabor functions", False), ("edges of one cycle", True)):
        planted = _planted(n_filters, edges=edges)
        for noise in (0.0, 0.1):
            yield from _found(f"{name}, noise {noise:g}", planted, noise)
    for name in ("sparse-coding-12x12", "ica-10x10", "topographic-10x10"):
        yield from _of_basis(name)


def _planted(n_filters: int, *, edges: bool) -> np.ndarray:
    """Draw filters that lie within the patch, some of them even and some odd."""
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:_SIDE, :_SIDE]
    images = []
    for index in range(n_filters):
        y, x = rng.uniform(0.35 * _SIDE, 0.65 * _SIDE, 2)
        angle = rng.uniform(0, np.pi)
        u = np.cos(angle) * (column - x) + np.sin(angle) * (row - y)
        v = np.cos(angle) * (row - y) - np.sin(angle) * (column - x)
        along, across = rng.uniform(1.2, 2.2), rng.uniform(1.3, 2.8)
        cycles = rng.uniform(0.01, 0.1) if edges else rng.uniform(0.35, 0.8)
        phase = np.pi / 2 if edges else (0, np.pi / 2, rng.uniform(-np.pi, np.pi))[index % 3]
        wave = np.cos(2 * np.pi * min(cycles / along, 0.42) * u + phase)
        images.append((np.exp(-((u / along) ** 2 + (v / across) ** 2) / 2) * wave).ravel())
    return np.array(images)


def _peaks(images: np.ndarray) -> np.ndarray:
    """Return the frequencies at which padded Fourier transforms of the images are largest."""
    frequency = np.fft.fftfreq(_PADDED)
    power = (np.abs(np.fft.fft2(i.reshape(_SIDE, _SIDE), (_PADDED,) * 2)) for i in images)
    places = [np.unravel_index(p.argmax(), p.shape) for p in power]
    return np.array([np.hypot(frequency[row], frequency[column]) for row, column in places])


def _found(what: str, planted: np.ndarray, noise: float) -> Iterator[Row]:
    rng = np.random.default_rng(1)
    given = planted + noise * planted.std(axis=1, keepdims=True) * rng.normal(size=planted.shape)
    fit = gabor_fit(given, (_SIDE, _SIDE))
    with np.errstate(divide="ignore"):
        off = np.abs(np.log2(fit.frequency / _peaks(planted)))
    note = f"{len(planted)} filters, 14×14"
    yield Row(
        "gabor", f"{what}: frequency within 10 %, share", (off < 0.14).mean(), 0.95, note=note
    )
    yield Row(
        "gabor", f"{what}: well determined, share", fit.well_determined.mean(), 0.9, note=note
    )


def _of_basis(name: str) -> Iterator[Row]:
    model = load_basis(name)
    side = round(model.n_features_in_**0.5)
    fit = gabor_fit(model.features_, (side, side))
    good = fit.r_squared > 0.8
    low = (fit.carrier < fit.frequency / 3)[good].mean()
    yield Row("gabor", f"{name}: carrier below a third of the peak, share", low)
    # Less than a cycle in the patch, such as a step edge: the frequency may be anything down to 0.
    slow = fit.frequency * side < 1
    shares = {
        "orientation certain to 15°": fit.uncertainty.orientation[good] <= ORIENTATION_LIMIT,
        "well determined of those with a cycle or more": fit.well_determined[good & ~slow],
    }
    for what, share in shares.items():
        yield Row("gabor", f"{name}: {what}, of R² > 0.8", share.mean(), 0.85)
    everything = fit.well_determined[good].mean()
    note = f"{slow[good].mean():.0%} have less than a cycle in the patch"
    yield Row("gabor", f"{name}: well determined of R² > 0.8", everything, note=note)
    for quantity in ("n_x", "n_y"):
        yield Row(
            "gabor", f"{name}: {quantity}, median", float(np.median(getattr(fit, quantity)[good]))
        )
