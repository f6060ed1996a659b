"""One image of a file, read for the first time or again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp.datasets._arrays import read_arrays
from sparsebp.datasets._finding import ARRAYS
from sparsebp.datasets._pictures import read_picture
from sparsebp.datasets._pixels import Pixels, bits_of, scaled

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Photograph:
    """Image number 0, 1, … of a file, which can be read again as it was read first."""

    name: str
    path: Path
    number: int
    color: bool
    bits: int | None
    dtype: type[np.floating]
    _state: tuple[int, int] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_state", self._state_now())

    def _state_now(self) -> tuple[int, int]:
        """Return size and time of the file, by which changes are noticed."""
        found = self.path.stat()
        return found.st_size, found.st_mtime_ns

    def read(self) -> NDArray[Any]:
        """Read the image again; ValueError if the file was changed or removed since."""
        try:
            if self._state_now() != self._state:
                raise ValueError("its size or its time differs")
            pixels = _read_one(self.path, self.number)
            return with_channels(
                scaled(pixels, used_bits(pixels, self.bits), self.dtype), color=self.color
            )
        except MemoryError as error:
            raise MemoryError(f"{self.name}: {error or 'it is too large'}") from error
        except Exception as error:  # decoders of damaged files may raise anything
            raise ValueError(
                f"{self.path} was changed or removed after it was first read "
                f"({getattr(error, 'strerror', None) or error}); restore the file, or start again "
                "with the files as they are now."
            ) from error


def is_wide(pixels: Pixels) -> bool:
    """Return whether numbers may have more than 8 bits."""
    return pixels.values.dtype.itemsize > 1


def used_bits(pixels: Pixels, bits: int | None) -> int | None:
    """Return the bits of white: those given where the file does not say, or the fewest."""
    return bits if bits and is_wide(pixels) and not pixels.bits else bits_of(pixels)


def read_pixels(path: Path) -> Iterable[Pixels]:
    """Read the images of a file, one after the other."""
    return read_arrays(path) if path.suffix.lower() in ARRAYS else read_picture(path)


def _read_one(path: Path, number: int) -> Pixels:
    """Read one of the images of a file, without decoding the others where that is possible."""
    if path.suffix.lower() not in ARRAYS:
        return read_picture(path, only=number)[0]
    return next(islice(read_arrays(path), number, None))


def with_channels(image: NDArray[Any], *, color: bool) -> NDArray[Any]:
    """Return an image with three channels, or one that is gray."""
    if color:
        return image if image.ndim == 3 else np.repeat(image[..., np.newaxis], 3, axis=2)
    if image.ndim == 2:
        return image
    gray = image @ _LUMA.astype(image.dtype)
    # The weights add up to one only within rounding.
    return np.clip(gray, image.min(), image.max())
