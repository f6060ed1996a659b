import pytest

from sparsebp.penalties import (
    L1,
    NAMES,
    Cauchy,
    LogCosh,
    SmoothL1,
    Subspace,
    Topographic,
    Welsch,
    make_penalty,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("l1", L1()),
        ("smooth_l1", SmoothL1(0.3)),
        ("topographic", Topographic((3, 4), epsilon=0.3)),
        ("subspace", Subspace(3, 4, epsilon=0.3)),
        ("log_cosh", LogCosh()),
        ("cauchy", Cauchy()),
        ("welsch", Welsch()),
    ],
)
def test_names(name, expected):
    assert make_penalty(name, 12, 0.3) == expected


def test_every_name_is_tested_above():
    others = {"subspace", "log_cosh", "cauchy", "welsch"}
    assert set(NAMES) == {"l1", "smooth_l1", "topographic"} | others


def test_a_penalty_is_returned_as_it_is():
    penalty = Topographic((2, 6), epsilon=0.7)
    assert make_penalty(penalty, 12, 0.3) is penalty


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"penalty must be .*, got 'L1'"):
        make_penalty("L1", 12, 0.3)


@pytest.mark.parametrize("penalty", [None, 1, L1, ["l1"]])
def test_neither_a_name_nor_a_penalty_is_refused(penalty):
    with pytest.raises(TypeError, match="penalty must be one of 'l1', 'smooth_l1'"):
        make_penalty(penalty, 12, 0.3)


def test_a_grid_for_another_number_is_refused():
    with pytest.raises(ValueError, match=r"n_components is 10 but the penalty's \(3, 4\) grid"):
        make_penalty(Topographic((3, 4)), 10, 0.3)


@pytest.mark.parametrize("name", ["smooth_l1", "topographic"])
def test_epsilon_is_checked_where_it_counts(name):
    with pytest.raises(ValueError, match="epsilon must be a finite number > 0, got -1"):
        make_penalty(name, 12, -1)


def test_groups_must_be_full():
    assert make_penalty("subspace", 12, 0.3, 6) == Subspace(2, 6, epsilon=0.3)
    with pytest.raises(
        ValueError, match=r"n_components is 63, which is not a multiple of group_si"
    ):
        make_penalty("subspace", 63, 0.3, 4)
    with pytest.raises(ValueError, match="Set n_components=4, or a group_size that divides 3"):
        make_penalty("subspace", 3, 0.3, 4)
    with pytest.raises(
        ValueError, match=r"n_components is 9 but the penalty's 2 groups of 4 hold 8"
    ):
        make_penalty(Subspace(2, 4), 9, 0.3)


@pytest.mark.parametrize("size", [0, -1, 2.0, None, True])
def test_a_size_of_groups_is_checked(size):
    with pytest.raises((ValueError, TypeError), match="group_size must be an integer ≥ 1"):
        make_penalty("subspace", 12, 0.3, size)
    with pytest.raises((ValueError, TypeError), match="group_size must be an integer ≥ 1"):
        Subspace(3, size)
    with pytest.raises((ValueError, TypeError), match="n_groups must be an integer ≥ 1"):
        Subspace(size)


def test_a_map_needs_components():
    with pytest.raises(ValueError, match="n_components must be an integer ≥ 1, got 0"):
        make_penalty("topographic", 0, 0.3)
