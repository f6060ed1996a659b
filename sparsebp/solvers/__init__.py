"""Solvers: they meet an objective through its value and gradient, and return how they ended."""

from sparsebp.solvers.alternating import STEPS, Alternation
from sparsebp.solvers.basis import exact_basis
from sparsebp.solvers.encoding import Codes, encode, starting_codes
from sparsebp.solvers.growing import minimize_growing
from sparsebp.solvers.lbfgs import minimize_lbfgs
from sparsebp.solvers.online import OnlineLearning
from sparsebp.solvers.orthonormal import minimize_orthonormal
from sparsebp.solvers.problem import SparseCodingProblem, replace_unused_atoms
from sparsebp.solvers.pursuit import learn_by_pursuit, pursue
from sparsebp.solvers.result import Result, Status
from sparsebp.solvers.signs import Search, SignedPoint, SignRule, minimize_choosing_signs
from sparsebp.solvers.state import OnlineState

__all__ = [
    "STEPS",
    "Alternation",
    "Codes",
    "OnlineLearning",
    "OnlineState",
    "Result",
    "Search",
    "SignRule",
    "SignedPoint",
    "SparseCodingProblem",
    "Status",
    "encode",
    "exact_basis",
    "learn_by_pursuit",
    "minimize_choosing_signs",
    "minimize_growing",
    "minimize_lbfgs",
    "minimize_orthonormal",
    "pursue",
    "replace_unused_atoms",
    "starting_codes",
]
