"""
Are the atoms Gabor functions?
==============================

A Gabor function is a wave under a bell: the usual description of what simple cells of the visual
cortex answer to. How well it describes atoms can be measured, and then so can they.
"""

# %%
# A basis of 12 × 12 pixels that comes with the package, learned by sparse coding.

import numpy as np

from sparsebp import load_basis
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, GaborDisplay, ReconstructionDisplay, ShapeDisplay
from sparsebp.metrics import gabor_fit
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

model = load_basis("sparse-coding-12x12")
BasisDisplay.from_estimator(model).plot()

# %%
# A Gabor function is fitted to each atom. R² is the share of an atom that it explains; for patches
# of photographs, which are not learned, it is lower.

fit = gabor_fit(model.components_, (12, 12))
patches = remove_mean(
    sample_patches(
        whiten_images(load_sample_photographs()), 12, 100, min_contrast=0.5, random_state=0
    )
)
unlearned = gabor_fit(patches, (12, 12))
for name, r_squared in (("atoms", fit.r_squared), ("patches", unlearned.r_squared)):
    print(f"{name}: median R² {np.median(r_squared):.2f}, {(r_squared > 0.8).mean():.0%} above 0.8")

# %%
# Left, orientation as the angle and frequency as the distance from the center: the frequency at
# which the spectrum of the fitted function peaks. Right, where in the patch each one stands, and
# how it is turned. A few atoms leave their orientation or frequency open and are rings.

GaborDisplay.from_estimator(model, fit=fit).plot()

# %%
# How many cycles lie under the envelope (edges have 0.16, in standard deviations of the
# envelope), and how long the stripes are: the plane in which Ringach (2002) showed cells.

ShapeDisplay.from_estimator(model, fit=fit).plot()
print(f"median n_x {np.median(fit.n_x):.2f}, n_y {np.median(fit.n_y):.2f}")

# %%
# What the atoms make of patches, and what they leave over.

patches *= np.float32(1 / patches.std())
ReconstructionDisplay.from_estimator(model, patches.astype(np.float32)).plot(n_patches=8)
