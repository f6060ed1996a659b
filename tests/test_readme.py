"""The README's Python runs, at a toy size."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
SNIPPETS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.S)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_the_readmes_python_runs(snippet, tmp_path, monkeypatch):
    import matplotlib as mpl

    mpl.use("Agg")
    monkeypatch.chdir(tmp_path)
    exec(snippet.replace("20_000", "1_001").replace("random_state=0).fit", "max_iter=1).fit"), {})


def test_there_are_snippets():
    assert len(SNIPPETS) == 2
