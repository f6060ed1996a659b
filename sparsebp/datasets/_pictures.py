"""Image files as Pillow reads them, with errors where it would silently lose precision."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from sparsebp.datasets._pixels import Pixels

_ALPHA_MODES = ("LA", "PA", "RGBA", "RGBa")
#: TIFF's tags.
_KIND_OF_PAGE, _BITS, _MEANING = 254, 258, 262
_SMALLER_COPY, _MASK = 1, 4
_WHITE_IS_ZERO = 0


def read_picture(path: Path, only: int | None = None) -> list[Pixels]:
    """Read an image file, upright and without transparency: its picture, or a TIFF's pages.

    If `only` is given, it is the number of the only page that is read.
    Errors are Pillow's, or ValueError for more bits than Pillow reads of a kind of file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Given a path, Pillow 13 maps a TIFF turned by 90° into memory with its sides swapped.
        with path.open("rb") as file, Image.open(file) as image:
            if image.format != "TIFF":
                _refuse_deep_colors(image, path)
                return [_upright(image)]
            pages = [_page(image) for n, _ in enumerate(_pages(image)) if only in (None, n)]
    several = len(pages) > 1
    return [page._replace(name=f"[{i}]" if several else "") for i, page in enumerate(pages)]


def _pages(image: Any) -> Iterator[None]:
    """Go to each page of a TIFF that is a picture of its own."""
    for number in range(image.n_frames):
        image.seek(number)
        if not image.tag_v2.get(_KIND_OF_PAGE, 0) & (_SMALLER_COPY | _MASK):
            yield


def _page(image: Any) -> Pixels:
    bits = image.tag_v2.get(_BITS, (1,))
    deep = image.mode == "F" or image.mode.startswith("I")
    if not deep and max(bits) > 8:
        raise ValueError(_too_deep(max(bits), image.mode))
    # Pillow inverts negatives of up to 8 bits, and no others.
    negative = deep and image.tag_v2.get(_MEANING) == _WHITE_IS_ZERO
    known = bits[0] if deep and bits[0] not in (16, 32) else None
    return _upright(image)._replace(bits=known, negative=negative)


def _upright(image: Image.Image) -> Pixels:
    bits = 16 if image.format == "PPM" and image.mode == "I" else None  # scaled by Pillow
    return Pixels(_numbers(ImageOps.exif_transpose(image)), bits=bits)


def _numbers(image: Image.Image) -> NDArray[Any]:
    """Return an image of any mode as (height, width) or (height, width, 3)."""
    if image.mode.startswith("I"):
        return np.asarray(image)
    if image.mode == "F":
        return _fractions(np.asarray(image))
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _on_white(np.asarray(image.convert("RGBA")) / 255)
    return np.asarray(image.convert(image.mode if image.mode in ("1", "L") else "RGB"))


def _fractions(numbers: NDArray[Any]) -> NDArray[Any]:
    if not (numbers.min() >= 0 and numbers.max() <= 1):
        raise ValueError(
            "its numbers are not all fractions from 0 to 1; divide them by that of white, or save "
            "them as .npy to have them as they are"
        )
    return numbers


def _on_white(rgba: NDArray[np.float64]) -> NDArray[np.float64]:
    opacity = rgba[..., 3:]
    return rgba[..., :3] * opacity + (1 - opacity)


def _refuse_deep_colors(image: Any, path: Path) -> None:
    """Raise an error for files that Pillow silently reduces to 8 bits (see its decoder)."""
    plan = str(image.tile)
    deep_color = re.search(r"(RGB|LA|RGBA|RGBX|CMYK);16[BLN]", plan)
    deep_ppm = image.format == "PPM" and image.mode == "RGB" and image.tile[0][0] == "ppm"
    deep_jpeg = image.format == "JPEG2000" and image.mode not in ("I;16", "L") and _jp2_bits(path)
    if deep_color or deep_ppm or deep_jpeg:
        raise ValueError(_too_deep(16, image.mode))
    if image.mode.startswith("I") and "transparency" in image.info:
        raise ValueError("it has 16 bits and transparent pixels; save it without transparency")


def _jp2_bits(path: Path) -> bool:
    """Return whether a JPEG 2000 file has more than 8 bits per color."""
    with path.open("rb") as file:
        header = file.read(200)
    at = header.find(b"ihdr")
    return at >= 0 and len(header) > at + 14 and (header[at + 14] & 0x7F) + 1 in range(9, 39)


def _too_deep(bits: int, mode: str) -> str:
    return (
        f"it has {bits} bits for each channel of {mode}, of which only 8 would be read; save it in "
        "gray with 16 bits, in color with 8, or as .npy"
    )
