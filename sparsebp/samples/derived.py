"""Samples that are computed from others, block by block."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsebp.samples.samples import BLOCK, Samples


@dataclass(frozen=True, eq=False)
class DerivedSamples(Samples):
    """Other samples, each block of which is changed when it is asked for.

    Parameters
    ----------
    samples : Samples
        The others.
    """

    samples: Samples

    @property
    def n_threads(self) -> int:  # type: ignore[override]
        """Those of the samples."""
        return self.samples.n_threads

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of rows and of samples."""
        return self.samples.shape

    @property
    def dtype(self) -> np.dtype:
        """Precision of the samples."""
        return self.samples.dtype

    @property
    def is_in_memory(self) -> bool:
        """Whether the samples are."""
        return self.samples.is_in_memory

    @abstractmethod
    def derived(self, block: np.ndarray) -> np.ndarray:
        """Return what becomes of a block (n_rows, n) of the other samples."""

    def block(self, first: int, size: int = BLOCK) -> np.ndarray:
        """Compute a block."""
        return self.derived(self.samples.block(first, size))

    def taken(self, order: np.ndarray) -> np.ndarray:
        """Compute samples by their indices."""
        return self.derived(self.samples.taken(order))

    def only(self, order: np.ndarray) -> DerivedSamples:
        """Return some of the samples."""
        return replace(self, samples=self.samples.only(order))

    def shuffled(self, seed: list[int]) -> Iterator[np.ndarray]:
        """Yield parts of the others' random order."""
        return self.samples.shuffled(seed)

    def placed(self, matrix: Any) -> Any:
        """Return a matrix in the library and on the device of the blocks."""
        return self.samples.placed(matrix)

    def sum(self, function: Callable[[np.ndarray], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks, where the samples are."""
        return self.samples.sum(lambda block: function(self.derived(block)))

    def map(self, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Compute a column for every sample, where they are."""
        return self.samples.map(lambda block: function(self.derived(block)))


@dataclass(frozen=True, eq=False)
class MappedSamples(DerivedSamples):
    """K (x − μ) of other samples, such as white ones.

    Parameters
    ----------
    samples : Samples
        x.
    matrix : ndarray of shape (n_outputs, n_rows)
        K, where the samples are.
    mean : ndarray of shape (n_rows, 1)
        μ, there too.
    """

    matrix: np.ndarray
    mean: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of outputs and of samples."""
        return self.matrix.shape[0], self.samples.shape[1]

    def derived(self, block: np.ndarray) -> np.ndarray:
        """Compute K (x − μ)."""
        return self.matrix @ (block - self.mean)
