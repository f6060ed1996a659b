"""Learned features applied to whole images: denoising, inpainting, features."""

from sparsebp.images.denoising import denoise
from sparsebp.images.features import encode_image
from sparsebp.images.inpainting import inpaint
from sparsebp.images.noise import estimate_sigma
from sparsebp.images.pooling import PooledFeatures

__all__ = ["PooledFeatures", "denoise", "encode_image", "estimate_sigma", "inpaint"]
