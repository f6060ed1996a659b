"""What a fitted estimator minimised, as MathML: the objective, and its terms derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from latex2mathml.converter import convert

from sparsebp.estimators import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.network import Network, derive
from sparsebp.objectives import (
    ICA_RECONSTRUCTION,
    RECONSTRUCTION,
    WEIGHT_DECAY,
    sparse_filtering_network,
    sparsity_network,
)


@dataclass(frozen=True)
class Term:
    """One term of an objective, its formulas in MathML.

    Attributes
    ----------
    formula : str
        The term, with its weight.
    header, rows : tuple
        Its delta table.
    gradients : tuple of str
        What follows from it.
    """

    formula: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class Mathematics:
    """What was minimised: the objective, the values of its weights (or nothing), its terms."""

    objective: str
    values: str
    terms: tuple[Term, ...]


def mathematics(estimator: Any) -> Mathematics:
    """Write out what an estimator minimised.

    Parameters
    ----------
    estimator : SparseCoding, ReconstructionICA, OrthonormalICA or SparseFiltering
        Fitted.

    Returns
    -------
    mathematics : Mathematics
        With a term for each network of the objective.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp import SparseFiltering
    >>> model = SparseFiltering(2, max_iter=50, tol=1.0, random_state=0).fit(np.eye(4))
    >>> written = mathematics(model)
    >>> len(written.terms), written.objective.startswith("<math")
    (1, True)
    """
    objective, values, terms = _WRITTEN[type(estimator)](estimator)
    values = r",\quad ".join(f"{name} = {_number(value)}" for name, value in values.items())
    return Mathematics(
        _mathml(objective, "block"),
        _mathml(values) if values else "",
        tuple(_term(weight, network) for weight, network in terms),
    )


_Written = tuple[str, dict[str, float], Sequence[tuple[str, Network]]]


def _sparse_coding(estimator: SparseCoding) -> _Written:
    penalty = estimator.penalty_.network()
    terms = [("", RECONSTRUCTION), (r"\alpha", penalty)]
    values = {r"\alpha": estimator.alpha_, **_smoothing(estimator)}
    mean = r"\frac{1}{m} \sum_j \left[ \| A s_j - x_j \|^2 + \alpha\, S(s_j) \right]"
    if estimator.gamma_ is None:
        bound = r"\quad \text{subject to} \quad \| a_r \| = 1 \text{ for every atom}"
        return f"F(A, s) = {mean} {bound}", values, terms
    terms.append((r"\gamma", WEIGHT_DECAY))
    values[r"\gamma"] = estimator.gamma_
    return rf"F(A, s) = {mean} + \gamma \| A \|^2", values, terms


def _reconstruction_ica(estimator: ReconstructionICA) -> _Written:
    terms = [("", ICA_RECONSTRUCTION), (r"\alpha", sparsity_network(estimator.penalty_))]
    mean = r"\frac{1}{m} \sum_j \left[ \| W^T W x_j - x_j \|^2 + \alpha\, S(W x_j) \right]"
    bound = r"\quad \text{subject to} \quad \| w_r \| = 1" if estimator.unit_norm else ""
    values = {r"\alpha": estimator.alpha_, **_smoothing(estimator)}
    return f"F(W) = {mean} {bound}", values, terms


def _orthonormal_ica(estimator: OrthonormalICA) -> _Written:
    mean = r"\frac{1}{m} \sum_j S(W x_j) \quad \text{subject to} \quad W W^T = I"
    terms = [("", sparsity_network(estimator.penalty_))]
    return f"F(W) = {mean}", _smoothing(estimator), terms


def _sparse_filtering(estimator: SparseFiltering) -> _Written:
    terms = [("", sparse_filtering_network(estimator.epsilon))]
    mean = r"\frac{1}{m} \sum_j \| \hat f_j \|_1 \quad \text{subject to} \quad \| w_r \| = 1"
    return f"F(W) = {mean}", {r"\epsilon": estimator.epsilon}, terms


_WRITTEN: dict[type, Any] = {
    SparseCoding: _sparse_coding,
    ReconstructionICA: _reconstruction_ica,
    OrthonormalICA: _orthonormal_ica,
    SparseFiltering: _sparse_filtering,
}


def _smoothing(estimator: Any) -> dict[str, float]:
    penalty = getattr(estimator.penalty_, "penalty", estimator.penalty_)  # within Signed
    return {r"\epsilon": penalty.epsilon} if hasattr(penalty, "epsilon") else {}


def _term(weight: str, network: Network) -> Term:
    written = derive(network, "latex")
    return Term(
        _mathml(rf"{weight} \sum \, {_grouped(written.function, bool(weight))}"),
        tuple(map(_mathml, written.header)),
        tuple(tuple(map(_mathml, row)) for row in written.rows),
        tuple(_mathml(equation) for equation in written.gradients),
    )


def _grouped(formula: str, needed: bool) -> str:
    return rf"\left[ {formula} \right]" if needed or "+" in formula else formula


def _mathml(latex: str, display: Any = "inline") -> str:
    return convert(latex, display=display)


def _number(value: float) -> str:
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
