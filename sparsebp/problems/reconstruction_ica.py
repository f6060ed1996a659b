"""Reconstruction ICA: filters with sparse responses that still reconstruct the samples."""

from __future__ import annotations

import numpy as np

from sparsebp.network import Identity, Layer, Linear, Multiply, Network, Parameter, Square, Subtract
from sparsebp.penalties import Penalty
from sparsebp.problems.constraints import UnitRows
from sparsebp.problems.orthonormal_ica import FILTER_MEANINGS, sparsity_network
from sparsebp.problems.problem import Part, Problem

_W = Parameter("W")
_THERE_AND_BACK = (Layer(_W, Linear()), Layer(_W.T, Linear()))
_DISTANCE = (Layer(Identity(), Subtract("x")), Layer(None, Square()))

#: ‖WᵀWx − x‖², the tutorial's third example.
ICA_RECONSTRUCTION = Network("x", [*_THERE_AND_BACK, *_DISTANCE])

#: ‖c WᵀWx − x‖².
SCALED_ICA_RECONSTRUCTION = Network(
    "x", [*_THERE_AND_BACK, Layer(Identity(), Multiply("c")), *_DISTANCE]
)


def decoder_scale(n_filters: int, n_features: int) -> float:
    """Return the c for which unit-norm filters can reconstruct every sample: c WᵀW = I.

    Parameters
    ----------
    n_filters : int
        k, the rows of W.
    n_features : int
        n, their length.

    Returns
    -------
    scale : float
        n/k, since the trace of WᵀW is k and that of the identity n; 1 for k ≤ n, where filters can
        be orthonormal.

    Examples
    --------
    >>> decoder_scale(128, 64), decoder_scale(32, 64)
    (0.5, 1.0)
    """
    return min(1.0, n_features / n_filters)


def reconstruction_ica(
    penalty: Penalty, alpha: float, *, decoder: float = 1.0, unit_norm: bool = False
) -> Problem:
    """Return F(W) = (1/m) Σⱼ [‖c WᵀW xⱼ − xⱼ‖² + α S(W xⱼ)].

    Parameters
    ----------
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0. Orthonormal ICA is the limit α → 0 (the chapter says λ → ∞).
    decoder : float
        c > 0: 1 in the tutorial, or `decoder_scale` for more filters than features.
    unit_norm : bool
        Whether the rows of W have unit norm.

    Returns
    -------
    problem : Problem
        In the filters W (n_components, n_features).
    """
    scaled = decoder != 1
    network = SCALED_ICA_RECONSTRUCTION if scaled else ICA_RECONSTRUCTION
    said = "the scale of the reconstruction; by default n/k for k filters of n directions"
    c = {"c": said} if scaled else {}
    return Problem(
        free=("W",),
        parts=(
            Part(rf"\sum_j \| {'c ' * scaled}W^T W x_j - x_j \|^2", network, is_quadratic=True),
            Part(r"\sum_j S(W x_j)", sparsity_network(penalty), float(alpha), r"\alpha"),
        ),
        constraint=UnitRows if unit_norm else None,
        fixed={"c": np.full((1, 1), float(decoder))} if scaled else {},
        values={r"\alpha": float(alpha), **dict.fromkeys(c, float(decoder))},
        meanings={**FILTER_MEANINGS, **c},
    ).with_penalty(penalty)
