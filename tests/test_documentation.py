"""Estimators link to the documentation where there is one, and nowhere else."""

import importlib
from pathlib import Path

import pytest
from sklearn.base import clone

import sparsebp
from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp import _documentation as documentation
from sparsebp.preprocessing import Whitening

ESTIMATORS = [OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering, Whitening]


@pytest.fixture(autouse=True)
def nothing_built(monkeypatch, tmp_path):
    monkeypatch.delenv("SPARSEBP_DOCS", raising=False)
    monkeypatch.setattr(documentation, "_BUILT", tmp_path)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_without_pages_there_is_no_link(kind):
    assert kind()._get_doc_link() == ""
    assert "/api/" not in kind()._repr_html_()


@pytest.mark.parametrize("kind", ESTIMATORS)
@pytest.mark.parametrize("address", ["https://example.org/docs", "https://example.org/docs/"])
def test_the_link_leads_to_the_classs_page(kind, address, monkeypatch):
    monkeypatch.setenv("SPARSEBP_DOCS", address)
    link = clone(kind())._get_doc_link()
    assert link in kind()._repr_html_()
    folder, name = link.rsplit("/", 1)
    assert folder == "https://example.org/docs/api"
    module, owner = name.removesuffix(".html").rsplit(".", 1)
    assert getattr(importlib.import_module(module), owner) is kind
    listed = (Path(sparsebp.__file__).parents[1] / "docs" / "api.rst").read_text("utf-8")
    assert f"\n   {module}\n" in listed


def test_pages_built_in_the_clone_are_found(tmp_path):
    (tmp_path / "index.html").touch()
    assert SparseCoding()._get_doc_link() == f"{tmp_path.as_uri()}/api/sparsebp.SparseCoding.html"


def test_a_place_with_braces_is_a_place(monkeypatch):
    monkeypatch.setenv("SPARSEBP_DOCS", "/{x}")
    assert SparseCoding()._get_doc_link().startswith("/{x}/api/")


def test_classes_of_others_do_not_link_here(monkeypatch):
    monkeypatch.setenv("SPARSEBP_DOCS", "https://example.org")
    assert type("Theirs", (SparseCoding,), {"__module__": "theirs"})()._get_doc_link() == ""
