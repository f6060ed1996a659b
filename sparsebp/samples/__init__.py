"""Sources of samples, and sums and products with them in blocks of columns."""

from sparsebp.samples.columns import filled, product, taken
from sparsebp.samples.derived import DerivedSamples
from sparsebp.samples.device import DeviceSamples
from sparsebp.samples.moments import second_moment_factor, second_moments
from sparsebp.samples.samples import BLOCK, ArraySamples, Samples
from sparsebp.samples.stored import StoredSamples, is_store
from sparsebp.samples.sums import BlockSums
from sparsebp.samples.threads import (
    count_threads,
    has_interpreter_lock,
    in_blocks,
    in_order,
    one_blas_thread,
    slices,
)

__all__ = [
    "BLOCK",
    "ArraySamples",
    "BlockSums",
    "DerivedSamples",
    "DeviceSamples",
    "Samples",
    "StoredSamples",
    "count_threads",
    "filled",
    "has_interpreter_lock",
    "in_blocks",
    "in_order",
    "is_store",
    "one_blas_thread",
    "product",
    "second_moment_factor",
    "second_moments",
    "slices",
    "taken",
]
