"""Learn the features of natural images, every gradient derived by backpropagation.

Sparse coding, topographic sparse coding, reconstruction ICA, orthonormal ICA and sparse filtering
behind scikit-learn's interface.
"""

from sparsebp.bases import basis_names, load_basis
from sparsebp.estimators import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoding,
    SparseFiltering,
)
from sparsebp.saving import load_model, read_metadata, save_model

__version__ = "0.1.0"

__all__ = [
    "OrthonormalICA",
    "ReconstructionICA",
    "SparseCoding",
    "SparseFiltering",
    "basis_names",
    "load_basis",
    "load_model",
    "read_metadata",
    "save_model",
]
