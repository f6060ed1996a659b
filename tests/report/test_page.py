import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import FastICA
from sklearn.exceptions import NotFittedError

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.penalties import Topographic
from sparsebp.report import write_report
from sparsebp.report.figures import _TEXT


def test_the_page_needs_nothing_but_itself(page):
    text = page.read_text("utf-8")
    attributes = re.findall(r'<(?!a )[^>]*?(?:src|href)="([^"]*)"', text)
    addresses = attributes + re.findall(r"url\(([^)]*)\)", text)
    assert addresses
    assert all(address.startswith(("data:image/", "#")) for address in addresses)
    assert "@import" not in text


def test_the_contents_lead_to_every_section(page):
    text = page.read_text("utf-8")
    contents = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', text)
    assert len(contents) == text.count("<h2>") == 9
    for target, title in contents:
        section = text[text.index(f'id="{target}"') :]
        assert re.search(r"<h2>(.*?)</h2>", section)[1] == title


def test_the_page_leads_to_the_documentation_where_it_is_built(page):
    docs = Path(__file__).parents[2] / "docs"
    text = page.read_text("utf-8")
    links = dict(re.findall(r'href="https://example.org/docs/([^"]+)\.html">([^<]+)<', text))
    assert {"guide/topographic", "guide/sparse_coding", "backpropagation"} <= set(links)
    for name, title in links.items():
        assert (docs / f"{name}.md").read_text("utf-8").startswith(f"# {title}\n")


def test_images_are_shown_and_others_refused(page, topographic, tmp_path):
    text = page.read_text("utf-8")
    assert text.count("data:image/jpeg") == 6
    assert "Training images (the first 6)" in text
    with pytest.raises(ValueError, match=r"\(2, 9, 9\)"):
        write_report(tmp_path / "page.html", *topographic, images=[np.zeros((2, 9, 9))])


def test_the_page_has_every_feature_and_what_was_said_of_the_run(page, topographic):
    text = page.read_text("utf-8")
    assert text.count('aria-label="feature ') == len(topographic[0].components_)
    assert "<title>A &amp; B</title>" in text
    assert "my &lt;photographs&gt;" in text
    assert f"{topographic[0].objective_:.4g}" in text
    assert "map of orientation" in text
    assert text.index("objective after") < text.index("variance explained")
    assert "last batch of 1000 patches; all other numbers are from 300 patches" in text


def test_drawings_have_the_color_of_the_text(page):
    text = page.read_text("utf-8")
    assert "currentColor" in text
    assert _TEXT not in text


def test_names_within_drawings_are_unique(page):
    names = re.findall(r'\bid="([^"]+)"', page.read_text("utf-8"))
    assert len(names) == len(set(names))
    for target in re.findall(r'(?:url\(#|href="#)([^")]+)', page.read_text("utf-8")):
        assert target in names


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        SparseCoding(4, gamma=0.1, max_iter=2),
        SparseFiltering(5, max_iter=20, tol=1e-2),
        ReconstructionICA(6, penalty="log_cosh", unit_norm=True),
        OrthonormalICA(3, signs=[1, -1, 1]),
    ],
    ids=lambda model: type(model).__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_estimator_has_a_page(model, tmp_path):
    samples = np.random.default_rng(1).laplace(size=(200, 12)).astype(np.float32)
    write_report(tmp_path / "page.html", model.fit(samples), samples, patch_shape=(2, 2, 3))
    text = (tmp_path / "page.html").read_text("utf-8")
    assert type(model).__name__ in text
    assert ("of all training patches" in text) != isinstance(model, SparseCoding)
    docs = Path(__file__).parents[2] / "docs"
    for before, name in re.findall(r"([^\n]*) \(<code>docs/([^<]+)\.md</code>\)", text):
        title = (docs / f"{name}.md").read_text("utf-8").splitlines()[0].removeprefix("# ")
        assert before.endswith(title)
    assert "map of orientation" not in text


def test_what_has_no_page_is_refused_with_a_message(tmp_path):
    samples = np.eye(9)
    with pytest.raises(TypeError, match="FastICA"):
        write_report(tmp_path / "page.html", FastICA(), samples)
    with pytest.raises(NotFittedError):
        write_report(tmp_path / "page.html", SparseCoding(), samples)
    model = SparseFiltering(2, max_iter=5, tol=1.0).fit(samples)
    with pytest.raises(ValueError, match="patch_shape"):
        write_report(tmp_path / "page.html", model, samples, patch_shape=(2, 2))
    assert not (tmp_path / "page.html").exists()


@pytest.mark.slow
def test_subspaces_are_said_and_their_tuning_drawn(tmp_path):
    X = np.random.default_rng(0).laplace(size=(600, 9))
    options = {"penalty": "subspace", "group_size": 2, "tol": 1e-2, "random_state": 0}
    model = OrthonormalICA(6, **options).fit(X)
    write_report(tmp_path / "report.html", model, X)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "6 features in 3 subspaces learned by orthonormal ICA" in text
    assert "sums the squares of each group" in text
    assert 'aria-label="tuning to phase"' in text


@pytest.mark.slow
def test_groups_that_are_no_map_have_none(tmp_path):
    X = np.random.default_rng(0).laplace(size=(200, 9))
    pairs = Topographic.from_groups(np.kron(np.eye(3), [[1, 1]]))
    model = OrthonormalICA(6, penalty=pairs, tol=1e-2, random_state=0).fit(X)
    write_report(tmp_path / "report.html", model, X)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "topographic" not in text
    assert "map of orientation" not in text
