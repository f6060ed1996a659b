"""Samples that are computed from others, block by block, where those are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._namespaces import like
from sparsebp.samples.samples import BLOCK, Samples


@dataclass(frozen=True, eq=False)
class DerivedSamples(Samples):
    """A function of each block of other samples, computed where they are.

    The function maps a block to `n_rows` rows with columns for the same samples, in a precision. It
    must not refer to the samples, so that it can be sent to where they are.
    """

    samples: Samples
    function: Callable[[np.ndarray], np.ndarray]
    n_rows: int
    precision: np.dtype

    def __post_init__(self) -> None:
        for name in ("n_threads", "is_in_memory", "is_drawn", "computes_later"):
            object.__setattr__(self, name, getattr(self.samples, name))

    @property
    def dtype(self) -> np.dtype:
        """The precision."""
        return self.precision

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of samples."""
        return self.n_rows, self.samples.shape[1]

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Compute a block."""
        return self.function(self.samples.block(first, size))

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Compute samples by their indices."""
        return self.function(self.samples.take(indices))

    def take_evenly(self, n_samples: int) -> np.ndarray:
        """Compute a few samples."""
        return self.function(self.samples.take_evenly(n_samples))

    def place(self, matrix: Any) -> Any:
        """Return a matrix in the library and on the device of the blocks."""
        return self.samples.place(matrix)

    def map_blocks(self, function: Callable[[np.ndarray], Any]) -> Iterator[Any]:
        """Yield what a function returns for each block."""
        return self.samples.map_blocks(Composition(self.function, function))

    def sum(self, function: Callable[[np.ndarray], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks."""
        return self.samples.sum(Composition(self.function, function))

    def map_rows(self, function: Callable, n_outputs: int, out: Any = None) -> Any:
        """Compute a row for every sample."""
        return self.samples.map_rows(Composition(self.function, function), n_outputs, out)

    def shuffle(self, seed: list[int]) -> Iterator[np.ndarray]:
        """Yield parts of the others' order."""
        return self.samples.shuffle(seed)


@dataclass(frozen=True, eq=False)
class Affine:
    """The function K (x − μ) of a block x."""

    matrix: np.ndarray
    mean: np.ndarray

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Compute it."""
        return like(self.matrix, block) @ (block - like(self.mean, block))


@dataclass(frozen=True, eq=False)
class Composition:
    """One function after another."""

    first: Callable
    second: Callable

    def __call__(self, block: np.ndarray) -> Any:
        """Compute it."""
        return self.second(self.first(block))
