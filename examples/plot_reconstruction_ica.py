"""
Reconstruction ICA: more filters than features
==============================================

ICA asks for orthonormal filters, so there can be at most as many as features. Reconstruction ICA
asks instead that the filters' responses can be turned into the samples again, and takes any
number.
"""

# %%
# 128 filters for 63 dimensions: 8 × 8 pixels less the mean. The photographs are whitened as a
# whole, and the patches once more (``whiten=True``), so that all directions count alike. With more
# filters than directions their lengths are kept at one, so that all are in use (``unit_norm``).

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
# Coding is one matrix product: nothing is searched for, as in sparse coding. What does it keep,
# and how sparse is it?

codes = model.transform(patches)
lost = np.square(patches - model.inverse_transform(codes)).sum() / np.square(patches).sum()
small = np.abs(codes) < 0.1 * codes.std()
print(f"{lost:.1%} of the variance is lost; {small.mean():.0%} of the responses are small")
print(f"{len(model.silent_components(codes))} of {len(model.components_)} filters are silent")

# %%
# The tutorial's plain objective leaves the lengths free. Then filters shrink to nothing until no
# more are in use than there are directions; ``fit`` warns of it.

import warnings

import matplotlib.pyplot as plt

free = ReconstructionICA(128, unit_norm=False, whiten=True, tol=1e-4, random_state=0)
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    free.fit(patches[:5_000])
print(said[-1].message)

_, ax = plt.subplots(layout="constrained")
for name, fitted in {"'auto'": model, "False": free}.items():
    lengths = np.linalg.norm(fitted.whitened_components_, axis=1)
    ax.plot(np.sort(lengths)[::-1], label=f"unit_norm={name}")
ax.set(xlabel="filters, the longest first", ylabel="length")
ax.legend()
