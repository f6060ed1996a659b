"""Sparse coding: samples as combinations of few atoms."""

from __future__ import annotations

from sparsebp.network import Identity, Layer, Linear, Multiply, Network, Parameter, Square, Subtract
from sparsebp.penalties import Penalty, Signed
from sparsebp.problems.constraints import UnitColumns
from sparsebp.problems.problem import Part, Problem

_BEHIND = (Layer(Parameter("A"), Linear()), Layer(Identity(), Subtract("x")))

#: ‖As − x‖², the tutorial's first example.
RECONSTRUCTION = Network("s", [*_BEHIND, Layer(None, Square())])

#: ‖M ∘ (As − x)‖², where M is zero at what is missing of x.
MASKED_RECONSTRUCTION = Network(
    "s", [*_BEHIND, Layer(Identity(), Multiply("M")), Layer(None, Square())]
)

#: ‖A‖².
WEIGHT_DECAY = Network("A", [Layer(None, Square())])


def sparse_coding(
    penalty: Penalty | None, alpha: float, gamma: float | None = None, *, masked: bool = False
) -> Problem:
    """Return F(A, s) = (1/m) Σⱼ [‖A sⱼ − xⱼ‖² + α S(sⱼ)] + γ ‖A‖².

    Parameters
    ----------
    penalty : Penalty or None
        S; None leaves out its term, for codes that a pursuit keeps sparse.
    alpha : float
        α ≥ 0, the tutorial's λ.
    gamma : float, optional
        γ ≥ 0, the weight decay; None means unit-norm atoms instead.
    masked : bool
        Whether a matrix M of the shape of x says what is known of the samples: 1 where x is
        known, 0 where it is missing and As − x does not count.

    Returns
    -------
    problem : Problem
        In the basis A (n_features, n_components) and the coefficients s (n_components,
        n_samples).

    Raises
    ------
    ValueError
        If the penalty is `Signed`: F would be unbounded below.

    Notes
    -----
    *Deriving gradients using the backpropagation idea*, example 1 (which announces ∇A, prints ∇s
    and drops γ).
    """
    require_bounded(penalty)
    network = MASKED_RECONSTRUCTION if masked else RECONSTRUCTION
    formula = r"M \circ (A s_j - x_j)" if masked else "A s_j - x_j"
    parts = [
        Part(rf"\sum_j \| {formula} \|^2", network, is_quadratic=not masked),
    ]
    values = {}
    if penalty is not None:
        parts.append(Part(r"\sum_j S(s_j)", penalty.network(), float(alpha), r"\alpha"))
        values[r"\alpha"] = float(alpha)
    if gamma is not None:
        parts.append(Part(r"\| A \|^2", WEIGHT_DECAY, float(gamma), r"\gamma", is_mean=False))
        values[r"\gamma"] = float(gamma)
    found = "minimized" if penalty is not None else "found by orthogonal matching pursuit,"
    problem = Problem(
        free=("A", "s"),
        parts=tuple(parts),
        constraint=UnitColumns if gamma is None else None,
        samples=("x", "s", "M"),
        values=values,
        meanings={
            "x_j": "sample number j of m, a column of x",
            "A": "the basis, an atom in each column; the features are its atoms",
            "s_j": f"the coefficients of sample j, {found} in alternation with A",
        },
    )
    return problem if penalty is None else problem.with_penalty(penalty)


def require_bounded(penalty: Penalty | None) -> None:
    """Raise ValueError for a penalty whose sum with a squared error is unbounded below."""
    if isinstance(penalty, Signed):
        raise ValueError(
            "penalty is Signed, with which the objective of sparse coding is unbounded below; "
            "give a penalty without signs."
        )
