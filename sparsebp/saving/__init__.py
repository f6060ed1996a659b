"""Fitted estimators in files: arrays and JSON in one ``.npz``, without pickle."""

from sparsebp._fitted import Maybe, Names, Numbers, Size
from sparsebp.saving.models import FORMAT, load_model, read_metadata, save_model
from sparsebp.saving.registry import register

__all__ = [
    "FORMAT",
    "Maybe",
    "Names",
    "Numbers",
    "Size",
    "load_model",
    "read_metadata",
    "register",
    "save_model",
]
