"""The objectives of independent component analysis: reconstruction and sparsity of Wx."""

from __future__ import annotations

import numpy as np

from sparsebp.blocks import Samples
from sparsebp.network import (
    Identity,
    Layer,
    Linear,
    Multiply,
    Network,
    Parameter,
    Square,
    Subtract,
)
from sparsebp.objectives.moments import second_moment_factor
from sparsebp.objectives.objective import Objective, Term
from sparsebp.penalties import Penalty

_W = Parameter("W")
_FILTER = (Layer(_W, Linear()),)

#: ‖WᵀWx − x‖², the tutorial's third example.
ICA_RECONSTRUCTION = Network(
    "x",
    [
        Layer(_W, Linear()),
        Layer(_W.T, Linear()),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)

#: ‖c WᵀWx − x‖²: the reconstruction of k filters of length one, where c = n/k for n < k.
SCALED_ICA_RECONSTRUCTION = Network(
    "x",
    [
        Layer(_W, Linear()),
        Layer(_W.T, Linear()),
        Layer(Identity(), Multiply("c")),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)


def decoder_scale(n_filters: int, n_features: int) -> float:
    """Return the c for which filters of length one can reconstruct every sample: c WᵀW = I.

    Parameters
    ----------
    n_filters : int
        k, the rows of W.
    n_features : int
        n, their length.

    Returns
    -------
    scale : float
        n/k, since WᵀW has the trace k and the identity has n; 1 for k ≤ n, where filters can be
        orthonormal.

    Examples
    --------
    >>> decoder_scale(128, 64), decoder_scale(32, 64)
    (0.5, 1.0)
    """
    return min(1.0, n_features / n_filters)


def sparsity_network(penalty: Penalty) -> Network:
    """Return S(Wx) as a network: the penalty's layers behind the filters.

    Parameters
    ----------
    penalty : Penalty
        S.

    Returns
    -------
    network : Network
        With the input x and the weight W.
    """
    return penalty.network(behind=_FILTER, input="x")


def sparsity_objective(
    x: np.ndarray | Samples, penalty: Penalty, *, scale: float = 1.0
) -> Objective:
    """Return scale · S(Wx), what orthonormal ICA minimises subject to WWᵀ = I.

    Parameters
    ----------
    x : ndarray or Samples of shape (n_features, n_samples)
        Samples in columns; `Samples` are taken a block at a time.
    penalty : Penalty
        S; `Topographic` makes it topographic ICA.
    scale : float
        1/n_samples for the mean over the samples, 1 for the tutorial's sum.

    Returns
    -------
    objective : Objective
        In the free matrix W (n_components, n_features).
    """
    return Objective(
        "W", (Term(scale, sparsity_network(penalty), {**penalty.variables_like(x), "x": x}),)
    )


def reconstruction_objective(
    x: np.ndarray | Samples,
    penalty: Penalty,
    alpha: float,
    *,
    scale: float = 1.0,
    compressed: bool = False,
    decoder: float = 1.0,
) -> Objective:
    """Return scale · [‖c WᵀWx − x‖² + α S(Wx)], reconstruction ICA.

    Parameters
    ----------
    x : ndarray or Samples of shape (n_features, n_samples)
        Samples in columns; `Samples` are taken a block at a time.
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0. Orthonormal ICA is the limit α → 0 (the chapter says λ → ∞).
    scale : float
        1/n_samples for the mean over the samples, 1 for the tutorial's sum.
    compressed : bool
        Whether the reconstruction runs on a square-root factor of xxᵀ rather than on all
        samples. The value and the gradient are the same.
    decoder : float
        c > 0, the tutorial's 1, or `decoder_scale` where the rows of W have length one.

    Returns
    -------
    objective : Objective
        In the free matrix W (n_components, n_features).
    """
    target = second_moment_factor(x) if compressed else x
    if decoder == 1:
        reconstruction = Term(scale, ICA_RECONSTRUCTION, {"x": target})
    else:
        c = np.full((1, 1), decoder, dtype=target.dtype)
        reconstruction = Term(scale, SCALED_ICA_RECONSTRUCTION, {"x": target, "c": c})
    sparsity = sparsity_objective(x, penalty, scale=scale * alpha)
    return Objective("W", (reconstruction, *sparsity.terms))
