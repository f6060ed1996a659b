"""The scikit-learn surface: rows are samples."""

from sparsebp.estimators.ica import OrthonormalICA, ReconstructionICA
from sparsebp.estimators.sparse_coding import SparseCoding

__all__ = ["OrthonormalICA", "ReconstructionICA", "SparseCoding"]
