"""
Denoising a photograph
======================

Atoms learned from the noisy picture itself describe what repeats in it; noise does not repeat, and
takes many coefficients. With a penalty of the noise's size those are zero, and what is left is
clean.
"""

# %%
# A part of a photograph, with noise of standard deviation 0.1 (of a range of 1).

import matplotlib.pyplot as plt
import numpy as np

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.images import denoise
from sparsebp.preprocessing import remove_mean, sample_patches

sigma = 0.1
clean = load_sample_photographs()[0][60:220, 180:380]
noisy = clean + sigma * np.random.default_rng(0).normal(size=clean.shape)

# %%
# The patches of the noisy picture lose their means. With atoms of length one and exact L1, an α of
# about three standard deviations of the noise is a good beginning.

patches = remove_mean(sample_patches([noisy], 8, 15_000, random_state=0))
model = SparseCoding(
    128, penalty="l1", alpha=3 * sigma, solver="online", batch_size=256, max_iter=150,
    random_state=0,
).fit(patches)  # fmt: skip
restored = denoise(noisy, model)


def signal_to_noise(image):
    """Peak signal-to-noise ratio in decibels."""
    return -10 * np.log10(np.square(image - clean).mean())


# %%

figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained")
for ax, (name, image) in zip(
    axes, {"clean": clean, "noisy": noisy, "denoised": restored}.items(), strict=True
):
    ax.imshow(image, cmap="gray", vmin=0, vmax=1)
    ax.set_title(name if name == "clean" else f"{name}, {signal_to_noise(image):.1f} dB")
    ax.set_axis_off()
