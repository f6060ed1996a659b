"""
Convolutional sparse coding of photographs
==========================================

A whole image as a sum of few atoms that can stand at any place. Since positions are free, atoms
differ in shape only.
"""

# %%
# Photographs are whitened as a whole. Each iteration takes eight windows from random places, finds
# the maps of the atoms, and improves the atoms.

import matplotlib.pyplot as plt
import numpy as np

from sparsebp import ConvolutionalSparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import whiten_images

images = [image.astype(np.float32) for image in whiten_images(load_sample_photographs())]
model = ConvolutionalSparseCoding(36, patch_shape=9, alpha=5.0, max_iter=50, random_state=0).fit(
    images
)
BasisDisplay.from_estimator(model).plot()

# %%
# A part of a photograph, and what the atoms make of it. Its maps are larger than the image, so that
# an atom can stand half outside, and nothing wraps around.

image = images[0][150:278, 230:400]
(maps,) = model.transform([image])
(again,) = model.inverse_transform([maps])
used = np.count_nonzero(maps) / image.size
explained = 1 - np.var(image - again) / np.var(image)
print(f"{used:.3f} coefficients for a pixel explain {explained:.0%} of the variance.")

figure, axes = plt.subplots(1, 2, figsize=(7.2, 3), layout="constrained")
for ax, shown, title in zip(axes, (image, again), ("Image", "Sum of atoms"), strict=True):
    ax.imshow(shown, cmap="gray", vmin=-3, vmax=3)
    ax.set_title(title)
    ax.set_axis_off()

# %%
# The three atoms that contribute most, and where they are. A dot is as large as its coefficient,
# filled where that is positive.

center = 9 // 2
figure, axes = plt.subplots(2, 3, figsize=(7.2, 4.4), height_ratios=(1, 2), layout="constrained")
for (above, below), k in zip(axes.T, np.argsort(-np.abs(maps).sum(axis=(0, 1)))[:3], strict=True):
    atom = model.components_[k].reshape(9, 9)
    above.imshow(atom, cmap="gray", vmin=-np.abs(atom).max(), vmax=np.abs(atom).max())
    below.imshow(image, cmap="gray", vmin=-3, vmax=3, alpha=0.4)
    u, v = np.nonzero(maps[:, :, k])
    size, color = 1.5 * np.abs(maps[u, v, k]), np.where(maps[u, v, k] > 0, "C0", "none")
    below.scatter(v - center, u - center, size, c=color, edgecolors="C0", linewidths=0.7)
    below.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0))
    above.set_axis_off()
    below.set_axis_off()
