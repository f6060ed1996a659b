"""
A topographic map
=================

Sparse coding learns atoms in no order. Where the penalty gathers the coefficients of each
neighbourhood on a grid, S(s) = Σ √(V(s∘s) + ε), neighbors come to be active together, and the
atoms arrange themselves: orientation, place and frequency change gradually over the map.
"""

# %%
# A map of 10 × 10 atoms on a torus: what leaves it on the right comes in on the left. Groups are 3
# × 3 atoms.

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, MapDisplay
from sparsebp.metrics import gabor_fit, topography_index
from sparsebp.penalties import Topographic
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 10_000, random_state=0))
patches /= patches.std()

model = SparseCoding(
    100, penalty=Topographic((10, 10), epsilon=1e-2), max_iter=60, batch_size=800, random_state=0
).fit(patches)
BasisDisplay.from_estimator(model).plot()

# %%
# What each atom prefers is found by fitting a Gabor function to it. Orientation changes gradually,
# with pinwheels where all of them meet; frequency is in order too.

fit = gabor_fit(model.components_, (8, 8))
MapDisplay.from_estimator(model, fit=fit).plot()

# %%
# How ordered is it? `topography_index` divides the mean difference of neighbors by that of any
# two atoms: 1 is what a map in random order has. Orientation, frequency and place are ordered;
# phase, as in the visual cortex, hardly is, since a group only asks that its members are active
# together.

index = topography_index(fit, (10, 10))
for quantity in ("orientation", "frequency", "place", "phase"):
    print(f"{quantity:11s} {getattr(index, quantity):.2f}")
