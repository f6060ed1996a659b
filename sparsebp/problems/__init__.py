"""The problems: terms, constraint and objective of each, stated once."""

from sparsebp.problems.constraints import OrthonormalRows, UnitColumns, UnitRows
from sparsebp.problems.convolutional import convolutional_sparse_coding
from sparsebp.problems.objective import Differentiable, Objective, Term
from sparsebp.problems.orthonormal_ica import orthonormal_ica, sparsity_network
from sparsebp.problems.problem import Part, Problem
from sparsebp.problems.reconstruction_ica import (
    ICA_RECONSTRUCTION,
    SCALED_ICA_RECONSTRUCTION,
    decoder_scale,
    reconstruction_ica,
)
from sparsebp.problems.sparse_coding import (
    MASKED_RECONSTRUCTION,
    RECONSTRUCTION,
    WEIGHT_DECAY,
    sparse_coding,
)
from sparsebp.problems.sparse_filtering import (
    SparseFilteringInBlocks,
    sparse_filtering,
    sparse_filtering_network,
)

__all__ = [
    "ICA_RECONSTRUCTION",
    "MASKED_RECONSTRUCTION",
    "RECONSTRUCTION",
    "SCALED_ICA_RECONSTRUCTION",
    "WEIGHT_DECAY",
    "Differentiable",
    "Objective",
    "OrthonormalRows",
    "Part",
    "Problem",
    "SparseFilteringInBlocks",
    "Term",
    "UnitColumns",
    "UnitRows",
    "convolutional_sparse_coding",
    "decoder_scale",
    "orthonormal_ica",
    "reconstruction_ica",
    "sparse_coding",
    "sparse_filtering",
    "sparse_filtering_network",
    "sparsity_network",
]
