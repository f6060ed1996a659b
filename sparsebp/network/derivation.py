"""A gradient derived on paper: layers, deltas and what follows from them, as formulas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sparsebp._checks import check_choice
from sparsebp.network.activations import Chain
from sparsebp.network.convolution import Convolution
from sparsebp.network.costs import Sum
from sparsebp.network.network import Layer, Network
from sparsebp.network.notation import (
    Expression,
    Style,
    correlation,
    delta,
    hadamard,
    jacobian,
    product,
    sum_over_samples,
    superscript,
    transpose,
)
from sparsebp.network.operations import Subtract
from sparsebp.network.weights import Parameter

_HEADERS = {
    "text": ("layer", "weight", "f", "f'", "δ", "z"),
    "latex": (r"\text{layer}", r"\text{weight}", "f", "f'", r"\delta", "z"),
}


@dataclass(frozen=True)
class _Row:
    """One layer in formulas: z, a, δ by its rule, and δ with everything substituted."""

    number: int
    layer: Layer
    z: Expression
    a: Expression
    rule: Expression
    delta: Expression


@dataclass(frozen=True)
class Derivation:
    """The formulas of a network's function and gradients, as separate parts for typesetting.

    Attributes
    ----------
    function : str
        What is summed over units and samples, such as ``(A s − x)∘(A s − x)``.
    value : str
        F itself: an equation with this sum.
    header : tuple of str
        Names of the columns: layer, weight, f, f', δ, z.
    rows : tuple of tuple of str
        A row for each layer, last first.
    gradients : tuple of str
        An equation for the input and for every other variable, with numeric factors collected in
        front. Σⱼ is a sum over samples, which are columns.
    """

    function: str
    value: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    gradients: tuple[str, ...]


def derive(network: Network, style: Literal["text", "latex"] = "text") -> Derivation:
    r"""Return the formulas of a network's function, layers, deltas and gradients.

    Parameters
    ----------
    network : Network
        A network in its literal layers, one activation in each.
    style : {"text", "latex"}
        How formulas are written.

    Returns
    -------
    derivation : Derivation
        The pieces that `delta_table` makes a table of.

    Raises
    ------
    ValueError
        As for `delta_table`.

    Examples
    --------
    >>> from sparsebp.network import Linear, Square
    >>> network = Network("s", [Layer(Parameter("A"), Linear()), Layer(None, Square())])
    >>> written = derive(network, "latex")
    >>> written.function, written.gradients[0]
    ('(A s) \\circ (A s)', '\\nabla_{s} F = \\delta^{(1)} = 2 A^T (A s)')
    """
    check_choice("style", style, _HEADERS)
    chained = any(isinstance(layer.activation, Chain) for layer in network.layers)
    if chained or not isinstance(network.cost, Sum):
        raise ValueError("This network was simplified; give the literal one it was made from.")
    rows = _rows(network, style)
    minus = "-" if style == "latex" else "−"
    cells = tuple(
        tuple(cell.replace("−", minus) for cell in _cells(row, style)) for row in reversed(rows)
    )
    equations = (" = ".join(dict.fromkeys(line)) for line in _lines(rows, style))
    gradients = tuple(equation.replace("−", minus) for equation in equations)
    function, value = (text.replace("−", minus) for text in _value(rows[-1].a, style))
    return Derivation(function, value, _HEADERS[style], cells, gradients)


def _value(summand: Expression, style: Style) -> tuple[str, str]:
    """Write what is summed, and F as its sum."""
    sign = r"F = \sum " if style == "latex" else "F = Σ "
    return summand.text, sign + (summand.text if summand.binding > 1 else f"[{summand.text}]")


def _rows(network: Network, style: Style) -> list[_Row]:
    z = Expression(network.input)
    forward = []
    for layer in network.layers:
        a = layer.activation.formula.of(z, style)
        forward.append((layer, z, a))
        z = product(_symbol(layer.weight, style), a) if not layer.is_unweighted else a
    rows: list[_Row] = []
    for number in range(len(forward), 0, -1):
        layer, z, a = forward[number - 1]
        slope = layer.activation.formula.slope(z, style)
        above = rows[-1] if rows else None
        rows.append(_Row(number, layer, z, a, *_deltas(layer, number, slope, above, style)))
    return rows[::-1]


def _deltas(
    layer: Layer, number: int, slope: Expression, above: _Row | None, style: Style
) -> tuple[Expression, Expression]:
    """Write δ of a layer by the recursion, and with everything substituted."""
    matrix = jacobian(number, style) if layer.activation.formula.jacobian else None
    if above is None and matrix is not None:
        return product(matrix, Expression("1")), product(matrix, Expression("1"))
    if above is None:
        return layer.activation.formula.slope(_unit(style), style).written(style), slope
    back = _transposed(layer.weight, style)
    behind = Expression(f"({product(back, delta(number + 1, style)).text})")
    untransposed = _symbol(layer.weight.T, style) if isinstance(layer.weight, Parameter) else None
    through = above.delta if untransposed is None else product(untransposed, above.delta)
    if matrix is not None:
        return product(matrix, behind), product(matrix, through)
    rule = hadamard(behind, slope.written(style), style)
    return rule, through if slope.text == "1" else hadamard(through, slope, style)


def _cells(row: _Row, style: Style) -> tuple[str, ...]:
    formula = row.layer.activation.formula
    weight = "N/A" if row.layer.weight is None else _symbol(row.layer.weight, style).text
    if style == "latex":
        weight = weight.replace("N/A", r"\text{N/A}")
    slope = formula.slope(_unit(style), style).written(style).text
    if formula.jacobian:
        slope = f"{jacobian(row.number, style).text} = {slope}"
    return (str(row.number), weight, formula.shown(style), slope, row.rule.text, row.z.text)


def _lines(rows: list[_Row], style: Style) -> list[tuple[str, str, str]]:
    """For each variable: its gradient's name, its rule, and the rule with all substituted."""
    parts: dict[str, list[tuple[str, Expression, Expression]]] = {
        rows[0].z.text: [("+", delta(1, style), rows[0].delta)]
    }
    for row in rows:
        if isinstance(row.layer.activation, Subtract):
            part = ("−", *_subtrahend_gradient(row, row.layer.activation, style))
            parts.setdefault(row.layer.activation.name, []).append(part)
        if isinstance(row.layer.weight, Parameter):
            above = rows[row.number]
            part = ("+", *_weight_gradient(row, above, style))
            parts.setdefault(row.layer.weight.name, []).append(part)
    nabla = r"\nabla_{{{}}} F" if style == "latex" else "∇{} F"
    return [
        (
            nabla.format(name),
            _signed([(sign, rule) for sign, rule, _ in p]),
            _signed([(sign, full.written(style)) for sign, _, full in p]),
        )
        for name, p in parts.items()
    ]


