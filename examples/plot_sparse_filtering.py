"""
Sparse filtering
================

Sparse filtering has one criterion: all filters are active about equally often, and few respond to
each patch. There is no weight α to choose, and no whitening.
"""

# %%
# Patches should have zero mean and similar contrast; low-contrast patches are skipped.

import matplotlib.pyplot as plt

from sparsebp import SparseFiltering
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import normalize_contrast, remove_mean, sample_patches

patches = sample_patches(load_sample_photographs(), 8, 4_000, min_contrast=0.03, random_state=0)
patches = normalize_contrast(remove_mean(patches))
model = SparseFiltering(64, tol=1e-5, random_state=0).fit(patches)
print(f"{model.n_iter_} iterations")
BasisDisplay.from_estimator(model).plot()

# %%
# The responses to a patch are positive and have unit norm; most are close to zero.

figure, ax = plt.subplots(figsize=(5, 3.2), layout="constrained")
ax.hist(model.transform(patches).ravel(), bins=60, color="0.4", log=True)
ax.set(xlabel="response", ylabel="count")
ax.spines[["top", "right"]].set_visible(False)
