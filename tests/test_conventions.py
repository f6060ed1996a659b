"""Files and functions that stay small enough to read, and plain words."""

import ast
import re
from pathlib import Path

import pytest

import sparsebp

PACKAGE = Path(sparsebp.__file__).parent
COMMAND_LINE = PACKAGE / "cli"
#: Phrases that codespell, which reads single words, cannot find → what to write.
PLAIN = {
    r"times sooner|twice as soon": "times faster",
    r"turned over": "transposed",
    r"begins? anew|begun anew": "restart",
    r"neighbourhoods?|mid-grey|reparametrisations?": "American spelling",
    r"that nothing uses": "unused",
    r"for ever|run off": "unbounded, forever",
    r"full rank where|has not full rank": "rank-deficient",
    r"the limit first": "hit the limit",
    r"least subgradient": "minimum-norm subgradient",
    r"everybody|anybody|nobody": "all methods, any user",
    r"not well": "wrong",
    r"passed over": "skipped",
    r"not learned from": "held-out",
    r"by turns|turn by turn": "alternately, by iteration",
    r"stands? beside": "next to, in addition to",
    r"held against": "compared with",
    r"next to nothing": "almost nothing",
    r"of length one": "unit-norm",
    r"and KeyboardInterrupt goes on": "is re-raised",
}


def test_the_citation_names_the_version():
    text = (PACKAGE.parent / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {sparsebp.__version__}\n" in text


@pytest.fixture(scope="module")
def texts():
    return {path: path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.fixture(scope="module")
def trees(texts):
    return {path: list(ast.walk(ast.parse(text))) for path, text in texts.items()}


def length(node):
    doc = node.body[0] if ast.get_docstring(node) else None
    return node.end_lineno - node.lineno + 1 - (doc.end_lineno - doc.lineno + 1 if doc else 0)


def test_files_and_functions_are_short(texts, trees):
    assert not {path: lines for path, text in texts.items() if (lines := text.count("\n")) > 350}
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    long = [
        f"{node.name} in {path} has {length(node)} lines"
        for path, nodes in trees.items()
        for node in nodes
        if isinstance(node, functions) and length(node) > 50
    ]
    assert not long


def test_only_the_command_line_and_verbose_print(trees):
    printing = {
        path
        for path, nodes in trees.items()
        for node in nodes
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    }
    assert not [p for p in printing if COMMAND_LINE not in p.parents and p.stem != "_callbacks"]


def test_what_is_loaded_lazily_is_imported_from_where_it_is(trees):
    """Through sparsebp itself, the import rules would not see it."""
    modules = {path.stem for path in PACKAGE.iterdir()} | {"__version__"}
    elsewhere = [
        f"{path} imports {alias.name}"
        for path, nodes in trees.items()
        if COMMAND_LINE not in path.parents
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "sparsebp"
        for alias in node.names
        if alias.name not in modules
    ]
    assert not elsewhere


def test_words_are_plain():
    root = Path(__file__).parents[1]
    files = [*root.glob("*.md"), *(root / "docs").glob("**/*.md")]
    for folder in ("examples", "sparsebp", "scripts", "benchmarks"):
        files += (root / folder).rglob("*.py")
    odd = re.compile(rf"\b({'|'.join(PLAIN)})\b", re.IGNORECASE)
    found = {
        f"{path.relative_to(root)}: {phrase}"
        for path in files
        for phrase in odd.findall(re.sub(r"[\s#]+", " ", path.read_text(encoding="utf-8")))
    }
    assert not found


def test_the_architecture_names_every_module():
    tree = (PACKAGE.parent / "ARCHITECTURE.md").read_text("utf-8").split("```")[1]
    modules = [path for path in PACKAGE.iterdir() if (path / "__init__.py").exists()]
    modules += [path for path in PACKAGE.glob("*.py") if "__" not in path.name]
    missing = [path.name for path in modules if f"  {path.name}" not in tree]
    assert not missing