def _subtrahend_gradient(
    row: _Row, activation: Subtract, style: Style
) -> tuple[Expression, Expression]:
    pair = delta(row.number, style), row.delta
    if not activation.repeated:
        return pair
    rule, full = (sum_over_samples(e, style) for e in pair)
    return rule, full


def _weight_gradient(row: _Row, above: _Row, style: Style) -> tuple[Expression, Expression]:
    a = Expression(f"a^{{({row.number})}}" if style == "latex" else f"a⁽{superscript(row.number)}⁾")
    pairs = ((delta(above.number, style), a), (above.delta, row.a))
    weight = row.layer.weight
    transposed = isinstance(weight, Parameter) and weight.transposed
    if isinstance(weight, Convolution):
        pairs = tuple((right, left) for left, right in pairs) if transposed else pairs
        rule, full = (correlation(image, maps, style) for image, maps in pairs)
    elif transposed:
        rule, full = (product(right, transpose(left, style)) for left, right in pairs)
    else:
        rule, full = (product(left, transpose(right, style)) for left, right in pairs)
    return rule, full


def _signed(terms: list[tuple[str, Expression]]) -> str:
    if len(terms) == 1 and terms[0][0] == "+":
        return terms[0][1].text
    text = " ".join(f"{sign} {e.bracketed(2)}" for sign, e in terms)
    return text.removeprefix("+ ").replace("− ", "−", 1) if text[0] == "−" else text[2:]


def _unit(style: Style) -> Expression:
    """Write the input of one unit of a layer."""
    return Expression("z_i" if style == "latex" else "z")


def _symbol(weight: object, style: Style) -> Expression:
    return Expression(getattr(weight, "latex" if style == "latex" else "symbol"))


def _transposed(weight: object, style: Style) -> Expression:
    """Write a weight's transpose: that of a convolution has a sign of its own."""
    if isinstance(weight, Convolution):
        return _symbol(weight.T, style)
    return transpose(_symbol(weight, style), style)
