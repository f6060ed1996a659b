"""Learned features applied to whole images: denoising, inpainting, and feature maps."""

from sparsebp.images.denoising import denoise
from sparsebp.images.features import encode_image
from sparsebp.images.inpainting import inpaint
from sparsebp.images.noise import estimate_sigma

__all__ = ["denoise", "encode_image", "estimate_sigma", "inpaint"]
