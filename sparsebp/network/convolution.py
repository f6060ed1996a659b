"""A convolution with several filters as the weight between layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sparsebp._checks import check_shape
from sparsebp.network.weights import Parameter, Variables, as_array

#: Numbers of the patches that are in memory at a time, few enough for a cache.
_BLOCK = 2**18


@dataclass(frozen=True)
class Convolution(Parameter):
    """A convolution as the weight of a layer: maps in, an image out; its transpose, a correlation.

    The image is the sum of atoms, each at all places and multiplied by the elements of its map:

        (A ∗ s)(y) = Σₖ Σᵤ aₖ(y − u) sₖ(u),

    where the places u are all those at which an atom has a pixel within the image. So maps are
    larger than the image, what atoms have beyond its border does not count, and nothing wraps
    around. The transpose A ⋆ x correlates an image, which is zero beyond its border, with each
    atom.

    Parameters
    ----------
    name : str
        Name of the atoms, a matrix of shape (n_pixels, n_components) with flattened patches in its
        columns. The input is of shape (n_components, n_places), the output (n_channels, n_pixels).
    transposed : bool
        Whether the correlation is meant; ``Convolution(...).T`` reads better.
    patch_shape : tuple of int
        (height, width) of the atoms, or (height, width, n_channels).
    image_shape : tuple of int
        (height, width) of the image. Maps are larger by the height and width of the atoms minus 1.

    Raises
    ------
    ValueError, TypeError
        If a shape is not one of positive integers, or the name is not a string.

    Examples
    --------
    >>> convolution = Convolution("A", patch_shape=(1, 2), image_shape=(1, 3))
    >>> s, A = np.array([[0.0, 1.0, 0.0, 2.0]]), np.array([[3.0], [5.0]])
    >>> convolution(s, {"A": A})  # the second atom's right half is beyond the border
    array([[3., 5., 6.]])
    >>> convolution.T(np.array([[1.0, 0.0, 0.0]]), {"A": A})
    array([[5., 3., 0., 0.]])
    """

    patch_shape: tuple[int, ...] = field(kw_only=True)
    image_shape: tuple[int, int] = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        patch_shape = check_shape("patch_shape", self.patch_shape, (2, 3))
        object.__setattr__(self, "patch_shape", patch_shape)
        object.__setattr__(self, "image_shape", check_shape("image_shape", self.image_shape))

    @property
    def T(self) -> Convolution:
        """The correlation of a convolution, and the other way round."""
        return replace(self, transposed=not self.transposed)

    @property
    def map_shape(self) -> tuple[int, int]:
        """Height and width of the maps."""
        (height, width), (rows, columns) = self.image_shape, self.patch_shape[:2]
        return height + rows - 1, width + columns - 1

    @property
    def n_channels(self) -> int:
        """Number of channels of the image."""
        return prod(self.patch_shape[2:])

    @property
    def symbol(self) -> str:
        """The weight as text, ``A ∗`` or ``A ⋆``."""
        return f"{self.name} {'⋆' if self.transposed else '∗'}"

    @property
    def latex(self) -> str:
        """The weight as LaTeX."""
        return self.name + (r" \star" if self.transposed else r" \ast")

    def __call__(self, a: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute A ∗ a, or A ⋆ a."""
        a = as_array("the input", a)
        atoms = self._atoms(variables, a)
        return self._correlated(a, atoms) if self.transposed else self._convolved(a, atoms)

    def pull_back(
        self, delta: np.ndarray, a: np.ndarray, out: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute A ⋆ δ, or A ∗ δ, the gradient in the weight's input."""
        return self.T(delta, variables)

    def gradient(self, delta: np.ndarray, a: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute δ ⋆ a: the image's patches, in the sum weighted by the maps."""
        delta, a = as_array("delta", delta), as_array("the input", a)
        image, maps = (a, delta) if self.transposed else (delta, a)
        dtype = np.result_type(image, maps)
        total = np.zeros((prod(self.patch_shape), len(maps)), dtype)
        for places, patches in self._patches(image):
            used = _used(maps[:, places])
            total += patches[:, used] @ maps[:, places][:, used].T
        return total

    def _convolved(self, maps: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        (height, width), (rows, columns) = self.image_shape, self.patch_shape[:2]
        dtype = np.result_type(maps, atoms)
        padded, n_columns = (
            np.zeros((self.n_channels, *self._padded_shape), dtype),
            self.map_shape[1],
        )
        for first, last in self._row_blocks():
            places = self._places(first, last)
            used = _used(maps[:, places])
            patches = np.zeros((len(atoms), places.stop - places.start), dtype)
            patches[:, used] = atoms @ maps[:, places][:, used]
            shaped = patches.reshape(rows, columns, self.n_channels, last - first, -1)
            for i in range(rows):
                for j in range(columns):
                    padded[:, first + i : last + i, j : j + n_columns] += shaped[i, j]
        inside = padded[:, rows - 1 : rows - 1 + height, columns - 1 : columns - 1 + width]
        return inside.reshape(self.n_channels, height * width)

    def _correlated(self, image: np.ndarray, atoms: np.ndarray) -> np.ndarray:
        maps = np.empty((atoms.shape[1], prod(self.map_shape)), np.result_type(image, atoms))
        for places, patches in self._patches(image):
            np.matmul(atoms.T, patches, out=maps[:, places])
        return maps

    def _patches(self, image: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the patches (n_pixels, n_places) at some places of an image, zero beyond it."""
        (height, width), (rows, columns) = self.image_shape, self.patch_shape[:2]
        padded = np.zeros((self.n_channels, *self._padded_shape), image.dtype)
        inside = padded[:, rows - 1 : rows - 1 + height, columns - 1 : columns - 1 + width]
        inside[...] = image.reshape(self.n_channels, height, width)
        windows = sliding_window_view(padded, (rows, columns), axis=(1, 2))
        for first, last in self._row_blocks():
            patches = windows[:, first:last].transpose(3, 4, 0, 1, 2)
            yield self._places(first, last), patches.reshape(prod(self.patch_shape), -1)

    @property
    def _padded_shape(self) -> tuple[int, int]:
        (height, width), (rows, columns) = self.map_shape, self.patch_shape[:2]
        return height + rows - 1, width + columns - 1

    def _row_blocks(self) -> Iterator[tuple[int, int]]:
        height, width = self.map_shape
        step = max(_BLOCK // (prod(self.patch_shape) * width), 1)
        for first in range(0, height, step):
            yield first, min(first + step, height)

    def _places(self, first: int, last: int) -> slice:
        """Return the columns of the maps that are their rows from first to last."""
        return slice(first * self.map_shape[1], last * self.map_shape[1])

    def _atoms(self, variables: Variables, a: np.ndarray) -> np.ndarray:
        """Return the atoms, or raise an error if a shape does not fit."""
        atoms, n_pixels = self._variable(variables), prod(self.patch_shape)
        if atoms.ndim != 2 or atoms.shape[0] != n_pixels:
            raise ValueError(
                f"The atoms {self.name} have shape {atoms.shape}; flattened patches of shape "
                f"{self.patch_shape} in columns have {n_pixels} rows."
            )
        wanted, meaning = (atoms.shape[1], prod(self.map_shape)), "components by places of the maps"
        if self.transposed:
            wanted, meaning = (self.n_channels, prod(self.image_shape)), "channels by pixels"
        if a.shape != wanted:
            raise ValueError(
                f"The weight {self.symbol} needs an input of shape {wanted}, {meaning}, got "
                f"{a.shape}. Check the shapes of the variables."
            )
        return atoms


def _used(maps: np.ndarray) -> np.ndarray | slice:
    """Return where a component is not zero, of maps (n_components, n_places); if few, all."""
    used = np.flatnonzero(maps.any(axis=0))
    return used if used.size < maps.shape[1] // 2 else slice(None)
