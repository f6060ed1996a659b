"""The validation's verdicts, files and page."""

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module", autouse=True)
def scripts():
    sys.path.insert(0, str(ROOT / "scripts"))
    yield
    sys.path.remove(str(ROOT / "scripts"))


@pytest.mark.parametrize(
    ("ours", "better", "verdict"),
    [
        ([0.5, 0.9, 0.95], 1, "reproduced"),
        ([0.8], 1, "reproduced"),
        ([1.0], 1, "reproduced"),
        ([1.01], 1, "exceeded"),
        ([1.01], 0, "refused"),
        ([1.01], -1, "refused"),
        ([0.79], 1, "refused"),
        ([0.79], 0, "refused"),
        ([0.79], -1, "exceeded"),
        ([np.nan], 1, "refused"),
    ],
)
def test_a_verdict_compares_the_median_with_the_range(ours, better, verdict):
    from validation.finding import Finding

    found = Finding("", "", ours, at_least=0.8, at_most=1.0, better=better)
    assert found.verdict == verdict


def test_a_range_may_have_one_end():
    from validation.finding import Finding

    least, most = Finding("", "", [5.0], at_least=2), Finding("", "", [5.0], at_most=2)
    assert (least.verdict, most.verdict) == ("reproduced", "refused")
    assert (least.range, most.range) == ("≥ 2", "≤ 2")


def test_results_survive_a_file(tmp_path):
    from validation.finding import Finding
    from validation.results import Results

    row = Finding("a", "about 5", [1.0, 2.5], 0.5, None, 1, {"peer": [0.25]}, True, "why")
    results = Results.of([row], 90.0)
    results.write(tmp_path / "new" / "results.json")
    assert Results.read(tmp_path / "new" / "results.json", Finding) == results
    assert results.minutes == 1.5
    assert "numpy" in results.versions


def test_the_page_is_made_from_the_results():
    """Otherwise `python scripts/validate.py --only page --out docs` was forgotten."""
    from validation.page import rendered

    assert rendered(ROOT / "docs" / "validation") == (ROOT / "docs" / "validation.md").read_text(
        encoding="utf-8"
    )


def test_every_refused_finding_has_a_reason():
    from validation.finding import Finding
    from validation.page import PUBLISHED
    from validation.results import Results

    for name in PUBLISHED:
        path = ROOT / "docs" / "validation" / f"{name}.json"
        rows = Results.read(path, Finding).rows if path.exists() else []
        assert not [row.what for row in rows if row.verdict == "refused" and not row.remark]


def test_without_data_a_measurement_says_what_it_needs(tmp_path):
    from validation.setting import NotGivenError, Setting

    with pytest.raises(NotGivenError, match="--data FOLDER with hyvarinen/"):
        Setting(data=tmp_path).photographs("hyvarinen")


def test_the_commands_of_the_page_name_the_data_they_need():
    page = (ROOT / "docs" / "validation.md").read_text(encoding="utf-8")
    assert "`python scripts/validate.py --only digits --data FOLDER`" in page
    assert "`python scripts/validate.py --only ksvd`" in page


def test_figures_have_real_minus_signs():
    from validation.finding import spread

    assert spread([-0.845, 0.26]) == "−0.292 (−0.845\u00a0–\u00a00.26; 2)"
    assert spread([-1.0]) == "−1"


def test_a_remark_about_several_figures_stands_once(tmp_path):
    from validation.finding import Finding
    from validation.page import rendered
    from validation.results import Results

    rows = [Finding(what, "", [5.0], at_most=2, remark="Why.") for what in ("one", "two")]
    Results.of(rows, 60.0).write(tmp_path / "ksvd.json")
    assert "- *one*; *two*: Why." in rendered(tmp_path)
    assert "Why." not in rendered(tmp_path, toy=True)
    assert "toy" in rendered(tmp_path, toy=True)
    assert "toy" not in rendered(tmp_path)
