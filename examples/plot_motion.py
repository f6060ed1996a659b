"""
Motion: features of space and time
==================================

Patches of a movie are boxes in space and time. Their independent components are edges that move,
each at its own speed in its own direction, as simple cells prefer (van Hateren & Ruderman 1998).
"""

# %%
# The movies are simulated: windows that move over photographs, each at a constant velocity, up to
# two pixels per frame, that is known. A recorded movie is an array (frames, height, width), to be
# given as ``[movie]``.

import numpy as np

from sparsebp import OrthonormalICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import BasisDisplay, MotionDisplay
from sparsebp.metrics import motion_tuning
from sparsebp.preprocessing import make_movies, remove_mean, sample_patches

photographs = load_sample_photographs()
shape = (8, 10, 10)


def features_of(velocity, n_features):
    """Learn features of movies that move with a velocity."""
    movies, _ = make_movies(photographs, 200, (8, 24, 24), velocity=velocity, random_state=0)
    patches = remove_mean(sample_patches(movies, shape, 12_000, random_state=0))
    model = OrthonormalICA(n_features, whiten=True, tol=1e-3, patch_shape=shape, random_state=0)
    return model.fit(patches).features_


features = features_of(2.0, 100)

# %%
# The fastest features with a clear direction, a row each, eight frames from left to right:

tuning = motion_tuning(features, shape)
fastest = np.argsort(-tuning.speed * (tuning.direction_index > 0.5))[:10]
BasisDisplay(features[fastest], shape, grid_shape=(10, 1)).plot()

# %%
# A slice through space and time shows the motion at a glance: oblique stripes move. The other panel
# has the direction and the speed of each feature. Features that stand, or change without a
# direction, are rings.

MotionDisplay(features, shape).plot()

# %%
# If all movies move by one pixel per frame to the right, so do the features. Of an edge, only the
# motion across it can be seen: the velocity is v cos(θ), θ being the angle between the direction
# across the edge and the motion.

tuning = motion_tuning(features_of((0, 1), 50), shape)
across = tuning.spatial_frequency / np.hypot(*tuning.spatial_frequency.T)[:, np.newaxis]
expected = (across @ [0, 1])[:, np.newaxis] * across
wrong = np.hypot(*(tuning.velocity - expected).T)
print(f"median difference from the true velocity: {np.median(wrong):.2f} pixels per frame")
