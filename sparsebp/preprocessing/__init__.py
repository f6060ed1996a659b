"""From images to training samples: whiten images, sample patches, normalize and whiten patches.

Also movies of photographs that move, simulated.
"""

from sparsebp.preprocessing.images import whiten_images
from sparsebp.preprocessing.movies import Movies, make_movies
from sparsebp.preprocessing.normalization import normalize_contrast, remove_mean, unit_norm
from sparsebp.preprocessing.patches import sample_patches
from sparsebp.preprocessing.whitening import Whitening

__all__ = [
    "Movies",
    "Whitening",
    "make_movies",
    "normalize_contrast",
    "remove_mean",
    "sample_patches",
    "unit_norm",
    "whiten_images",
]
