"""Numbers that say how good learned features are: found again, sparse, Gabor-like, ordered."""

from sparsebp.metrics.description import DescriptionLength, description_length
from sparsebp.metrics.duality import duality_gap
from sparsebp.metrics.gabor import GaborFit, gabor_fit
from sparsebp.metrics.recovery import Recovery, dictionary_recovery
from sparsebp.metrics.separation import amari_distance
from sparsebp.metrics.statistics import coefficient_entropy, coefficient_kurtosis
from sparsebp.metrics.topography import TopographyIndex, topography_index

__all__ = [
    "DescriptionLength",
    "GaborFit",
    "Recovery",
    "TopographyIndex",
    "amari_distance",
    "coefficient_entropy",
    "coefficient_kurtosis",
    "description_length",
    "dictionary_recovery",
    "duality_gap",
    "gabor_fit",
    "topography_index",
]
