"""Sparse coding: coefficients for a basis, a basis for coefficients, both in alternation."""

from sparsebp.coding.alternating import STEPS, Alternation
from sparsebp.coding.atoms import replaced_atoms, unused_atoms
from sparsebp.coding.basis import least_squares_basis
from sparsebp.coding.convolutional import ConvolutionalSearch
from sparsebp.coding.encoding import encode
from sparsebp.coding.image_atoms import TRUSTED_PIXELS, AtomsResult, AtomsState, drawn_atoms
from sparsebp.coding.known_image import KnownImage
from sparsebp.coding.maps import Maps, encode_maps
from sparsebp.coding.missing import split_missing
from sparsebp.coding.online import OnlineLearning
from sparsebp.coding.pursuit import Pursuit, learn_by_pursuit, pursue
from sparsebp.coding.search import BasisSearch
from sparsebp.coding.smooth import starting_codes
from sparsebp.coding.state import FITTED_STATE, RESUMED_FORGETTING, BasisResult, BasisState

__all__ = [
    "FITTED_STATE",
    "RESUMED_FORGETTING",
    "STEPS",
    "TRUSTED_PIXELS",
    "Alternation",
    "AtomsResult",
    "AtomsState",
    "BasisResult",
    "BasisSearch",
    "BasisState",
    "ConvolutionalSearch",
    "KnownImage",
    "Maps",
    "OnlineLearning",
    "Pursuit",
    "drawn_atoms",
    "encode",
    "encode_maps",
    "learn_by_pursuit",
    "least_squares_basis",
    "pursue",
    "replaced_atoms",
    "split_missing",
    "starting_codes",
    "unused_atoms",
]
