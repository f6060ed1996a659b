"""
Filling in missing pixels
=========================

Holes are first filled smoothly; then each patch is approximated by a few atoms, which predict the
missing pixels.
"""

# %%
# Half of the pixels of one photograph are missing; atoms are learned from the other.

import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import griddata

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.images import inpaint
from sparsebp.preprocessing import remove_mean, sample_patches

temple, flower = load_sample_photographs()
whole = temple[100:200, 200:340]
missing = np.random.default_rng(0).random(whole.shape) < 0.5

patches = remove_mean(sample_patches([flower], 8, 15_000, random_state=0))
model = SparseCoding(
    128, penalty="l1", alpha=0.1, solver="online", batch_size=256, max_iter=100, random_state=0
).fit(patches)
filled = inpaint(np.where(missing, np.nan, whole), model)

# %%
# Linear interpolation between the known pixels, for comparison:

places = np.argwhere(~missing)
between = whole.copy()
between[missing] = griddata(places, whole[~missing], np.argwhere(missing), "nearest")
linear = griddata(places, whole[~missing], np.argwhere(missing), "linear")
between[missing] = np.where(np.isnan(linear), between[missing], linear)


def error(image):
    """Root mean square error at the missing pixels."""
    return np.sqrt(np.square(image - whole)[missing].mean())


pictures = {
    "known pixels": np.where(missing, 1, whole),
    f"linear interpolation, error {error(between):.3f}": between,
    f"inpainted with atoms, error {error(filled):.3f}": filled,
    "original": whole,
}
figure, axes = plt.subplots(2, 2, figsize=(8, 6.2), layout="constrained")
for ax, (name, picture) in zip(axes.flat, pictures.items(), strict=True):
    ax.imshow(picture, cmap="gray", vmin=0, vmax=1)
    ax.set_title(name)
    ax.set_axis_off()
