"""Denoising compared with K-SVD and L1 codes, and inpainting with the biharmonic fill."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from sparsebp import SparseCoding
from sparsebp.images import denoise, inpaint
from sparsebp.images._dictionaries import cosines
from sparsebp.images._patches import Patches, channel_means
from sparsebp.images._smooth import filled_smoothly
from sparsebp.preprocessing import remove_mean, sample_patches
from validation.literal import SIDES, denoised, ksvd
from validation.setting import Setting
from validation.table import Row

_SEEN = "the goal is a figure of 3 dB, of other photographs"


def rows(setting: Setting) -> Iterator[Row]:
    """Measure both, on parts of the photographs with pixels from 0 to 255."""
    size = setting.size(256, 40)
    parts = [255 * central_part(photograph, size) for photograph in setting.photographs()[:2]]
    yield from _denoising(setting, parts)
    yield from _filling(setting, parts)
    yield _small_hole(setting, parts[0])


def central_part(image: np.ndarray, size: int) -> np.ndarray:
    """Return the middle of an image."""
    top, left = (max(0, (length - size) // 2) for length in image.shape)
    return image[top : top + size, left : left + size]


def psnr(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB, for pixels from 0 to 255."""
    return float(10 * np.log10(255**2 / np.square(image - truth).mean()))


def _denoising(setting: Setting, parts: list[np.ndarray]) -> Iterator[Row]:
    gains = []
    for index, clean in enumerate(parts):
        for sigma in setting.size((15, 25, 50), (25,)):
            noisy = clean + np.random.default_rng(0).normal(scale=sigma, size=clean.shape)
            ours = psnr(denoise(noisy, sigma=sigma), clean)
            where, note = f"image {index}, σ {sigma}", f"denoise: {ours:.2f} dB, seed 0"
            gains.append(ours - psnr(denoise_ksvd(setting, noisy, sigma), clean))
            yield Row("denoising", f"dB above K-SVD, {where}", gains[-1], -0.15, note=note)
            if sigma == 25:
                gain = ours - psnr(_denoise_l1(setting, noisy, sigma), clean)
                what = f"dB above L1 at 3σ, {where}"
                yield Row("denoising", what, gain, 2.5, note=f"{note}; {_SEEN}")
            blind = psnr(denoise(noisy), clean)
            yield Row("denoising", f"dB with σ estimated, {where}", blind)
    yield Row("denoising", "dB above K-SVD, mean", float(np.mean(gains)), 0.0)


def denoise_ksvd(setting: Setting, noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Return an image denoised by K-SVD on the noisy image, starting from cosines."""

    def learn(x: np.ndarray, bound: float) -> np.ndarray:
        rng, n_iter = np.random.default_rng(0), setting.size(10, 2)
        return ksvd(x, cosines(SIDES, 1), n_iter, rng, max_energy=bound)

    return denoised(noisy, sigma, learn, setting.size(40_000, 500))


def _denoise_l1(setting: Setting, noisy: np.ndarray, sigma: float) -> np.ndarray:
    """Exact L1 codes at α = 3σ, atoms from the noisy image, equal weights."""
    model = _learned(setting, noisy, 3 * sigma)
    patches = Patches(noisy[:, :, np.newaxis], SIDES, 1)

    def described(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        samples = patches.take(numbers)
        means = channel_means(samples, 1)
        made = model.inverse_transform(model.transform(samples - means))
        return made + means, np.ones(len(numbers))

    return patches.averaged(described, False)[:, :, 0]


def _learned(setting: Setting, image: np.ndarray, alpha: float) -> SparseCoding:
    X = remove_mean(sample_patches([image], SIDES, setting.size(15_000, 500), random_state=0))
    model = SparseCoding(
        256, penalty="l1", alpha=alpha, solver="online", batch_size=256,
        max_iter=setting.size(150, 4), random_state=0,
    )  # fmt: skip
    return model.fit(X)


def _filling(setting: Setting, parts: list[np.ndarray]) -> Iterator[Row]:
    for index, clean in enumerate(parts):
        model = _learned(setting, parts[1 - index], 30.0)
        for share, goal in ((0.3, 0.0), (0.5, 0.0), (0.8, -0.5)):
            missing = np.random.default_rng(0).random(clean.shape) < share
            ours = psnr(inpaint(clean, model, missing), clean)
            smooth = filled_smoothly(clean[:, :, np.newaxis], missing[:, :, np.newaxis])
            gain = ours - psnr(smooth[:, :, 0], clean)
            what = f"dB above biharmonic, image {index}, {share:.0%} missing"
            yield Row("filling in", what, gain, goal, note=f"inpaint: {ours:.2f} dB, seed 0")


def _small_hole(setting: Setting, part: np.ndarray) -> Row:
    image = np.tile(part, (2, 2))
    model = _learned(setting, part, 30.0)
    missing = np.zeros(image.shape, dtype=bool)
    missing[60:64, 60:64] = True
    inpaint(image, model, missing)  # compiled
    began = time.process_time()
    inpaint(image, model, missing)
    what = f"s for a hole of 4 × 4 in {image.shape[0]} × {image.shape[1]}"
    return Row("filling in", what, time.process_time() - began, at_most=1.0, note="processor time")
