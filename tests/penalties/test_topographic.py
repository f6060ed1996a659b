import copy
import pickle
from itertools import product

import numpy as np
import oracles
import pytest

from sparsebp.penalties import SmoothL1, Topographic, squarest_grid

GRIDS = [(1, 1), (1, 5), (5, 1), (2, 2), (3, 3), (4, 5), (6, 3)]
SIZES = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (3, 1), (2, 5), (9, 9)]


@pytest.mark.parametrize("wrap", [True, False])
def test_groups_are_those_of_a_loop_over_cells(wrap):
    for shape, size in product(GRIDS, SIZES):
        found = Topographic(shape, size, wrap).grouping
        np.testing.assert_array_equal(found, oracles.grid_groups(shape, size, wrap))


@pytest.mark.parametrize("wrap", [True, False])
def test_entries_are_zero_or_one_even_where_the_neighborhood_goes_round(wrap):
    for shape in GRIDS:
        for size in SIZES:
            assert set(np.unique(Topographic(shape, size, wrap).grouping)) <= {0.0, 1.0}


def test_every_group_of_a_torus_is_the_first_moved():
    grouping = Topographic((4, 5), 3).grouping.reshape(4, 5, 4, 5)
    for r in range(4):
        for c in range(5):
            moved = np.roll(grouping[0, 0], (r, c), axis=(0, 1))
            np.testing.assert_array_equal(grouping[r, c], moved)


def test_odd_neighborhoods_are_mutual_and_hold_their_feature():
    for shape in GRIDS:
        for wrap in (True, False):
            grouping = Topographic(shape, 3, wrap).grouping
            np.testing.assert_array_equal(grouping, grouping.T)
            assert (np.diag(grouping) == 1).all()


def test_even_neighborhoods_reach_one_further_ahead():
    assert Topographic((1, 5), (1, 2), wrap=False).grouping[1].tolist() == [0, 1, 1, 0, 0]
    assert Topographic((1, 5), (1, 4), wrap=False).grouping[2].tolist() == [0, 1, 1, 1, 1]


def test_a_border_has_smaller_groups():
    counts = Topographic((3, 4), 3, wrap=False).grouping.sum(axis=1).reshape(3, 4)
    np.testing.assert_array_equal(counts, [[4, 6, 6, 4], [6, 9, 9, 6], [4, 6, 6, 4]])


def test_a_neighborhood_of_one_is_smooth_l1():
    s = np.random.default_rng(0).normal(size=(6, 4))
    pair = Topographic((2, 3), 1, epsilon=0.1), SmoothL1(0.1)
    for one, other in zip(*(p.values_and_gradient(s) for p in pair), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_an_int_and_a_pair_of_it_say_the_same():
    assert Topographic((3, 3), 2) == Topographic([3, 3], (2, 2))
    assert Topographic(np.array([3, 3])).grid_shape == (3, 3)


@pytest.mark.parametrize(
    "bad", [(0, 3), (3,), (3, 4, 5), 3, "33", (2.0, 3), (-1, 3), (None, 3), np.array(3)]
)
def test_a_grid_must_be_two_positive_whole_numbers(bad):
    with pytest.raises(
        (TypeError, ValueError), match=r"grid_shape must be 2 integers ≥ 1, such as \(8, 8\), got "
    ):
        Topographic(bad)


@pytest.mark.parametrize("bad", [0, -1, 2.5, (3, 0), "3", None, (1, 2, 3)])
def test_a_neighborhood_must_be_positive_whole_numbers(bad):
    with pytest.raises((TypeError, ValueError), match="neighborhood must be "):
        Topographic((3, 3), bad)


def test_no_grid_points_to_from_groups():
    with pytest.raises(
        (TypeError, ValueError), match=r"grid_shape must be \(rows, columns\), got None"
    ):
        Topographic(None)


@pytest.mark.parametrize("build", [lambda e: Topographic((2, 2), epsilon=e)])
@pytest.mark.parametrize("epsilon", [0, -1.0, np.nan, "a"])
def test_epsilon_must_be_positive(build, epsilon):
    with pytest.raises((TypeError, ValueError), match="epsilon must be a finite number > 0, got "):
        build(epsilon)
    with pytest.raises((TypeError, ValueError), match="epsilon must be a finite number > 0, got "):
        Topographic.from_groups([[1]], epsilon=epsilon)


def test_groups_may_be_any_nonnegative_matrix_and_are_copied():
    groups = np.array([[1.0, 0.5, 0.0], [0.0, 2.0, 1.0]])
    penalty = Topographic.from_groups(groups, epsilon=0.2)
    groups[0, 0] = 7
    assert penalty.grouping.tolist() == [[1.0, 0.5, 0.0], [0.0, 2.0, 1.0]]
    assert (penalty.grid_shape, penalty.epsilon) == (None, 0.2)
    assert penalty.grouping.dtype == np.float64


@pytest.mark.parametrize("dtype", [bool, np.int8, np.float32, np.float64])
def test_groups_of_any_real_numbers_are_taken(dtype):
    penalty = Topographic.from_groups(np.eye(2, dtype=dtype))
    assert penalty.grouping.dtype == np.float64
    np.testing.assert_array_equal(penalty.grouping, np.eye(2))


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([1, 0, 1], r"groups must have two dimensions, got shape \(3,\)"),
        (np.ones((1, 1, 1)), r"groups must have two dimensions, got shape \(1, 1, 1\)"),
        (np.ones((0, 3)), r"groups must have at least one row and column, got shape \(0, 3\)"),
        ([[1, -0.1]], "groups must be "),
        ([[1, np.nan]], "groups must be "),
        ([[1, np.inf]], "groups must be "),
        ([[1, 2], [3]], "groups must have rows of equal length, got ragged ones"),
        ([["a", "b"]], "groups must be real numbers, got "),
        (np.array([[1j]]), "groups must be real numbers, got dtype complex128"),
        (None, "groups must be real numbers, got "),
    ],
)
def test_other_groups_are_refused(groups, message):
    with pytest.raises(ValueError, match=message):
        Topographic.from_groups(groups)


