"""The networks whose gradients `sparsebp derive` writes out."""

from __future__ import annotations

from sparsebp.network import Network
from sparsebp.objectives import (
    ICA_RECONSTRUCTION,
    RECONSTRUCTION,
    WEIGHT_DECAY,
    sparse_filtering_network,
    sparsity_network,
)
from sparsebp.penalties import L1, Cauchy, LogCosh, SmoothL1, Topographic, Welsch

#: Name → (what it is, its network).
DERIVATIONS: dict[str, tuple[str, Network]] = {
    "reconstruction": ("‖As − x‖², the tutorial's example 1", RECONSTRUCTION),
    "weight-decay": ("‖A‖²", WEIGHT_DECAY),
    "l1": ("Σ |s|", L1().network()),
    "smooth-l1": ("Σ √(s² + ε)", SmoothL1().network()),
    "topographic": ("Σ √(V(s∘s) + ε), example 2", Topographic((3, 3)).network()),
    "log-cosh": ("Σ log cosh s", LogCosh().network()),
    "cauchy": ("Σ log(1 + s²)", Cauchy().network()),
    "welsch": ("Σ [1 − exp(−s²/2)]", Welsch().network()),
    "ica-reconstruction": ("‖WᵀWx − x‖², example 3", ICA_RECONSTRUCTION),
    "ica": ("Σ √((Wx)² + ε)", sparsity_network(SmoothL1())),
    "topographic-ica": ("Σ √(V(Wx∘Wx) + ε)", sparsity_network(Topographic((3, 3)))),
    "sparse-filtering": ("Σ √((Wx)² + ε), rows, then columns", sparse_filtering_network(1e-8)),
}
