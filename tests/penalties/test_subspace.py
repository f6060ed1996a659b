import numpy as np
import pytest

from sparsebp.network import delta_table
from sparsebp.penalties import SmoothL1, Subspace, Topographic


def codes(k, m=5):
    return np.random.default_rng(k).normal(size=(k, m))


def test_it_is_the_sum_of_the_norms_of_groups():
    s = codes(6)
    norms = [np.sqrt((s[first : first + 3] ** 2).sum(axis=0) + 0.2) for first in (0, 3)]
    values, _ = Subspace(2, 3, epsilon=0.2).values_and_gradient(s)
    np.testing.assert_allclose(values, norms[0] + norms[1], rtol=1e-14)


def test_groups_of_one_are_smoothed_l1():
    s = codes(4)
    for one, other in zip(
        Subspace(4, 1, epsilon=0.1).values_and_gradient(s),
        SmoothL1(0.1).values_and_gradient(s),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, rtol=1e-14)


def test_rotations_within_a_group_cost_nothing():
    s, penalty = codes(6), Subspace(3, 2)
    rotation, _ = np.linalg.qr(codes(2, 2))
    rotated = np.kron(np.eye(3), rotation) @ s
    np.testing.assert_allclose(
        penalty.values_and_gradient(rotated)[0], penalty.values_and_gradient(s)[0], rtol=1e-13
    )


def test_its_matrix_is_written_out_and_read_only():
    for n_groups, size in ((1, 1), (1, 4), (5, 1), (3, 4)):
        penalty = Subspace(n_groups, size)
        expected = np.kron(np.eye(n_groups), np.ones(size))
        np.testing.assert_array_equal(penalty.grouping, expected)
        a = codes(n_groups * size)
        np.testing.assert_allclose(penalty.variables["V"] @ a, expected @ a, atol=1e-14)
        back = penalty.variables["V"].T @ codes(n_groups)
        np.testing.assert_allclose(back, expected.T @ codes(n_groups), atol=1e-14)
        with pytest.raises(ValueError, match="read-only"):
            penalty.grouping[0] = 2


def test_a_huge_one_is_only_made_when_asked_for():
    penalty = Subspace(10**12, 10**6)
    with pytest.raises(ValueError, match="n_components is 3"):
        penalty.check_components(3)
    with pytest.raises((MemoryError, ValueError), match="n_groups"):
        _ = penalty.grouping


def test_its_delta_table_is_that_of_a_map():
    assert delta_table(Subspace(2, 2).network()) == delta_table(Topographic((2, 2)).network())


def test_its_epsilon_is_checked():
    with pytest.raises(ValueError, match="epsilon must be a finite number > 0"):
        Subspace(2, 2, epsilon=0)
