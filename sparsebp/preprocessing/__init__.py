"""From images to training samples: whiten images, sample patches, normalize and whiten patches."""

from sparsebp.preprocessing.images import whiten_images
from sparsebp.preprocessing.normalization import normalize_contrast, remove_mean, unit_norm
from sparsebp.preprocessing.patches import sample_patches
from sparsebp.preprocessing.whitening import Whitening

__all__ = [
    "Whitening",
    "normalize_contrast",
    "remove_mean",
    "sample_patches",
    "unit_norm",
    "whiten_images",
]
