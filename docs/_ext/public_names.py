"""What the API reference lists, and how plain docstrings are converted for Sphinx."""

from __future__ import annotations

import inspect
import re
import sys
from importlib import import_module
from typing import Any

from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer

MODULES = ("preprocessing", "datasets", "displays", "images", "metrics", "callbacks")
MODULES += ("penalties", "network", "problems", "minimizers", "coding", "samples", "recipe")
MODULES = ("sparsebp", *(f"sparsebp.{name}" for name in MODULES))


def constants(module: str) -> dict[str, str]:
    """Return name → the comment ``#:`` above it, for public constants."""
    found = {}
    for name in import_module(module).__all__:
        value = getattr(sys.modules[module], name)
        if not (inspect.isclass(value) or inspect.isroutine(value) or inspect.ismodule(value)):
            found[name] = _comment(module, name)
    return found


def _comment(package: str, name: str) -> str:
    for module in list(sys.modules):
        if module.startswith(package):
            comments = ModuleAnalyzer.for_module(module).find_attr_docs()
            if ("", name) in comments:
                return " ".join(comments["", name]).strip()
    raise ValueError(f"{package}.{name} has no comment '#:' above it; write one.")


def skip_inherited(
    app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Any
) -> bool | None:
    """Skip members that classes inherit from scikit-learn and Python; they are documented there."""
    function = getattr(member, "fget", member)
    own = (getattr(function, "__module__", None) or "").startswith("sparsebp")
    return None if own else True


def escape_marks(
    app: Sphinx, what: str, name: str, member: Any, options: Any, lines: list[str]
) -> None:
    """Escape bars and trailing underscores, so that |s| is an absolute value."""
    in_doctest = False
    for i, line in enumerate(lines):
        in_doctest = bool(line.strip()) and (in_doctest or line.lstrip().startswith(">>>"))
        if not in_doctest:
            parts = re.split(r"(``.+?``|`.+?`)", line)
            parts[::2] = [re.sub(r"(?<=\w)_(?=\W|$)|\|", r"\\\g<0>", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Give autosummary the constants, and autodoc the members to skip."""
    app.config.autosummary_context = {"constants": {name: constants(name) for name in MODULES}}
    app.connect("autodoc-skip-member", skip_inherited)
    app.connect("autodoc-process-docstring", escape_marks, priority=600)  # after numpydoc
    return {"parallel_read_safe": True, "parallel_write_safe": True}
