"""Measures of learned features: recovery, sparsity, Gabor fits, tuning, topography."""

from sparsebp.metrics._clusters import Stability
from sparsebp.metrics._gabor_result import GaborFit
from sparsebp.metrics._gabor_uncertainty import GaborUncertainty
from sparsebp.metrics.binocular import BinocularTuning, binocular_tuning
from sparsebp.metrics.color import ColorTuning, color_tuning
from sparsebp.metrics.comparison import DictionaryComparison, compare_dictionaries
from sparsebp.metrics.description import DescriptionLength, description_length
from sparsebp.metrics.duality import duality_gap
from sparsebp.metrics.gabor import gabor_fit
from sparsebp.metrics.gratings import GratingResponses, grating_responses
from sparsebp.metrics.motion import MotionTuning, motion_tuning
from sparsebp.metrics.recovery import Recovery, dictionary_recovery
from sparsebp.metrics.separation import amari_distance
from sparsebp.metrics.stability import stability, stability_of_fits
from sparsebp.metrics.statistics import (
    coefficient_entropy,
    coefficient_kurtosis,
    explained_variance,
    near_zero_fraction,
    signal_fraction,
    silent_components,
)
from sparsebp.metrics.summary import FeatureSummary, summarize_features
from sparsebp.metrics.topography import TopographyIndex, topography_index

__all__ = [
    "BinocularTuning",
    "ColorTuning",
    "DescriptionLength",
    "DictionaryComparison",
    "FeatureSummary",
    "GaborFit",
    "GaborUncertainty",
    "GratingResponses",
    "MotionTuning",
    "Recovery",
    "Stability",
    "TopographyIndex",
    "amari_distance",
    "binocular_tuning",
    "coefficient_entropy",
    "coefficient_kurtosis",
    "color_tuning",
    "compare_dictionaries",
    "description_length",
    "dictionary_recovery",
    "duality_gap",
    "explained_variance",
    "gabor_fit",
    "grating_responses",
    "motion_tuning",
    "near_zero_fraction",
    "signal_fraction",
    "silent_components",
    "stability",
    "stability_of_fits",
    "summarize_features",
    "topography_index",
]
