"""The page of the documentation that tells what was found."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from validation.finding import EXCEEDED, REFUSED, REPRODUCED, Finding, spread
from validation.results import Results
from validation.table import Row

_Row = TypeVar("_Row")
#: Published findings, in the order of the page; the modules have the same names, with underscores.
PUBLISHED = (
    "olshausen-field",
    "topographic-maps",
    "receptive-fields",
    "digits",
    "ksvd",
    "denoising",
    "beyond-l1",
    "superposition",
)
#: Subjects with goals, likewise.
GOALS = ("components", "exercises", "restoration", "overcomplete", "gabor", "online")
#: Folder of results and pictures, beside the page.
FOLDER = "validation"
_HEAD = """\
<!-- Made by scripts/validate.py from the results in docs/validation; change those, not this. -->

# Validation

Does the package find what the field has published? Each section measures a published finding with
this package and, in the same run on the same samples, with others, and gives a verdict:

- **reproduced**: the median of our figures is in the range that the table states;
- **exceeded**: it is beyond that range on the better side;
- **refused**: it is not, with our data and settings, and the remark below the table says why.

Figures are medians over seeds or images; the smallest, the largest and their number stand in
parentheses. A figure without them is a single one. A published figure marked *recalled* could not
be looked up when the page was made. Most ranges are the published figure and its spread; some were
chosen when first figures of ours were known. The methods in the column *others* are `FastICA`,
`PCA` and `MiniBatchDictionaryLearning` of scikit-learn, SPAMS, and K-SVD, written after its papers.

The data sets are public; `data/README.md` says where they come from. With them in a folder,
`python scripts/validate.py --data FOLDER --out docs` measures everything and makes this page; with
`--only NAME` the other sections keep their results. Each section says how long it took.
"""

_TOY = "**A test at toy size: its figures and verdicts mean nothing.**\n"


class _Text(NamedTuple):
    title: str
    body: str
    caption: str
    data: str


def module_of(name: str) -> str:
    """Return the name of the module that measures a subject."""
    folder = "validation.published" if name in PUBLISHED else "validation"
    return f"{folder}.{name.replace('-', '_')}"


def rendered(folder: Path, *, toy: bool = False) -> str:
    """Return the page in Markdown.

    Parameters
    ----------
    folder : Path
        Where results are, in files named as the subjects; one without results is left out.
    toy : bool
        Whether they are of a test at toy size, which the page then says.
    """
    found = _found(folder, PUBLISHED, Finding)
    parts = [_HEAD, *([_TOY] if toy else []), *_summary(found)]
    for name, results in found.items():
        parts += _section(name, results, folder, toy=toy)
    parts += _goals(_found(folder, GOALS, Row))
    return "\n".join(parts) + "\n"


def _found(folder: Path, names: Iterable[str], kind: type[_Row]) -> dict[str, Results[_Row]]:
    paths = {name: folder / f"{name}.json" for name in names}
    return {name: Results.read(path, kind) for name, path in paths.items() if path.exists()}


def _summary(found: Mapping[str, Results[Finding]]) -> Iterator[str]:
    yield _line("finding", REPRODUCED, EXCEEDED, REFUSED, "of them against recalled figures")
    yield _line("---", *(["---:"] * 4))
    for name, results in found.items():
        verdicts = [row.verdict for row in results.rows]
        counts = [verdicts.count(verdict) for verdict in (REPRODUCED, EXCEEDED, REFUSED)]
        counts.append(sum(row.recalled for row in results.rows))
        title = _text(name).title
        yield _line(f"[{title}](#{_anchor(title)})", *(str(count or "") for count in counts))
    yield ""


def _section(name: str, results: Results[Finding], folder: Path, *, toy: bool) -> Iterator[str]:
    text = _text(name)
    yield from (f"## {text.title}", "", text.body, "")
    yield _line(
        "measured", "published", "ours", "others, in the same run", "reproduced if", "verdict"
    )
    yield _line(*(["---"] * 6))
    for row in results.rows:
        source = f"{row.published} *(recalled)*" if row.recalled else row.published
        verdict = f"**{row.verdict}**"
        yield _line(row.what, source, spread(row.ours), row.peers, row.range, verdict)
    yield ""
    remarks = [] if toy else [row.remark for row in results.rows if row.remark]
    for remark in dict.fromkeys(remarks):
        about = "; ".join(f"*{row.what}*" for row in results.rows if row.remark == remark)
        yield from (f"- {about}: {remark}", "")
    if (folder / f"{name}.png").exists():
        yield from (f"![{text.caption}]({FOLDER}/{name}.png)", "", f"*{text.caption}.*", "")
    yield from (_origin(results, name), "")


def _goals(found: Mapping[str, Results[Row]]) -> Iterator[str]:
    if not found:
        return
    yield from ("## Goals of the package", "")
    yield "What the package must reach; figures without a goal, such as peers', are for comparison."
    for name, results in found.items():
        yield from ("", f"### {_text(name).title}", "")
        yield _line("measured", "goal", "figure", "verdict", "note")
        yield _line("---", "---", "---:", "---", "---")
        for row in results.rows:
            met = {None: "", True: "met", False: "**missed**"}[row.met]
            yield _line(row.what, row.goal, f"{row.figure:.4g}", met, row.note)
        yield from ("", _origin(results, name))


def _origin(results: Results[Any], name: str) -> str:
    versions = ", ".join(f"{package} {number}" for package, number in results.versions.items())
    data = " --data FOLDER" if _text(name).data else ""
    return (
        f"Measured on {results.date} by `python scripts/validate.py --only {name}{data}`, in "
        f"{results.minutes:g} minutes, with Python {results.python}, {versions}."
    )


def _text(name: str) -> _Text:
    """Return what a subject's module says about itself, without importing it."""
    path = Path(__file__).parents[1] / f"{module_of(name).replace('.', '/')}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"))
    title, _, body = (ast.get_docstring(tree) or "").partition("\n")
    constants = {
        ast.unparse(node.targets[0]): ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("PICTURE", "DATA")
    }
    return _Text(
        title.rstrip("."), body.strip(), constants.get("PICTURE", ""), constants.get("DATA", "")
    )


def _anchor(title: str) -> str:
    """Return the name of a heading, as MyST and GitHub form it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _line(*cells: str) -> str:
    return f"| {' | '.join(_plain(cells))} |"


def _plain(cells: Iterable[str]) -> Iterator[str]:
    return (cell.replace("|", "\\|") for cell in cells)
