"""The Python in README.md and on the documentation's pages runs, a page from top to bottom."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
#: The README shows work at its real size, which tests cannot wait for.
SMALLER = {"20_000": "1_001", "random_state=0).fit": "max_iter=1).fit"}
FAST = {"README.md"}


def blocks(page):
    """The Python blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, flags=re.S | re.M)


def cases():
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        if blocks(page):
            marks = () if name in FAST else pytest.mark.slow
            yield pytest.param(page, id=name, marks=marks)


@pytest.mark.filterwarnings(
    "ignore:ReconstructionICA stopped after 5 iterations"
)  # as scale.md says
@pytest.mark.parametrize("page", list(cases()))
def test_the_pages_python_runs(page, tmp_path, monkeypatch):
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks(page):
        for real, small in SMALLER.items() if page.name == "README.md" else ():
            block = block.replace(real, small)
        exec(compile(block, page.name, "exec"), names)
    plt.close("all")


def test_there_are_blocks():
    assert blocks(ROOT / "README.md")
    assert sum(len(blocks(page)) for page in PAGES) > 5


def test_the_reference_lists_every_public_module():
    """Those left out are reached through another: the estimators through sparsebp itself."""
    folder = ROOT / "sparsebp"
    modules = {
        p.stem for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    public = {f"sparsebp.{name}" for name in modules if not name.startswith("_")}
    listed = re.findall(r"^   (sparsebp[\w.]*)$", (ROOT / "docs" / "api.rst").read_text(), re.M)
    assert set(listed) - {"sparsebp"} == public - {
        "sparsebp.cli",
        "sparsebp.estimators",
        "sparsebp.saving",
    }
