"""
Sparse coding: atoms of natural images
======================================

Sparse coding learns a basis in which every patch of an image is a combination of few atoms. From
photographs it learns short oriented edges, as cells of the visual cortex answer to.
"""

# %%
# Photographs are whitened as a whole, so that coarse structure does not drown the fine; then
# patches are cut from them, lose their mean and get unit variance. On such patches a weight α of
# the penalty about 1 is right.

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, ObjectiveDisplay
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 20_000, random_state=0))
patches /= patches.std()

# %%
# The online solver sees small batches and is the quickest way to a good basis.

model = SparseCoding(
    100, penalty="l1", alpha=1.0, solver="online", batch_size=256, max_iter=400, random_state=0
).fit(patches)
BasisDisplay.from_estimator(model).plot()

# %%
# In a notebook an estimator shows its parameters and links to its page.

model

# %%
# How the objective fell, turn by turn, each on a batch of its own:

ObjectiveDisplay.from_estimator(model).plot()
