"""The derivation of a gradient, printed as the tutorial prints it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sparsebp.network.activations import Chain
from sparsebp.network.costs import Sum
from sparsebp.network.network import Layer, Network
from sparsebp.network.notation import (
    Expression,
    Style,
    delta,
    hadamard,
    jacobian,
    product,
    superscript,
    transpose,
)
from sparsebp.network.operations import Subtract
from sparsebp.network.weights import Parameter


@dataclass(frozen=True)
class _Row:
    """One layer, written out: z, a, f'(z), δ by its rule, and δ with everything put in."""

    number: int
    layer: Layer
    z: Expression
    a: Expression
    slope: Expression
    rule: Expression
    delta: Expression


def delta_table(network: Network, style: Style = "text") -> str:
    """Write out a network's layers, its deltas and the gradients that follow from them.

    Parameters
    ----------
    network : Network
        A network in its literal layers, one activation in each.
    style : {"text", "markdown", "latex"}
        What to write. Markdown and LaTeX use LaTeX mathematics.

    Returns
    -------
    table : str
        A row for each layer, last first: layer, weight, f, f', δ, z; below it the gradient in the
        input and in every other variable.

    Notes
    -----
    Where an activation normalizes rows or columns, J stands for its derivative, a matrix for each.
    A subtrahend that has one column for all samples, as a bias has, gets the sum of its −δ over the
    samples; the table shows the δ. What `Multiply` multiplies by is taken as given.

    Raises
    ------
    ValueError
        If the style is unknown, or the network is a simplified one, whose layers are no longer
        the tutorial's.

    Examples
    --------
    >>> from sparsebp.network import Identity, Linear, Square
    >>> print(delta_table(Network("s", [Layer(Parameter("A"), Linear()), Layer(None, Square())])))
    layer  weight  f   f'  δ              z
    -----  ------  --  --  -------------  ---
    2      N/A     z²  2z  2z             A s
    1      A       z   1   (Aᵀ δ⁽²⁾) ∘ 1  s
    <BLANKLINE>
    ∇s F = δ⁽¹⁾ = Aᵀ 2(A s)
    ∇A F = δ⁽²⁾ a⁽¹⁾ᵀ = 2(A s) sᵀ
    """
    if style not in _WRITERS:
        raise ValueError(f"style is {style!r}; it must be one of {', '.join(_WRITERS)}.")
    chained = any(isinstance(layer.activation, Chain) for layer in network.layers)
    if chained or not isinstance(network.cost, Sum):
        raise ValueError("This network was simplified; give the literal one it was made from.")
    inner: Style = "text" if style == "text" else "latex"
    rows = _rows(network, inner)
    return _WRITERS[style]([_cells(row, inner) for row in reversed(rows)], _lines(rows, inner))


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
        rows.append(_Row(number, layer, z, a, slope, *_deltas(layer, number, slope, above, style)))
    return rows[::-1]


def _deltas(
    layer: Layer, number: int, slope: Expression, above: _Row | None, style: Style
) -> tuple[Expression, Expression]:
    """Write δ of a layer as the recursion says it, and with everything put in."""
    matrix = jacobian(number, style) if layer.activation.formula.jacobian else None
    if above is None and matrix is not None:
        return product(matrix, Expression("1")), product(matrix, Expression("1"))
    if above is None:
        return layer.activation.formula.slope(_unit(style), style), slope
    back = transpose(_symbol(layer.weight, style), style)
    behind = Expression(f"({product(back, delta(number + 1, style)).text})")
    untransposed = _symbol(layer.weight.T, style) if isinstance(layer.weight, Parameter) else None
    through = above.delta if untransposed is None else product(untransposed, above.delta)
    if matrix is not None:
        return product(matrix, behind), product(matrix, through)
    rule = hadamard(behind, slope, style)
    return rule, through if slope.text == "1" else hadamard(through, slope, style)


def _cells(row: _Row, style: Style) -> tuple[str, ...]:
    formula = row.layer.activation.formula
    weight = "N/A" if row.layer.weight is None else _symbol(row.layer.weight, style).text
    if style == "latex":
        weight = weight.replace("N/A", r"\text{N/A}")
    slope = formula.slope(_unit(style), style).text
    if formula.jacobian:
        slope = f"{jacobian(row.number, style).text} = {slope}"
    return (str(row.number), weight, formula.shown(style), slope, row.rule.text, row.z.text)


def _lines(rows: list[_Row], style: Style) -> list[tuple[str, str, str]]:
    """For each variable: its gradient's name, its rule, and the rule with everything put in."""
    parts: dict[str, list[tuple[str, Expression, Expression]]] = {
        rows[0].z.text: [("+", delta(1, style), rows[0].delta)]
    }
    for row in rows:
        if isinstance(row.layer.activation, Subtract):
            name = row.layer.activation.name
            parts.setdefault(name, []).append(("−", delta(row.number, style), row.delta))
        if isinstance(row.layer.weight, Parameter):
            above = rows[row.number]
            part = ("+", *_weight_gradient(row, above, style))
            parts.setdefault(row.layer.weight.name, []).append(part)
    nabla = r"\nabla_{{{}}} F" if style == "latex" else "∇{} F"
    return [
        (nabla.format(name), _signed([(s, r) for s, r, _ in p]), _signed([(s, e) for s, _, e in p]))
        for name, p in parts.items()
    ]


def _weight_gradient(row: _Row, above: _Row, style: Style) -> tuple[Expression, Expression]:
    a = Expression(f"a^{{({row.number})}}" if style == "latex" else f"a⁽{superscript(row.number)}⁾")
    pairs = ((delta(above.number, style), a), (above.delta, row.a))
    if isinstance(row.layer.weight, Parameter) and row.layer.weight.transposed:
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


_HEADERS = ("layer", "weight", "f", "f'", "δ", "z")


def _as_text(cells: list[tuple[str, ...]], lines: list[tuple[str, str, str]]) -> str:
    table = [_HEADERS, *cells]
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEADERS))]
    ruled = [table[0], tuple("-" * w for w in widths), *table[1:]]
    rows = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in ruled]
    return "\n".join([*rows, "", *_equations(lines)])


def _equations(lines: list[tuple[str, str, str]]) -> list[str]:
    return [" = ".join(dict.fromkeys(line)) for line in lines]


def _as_markdown(cells: list[tuple[str, ...]], lines: list[tuple[str, str, str]]) -> str:
    header = ["| layer | weight | $f$ | $f'$ | $\\delta$ | $z$ |", "|:-:" * 6 + "|"]
    rows = ["| " + " | ".join([c[0], *(f"${x}$" for x in c[1:])]) + " |" for c in cells]
    equations = [f"$${_minus(e)}$$" for e in _equations(lines)]
    return "\n".join([*header, *map(_minus, rows), "", *equations])


def _as_latex(cells: list[tuple[str, ...]], lines: list[tuple[str, str, str]]) -> str:
    head = r"\text{layer} & \text{weight} & f & f' & \delta & z \\ \hline"
    rows = [" & ".join(c) + r" \\" for c in cells]
    equations = [" = ".join(dict.fromkeys(line)).replace(" = ", " &= ", 1) for line in lines]
    table = ["\\[", r"\begin{array}{cccccc}", head, *rows, r"\end{array}", "\\]"]
    align = [r"\begin{align*}", " \\\\\n".join(equations), r"\end{align*}"]
    return _minus("\n".join([*table, *align]))


def _minus(text: str) -> str:
    return text.replace("−", "-")


_WRITERS: dict[str, Callable[[list[tuple[str, ...]], list[tuple[str, str, str]]], str]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "latex": _as_latex,
}
