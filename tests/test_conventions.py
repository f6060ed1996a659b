"""Files and functions that stay small enough to read."""

import ast
from pathlib import Path

import pytest

import sparsebp

FILES = sorted(Path(sparsebp.__file__).parent.rglob("*.py"))


def length(node):
    doc = node.body[0] if ast.get_docstring(node) else None
    return node.end_lineno - node.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_files_and_functions_are_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 350
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, functions):
            assert length(node) <= 50, f"{node.name} has {length(node)} lines"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_only_the_command_line_and_verbose_print(path):
    if "cli" not in path.parts and path.stem != "_callbacks":
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        assert not [c for c in calls if getattr(c.func, "id", "") == "print"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_is_loaded_lazily_is_imported_from_where_it_is(path):
    """Through sparsebp itself, the import rules would not see it."""
    if "cli" in path.parts:
        return
    modules = {p.stem for p in Path(sparsebp.__file__).parent.iterdir()}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sparsebp":
            assert {alias.name for alias in node.names} <= modules | {"__version__"}
