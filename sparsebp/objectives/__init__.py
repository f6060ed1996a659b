"""What is minimized: weighted sums of networks in free matrices, samples in columns."""

from sparsebp.objectives.ica import (
    ICA_RECONSTRUCTION,
    SCALED_ICA_RECONSTRUCTION,
    decoder_scale,
    reconstruction_objective,
    sparsity_network,
    sparsity_objective,
)
from sparsebp.objectives.moments import second_moment_factor
from sparsebp.objectives.objective import Differentiable, Objective, Term
from sparsebp.objectives.reparametrized import (
    OrthonormalRows,
    UnitColumns,
    UnitRows,
    orthonormalized,
    unit_columns,
)
from sparsebp.objectives.sparse_coding import (
    MASKED_RECONSTRUCTION,
    RECONSTRUCTION,
    WEIGHT_DECAY,
    basis_objective,
    codes_objective,
)
from sparsebp.objectives.sparse_filtering import (
    sparse_filtering_network,
    sparse_filtering_objective,
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
    "Term",
    "UnitColumns",
    "UnitRows",
    "basis_objective",
    "codes_objective",
    "decoder_scale",
    "orthonormalized",
    "reconstruction_objective",
    "second_moment_factor",
    "sparse_filtering_network",
    "sparse_filtering_objective",
    "sparsity_network",
    "sparsity_objective",
    "unit_columns",
]
