"""The derivation of a gradient, printed as in the tutorial."""

from __future__ import annotations

from collections.abc import Callable

from sparsebp._checks import check_choice
from sparsebp.network.derivation import Derivation, derive
from sparsebp.network.network import Network
from sparsebp.network.notation import Style


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
        F; a row for each layer, last first: layer, weight, f, f', δ, z; below it the gradient in
        the input and in every other variable, simplified.

    Notes
    -----
    If an activation normalizes rows or columns, J is its Jacobian, a matrix for each. The first
    line is F, where Σ is the sum of all elements. Below the table, Σⱼ is the sum over samples,
    which a bias, `Subtract(name, repeated=True)`, gets. The factor of `Multiply` is a constant.
    ∗ is a `Convolution`; its transpose, and the gradient in its atoms, are correlations, ⋆.

    Raises
    ------
    ValueError
        If the style is unknown, or the network is a simplified one, whose layers are no longer
        the tutorial's.

    Examples
    --------
    >>> from sparsebp.network import Layer, Linear, Parameter, Square
    >>> print(delta_table(Network("s", [Layer(Parameter("A"), Linear()), Layer(None, Square())])))
    F = Σ [(A s)∘(A s)]
    <BLANKLINE>
    layer  weight  f   f'  δ              z
    -----  ------  --  --  -------------  ---
    2      N/A     z²  2z  2z             A s
    1      A       z   1   (Aᵀ δ⁽²⁾) ∘ 1  s
    <BLANKLINE>
    ∇s F = δ⁽¹⁾ = 2 Aᵀ (A s)
    ∇A F = δ⁽²⁾ a⁽¹⁾ᵀ = 2 (A s) sᵀ
    """
    check_choice("style", style, _WRITERS)
    return _WRITERS[style](derive(network, "text" if style == "text" else "latex"))


def _as_text(written: Derivation) -> str:
    table = [written.header, *written.rows]
    widths = [max(len(row[i]) for row in table) for i in range(len(written.header))]
    ruled = [table[0], tuple("-" * w for w in widths), *table[1:]]
    rows = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in ruled]
    return "\n".join([written.value, "", *rows, "", *written.gradients])


def _as_markdown(written: Derivation) -> str:
    names = ["layer", "weight", *(f"${name}$" for name in written.header[2:])]
    rows = [[number, *(f"${cell}$" for cell in cells)] for number, *cells in written.rows]
    table = [f"| {' | '.join(row)} |" for row in [names, *rows]]
    equations = [f"$${equation}$$" for equation in written.gradients]
    ruled = [table[0], "|:-:" * 6 + "|", *table[1:]]
    return "\n".join([f"$${written.value}$$", "", *ruled, "", *equations])


def _as_latex(written: Derivation) -> str:
    head = " & ".join(written.header) + r" \\ \hline"
    rows = [" & ".join(row) + r" \\" for row in written.rows]
    equations = [equation.replace(" = ", " &= ", 1) for equation in written.gradients]
    value = f"\\[ {written.value} \\]"
    table = ["\\[", r"\begin{array}{cccccc}", head, *rows, r"\end{array}", "\\]"]
    align = [r"\begin{align*}", " \\\\\n".join(equations), r"\end{align*}"]
    return "\n".join([value, *table, *align])


_WRITERS: dict[str, Callable[[Derivation], str]] = {
    "text": _as_text,
    "markdown": _as_markdown,
    "latex": _as_latex,
}