def test_the_grouping_is_read_only():
    for penalty in (Topographic((2, 2)), Topographic.from_groups(np.eye(2))):
        with pytest.raises(ValueError, match="read-only"):
            penalty.grouping[0, 0] = 2


@pytest.mark.parametrize(
    ("penalty", "what"),
    [
        (Topographic((3, 4)), r"\(3, 4\) grid holds 12"),
        (Topographic.from_groups(np.ones((2, 5))), "groups holds 5"),
    ],
)
def test_another_number_of_components_is_refused(penalty, what):
    penalty.check_components(penalty.grouping.shape[1])
    with pytest.raises(ValueError, match=rf"n_components is 7 but the penalty's {what} features"):
        penalty.check_components(7)


def test_equality_and_hash_are_those_of_the_values():
    assert Topographic((2, 3)) == Topographic((2, 3))
    assert hash(Topographic((2, 3))) == hash(Topographic((2, 3)))
    different = [
        Topographic((2, 3)),
        Topographic((3, 2)),
        Topographic((2, 3), 1),
        Topographic((2, 3), wrap=False),
        Topographic((2, 3), epsilon=0.5),
        Topographic.from_groups(Topographic((2, 3)).grouping),
    ]
    for i, one in enumerate(different):
        assert [one == other for other in different] == [i == j for j in range(len(different))]
    assert Topographic((2, 3)) != SmoothL1()


def test_minus_zero_is_zero():
    one, other = Topographic.from_groups([[-0.0, 1.0]]), Topographic.from_groups([[0.0, 1.0]])
    assert one == other
    assert hash(one) == hash(other)


@pytest.mark.parametrize("again", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_have_their_own_grouping(again):
    penalty = Topographic.from_groups(np.eye(3), epsilon=0.3)
    copied = again(penalty)
    assert copied == penalty
    assert copied.grouping is not penalty.grouping


def test_repr():
    expected = "Topographic(grid_shape=(2, 3), neighborhood=3, wrap=True, epsilon=0.01)"
    assert repr(Topographic((2, 3))) == expected


def test_the_squarest_grid_is_the_squarest():
    for n in range(1, 400):
        rows, columns = squarest_grid(n)
        assert rows * columns == n
        assert rows == max(r for r in range(1, n + 1) if n % r == 0 and r * r <= n)


def test_the_squarest_grid_of_a_large_number():
    assert squarest_grid(np.int64(10**10)) == (10**5, 10**5)
    assert squarest_grid(2 * 10**10) == (128_000, 156_250)


@pytest.mark.parametrize("bad", [0, -4, 2.5, "12", None])
def test_the_squarest_grid_needs_a_positive_whole_number(bad):
    with pytest.raises((TypeError, ValueError), match="n_components must be an integer ≥ 1, got "):
        squarest_grid(bad)
