"""The objectives of sparse coding: in the coefficients, and in the basis."""

from __future__ import annotations

import numpy as np

from sparsebp.network import Identity, Layer, Linear, Multiply, Network, Parameter, Square, Subtract
from sparsebp.objectives.moments import second_moment_factor
from sparsebp.objectives.objective import Objective, Term
from sparsebp.penalties import Penalty

#: ‖As − x‖², the tutorial's first example.
RECONSTRUCTION = Network(
    "s",
    [
        Layer(Parameter("A"), Linear()),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)

#: ‖M ∘ (As − x)‖², where M is zero at what is missing of x.
MASKED_RECONSTRUCTION = Network(
    "s",
    [
        Layer(Parameter("A"), Linear()),
        Layer(Identity(), Subtract("x")),
        Layer(Identity(), Multiply("M")),
        Layer(None, Square()),
    ],
)

#: ‖A‖².
WEIGHT_DECAY = Network("A", [Layer(None, Square())])


def codes_objective(
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty,
    alpha: float,
    *,
    scale: float = 1.0,
    mask: np.ndarray | None = None,
) -> Objective:
    """Return F(s; A) = scale · [‖As − x‖² + α S(s)], the sum over the samples.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A, atoms in columns.
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0, the tutorial's λ.
    scale : float
        1/n_samples for the mean over the samples, 1 for the tutorial's sum.
    mask : ndarray of shape (n_features, n_samples), optional
        1 where x is known, 0 where it is missing and As − x does not count.

    Returns
    -------
    objective : Objective
        In the free matrix s (n_components, n_samples).
    """
    distance = Term(scale, RECONSTRUCTION, {"A": basis, "x": x})
    if mask is not None:
        distance = Term(scale, MASKED_RECONSTRUCTION, {"A": basis, "x": x, "M": mask})
    terms = (
        distance,
        Term(scale * alpha, penalty.network(), penalty.variables_like(x)),
    )
    return Objective("s", terms)


def basis_objective(
    x: np.ndarray,
    codes: np.ndarray,
    gamma: float,
    *,
    scale: float = 1.0,
    compressed: bool = False,
) -> Objective:
    """Return F(A; s) = scale · ‖As − x‖² + γ ‖A‖².

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    codes : ndarray of shape (n_components, n_samples)
        s, their coefficients.
    gamma : float
        γ ≥ 0, the weight decay.
    scale : float
        1/n_samples for the mean over the samples, 1 for the tutorial's sum.
    compressed : bool
        Whether to run the network on a square-root factor of the second moments of [s; x], which
        has n_components + n_features columns at most, rather than on all samples. The value and
        the gradient are the same.

    Returns
    -------
    objective : Objective
        In the free matrix A (n_features, n_components).

    Notes
    -----
    *Deriving gradients using the backpropagation idea*, example 1 (which announces ∇A, prints ∇s
    and drops γ).
    """
    n_components = codes.shape[0]
    if compressed and x.shape[1] > n_components + x.shape[0]:
        factor = second_moment_factor(np.vstack([codes, x]))
        codes, x = factor[:n_components], factor[n_components:]
    return Objective(
        "A", (Term(scale, RECONSTRUCTION, {"s": codes, "x": x}), Term(gamma, WEIGHT_DECAY))
    )
