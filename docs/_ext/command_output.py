"""The directive ``command-output``: the output of a command, run while the pages are built."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[2]


class CommandOutput(SphinxDirective):
    """``{command-output} ARGUMENTS`` of `sparsebp`; if the command fails, so does the build."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Return the command behind a prompt, and its output."""
        arguments = self.arguments[0].split()
        plain = {"COLUMNS": "80", "TERMINAL_WIDTH": "80", "NO_COLOR": "1", "TERM": "dumb"}
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "sparsebp", *arguments],
                capture_output=True,
                text=True,
                encoding="utf-8",
                cwd=folder,
                env={**os.environ, **plain, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
            )
        if done.returncode:
            raise self.error(f"sparsebp {self.arguments[0]} says: {done.stderr}")
        lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
        text = "\n".join([f"$ sparsebp {self.arguments[0]}", *lines])
        return [nodes.literal_block(text, text, language="console")]


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("command-output", CommandOutput)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
