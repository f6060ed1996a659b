"""Photographs, synthetic images and planted problems whose true solution comes with them."""

from sparsebp.datasets.dead_leaves import make_dead_leaves
from sparsebp.datasets.photographs import (
    SAMPLE_NAMES,
    load_named_photographs,
    load_photographs,
    load_sample_photographs,
    read_photographs,
)
from sparsebp.datasets.planted import (
    DictionarySignals,
    Mixtures,
    make_dictionary_signals,
    make_mixtures,
)

__all__ = [
    "SAMPLE_NAMES",
    "DictionarySignals",
    "Mixtures",
    "load_named_photographs",
    "load_photographs",
    "load_sample_photographs",
    "make_dead_leaves",
    "make_dictionary_signals",
    "make_mixtures",
    "read_photographs",
]
