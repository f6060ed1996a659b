"""
A topographic map
=================

Sparse coding learns atoms in random order. If the penalty sums the squared coefficients of each
neighborhood on a grid, S(s) = Σ √(V(s∘s) + ε), neighbors become active together, and the atoms
arrange themselves: orientation, position and frequency change gradually over the map.
"""

# %%
# A map of 10 × 10 atoms on a torus: the right edge is adjacent to the left, the top to the bottom.
# Groups are 3 × 3 atoms.

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
# The preferred orientation and frequency of each atom are found by fitting a Gabor function to it.
# Orientation changes gradually, with pinwheels where all orientations meet; frequency is ordered
# too.

fit = gabor_fit(model.components_, (8, 8))
MapDisplay.from_estimator(model, fit=fit).plot()

# %%
# How ordered is it? `topography_index` divides the mean difference between neighbors by that
# between random pairs of atoms: 1 means random order. Orientation, frequency and position are
# ordered; phase, as in visual cortex, hardly is, since the penalty only makes the members of a
# group active together.

index = topography_index(fit, (10, 10))
for quantity in ("orientation", "frequency", "place", "phase"):
    print(f"{quantity:11s} {getattr(index, quantity):.2f}")
