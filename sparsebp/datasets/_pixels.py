"""Pixels as stored in files, before they are scaled to one range."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Bits that whole numbers of two bytes or more may have used.
_DEPTHS = (8, 12, 16)


class Pixels(NamedTuple):
    """An image as a file holds it, (height, width) or (height, width, 3), in any type of numbers.

    Its name is which image of its file it is, such as ``"[3]"``; empty if it is the only one. Bits
    are those that whole numbers use, if the file says so; in a negative large numbers are dark.
    """

    values: NDArray[Any]
    name: str = ""
    bits: int | None = None
    negative: bool = False


def bits_of(pixels: Pixels) -> int | None:
    """Return how many bits whole numbers use: as the file says, or the fewest, up to 16."""
    values = pixels.values
    if values.dtype.kind not in "iu":
        return None
    low, high = int(values.min()), int(values.max())
    if low < 0:
        raise ValueError(
            f"its whole numbers go down to {low}, below black; save fractions if that is meant"
        )
    if pixels.bits is not None or values.dtype.itemsize == 1:
        return pixels.bits or 8
    depth = next((bits for bits in _DEPTHS if high < 2**bits), None)
    if depth is None:
        raise ValueError(f"its whole numbers go up to {high}, beyond the 65535 of 16 bits")
    return depth


def scaled(pixels: Pixels, bits: int | None, dtype: type[np.floating]) -> NDArray[Any]:
    """Return integers with a number of bits as fractions of white; other numbers unchanged."""
    values = pixels.values
    numbers = values.astype(dtype)
    if not np.isfinite(numbers).all():
        raise ValueError("it contains NaN or infinity; fill these pixels first")
    if values.dtype.kind in "iu" and bits is not None:
        if values.max() >= 2**bits:
            raise ValueError(f"its whole numbers go up to {values.max()}, beyond {bits} bits")
        numbers /= dtype(2**bits - 1)
    return dtype(1) - numbers if pixels.negative else numbers
