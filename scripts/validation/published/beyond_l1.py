"""Fewer active units than with L1.

[Rentzeperis, Calatroni, Perrinet & Prandi, *PLOS Computational Biology* 19,
2023](https://doi.org/10.1371/journal.pcbi.1011459) learned dictionaries of natural images with the
L1 penalty and with penalties closer to ℓ0. At the same number of active units, the latter
reconstructs the images about five times better, and L1 needs ten times as many units to reconstruct
them as well.

We learn from whitened patches of 8 × 8 pixels of the photographs of Olshausen & Field, by pursuit
(`n_nonzero=6`), which limits ℓ0, and with the L1 penalty, whose α is chosen such that 6 units are
active on average. "Refitted" is L1 with the coefficients of the same units set by least squares: it
tells how much of the error is shrinkage.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from sparsebp import SparseCoder, SparseCoding
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images
from validation.finding import Finding
from validation.setting import Setting

_SIDE, _ACTIVE = 8, 6


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure errors at the same number of active units, and the size at which L1 catches up."""
    images = whiten_images(setting.photographs("olshausen_field"))
    small, *larger = setting.size((96, 288, 960), (16, 32))
    ratios, refitted, catching_up = [], [], []
    for seed in setting.seeds(3):
        patches = sample_patches(images, _SIDE, setting.size(30_000, 400), random_state=seed)
        X = remove_mean(patches)
        X /= X.std()
        held = X[-setting.size(1_000, 50) :]
        limited = _learned(setting, X, small, seed, n_nonzero=_ACTIVE)
        least = _error(held, limited.transform(held), limited.components_)
        atoms, codes = _with_l1(setting, X, held, small, seed)
        ratios.append(_error(held, codes, atoms) / least)
        refitted.append(_error(held, _refitted(held, codes, atoms), atoms) / least)
        if seed == 0:
            for size in larger:
                atoms, codes = _with_l1(setting, X, held, size, seed)
                catching_up.append(_error(held, codes, atoms) / least)
    yield Finding(
        f"squared error of L1 over that of pursuit, {small} units, {_ACTIVE} active",
        "about 5",
        ratios,
        at_least=4.0,
        at_most=6.0,
        others={"refitted": refitted},
    )
    for size, ratio in zip(larger, catching_up, strict=True):
        yield Finding(
            f"the same, L1 with {size / small:g} times as many units",
            "1 with ten times as many",
            [ratio],
            at_least=0.8,
            at_most=1.2,
        )


def _learned(
    setting: Setting, X: np.ndarray, n_atoms: int, seed: int, **rule: float
) -> SparseCoding:
    options = {"solver": "online", "batch_size": 256, "tol": 0.0, "random_state": seed}
    n_batches = setting.size(400, 3)
    return SparseCoding(n_atoms, max_iter=n_batches, **options, **rule).fit(X.astype(np.float32))


def _with_l1(
    setting: Setting, X: np.ndarray, held: np.ndarray, n_atoms: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return atoms, and codes of as many active units as the pursuit's, on average."""
    alpha = 4.0
    for _ in range(2):  # atoms depend on α, and α on the atoms
        atoms = _learned(setting, X, n_atoms, seed, penalty="l1", alpha=alpha).components_
        atoms = atoms.astype(np.float64)
        low, high = -2.0, 3.0
        for _ in range(12):
            middle = (low + high) / 2
            alpha = 10**middle
            codes = SparseCoder(atoms, penalty="l1", alpha=alpha).fit(held).transform(held)
            active = np.count_nonzero(codes, axis=1).mean()
            low, high = (middle, high) if active > _ACTIVE else (low, middle)
    return atoms, codes


def _refitted(X: np.ndarray, codes: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Return the least-squares coefficients of the same units."""
    refitted = np.zeros_like(codes)
    for row, x, code in zip(refitted, X, codes, strict=True):
        active = np.flatnonzero(code)
        row[active] = np.linalg.lstsq(atoms[active].T, x, rcond=None)[0]
    return refitted


def _error(X: np.ndarray, codes: np.ndarray, atoms: np.ndarray) -> float:
    return float(np.square(X - codes @ atoms).sum() / np.square(X).sum())
