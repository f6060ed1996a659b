"""Tables of the guide agree with the code."""

from pathlib import Path

import pytest

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.minimizers import Status

GUIDE = Path(__file__).parents[1] / "docs" / "guide"


def cells_of(row):
    return [cell.strip() for cell in row.strip("|\n").split("|")]


@pytest.mark.parametrize("kind", [OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering])
def test_defaults_of_stopping_rules_are_those_of_the_estimators(kind):
    rows = (GUIDE / "watching.md").read_text("utf-8").splitlines()
    wanted = [row for row in rows if f"`{kind.__name__}`" in cells_of(row)[0]]
    (row,) = [row for row in wanted if row.startswith("|")]
    *_, tol, max_iter = cells_of(row)
    assert (float(tol), int(max_iter)) == (kind().tol, kind().max_iter)


def test_every_status_is_explained_once():
    rows = (GUIDE / "watching.md").read_text("utf-8").splitlines()
    explained = [cells_of(row)[0].strip('`"') for row in rows if row.startswith('| `"')]
    assert sorted(explained) == sorted([*(status.name.lower() for status in Status), "partial"])
