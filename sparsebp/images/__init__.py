"""Using learned features on whole images: denoising, filling in, and maps of features."""

from sparsebp.images.features import encode_image
from sparsebp.images.restoration import denoise, inpaint

__all__ = ["denoise", "encode_image", "inpaint"]
