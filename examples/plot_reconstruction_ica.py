"""
Reconstruction ICA: more filters than features
==============================================

ICA requires orthonormal filters, so there can be at most as many as features. Reconstruction ICA
requires instead that the samples can be reconstructed from the filters' responses, and allows any
number of filters.
"""

# %%
# 128 filters for 63 dimensions: 8 × 8 pixels less the mean. The photographs are whitened as a
# whole, and the patches again (``whiten=True``), so that all directions have the same variance.
# With more filters than directions the filters are kept at unit norm, so that all are in use
# (``unit_norm``).

import numpy as np

from sparsebp import ReconstructionICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 20_000, random_state=0))
model = ReconstructionICA(128, whiten=True, tol=1e-5, random_state=0).fit(patches)
BasisDisplay.from_estimator(model).plot()

# %%
# Encoding is one matrix product, without the optimization of sparse coding. How much of the
# variance does it keep, and how sparse is it?

codes = model.transform(patches)
lost = np.square(patches - model.inverse_transform(codes)).sum() / np.square(patches).sum()
small = np.abs(codes) < 0.1 * codes.std()
print(f"{lost:.1%} of the variance is lost; {small.mean():.0%} of the responses are small")
print(f"{len(model.silent_components(codes))} of {len(model.components_)} filters are silent")

# %%
# The tutorial's plain objective leaves the norms free. Then filters shrink to zero until no more
# are in use than there are directions; ``fit`` warns about it.

import warnings

import matplotlib.pyplot as plt

free = ReconstructionICA(128, unit_norm=False, whiten=True, tol=1e-4, random_state=0)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    free.fit(patches[:5_000])
print(caught[-1].message)

_, ax = plt.subplots(layout="constrained")
for name, fitted in {"'auto'": model, "False": free}.items():
    lengths = np.linalg.norm(fitted.whitened_components_, axis=1)
    ax.plot(np.sort(lengths)[::-1], label=f"unit_norm={name}")
ax.set(xlabel="filters, in order of norm", ylabel="norm")
ax.legend()
