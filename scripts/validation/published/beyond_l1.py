r"""Fewer active units than with L1.

[Rentzeperis, Calatroni, Perrinet & Prandi, *PLOS Computational Biology* 19,
2023](https://doi.org/10.1371/journal.pcbi.1011459) learned dictionaries of natural images with the
L1 penalty and with penalties closer to ℓ0. At the same number of active units, the latter
reconstruct the images about five times better, and L1 needs ten times as many units to reconstruct
them as well.

We learn from whitened patches of 8 × 8 pixels of the photographs of Olshausen & Field, by pursuit
(`n_nonzero=6`), and with the L1 penalty. New patches are encoded by pursuit with the penalty
$\tau^2 \|s\|_0$, and with L1; τ and α are chosen such that 6 units are active on average.
"Refitted" is L1 with the coefficients of the same units set by least squares, which takes its
shrinkage away.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sparsebp import SparseCoder, SparseCoding
from sparsebp.coding import pursue
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images
from validation.finding import Finding
from validation.setting import Setting

DATA = "olshausen_field"
_SIDE, _ACTIVE = 8, 6
_SHRINKAGE = (
    "most of what L1 loses here is shrinkage: with the same units refitted, little is left. The "
    "source has other patches, larger dictionaries, and other numbers of active units."
)
_MANY = (
    "L1 with ten times as many units does not catch up here. Refitted, it is as good as "
    "pursuit with few units."
)


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure errors at the same number of active units, and of L1 with more units."""
    images = whiten_images(setting.photographs(DATA))
    few, many = setting.size((64, 640), (16, 32))
    ratios: dict[int, list[float]] = {few: [], many: []}
    refitted: dict[int, list[float]] = {few: [], many: []}
    for seed in setting.seeds(2):
        patches = sample_patches(images, _SIDE, setting.size(30_000, 400), random_state=seed)
        X = remove_mean(patches)
        X /= X.std()
        held = X[-setting.size(1_000, 50) :]
        atoms = _learned(setting, X, few, seed, n_nonzero=_ACTIVE)
        least = _error(held, _with_penalty(held, atoms), atoms)
        alpha = 2.0
        for size in (few, many):
            atoms = _learned(setting, X, size, seed, penalty="l1", alpha=alpha)
            codes, alpha = _with_l1(held, atoms)
            ratios[size].append(_error(held, codes, atoms) / least)
            refitted[size].append(_error(held, _refitted(held, codes, atoms), atoms) / least)
    yield Finding(
        f"squared error of L1 over that of pursuit, {few} units, {_ACTIVE} active",
        "about 5",
        ratios[few],
        at_least=4.0,
        at_most=6.0,
        others={"L1, refitted": refitted[few]},
        remark=_SHRINKAGE,
    )
    yield Finding(
        f"the same, L1 with {many} units",
        "1 with ten times as many",
        ratios[many],
        at_least=0.8,
        at_most=1.2,
        others={"L1, refitted": refitted[many]},
        remark=_MANY,
    )


def _learned(setting: Setting, X: np.ndarray, n_atoms: int, seed: int, **rule: Any) -> np.ndarray:
    options = {"solver": "online", "batch_size": 256, "tol": 0.0, "random_state": seed}
    model = SparseCoding(n_atoms, max_iter=setting.size(400, 3), **options, **rule)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of α, at a toy size
        return model.fit(X.astype(np.float32)).components_.astype(np.float64)


def _with_penalty(X: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Return codes by pursuit of as many active units as wanted, on average."""
    return _chosen(lambda size: pursue(X.T, atoms.T, min_gain=size).T)[0]


def _with_l1(X: np.ndarray, atoms: np.ndarray) -> tuple[np.ndarray, float]:
    """Return L1 codes of as many active units as wanted, on average, and their α."""
    return _chosen(lambda alpha: SparseCoder(atoms, penalty="l1", alpha=alpha).fit(X).transform(X))


def _chosen(encoded: Callable[[float], np.ndarray]) -> tuple[np.ndarray, float]:
    """Return codes, and the weight of their penalty, by bisection."""
    low, high = -2.0, 3.0
    for _ in range(12):
        middle = (low + high) / 2
        codes = encoded(10**middle)
        active = np.count_nonzero(codes, axis=1).mean()
        low, high = (middle, high) if active > _ACTIVE else (low, middle)
    return codes, 10**middle


def _refitted(X: np.ndarray, codes: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Return the least-squares coefficients of the same units."""
    refitted = np.zeros_like(codes)
    for row, x, code in zip(refitted, X, codes, strict=True):
        active = np.flatnonzero(code)
        row[active] = np.linalg.lstsq(atoms[active].T, x, rcond=None)[0]
    return refitted


def _error(X: np.ndarray, codes: np.ndarray, atoms: np.ndarray) -> float:
    return float(np.square(X - codes @ atoms).sum() / np.square(X).sum())
