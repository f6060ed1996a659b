"""Images of which some pixels may be missing, as they are coded by maps of atoms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp._cached import cached_property
from sparsebp.network import Convolution
from sparsebp.penalties import Penalty
from sparsebp.problems import Problem, convolutional_sparse_coding


@dataclass(frozen=True, eq=False)
class KnownImage:
    """An image, or a part of one, for atoms of a given shape.

    Parameters
    ----------
    pixels : ndarray of shape (height, width, n_channels)
        Float32 or float64; 0 where a pixel is missing.
    known : ndarray of shape (height, width, n_channels) or None
        1 where a pixel is known, 0 where it is missing; None if all are known.
    patch_shape : tuple of int
        (height, width, n_channels) of the atoms.
    """

    pixels: np.ndarray
    known: np.ndarray | None
    patch_shape: tuple[int, int, int]

    @classmethod
    def of(cls, image: np.ndarray, patch_shape: tuple[int, int, int]) -> KnownImage:
        """Return an image (height, width, n_channels) of which NaN are missing.

        Parameters
        ----------
        image : ndarray
            Of floats.
        patch_shape : tuple of int
            As above.

        Returns
        -------
        image : KnownImage
            A copy if pixels are missing.
        """
        missing = np.isnan(image)
        if not missing.any():
            return cls(image, None, patch_shape)
        return cls(np.where(missing, 0, image), (~missing).astype(image.dtype), patch_shape)

    def window(self, corner: tuple[int, int], side: int) -> KnownImage:
        """Return a square part with a given corner, cut off at the border.

        Parameters
        ----------
        corner : tuple of int
            Row and column.
        side : int
            Height and width.

        Returns
        -------
        part : KnownImage
            Views of the arrays.
        """
        part = tuple(slice(first, first + side) for first in corner)
        known = None if self.known is None else self.known[part]
        return KnownImage(self.pixels[part], known, self.patch_shape)

    def windows(self, side: int | None) -> list[KnownImage]:
        """Return square parts that cover the image, evenly spaced and of one size.

        Parameters
        ----------
        side : int or None
            Height and width, less where the image is smaller; None returns the whole image.

        Returns
        -------
        parts : list of KnownImage
            Views of the arrays.
        """
        if side is None:
            return [self]
        rows, columns = (
            np.linspace(0, max(n - side, 0), -(-n // side)).astype(int).tolist() for n in self.shape
        )
        return [self.window((row, column), side) for row in rows for column in columns]

    def some_pixels(self, n_pixels: int) -> np.ndarray:
        """Return evenly spaced pixels.

        Parameters
        ----------
        n_pixels : int
            How many, at most.

        Returns
        -------
        pixels : ndarray of shape (n_channels, n)
            NaN is missing.
        """
        places = np.linspace(0, self.n_pixels - 1, min(n_pixels, self.n_pixels)).astype(np.intp)
        rows, columns = np.divmod(places, self.shape[1])
        pixels = self.pixels[rows, columns]
        return (
            pixels if self.known is None else np.where(self.known[rows, columns], pixels, np.nan)
        ).T

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def n_pixels(self) -> int:
        """Number of pixels, known or not."""
        return self.pixels.shape[0] * self.pixels.shape[1]

    @property
    def n_known(self) -> int:
        """Number of pixels of which some channel is known."""
        return self.n_pixels if self.known is None else int(self.known.any(axis=2).sum())

    @cached_property
    def weight(self) -> Convolution:
        """Return the convolution that makes such an image from maps."""
        return Convolution("A", patch_shape=self.patch_shape, image_shape=self.shape)

    @cached_property
    def variables(self) -> dict[str, np.ndarray]:
        """Return the image and its mask as variables of networks, channels in rows."""
        named = {"x": self.pixels, "M": self.known}
        n_channels = self.patch_shape[2]
        return {
            name: np.ascontiguousarray(values.reshape(-1, n_channels).T)
            for name, values in named.items()
            if values is not None
        }

    def problem(self, penalty: Penalty, alpha: float) -> Problem:
        """Return the problem of coding this image.

        Parameters
        ----------
        penalty : Penalty
            S.
        alpha : float
            α.

        Returns
        -------
        problem : Problem
            Of which x, and M if pixels are missing, are `variables`.
        """
        shapes = (self.patch_shape, self.shape)
        return convolutional_sparse_coding(penalty, alpha, *shapes, masked=self.known is not None)

    def framed(self) -> tuple[np.ndarray, np.ndarray]:
        """Return pixels and mask with a border, as compiled coordinate descent takes them."""
        rows, columns, _ = self.patch_shape
        border = ((rows - 1,) * 2, (columns - 1,) * 2, (0, 0))
        known = np.ones_like(self.pixels) if self.known is None else self.known
        framed = (np.pad(values, border) for values in (self.pixels, known))
        pixels, mask = (np.ascontiguousarray(v.reshape(len(v), -1)) for v in framed)
        return pixels, mask
