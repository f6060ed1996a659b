r"""A sparse code of natural images.

[Olshausen & Field, *Nature* 381, 1996](https://doi.org/10.1038/381607a0) learned 192 functions of
16 × 16 pixels from ten whitened photographs, with the penalty $\sum \log(1 + s^2)$. The functions
became localized, oriented and bandpass, as the receptive fields of simple cells. Where the error of
reconstruction is a tenth of the variance, their coefficients have a kurtosis of 20, and an entropy
of 4.0 bits; those of random functions have 7 and 4.6.

We learn from the same ten photographs (in 8 bits), whitened by the source's filter, with the same
penalty, from 2,000 batches of 256 patches. The random functions are random mixtures of patches, so
that they span the same space. The entropy depends on the width of the bins, which we do not know,
so that only its difference is compared.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from olshausen_field import STEP, codes_at_error
from sklearn.decomposition import MiniBatchDictionaryLearning

from sparsebp import SparseCoding
from sparsebp.displays import BasisDisplay
from sparsebp.metrics import coefficient_entropy, coefficient_kurtosis, gabor_fit
from sparsebp.penalties import Cauchy
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images
from validation.finding import Finding
from validation.setting import Setting

DATA = "olshausen_field"
PICTURE = "The 192 functions of the first seed; about a dozen are still noise"
_SIDE = 16
_CONTRAST = (
    "the coefficients of random functions, too, have a larger kurtosis than the source's, by an "
    "even larger factor. Probably the patches differ more in contrast, which no function removes: "
    "in 8 bits the contrasts of the ten photographs relative to each other are lost."
)


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure how sparse learned and random functions are at the same error."""
    images = whiten_images(setting.photographs(DATA))
    found = []
    for seed in setting.seeds(2):
        patches = sample_patches(images, _SIDE, setting.size(50_000, 600), random_state=seed)
        X = remove_mean(patches)
        X /= X.std()
        learned = _learned(setting, X, seed)
        if seed == 0:
            display = BasisDisplay(
                learned, (_SIDE, _SIDE), grid_shape=setting.size((12, 16), (3, 4))
            )
            setting.save(display.plot().figure_, "olshausen-field.png")
        random = np.random.default_rng(seed).standard_normal((len(learned), len(X))) @ X
        peers = _peers(setting, X, seed)
        held = X[-setting.size(250, 40) :]
        found.append([_sparseness(atoms, held) for atoms in (learned, random, peers)])
    peer = "MiniBatchDictionaryLearning (L1, 4,000 patches)"
    kurtosis, entropy, r_squared = np.moveaxis(np.array(found), 2, 0)
    yield Finding(
        "kurtosis of the coefficients",
        "20",
        kurtosis[:, 0].tolist(),
        at_least=15.0,
        at_most=25.0,
        remark=_CONTRAST,
        others={peer: kurtosis[:, 2].tolist(), "random functions": kurtosis[:, 1].tolist()},
        recalled=True,
    )
    yield Finding(
        "the same over that of random functions",
        "20 / 7 = 2.9",
        (kurtosis[:, 0] / kurtosis[:, 1]).tolist(),
        at_least=2.0,
        at_most=4.0,
        better=1,
        remark=_CONTRAST,
        others={peer: (kurtosis[:, 2] / kurtosis[:, 1]).tolist()},
        recalled=True,
    )
    yield Finding(
        "entropy saved compared with random functions, bits",
        "4.6 − 4.0 = 0.6",
        (entropy[:, 1] - entropy[:, 0]).tolist(),
        at_least=0.5,
        at_most=0.7,
        better=1,
        others={peer: (entropy[:, 1] - entropy[:, 2]).tolist()},
        recalled=True,
    )
    yield Finding(
        "median R² of Gabor functions fitted to the learned functions",
        "localized, oriented, bandpass",
        r_squared[:, 0].tolist(),
        at_least=0.8,
        others={peer: r_squared[:, 2].tolist(), "random": r_squared[:, 1].tolist()},
    )


def _learned(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    model = SparseCoding(
        setting.size(192, 12),
        penalty=Cauchy(),
        alpha=2.0,
        solver="online",
        batch_size=256,
        max_iter=setting.size(2_000, 3),
        random_state=seed,
    )
    return model.fit(X).components_


def _peers(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    model = MiniBatchDictionaryLearning(
        setting.size(192, 12),
        alpha=1.0,
        batch_size=256,
        fit_algorithm="cd",
        max_iter=1,
        random_state=seed,
    )
    return model.fit(X[: setting.size(4_000, 300)]).components_


def _sparseness(atoms: np.ndarray, X: np.ndarray) -> tuple[float, float, float]:
    """Return kurtosis and entropy at an error of a tenth of the variance, and the Gabor R²."""
    atoms = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    codes, _ = codes_at_error(X.T, atoms.T)
    r_squared = np.median(gabor_fit(atoms, (_SIDE, _SIDE)).r_squared)
    return coefficient_kurtosis(codes), coefficient_entropy(codes, step=STEP), float(r_squared)
