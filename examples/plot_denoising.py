"""
Denoising a photograph
======================

Atoms learned from the noisy image itself describe its repeating structure; noise does not repeat.
Each patch is approximated by the few atoms that explain more than noise would, and the overlapping
patches are averaged.
"""

# %%
# Part of a photograph, with noise of standard deviation 0.1 (pixels range from 0 to 1).

import matplotlib.pyplot as plt
import numpy as np

from sparsebp.datasets import load_sample_photographs
from sparsebp.images import denoise, estimate_sigma

clean = load_sample_photographs()[1][80:272, 200:440]
noisy = clean + 0.1 * np.random.default_rng(0).normal(size=clean.shape)

# %%
# One call learns the atoms and removes the noise, whose level is estimated from the image.

print(f"The noise is estimated at {estimate_sigma(noisy):.3f}.")
restored = denoise(noisy)


def signal_to_noise(image):
    """Peak signal-to-noise ratio in decibels."""
    return -10 * np.log10(np.square(image - clean).mean())


# %%

figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for ax, (name, image) in zip(
    axes, {"clean": clean, "noisy": noisy, "denoised": restored}.items(), strict=True
):
    ax.imshow(image, cmap="gray", vmin=0, vmax=1)
    ax.set_title(name if name == "clean" else f"{name}, {signal_to_noise(image):.1f} dB")
    ax.set_axis_off()
