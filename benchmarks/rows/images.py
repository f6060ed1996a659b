"""Gabor fits, inpainting and feature maps."""

from __future__ import annotations

import numpy as np

from benchmarks import literal_images
from benchmarks.data import patches, photographs
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import race, timed
from sparsebp import SparseCoder, SparseCoding
from sparsebp.bases import load_basis
from sparsebp.images import encode_image, inpaint
from sparsebp.metrics import gabor_fit
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

_SIDE, _ALPHA = 8, 0.5
#: Weight of the L1 norm in the literal inpainting; 0.1 and 0.015 are no better.
_INPAINTING_ALPHA = 0.04


def gabor_fits(setting: Setting) -> list[Record]:
    """Compare fits of Gabor functions to learned filters, a fifth of them with noise.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One, with the R² of both; the peer's time is that for all filters.
    """
    learned = np.concatenate(
        [load_basis(name).features_ for name in ("rica-12x12", "sparse-coding-12x12")]
    )
    noise = np.random.default_rng(0).standard_normal((48, learned.shape[1]))
    noisy = learned[:48] + 0.1 * learned[:48].std() * noise
    filters, shape = np.concatenate([learned, noisy])[-setting.size(256, 2) :], (12, 12)
    part = slice(None, None, setting.size(8, 1))
    ours = race({"sparsebp": lambda: gabor_fit(filters, shape)}, setting.repeats)["sparsebp"]
    theirs, found = timed(lambda: literal_images.gabor_r_squared(filters[part], shape))
    r_squared, share = gabor_fit(filters, shape).r_squared[part], len(filters) / len(found)
    medians = f"median R² {np.median(r_squared):.3f}, theirs {np.median(found):.3f}"
    note = f"{medians}, of {len(found)} filters, on which theirs is timed"
    work = f"Gabor fits of {len(filters)} filters, 12 × 12"
    return [Record(work, "SciPy least_squares", ours, share * theirs, 100.0, note)]


def inpainting(setting: Setting) -> list[Record]:
    """Compare the inpainting of half of the pixels at stride 1 with L1 codes of known pixels.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One, with the errors of both.
    """
    height, width, n_atoms, max_iter = setting.size((128, 160, 96, 100), (24, 24, 16, 5))
    pictures = photographs(setting.images)
    image = pictures[0][:height, :width]
    X = remove_mean(sample_patches(pictures, _SIDE, setting.size(20_000, 500), random_state=0))
    options = {"penalty": "l1", "solver": "online", "max_iter": max_iter, "random_state": 0}
    model = SparseCoding(n_atoms, alpha=0.1, n_jobs=setting.n_threads, **options).fit(X)
    missing = np.random.default_rng(0).random(image.shape) < 0.5
    ours = race({"sparsebp": lambda: inpaint(image, model, missing)}, setting.repeats)["sparsebp"]
    filled = inpaint(image, model, missing)
    theirs, by_codes = timed(
        lambda: literal_images.inpainted(image, missing, model.components_, _INPAINTING_ALPHA)
    )
    errors = (_decibels(found, image, missing) for found in (filled, by_codes))
    note = "PSNR {:.2f} dB, theirs {:.2f} dB".format(*errors)
    work = f"inpainting at stride 1, {height} × {width}, {n_atoms} atoms"
    return [Record(work, "scikit-learn Lasso", ours, theirs, 20.0, note)]


def feature_maps(setting: Setting) -> list[Record]:
    """Compare exact L1 codes of all patches of a whitened photograph.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One; the peer encodes a part of the patches, and its time is that for all of them.
    """
    size, every, n_atoms = setting.size((512, 64, 96), (24, 4, 16))
    (image,) = whiten_images([photographs(setting.images)[0][:size, :size]])
    image = image / image.std()
    X = patches(_SIDE, 500, setting.images)
    atoms = X[:n_atoms] / np.linalg.norm(X[:n_atoms], axis=1, keepdims=True)
    model = SparseCoder(atoms, penalty="l1", alpha=_ALPHA, n_jobs=setting.n_threads)
    times = race({"sparsebp": lambda: encode_image(image, model)}, setting.size(3, 1))
    theirs, codes = timed(lambda: literal_images.feature_map(image, atoms, _ALPHA, every))
    found = encode_image(image, model).reshape(-1, n_atoms)
    difference, share = np.abs(found[::every] - codes).max(), len(found) / len(codes)
    note = f"codes differ by {difference:.0e}; theirs timed on {len(codes)} patches"
    work = f"feature map at stride 1, {image.shape[0]} × {image.shape[1]}, {n_atoms} atoms"
    return [Record(work, "scikit-learn lasso_cd", times["sparsebp"], share * theirs, 10.0, note)]


def _decibels(found: np.ndarray, image: np.ndarray, missing: np.ndarray) -> float:
    return float(-10 * np.log10(np.square(found - image)[missing].mean() / np.ptp(image) ** 2))
