import pytest

from sparsebp.network import derive, simplified
from sparsebp.problems import ICA_RECONSTRUCTION, RECONSTRUCTION


def test_the_pieces_are_the_tutorial_s():
    written = derive(RECONSTRUCTION)
    assert written.function == "(A s − x)∘(A s − x)"
    assert written.header == ("layer", "weight", "f", "f'", "δ", "z")
    assert [row[:2] for row in written.rows] == [("3", "N/A"), ("2", "I"), ("1", "A")]
    assert written.gradients[0] == "∇s F = δ⁽¹⁾ = 2 Aᵀ (A s − x)"
    assert written.value == "F = Σ [(A s − x)∘(A s − x)]"


def test_latex_has_no_characters_that_latex_does_not_know():
    written = derive(ICA_RECONSTRUCTION, "latex")
    pieces = [
        written.function,
        written.value,
        *written.header,
        *written.gradients,
        *sum(written.rows, ()),
    ]
    assert all(piece.isascii() for piece in pieces)


def test_what_cannot_be_written_is_refused_with_a_message():
    with pytest.raises(ValueError, match="style must be one of 'text', 'latex', got 'word'"):
        derive(RECONSTRUCTION, "word")
    with pytest.raises(ValueError, match="simplified"):
        derive(simplified(RECONSTRUCTION))
