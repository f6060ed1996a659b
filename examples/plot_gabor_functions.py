"""
Are the atoms Gabor functions?
==============================

A Gabor function is a wave with a Gaussian envelope: the usual model of the receptive fields of
simple cells in visual cortex. Fitting it to atoms shows how well it describes them, and measures
their orientation and frequency.
"""

# %%
# A basis of 12 × 12 pixels shipped with the package, learned by sparse coding.

import numpy as np

from sparsebp import load_basis
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, GaborDisplay, ReconstructionDisplay, ShapeDisplay
from sparsebp.metrics import gabor_fit
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

model = load_basis("sparse-coding-12x12")
BasisDisplay.from_estimator(model).plot()

# %%
# A Gabor function is fitted to each atom. R² is the fraction of the atom's variance that it
# explains; for patches of photographs, which are not learned, it is lower.

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
# which the spectrum of the fitted function peaks. Right, the position and orientation of each in
# the patch. A few atoms, whose orientation or frequency is poorly determined, are drawn as rings.

GaborDisplay.from_estimator(model, fit=fit).plot()

# %%
# The number of cycles under the envelope (0.16 for edges, in standard deviations of the envelope),
# and the length of the stripes: the plane in which Ringach (2002) plotted cells.

ShapeDisplay.from_estimator(model, fit=fit).plot()
print(f"median n_x {np.median(fit.n_x):.2f}, n_y {np.median(fit.n_y):.2f}")

# %%
# Patches, their reconstructions by the atoms, and the residuals.

patches *= np.float32(1 / patches.std())
ReconstructionDisplay.from_estimator(model, patches.astype(np.float32)).plot(n_patches=8)
