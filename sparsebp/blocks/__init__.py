"""Where samples live, and how a sum over them is taken: in blocks that fit the cache."""

from sparsebp.blocks.samples import Samples
from sparsebp.blocks.threads import count_threads, in_order, one_blas_thread

__all__ = ["Samples", "count_threads", "in_order", "one_blas_thread"]
