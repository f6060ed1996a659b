"""The objective of a fitted estimator and its derivation, as MathML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from latex2mathml.converter import convert

from sparsebp.network import derive
from sparsebp.problems import Part, Problem


@dataclass(frozen=True)
class Term:
    """One network of an objective in MathML: name and formula, delta table, and gradients."""

    formula: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    gradients: tuple[str, ...]


@dataclass(frozen=True)
class Mathematics:
    """The objective in MathML, with explanations.

    The objective is a sum of its terms, each of which is derived by itself; the gradients are those
    of F. `constraint` says how it is enforced, `meanings` explains the symbols, `values` has the
    weights of this model.
    """

    objective: str
    constraint: tuple[str, str] | tuple[()]
    meanings: tuple[tuple[str, str], ...]
    values: str
    terms: tuple[Term, ...]
    gradients: tuple[str, ...]


def mathematics(estimator: Any) -> Mathematics:
    """Return the formulas of a fitted estimator's objective, from its ``problem_``."""
    problem = estimator.problem_
    values = r",\quad ".join(f"{name} = {_number(v)}" for name, v in problem.values.items())
    return Mathematics(
        _mathml(f"F({', '.join(problem.free)}) = {_summed(problem, 'F')}", "block"),
        _constraint(problem, estimator),
        tuple((_mathml(symbol), words) for symbol, words in _meanings(problem, estimator).items()),
        _mathml(values) if values else "",
        tuple(_term(number, part, problem.free) for number, part in enumerate(problem.parts, 1)),
        tuple(_mathml(_gradient(problem, free)) for free in problem.free),
    )


def _summed(problem: Problem, name: str, free: str | None = None) -> str:
    """Return the weighted sum of the terms, or of those with a free matrix, in LaTeX."""
    means, others = [], []
    for number, part in enumerate(problem.parts, 1):
        if free is None or free in part.network.names:
            (means if part.is_mean else others).append(f"{part.symbol} {name}_{number}".strip())
    mean = means[0] if len(means) == 1 else f"({' + '.join(means)})"
    return " + ".join([rf"\frac{{1}}{{m}} {mean}", *others])


def _gradient(problem: Problem, free: str) -> str:
    nabla = rf"\nabla_{{{free}}} F"
    return f"{nabla} = {_summed(problem, nabla, free)}"


def _constraint(problem: Problem, estimator: Any) -> tuple[str, str] | tuple[()]:
    if problem.constraint is None:
        return ()
    words = problem.constraint.words
    if getattr(estimator, "solver", None) == "manifold":
        words = "enforced by steps on the manifold of orthonormal matrices."
    return _mathml(problem.constraint.formula), words


def _meanings(problem: Problem, estimator: Any) -> dict[str, str]:
    meanings = dict(problem.meanings)
    if getattr(estimator, "whitening_", None) is not None:
        meanings["x_j"] += ", centered and whitened"
        meanings["W"] += (
            " of white samples (whitened_components_); the features are the columns of Wᵀ with "
            "the whitening inverted"
        )
    return meanings


def _term(number: int, part: Part, free: tuple[str, ...]) -> Term:
    written = derive(part.network, "latex")
    starts = {rf"\nabla_{{{variable}}} F = " for variable in free}
    wanted = [g for g in written.gradients if any(g.startswith(start) for start in starts)]
    return Term(
        _mathml(rf"F_{number} = {part.formula} = \sum \left[ {written.function} \right]"),
        tuple(map(_mathml, written.header)),
        tuple(tuple(map(_mathml, row)) for row in written.rows),
        tuple(_mathml(equation.replace(" F = ", f" F_{number} = ", 1)) for equation in wanted),
    )


def _mathml(latex: str, display: Any = "inline") -> str:
    return convert(latex, display=display)


def _number(value: float) -> str:
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
