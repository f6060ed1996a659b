"""Patches and photographs as data URLs."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from sparsebp.displays.mosaic import brightness, tiles

#: Pixels of a photograph's longer side; and the share of its pixels at black and at white.
_SIDE, _CLIPPED = 480, 0.005


def patch_pictures(patches: np.ndarray, shape: tuple[int, ...]) -> list[str]:
    """Return patches, zero being mid-gray, as PNG data URLs."""
    levels = np.rint(255 * brightness(patches, "each")).astype(np.uint8)
    return [
        _data_url(Image.fromarray(image), "png", optimize=True) for image in tiles(levels, shape, 0)
    ]


def photograph(image: ArrayLike) -> str:
    """Return an image (height, width[, 3]) of any range as a small JPEG data URL."""
    pixels = np.asarray(image, dtype=np.float64)
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] != 3):
        raise ValueError(
            f"images holds an array of shape {pixels.shape}; give (height, width) or "
            "(height, width, 3)."
        )
    low, high = np.quantile(pixels, [_CLIPPED, 1 - _CLIPPED])
    levels = np.clip((pixels - low) / ((high - low) or 1.0), 0, 1)
    picture = Image.fromarray(np.rint(255 * levels).astype(np.uint8))
    picture.thumbnail((_SIDE, _SIDE))
    return _data_url(picture, "jpeg", quality=85)


def _data_url(picture: Image.Image, kind: str, **options: Any) -> str:
    file = BytesIO()
    picture.save(file, kind, **options)
    return f"data:image/{kind};base64,{b64encode(file.getvalue()).decode()}"
