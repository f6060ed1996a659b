"""The model of patches, and what is pooled: codes, or their positive and negative parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp._checks import mistake
from sparsebp._magnitudes import require_finite
from sparsebp._namespaces import to_numpy
from sparsebp.estimators import ConvolutionalSparseCoding

ACTIVATIONS = ("split", "triangle")
_MODEL = "a transformer of patches in rows, with fit and transform, or None for sparse coding"


def check_patch_model(model: Any) -> None:
    """Raise TypeError for what is no transformer of patches in rows, or None."""
    is_class, fix = isinstance(model, type), ""
    last = model.steps[-1][1] if hasattr(model, "steps") and not is_class else model
    if isinstance(last, ConvolutionalSparseCoding):
        fix = " It takes whole images. Give SparseCoding, or atoms as SparseCoder(atoms)."
    elif is_class:
        fix = f" Give an instance, {model.__name__}(…)."
    elif isinstance(model, np.ndarray | list):
        fix = " Give atoms as SparseCoder(atoms)."
    elif model is None or (hasattr(model, "fit") and hasattr(model, "transform")):
        return
    if isinstance(model, np.ndarray):
        given = f"an array of shape {model.shape}"
        raise TypeError(f"estimator must be {_MODEL}, got {given}.{fix}")
    raise TypeError(mistake("estimator", _MODEL, model, fix))


def encoded(model: Any, samples: np.ndarray) -> np.ndarray:
    """Return a model's codes of samples, a row for each, in their precision."""
    codes = to_numpy(model.transform(samples))
    if codes.ndim != 2 or len(codes) != len(samples):
        raise ValueError(
            f"estimator returned codes of shape {codes.shape} for {len(samples)} patches; it must "
            "return a row for each patch."
        )
    return require_finite("The codes", codes.astype(samples.dtype, copy=False))


def activated(codes: np.ndarray, activation: str | None) -> np.ndarray:
    """Return the numbers that are pooled."""
    if activation == "split":
        return np.hstack([np.maximum(codes, 0), np.maximum(-codes, 0)])
    if activation == "triangle":
        return np.maximum(codes.mean(axis=1, keepdims=True) - codes, 0)
    return codes


def activation_for(model: Any, codes: np.ndarray) -> str | None:
    """Return the activation that suits a model, and some of its codes."""
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    if hasattr(last, "cluster_centers_"):
        return "triangle"
    return "split" if (codes < 0).any() else None
