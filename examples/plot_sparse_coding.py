"""
Sparse coding: atoms of natural images
======================================

Sparse coding learns a basis in which every patch of an image is a combination of few atoms. From
photographs it learns short oriented edges, like the receptive fields of simple cells in visual
cortex.
"""

# %%
# Photographs are whitened as a whole, so that coarse structure does not dominate; then patches are
# cut from them, their means are removed, and they are scaled to unit variance. For such patches a
# weight α of about 1 is right.

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, ObjectiveDisplay
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 20_000, random_state=0))
patches /= patches.std()

# %%
# The online solver uses small batches and is the fastest way to a good basis.

model = SparseCoding(
    100, penalty="l1", alpha=1.0, solver="online", batch_size=256, max_iter=400, random_state=0
).fit(patches)
BasisDisplay.from_estimator(model).plot()

# %%
# In a notebook an estimator shows its parameters and links to its page.

model

# %%
# The objective by iteration, each on a different batch:

ObjectiveDisplay.from_estimator(model).plot()
