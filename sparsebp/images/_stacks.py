"""Patches of stacks of images, and codes of these pooled over a grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._checks import RandomSource
from sparsebp._memory import check_memory
from sparsebp.images._stack_shapes import SHAPES, ImageShape, pair, precision_of_stack
from sparsebp.samples import in_order, slices

#: Maps patches in rows to codes in rows.
Encoder = Callable[[np.ndarray], np.ndarray]

#: A reduction over a cell of the grid, and what is done to codes before it and to means after it.
POOLINGS: dict[str, tuple[np.ufunc, Callable | None, Callable | None]] = {
    "average": (np.add, None, None),
    "rms": (np.add, np.square, np.sqrt),
    "max": (np.maximum, None, None),
}
#: Patches of a block, and numbers of one of its arrays, at most: they bound the memory.
_BLOCK, _NUMBERS = 4096, 2**21


@dataclass(frozen=True)
class StackPatches:
    """Where the patches of every image of a stack are, and which cell of a grid each belongs to.

    Parameters
    ----------
    image_shape : (height, width, n_channels)
        Of every image.
    sides, strides : (int, int)
        Sides of a patch and distances between patches, in pixels.
    grid : (int, int)
        Numbers of cells into which the rows and the columns of patches are divided evenly.
    """

    image_shape: ImageShape
    sides: tuple[int, int]
    strides: tuple[int, int]
    grid: tuple[int, int]

    @staticmethod
    def of(image_shape: ImageShape, patch_shape: Any, stride: Any, grid: Any) -> StackPatches:
        """Return the patches for parameters of the user; an error if they do not fit the images."""
        height, width, _ = image_shape
        sides, cells = pair("patch_shape", patch_shape), pair("grid", grid)
        rows, columns = pair("stride", stride)
        if height < sides[0] or width < sides[1]:
            raise ValueError(
                f"The images of {height} × {width} pixels are smaller than patch_shape="
                f"{patch_shape!r}. Give smaller patches. (X is {SHAPES}; a single image is "
                "image[np.newaxis].)"
            )
        # Huge strides would overflow.
        patches = StackPatches(image_shape, sides, (min(rows, height), min(columns, width)), cells)
        if any(n < n_cells for n, n_cells in zip(patches.counts, cells, strict=True)):
            raise ValueError(
                f"grid={grid!r} has more cells than an image of {height} × {width} pixels has "
                f"patches, {patches.counts[0]} × {patches.counts[1]}. Give fewer cells, smaller "
                "patches or a smaller stride. (A single image is image[np.newaxis].)"
            )
        return patches

    @property
    def counts(self) -> tuple[int, int]:
        """Numbers of rows and of columns of patches in an image."""
        axes = zip(self.image_shape, self.sides, self.strides, strict=False)
        rows, columns = ((length - side) // stride + 1 for length, side, stride in axes)
        return rows, columns

    @property
    def n_pixels(self) -> int:
        """Number of values of a patch."""
        return prod(self.sides) * self.image_shape[-1]

    @cached_property
    def edges(self) -> tuple[np.ndarray, np.ndarray]:
        """First rows and columns of patches of the cells, then the numbers of all.

        A patch is in the cell that its center is in.
        """
        rows, columns = (
            (2 * n * np.arange(n_cells + 1) + n_cells - 1) // (2 * n_cells)
            for n, n_cells in zip(self.counts, self.grid, strict=True)
        )
        return rows, columns

    def fitting(self, model: Any) -> StackPatches:
        """Return this; a ValueError if a fitted model, or one of given atoms, takes others."""
        wanted = getattr(model, "n_features_in_", self.n_pixels)
        if wanted != self.n_pixels:
            height, width = self.sides
            raise ValueError(
                f"patch_shape={self.sides} gives patches of {height} × {width} × "
                f"{self.image_shape[-1]} = {self.n_pixels} numbers (of all channels), but the "
                f"estimator takes {wanted}. Give the patch_shape of what it was learned from."
            )
        return self

    def cut(self, images: np.ndarray, rows: slice) -> np.ndarray:
        """Return the patches (n, n_pixels) in some rows of patches of images."""
        views = np.lib.stride_tricks.sliding_window_view(images, self.sides, axis=(1, 2))
        views = views[:, :: self.strides[0], :: self.strides[1]][:, rows]
        return np.moveaxis(views, 3, -1).reshape(-1, self.n_pixels)

    def take(self, images: np.ndarray, n_patches: int, rng: RandomSource | None) -> np.ndarray:
        """Return patches (n, n_pixels) at random or even places; all if there are not so many."""
        shape = len(images), *self.counts
        total = prod(shape)
        check_memory("n_patches", n_patches, (min(total, n_patches), 3 * self.n_pixels))
        if total <= n_patches:
            places = np.arange(total)
        elif rng is None:
            places = np.linspace(0, total - 1, n_patches).astype(np.int64)
        else:
            places = np.sort((rng.random(n_patches) * total).astype(np.int64))
        number, row, column = np.unravel_index(places, shape)
        down, right = np.indices(self.sides)
        rows = np.add.outer(row * self.strides[0], down)
        columns = np.add.outer(column * self.strides[1], right)
        taken = images[number[:, np.newaxis, np.newaxis], rows, columns]
        return taken.reshape(len(places), -1).astype(precision_of_stack(images), copy=False)

    def pool(
        self, images: np.ndarray, encode: Encoder, n_codes: int, pooling: str, n_threads: int
    ) -> np.ndarray:
        """Return the pooled codes (n_images, *grid, n_codes) of all patches of images."""
        dtype, (reduction, before, after) = precision_of_stack(images), POOLINGS[pooling]
        shape = len(images), *self.grid, n_codes
        check_memory("the number of images", len(images), shape, itemsize=np.dtype(dtype).itemsize)
        pooled = np.full(
            shape, -np.inf if reduction.identity is None else reduction.identity, dtype
        )

        def work(block: tuple[slice, slice]) -> tuple[slice, np.ndarray]:
            codes = encode(self.cut(images[block[0]], block[1]).astype(dtype, copy=False))
            return self._reduced(before(codes) if before else codes, block[1], reduction)

        blocks = self._blocks(len(images), n_codes)
        for (these, _), (cells, reduced) in zip(
            blocks, in_order(work, blocks, n_threads), strict=True
        ):
            reduction(pooled[these, cells], reduced, out=pooled[these, cells])
        if reduction is np.add:
            heights, widths = (np.diff(edges) for edges in self.edges)
            pooled /= np.multiply.outer(heights, widths)[..., np.newaxis]
        return after(pooled, out=pooled) if after else pooled

    def _blocks(self, n_images: int, n_outputs: int) -> list[tuple[slice, slice]]:
        """Return slices of images and of rows of patches that together cover all patches.

        Which rows of an image are together does not depend on the other images.
        """
        n_rows, n_columns = self.counts
        n_patches = min(_BLOCK, _NUMBERS // max(self.n_pixels, n_outputs))
        strips = slices(n_rows, max(1, n_patches // n_columns))
        groups = slices(n_images, max(1, n_patches // (n_rows * n_columns)))
        return [(images, rows) for images in groups for rows in strips]

    def _reduced(
        self, codes: np.ndarray, rows: slice, reduction: np.ufunc
    ) -> tuple[slice, np.ndarray]:
        """Reduce the codes (n, n_codes) of patches in some rows over the parts of cells in them.

        Returned are the rows of cells, and numbers (n_images, n_rows, n_columns, n_codes).
        """
        maps = codes.reshape(-1, rows.stop - rows.start, self.counts[1], codes.shape[1])
        down, across = self.edges
        first = int(np.searchsorted(down, rows.start, "right")) - 1
        cells = slice(first, int(np.searchsorted(down, rows.stop, "left")))
        starts = np.maximum(down[cells] - rows.start, 0)
        return cells, reduction.reduceat(reduction.reduceat(maps, across[:-1], 2), starts, 1)
