"""What is pooled: codes of patches, or their positive and negative parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp._magnitudes import require_finite
from sparsebp._namespaces import to_numpy

ACTIVATIONS = ("split", "triangle")


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
