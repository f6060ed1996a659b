"""What a fitted estimator minimised, as MathML: the objective, and its terms derived."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from latex2mathml.converter import convert

from sparsebp.estimators import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.network import Network, derive
from sparsebp.objectives import (
    ICA_RECONSTRUCTION,
    RECONSTRUCTION,
    SCALED_ICA_RECONSTRUCTION,
    WEIGHT_DECAY,
    sparse_filtering_network,
    sparsity_network,
)
from sparsebp.penalties import Penalty


@dataclass(frozen=True)
class Term:
    """One network of an objective, its formulas in MathML.

    Attributes
    ----------
    formula : str
        The term by its name, and written out.
    header, rows : tuple
        Its delta table.
    gradients : tuple of str
        What follows from it for what was searched for.
    """

    formula: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class Mathematics:
    """What was minimised, in MathML, and in words where no formula says it.

    Attributes
    ----------
    objective : str
        F, as a sum of its terms.
    constraint : tuple of (str, str)
        What holds besides, and how it is kept; empty if nothing does.
    meanings : tuple of (str, str)
        Symbols, and what they stand for.
    values : str
        The weights of this model; empty if there are none.
    terms : tuple of Term
        Each derived by itself.
    gradients : tuple of str
        Those of F, put together from the terms'.
    """

    objective: str
    constraint: tuple[str, str] | tuple[()]
    meanings: tuple[tuple[str, str], ...]
    values: str
    terms: tuple[Term, ...]
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class _Written:
    """The same before it is set: formulas in LaTeX, a network and a name for each term."""

    objective: str
    terms: tuple[tuple[str, Network], ...]
    gradients: dict[str, str]
    meanings: tuple[tuple[str, str], ...]
    values: dict[str, float]
    constraint: tuple[str, str] | tuple[()] = ()


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
    written = _WRITTEN[type(estimator)](estimator)
    values = r",\quad ".join(f"{name} = {_number(v)}" for name, v in written.values.items())
    constraint = written.constraint
    return Mathematics(
        _mathml(written.objective, "block"),
        (_mathml(constraint[0]), constraint[1]) if constraint else (),
        tuple((_mathml(symbol), words) for symbol, words in written.meanings),
        _mathml(values) if values else "",
        tuple(
            _term(number, name, network, tuple(written.gradients))
            for number, (name, network) in enumerate(written.terms, 1)
        ),
        tuple(_mathml(rf"\nabla_{{{n}}} F = {total}") for n, total in written.gradients.items()),
    )


_MEAN = r"\frac{1}{m}"
_UNIT_LENGTH = (
    "kept by dividing by the lengths within the function: the part of a gradient along its own "
    "vector vanishes, the rest is divided by the length."
)
_PATCHES = (r"x_j", "patch number j of m, a column of x")


def _sparse_coding(estimator: SparseCoding) -> _Written:
    gamma = estimator.gamma_
    terms = [
        (r"\sum_j \| A s_j - x_j \|^2", RECONSTRUCTION),
        (r"\sum_j S(s_j)", estimator.penalty_.network()),
    ]
    decay = [] if gamma is None else [(r"\| A \|^2", WEIGHT_DECAY)]
    added = "" if gamma is None else r" + \gamma F_3"
    return _Written(
        rf"F(A, s) = {_MEAN} (F_1 + \alpha F_2){added}",
        (*terms, *decay),
        {
            "s": rf"{_MEAN} (\nabla_s F_1 + \alpha \nabla_s F_2)",
            "A": rf"{_MEAN} \nabla_A F_1" + ("" if gamma is None else r" + \gamma \nabla_A F_3"),
        },
        (
            _PATCHES,
            (r"A", "the basis, an atom in each column; the features above are its atoms"),
            (r"s_j", "the coefficients of patch j, searched for by turns with A"),
            *_of_penalty(estimator.penalty_),
        ),
        {r"\alpha": estimator.alpha_}
        | _smoothing(estimator)
        | ({} if gamma is None else {r"\gamma": gamma}),
        () if gamma is not None else (r"\| a_r \| = 1", f"for every atom, {_UNIT_LENGTH}"),
    )


def _reconstruction_ica(estimator: ReconstructionICA) -> _Written:
    reconstruction = (r"\sum_j \| W^T W x_j - x_j \|^2", ICA_RECONSTRUCTION)
    of_scale: tuple[tuple[str, str], ...] = ()
    values = {r"\alpha": estimator.alpha_, **_smoothing(estimator)}
    scaled = estimator.decoder_scale_ != 1
    if scaled:
        reconstruction = (r"\sum_j \| c W^T W x_j - x_j \|^2", SCALED_ICA_RECONSTRUCTION)
        k, n = estimator.whitened_components_.shape
        of_scale = (("c", f"{n} / {k}, directions by filters of length one: then c WᵀW can be I"),)
        values["c"] = estimator.decoder_scale_
    unit = scaled or (estimator.unit_norm != "auto" and estimator.unit_norm)
    return _Written(
        rf"F(W) = {_MEAN} (F_1 + \alpha F_2)",
        (reconstruction, (r"\sum_j S(W x_j)", sparsity_network(estimator.penalty_))),
        {"W": rf"{_MEAN} (\nabla_W F_1 + \alpha \nabla_W F_2)"},
        (*_of_filters(estimator), *of_scale, *_of_penalty(estimator.penalty_)),
        values,
        (r"\| w_r \| = 1", f"for every row, {_UNIT_LENGTH}") if unit else (),
    )


def _orthonormal_ica(estimator: OrthonormalICA) -> _Written:
    kept = "kept by L-BFGS among the matrices for which it holds."
    if estimator.solver == "lbfgs":
        kept = "kept by searching for any matrix and taking the orthonormal one nearest to it."
    return _Written(
        rf"F(W) = {_MEAN} F_1",
        ((r"\sum_j S(W x_j)", sparsity_network(estimator.penalty_)),),
        {"W": rf"{_MEAN} \nabla_W F_1"},
        (*_of_filters(estimator), *_of_penalty(estimator.penalty_)),
        _smoothing(estimator),
        (r"W W^T = I", kept),
    )


def _sparse_filtering(estimator: SparseFiltering) -> _Written:
    rounded = (
        "the responses √((Wx)² + ε), a row for each filter; each row is divided by its length, "
        "then each column by its own"
    )
    return _Written(
        rf"F(W) = {_MEAN} F_1",
        ((r"\sum_j \| \hat f_j \|_1", sparse_filtering_network(estimator.epsilon_)),),
        {"W": rf"{_MEAN} \nabla_W F_1"},
        (
            _PATCHES,
            (r"W", "the filters in rows, which are the features above"),
            (r"\hat f", rounded),
        ),
        {r"\epsilon": estimator.epsilon_},
        (r"\| w_r \| = 1", f"for every row, since only lengths beside ε matter; {_UNIT_LENGTH}"),
    )


_WRITTEN: dict[type, Callable[[Any], _Written]] = {
    SparseCoding: _sparse_coding,
    ReconstructionICA: _reconstruction_ica,
    OrthonormalICA: _orthonormal_ica,
    SparseFiltering: _sparse_filtering,
}


def _of_filters(estimator: Any) -> tuple[tuple[str, str], ...]:
    if not estimator.whiten:
        return (_PATCHES, ("W", "the filters in rows; the features above are these"))
    return (
        (r"x_j", "patch number j of m, centered and whitened, a column of x"),
        (
            "W",
            "the filters of white patches in rows (whitened_components_); the features above are "
            "the columns of Wᵀ with the whitening undone",
        ),
    )


def _of_penalty(penalty: Penalty) -> tuple[tuple[str, str], ...]:
    meanings = {
        "V": "adds up the squares in each neighborhood of the map",
        "G": "has the sign of each component on its diagonal",
    }
    return tuple((name, meanings.get(name, "of the penalty")) for name in penalty.variables)


def _smoothing(estimator: Any) -> dict[str, float]:
    penalty = getattr(estimator.penalty_, "penalty", estimator.penalty_)  # within Signed
    values = {r"\epsilon": getattr(penalty, "epsilon", None)}
    sharpness = getattr(penalty, "sharpness", 1.0)
    values["a"] = None if sharpness == 1 else sharpness
    return {name: value for name, value in values.items() if value is not None}


def _term(number: int, name: str, network: Network, free: tuple[str, ...]) -> Term:
    written = derive(network, "latex")
    starts = {rf"\nabla_{{{variable}}} F = " for variable in free}
    wanted = [g for g in written.gradients if any(g.startswith(start) for start in starts)]
    return Term(
        _mathml(rf"F_{number} = {name} = \sum \left[ {written.function} \right]"),
        tuple(map(_mathml, written.header)),
        tuple(tuple(map(_mathml, row)) for row in written.rows),
        tuple(_mathml(equation.replace(" F = ", f" F_{number} = ", 1)) for equation in wanted),
    )


def _mathml(latex: str, display: Any = "inline") -> str:
    return convert(latex, display=display)


def _number(value: float) -> str:
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
