"""
Colors: achromatic edges, and opponent colors
=============================================

From patches of color photographs, independent component analysis learns features of two kinds:
achromatic edges, and broader features that oppose blue to yellow, or red to green and blue, as
cells in the retina and the cortex do (Hoyer & Hyvärinen 2000; Wachtler, Lee & Sejnowski 2001).
"""

# %%
# A color patch of 8 × 8 pixels has 192 numbers. Its mean is its hue, so it is not removed. Red,
# green and blue are strongly correlated; the whitening within the estimator removes this as it does
# the correlations of neighboring pixels. 100 features are learned in the 100 directions of largest
# variance; fewer would leave out most colors, which have little of it.

import matplotlib.pyplot as plt
import numpy as np

from sparsebp import OrthonormalICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, ColorDisplay
from sparsebp.metrics import gabor_fit
from sparsebp.preprocessing import sample_patches

photographs = load_sample_photographs(color=True)
patches = sample_patches(photographs, 8, 20_000, random_state=0)
model = OrthonormalICA(100, whiten=True, tol=1e-3, random_state=0).fit(patches)

# %%
# Zero is mid-gray, and each feature has a contrast of its own, the same for its three channels.

colors = ColorDisplay.from_estimator(model)
order = np.argsort(-colors.tuning.achromatic)
BasisDisplay(model.features_[order]).plot(title="From gray to colored")

# %%
# Each line of `ColorDisplay` joins the two colors that a feature opposes.

colors.plot()

# %%
# Colored features are coarser than gray ones: their Gabor functions have lower frequencies.

fit = gabor_fit(model.features_, (8, 8, 3))
colored = colors.tuning.achromatic < 0.9
_, ax = plt.subplots(figsize=(5, 2.8), layout="constrained")
ax.scatter(colors.tuning.achromatic, fit.frequency, s=14)
ax.set(xlabel="Achromatic share", ylabel="Frequency (cycles per pixel)", xlim=(0, 1.02))
for name, chosen in {"gray": ~colored, "colored": colored}.items():
    print(
        f"{chosen.sum()} {name}: median of {np.median(fit.frequency[chosen]):.2f} cycles per pixel"
    )
