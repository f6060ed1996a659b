"""Where samples live, and how sums and products with them are taken: in blocks of columns."""

from sparsebp.blocks.columns import filled, product, taken
from sparsebp.blocks.samples import Samples
from sparsebp.blocks.threads import count_threads, in_order, one_blas_thread

__all__ = [
    "Samples",
    "count_threads",
    "filled",
    "in_order",
    "one_blas_thread",
    "product",
    "taken",
]
