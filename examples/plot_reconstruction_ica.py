"""
Reconstruction ICA: more filters than features
==============================================

ICA asks for orthonormal filters, so there can be at most as many as features. Reconstruction ICA
asks instead that the filters' responses can be turned into the samples again, and takes any
number.
"""

# %%
# 128 filters stand on 63 dimensions: 8 × 8 pixels less the mean. The photographs are whitened as a
# whole, and the patches once more (``whiten=True``), so that all directions count alike.

import numpy as np

from sparsebp import ReconstructionICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 10_000, random_state=0))
model = ReconstructionICA(128, alpha=2.0, whiten=True, tol=1e-5, random_state=0).fit(patches)
BasisDisplay.from_estimator(model).plot()

# %%
# Coding is one matrix product: nothing is searched for, as in sparse coding. What does it keep,
# and how sparse is it?

codes = model.transform(patches)
lost = np.square(patches - model.inverse_transform(codes)).sum() / np.square(patches).sum()
small = np.abs(codes) < 0.1 * codes.std()
print(f"{lost:.1%} of the variance are lost; {small.mean():.0%} of the responses are small")
