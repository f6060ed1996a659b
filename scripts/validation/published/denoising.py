"""K-SVD: denoising.

[Elad & Aharon, *IEEE Transactions on Image Processing* 15,
2006](https://doi.org/10.1109/TIP.2006.881969) denoised images with dictionaries that K-SVD learned
from the noisy image itself, which was better than an overcomplete dictionary of cosines. Their test
images are not among our data; we take parts of 128 × 128 pixels of three photographs of
Hyvärinen's, and compare with K-SVD, written after the paper, on the same noise. Such small parts
give few patches to learn from.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.decomposition import MiniBatchDictionaryLearning

from sparsebp.images import denoise
from sparsebp.images._dictionaries import cosines
from validation.finding import Finding
from validation.literal import SIDES, denoised
from validation.restoration import central_part, denoise_ksvd, psnr
from validation.setting import Setting

DATA = "hyvarinen"
#: Of the noise, on a scale of 255.
_SIGMAS = (25,)


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure how much better learned atoms denoise than cosines."""
    size, n_learned = setting.size((128, 10_000), (24, 100))
    photographs = setting.photographs(DATA)[:: setting.size(4, 9)]
    for sigma in setting.size(_SIGMAS, _SIGMAS[:1]):
        gains: dict[str, list[float]] = {}
        for photograph in photographs:
            clean = 255 * central_part(photograph, size)
            noisy = clean + np.random.default_rng(0).normal(scale=sigma, size=clean.shape)
            fixed = denoised(noisy, sigma, lambda x, bound: cosines(SIDES, 1), n_learned)
            results = {
                "denoise": denoise(noisy, sigma=sigma),
                "K-SVD": denoise_ksvd(setting, noisy, sigma),
                "MiniBatchDictionaryLearning": denoised(noisy, sigma, _minibatch, n_learned),
            }
            for name, image in results.items():
                gains.setdefault(name, []).append(psnr(image, clean) - psnr(fixed, clean))
        theirs = float(np.median(gains["K-SVD"]))
        yield Finding(
            f"dB above fixed cosines, σ = {sigma} of 255",
            "K-SVD better than cosines",
            gains.pop("denoise"),
            at_least=0.0,
            at_most=round(theirs + 0.05, 2),
            better=1,
            others=gains,
        )


def _minibatch(x: np.ndarray, bound: float) -> np.ndarray:
    """Return the atoms that scikit-learn learns, with as large a penalty as the noise."""
    model = MiniBatchDictionaryLearning(
        256, alpha=1.15 * np.sqrt(bound / len(x)), batch_size=256, fit_algorithm="cd", max_iter=1,
        random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its coordinate descent
        return model.fit(x.T).components_.T
