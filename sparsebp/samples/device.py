"""Samples in the rows of an array of another library, such as PyTorch or CuPy, on any device."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._namespaces import detached, is_foreign, like, namespace, to_numpy, widened
from sparsebp.samples.samples import BLOCK, Samples
from sparsebp.samples.threads import slices

#: Columns of a block on a device that is not the host: enough work for each of its kernels. The
#: arrays of a block are all that it needs beside the samples.
DEVICE_BLOCK = 2**16
#: As many blocks are encoded at once: the slowest samples of a batch determine how long it takes.
_CODED = 8


@dataclass(frozen=True, eq=False)
class DeviceSamples(Samples):
    """The rows of an array on a device: samples and their codes stay there, only sums leave it.

    Parameters
    ----------
    array : array of shape (n_samples, n_features)
        Of float32 or float64 numbers, by the array API standard.
    n_threads : int
        Not used: the library has its own.

    Examples
    --------
    >>> import array_api_strict as xp
    >>> samples = DeviceSamples(xp.ones((3000, 2)))
    >>> samples.shape, samples.dtype, samples.sum(lambda block: [xp.sum(block, axis=1)])
    ((2, 3000), dtype('float64'), [array([3000., 3000.])])
    """

    array: Any
    n_threads: int = 1
    is_in_memory = True  # in that of the device

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", detached(self.array))

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of features and of samples."""
        return self.array.shape[1], self.array.shape[0]

    @property
    def dtype(self) -> np.dtype:
        """NumPy's name of their precision."""
        return np.dtype(str(self.array.dtype).rpartition(".")[2])

    def block(self, first: int, size: int = BLOCK) -> Any:
        """Return some samples in columns, a view of the rows."""
        return self.array[first : min(first + size, self.shape[1]), :].T

    def take(self, indices: np.ndarray) -> Any:
        """Return samples (n_rows, n) by their indices, gathered on the device."""
        return self.select(indices).block(0, len(indices))

    def select(self, indices: np.ndarray) -> DeviceSamples:
        """Return some of the samples, gathered on the device."""
        xp = namespace(self.array)
        index = xp.asarray(np.array(indices, dtype=np.int64), device=self.array.device)
        return DeviceSamples(xp.take(self.array, index, axis=0))

    def place(self, matrix: Any) -> Any:
        """Return a matrix on the device."""
        return like(matrix, self.array)

    def map_blocks(self, function: Callable[[Any], Any]) -> Iterator[Any]:
        """Yield what a function returns for each block, in the blocks' order."""
        blocks = slices(self.shape[1], self._size)
        return (function(self.block(b.start, self._size)) for b in blocks)

    @property
    def _size(self) -> int:
        return BLOCK if "cpu" in str(self.array.device).lower() else DEVICE_BLOCK

    def sum(self, function: Callable[[Any], Sequence[Any]]) -> list[np.ndarray]:
        """Sum functions of the blocks in float64 on the device; the host waits once, at the end."""
        totals: list[Any] = []
        for parts in self.map_blocks(function):
            wide = [widened(p) if is_foreign(p) else np.float64(p) for p in parts]
            totals = [t + w for t, w in zip(totals, wide, strict=True)] if totals else wide
        return [to_numpy(total) for total in totals]

    def take_evenly(self, n_samples: int) -> np.ndarray:
        """Return at most so many samples (n_rows, n), evenly spread, on the host."""
        return to_numpy(super().take_evenly(n_samples))

    def map_rows(self, function: Callable[[Any], Any], n_outputs: int, out: Any = None) -> Any:
        """Compute a row for every sample, on the device."""
        if out is not None:
            raise ValueError(
                "out is given, but results for arrays that are not of NumPy are returned where X "
                "is. Leave out=None."
            )
        size = _CODED * self._size
        found = [function(self.block(b.start, size)) for b in slices(self.shape[1], size)]
        return namespace(self.array).concat(found, axis=0)

    def load(self) -> DeviceSamples:
        """Return the samples themselves: they are in memory."""
        return self
