"""
Two eyes: features with a disparity
===================================

The two eyes see the same scene from different places. Features learned from pairs of patches have a
part for each eye, one moved against the other: their disparity, which tells a distance (Hoyer &
Hyvärinen 2000).
"""

# %%
# Here the pairs are simulated: `disparity=3` cuts two crops out of a photograph, moved against each
# other by -3 to 3 pixels. Stereo photographs are given as pairs,
# ``sample_patches(list(zip(left, right)), (2, 10, 10), 20_000)``. A row is the left patch, then
# the right one.

import numpy as np

from sparsebp import OrthonormalICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, BinocularDisplay
from sparsebp.preprocessing import remove_mean, sample_patches

shape = (2, 10, 10)
patches = remove_mean(
    sample_patches(load_sample_photographs(), shape, 20_000, disparity=3, random_state=0)
)
model = OrthonormalICA(100, whiten=True, tol=1e-3, patch_shape=shape, random_state=0).fit(patches)

# %%
# Left and right side by side, ordered by disparity: from near, where the right patch is moved to
# the left, to far.

binocular = BinocularDisplay.from_estimator(model)
tuning = binocular.tuning
near_to_far = np.argsort(tuning.disparity)
BasisDisplay(model.features_[near_to_far], shape).plot()

# %%
# The features belong to both eyes, as the simulated eyes see the same. On the right, a row for each
# feature is the correlation of its two halves, one of them moved; it peaks, in white, at the
# disparity of the feature. Stripes repeat, and so do their peaks.

binocular.plot()

# %%
# The disparities are those of the patches:

clear = tuning.correlation > 0.5
print(
    f"{clear.sum()} of {len(clear)} features have a disparity, "
    f"from {tuning.disparity[clear].min():.1f} to {tuning.disparity[clear].max():.1f} pixels"
)
