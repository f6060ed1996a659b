"""Minimizers of any objective with a value and a gradient."""

from sparsebp.minimizers.accelerated import descend
from sparsebp.minimizers.columnwise import AtPoints, minimize_columns
from sparsebp.minimizers.growing import growing_subsets, minimize_growing
from sparsebp.minimizers.lbfgs import WINDOW, Callback, minimize_lbfgs
from sparsebp.minimizers.manifold import minimize_orthonormal
from sparsebp.minimizers.result import ColumnResult, Result, Status

__all__ = [
    "WINDOW",
    "AtPoints",
    "Callback",
    "ColumnResult",
    "Result",
    "Status",
    "descend",
    "growing_subsets",
    "minimize_columns",
    "minimize_growing",
    "minimize_lbfgs",
    "minimize_orthonormal",
]
