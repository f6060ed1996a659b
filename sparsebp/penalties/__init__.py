"""Sparsity penalties, each a short chain of layers applied to the coefficients."""

from sparsebp.penalties.base import Penalty
from sparsebp.penalties.elementwise import L1, Cauchy, LogCosh, SmoothL1, Welsch
from sparsebp.penalties.gaussian import GaussianReference, gaussian_reference, values_of_each
from sparsebp.penalties.named import NAMES, make_penalty
from sparsebp.penalties.signed import Signed
from sparsebp.penalties.subspace import Subspace
from sparsebp.penalties.topographic import Topographic, squarest_grid

__all__ = [
    "L1",
    "NAMES",
    "Cauchy",
    "GaussianReference",
    "LogCosh",
    "Penalty",
    "Signed",
    "SmoothL1",
    "Subspace",
    "Topographic",
    "Welsch",
    "gaussian_reference",
    "make_penalty",
    "squarest_grid",
    "values_of_each",
]
