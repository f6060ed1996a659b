"""What the documentation is built with; runs where the extra ``docs`` is installed."""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("sphinx")
convert = pytest.importorskip("latex2mathml.converter").convert
sys.path.append(str(Path(__file__).parents[1] / "docs" / "_ext"))

import network_diagrams  # noqa: E402
import public_names  # noqa: E402

from sparsebp.cli.derivations import DERIVATIONS  # noqa: E402
from sparsebp.network import delta_table  # noqa: E402

KINDS = ("weight", "activation")


@pytest.mark.parametrize("name", DERIVATIONS)
def test_every_derivation_becomes_mathml(name):
    """What latex2mathml does not know it hands on as text, without a word."""
    table = delta_table(DERIVATIONS[name][1], "markdown")
    formulas = re.findall(r"\$+([^$]+)\$+", table)
    assert len(formulas) > 6
    for formula in formulas:
        assert "\\" not in convert(formula), formula


@pytest.mark.parametrize("name", DERIVATIONS)
def test_a_network_is_drawn_from_its_layers(name):
    network = DERIVATIONS[name][1]
    svg = ElementTree.fromstring(network_diagrams.drawn(network))
    units = network_diagrams.N_UNITS
    assert len(svg.findall("circle")) == units * len(network.layers)
    edges = [units if layer.is_unweighted else units**2 for layer in network.layers]
    assert len(svg.findall("line")) == sum(edges) + units + 1  # and those of input and F
    texts = {
        kind: [t.text for t in svg.findall("text") if t.get("class") == kind] for kind in KINDS
    }
    assert texts["weight"] == [layer.weight.symbol for layer in network.layers[:-1]]
    assert texts["activation"] == [layer.activation.formula.value for layer in network.layers]
    width, height = map(float, svg.get("viewBox").split()[2:])
    for text in svg.findall("text"):
        assert 0 < float(text.get("x")) < width
        assert 0 < float(text.get("y")) < height


def at_its_word(*lines):
    lines = list(lines)
    public_names.escape_marks(None, "", "", None, None, lines)
    return lines


def test_bars_and_underscores_mean_themselves():
    assert at_its_word("Σ |s| of n_features_in_.") == [r"Σ \|s\| of n_features_in\_."]


def test_code_stays_as_it_is():
    for line in ("``components_`` and `a_b_`", "n_components", ":obj:`x_`"):
        assert at_its_word(line) == [line]


def test_doctests_stay_as_they_are_up_to_the_next_empty_line():
    lines = at_its_word(">>> model.scale_", "array_|1|", "", "scale_")
    assert lines == [">>> model.scale_", "array_|1|", "", r"scale\_"]


@pytest.mark.parametrize("module", public_names.MODULES)
def test_every_constant_says_what_it_is(module):
    assert all(public_names.constants(module).values())


def test_a_constant_without_a_comment_is_refused(monkeypatch):
    import sparsebp.penalties as penalties

    monkeypatch.setattr(penalties, "__all__", ["FORGOTTEN"])
    monkeypatch.setattr(penalties, "FORGOTTEN", 1, raising=False)
    with pytest.raises(ValueError, match="no comment"):
        public_names.constants("sparsebp.penalties")
