"""The directive ``network-diagram``: a network drawn from its layers, in the page's text color."""

from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sparsebp.cli.derivations import DERIVATIONS
from sparsebp.network import Network

#: Pixels: between layers, between units, radius of a unit, and position of the first unit.
STEP, ROW, RADIUS, LEFT, TOP = 125, 34, 10, 62, 62
N_UNITS = 3


def drawn(network: Network) -> str:
    """Return a network as SVG: units in columns, weights between them, the sum at the end.

    Parameters
    ----------
    network : Network
        In its literal layers.

    Returns
    -------
    svg : str
        Lines and text are ``currentColor``, so that it can be read on light and dark pages.
    """
    rows = [TOP + ROW * i for i in range(N_UNITS)]
    middle, bottom = rows[N_UNITS // 2], rows[-1]
    parts = [_text(LEFT - 40, middle + 5, network.input, "variable")]
    for number, layer in enumerate(network.layers, 1):
        x = LEFT + STEP * (number - 1)
        parts += [_line(x - 30, y, x - RADIUS, y) for y in rows if number == 1]
        parts += [f'<circle cx="{x}" cy="{y}" r="{RADIUS}"/>' for y in rows]
        parts.append(_text(x, TOP - 22, layer.activation.formula.value, "activation"))
        parts.append(_text(x, bottom + 36, f"layer {number}", "number"))
        after = x + STEP
        if layer.weight is None:
            parts += [_line(x + RADIUS, y, after - 14 - STEP // 3, middle) for y in rows]
            continue
        straight = layer.is_unweighted
        pairs = [(a, b) for a in rows for b in rows if a == b or not straight]
        parts += [_line(x + RADIUS, a, after - RADIUS, b) for a, b in pairs]
        parts.append(_text(x + STEP // 2, TOP - 22, layer.weight.symbol, "weight"))
    end = LEFT + STEP * len(network.layers) - STEP // 3
    parts += [_text(end, middle + 6, "Σ", "sum"), _line(end + 12, middle, end + 30, middle)]
    parts.append(_text(end + 42, middle + 5, "F", "variable"))
    width, height = end + 60, bottom + 48
    return (
        f'<svg class="network" role="img" aria-label="{_described(network)}" '
        f'viewBox="0 0 {width} {height}" width="{width}">{"".join(parts)}</svg>'
    )


def _line(x1: int, y1: int, x2: int, y2: int) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def _text(x: int, y: int, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


def _described(network: Network) -> str:
    layers = [
        f"layer {number}: f(z) = {layer.activation.formula.value}"
        + ("" if layer.weight is None else f", weight {layer.weight.symbol}")
        for number, layer in enumerate(network.layers, 1)
    ]
    return escape(f"Network with input {network.input}; {'; '.join(layers)}; sum F")


class NetworkDiagram(SphinxDirective):
    """``{network-diagram} NAME``, a name that `sparsebp derive` lists."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the drawing, for HTML."""
        name = self.arguments[0]
        if name not in DERIVATIONS:
            raise self.error(f"{name!r} is none of {', '.join(DERIVATIONS)}.")
        svg = drawn(DERIVATIONS[name][1])
        return [nodes.raw("", f'<div class="network" tabindex="0">{svg}</div>', format="html")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("network-diagram", NetworkDiagram)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
