"""The directive ``delta-table``: a derivation, written by the package."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sparsebp.cli.derivations import DERIVATIONS
from sparsebp.network import delta_table


class DeltaTable(SphinxDirective):
    """``{delta-table} NAME``, a name that `sparsebp derive` knows; for pages in Markdown."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table and the gradients below it."""
        name = self.arguments[0]
        if name not in DERIVATIONS:
            raise self.error(f"{name!r} is none of {', '.join(DERIVATIONS)}.")
        lines = delta_table(DERIVATIONS[name][1], "markdown").splitlines()
        container = nodes.container(classes=["delta-table"])
        self.state.nested_parse(StringList(lines, source=name), self.content_offset, container)
        return [container]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("delta-table", DeltaTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
