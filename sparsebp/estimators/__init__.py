"""The scikit-learn surface: rows are samples."""

from sparsebp.estimators.convolutional_sparse_coding import ConvolutionalSparseCoding
from sparsebp.estimators.orthonormal_ica import OrthonormalICA
from sparsebp.estimators.reconstruction_ica import ReconstructionICA
from sparsebp.estimators.sparse_coder import SparseCoder, sparse_encode
from sparsebp.estimators.sparse_coding import SparseCoding
from sparsebp.estimators.sparse_filtering import SparseFiltering

__all__ = [
    "ConvolutionalSparseCoding",
    "OrthonormalICA",
    "ReconstructionICA",
    "SparseCoder",
    "SparseCoding",
    "SparseFiltering",
    "sparse_encode",
]
