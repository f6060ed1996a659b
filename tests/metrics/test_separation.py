import numpy as np
import pytest

from sparsebp.metrics import amari_distance


def slow_amari(unmixing, mixing):
    p = np.abs(np.asarray(unmixing) @ np.asarray(mixing))
    n = len(p)
    total = 0.0
    for i in range(n):
        total += sum(p[i, j] / max(p[i]) for j in range(n)) - 1
        total += sum(p[j, i] / max(p[:, i]) for j in range(n)) - 1
    return total / (2 * n * (n - 1))


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 7), (10, 10)])
def test_equals_the_sum_written_out(shape):
    rng = np.random.default_rng(sum(shape))
    unmixing, mixing = rng.standard_normal(shape), rng.standard_normal(shape[::-1])
    assert amari_distance(unmixing, mixing) == pytest.approx(slow_amari(unmixing, mixing))


@pytest.mark.parametrize("seed", range(3))
def test_inverse_up_to_order_sign_and_scale_has_distance_zero(seed):
    rng = np.random.default_rng(seed)
    mixing = rng.standard_normal((5, 5))
    scales = rng.choice([-1, 1], size=5) * rng.uniform(0.1, 10, size=5)
    unmixing = (np.linalg.inv(mixing) * scales[:, None])[rng.permutation(5)]
    assert amari_distance(unmixing, mixing) == pytest.approx(0.0, abs=1e-12)
    assert 0.05 < amari_distance(rng.standard_normal((5, 5)), mixing) < 1


def test_equal_entries_are_the_worst():
    assert amari_distance(np.ones((4, 4)), np.eye(4)) == 1.0
    assert amari_distance(np.zeros((4, 4)), np.eye(4)) == 1.0


def test_one_lost_source_counts():
    lost = np.diag([1.0, 1.0, 0.0])
    assert amari_distance(lost, np.eye(3)) == pytest.approx(2 * 2 / (2 * 3 * 2))


def test_single_source():
    assert amari_distance([[2]], [[-1]]) == 0.0
    assert amari_distance([[0]], [[-1]]) == 1.0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_extreme_scales(scale):
    rng = np.random.default_rng(0)
    unmixing, mixing = rng.standard_normal((2, 3, 3))
    expected = amari_distance(unmixing, mixing)
    assert amari_distance(scale * unmixing, scale * mixing) == pytest.approx(expected)


def slow_between_subspaces(product, size):
    n = len(product) // size
    cut = [slice(i * size, (i + 1) * size) for i in range(n)]
    norms = np.array([[np.linalg.norm(product[a, b]) for b in cut] for a in cut])
    return slow_amari(norms, np.eye(n))


@pytest.mark.parametrize(("n_groups", "size"), [(2, 2), (5, 4), (3, 1)])
def test_between_subspaces_it_is_that_of_the_norms_of_blocks(n_groups, size):
    rng = np.random.default_rng(n_groups)
    product = rng.standard_normal((n_groups * size,) * 2)
    found = amari_distance(product, np.eye(len(product)), group_size=size)
    assert found == pytest.approx(slow_between_subspaces(product, size))


def test_bases_of_the_subspaces_do_not_matter():
    rng = np.random.default_rng(0)
    mixing, order = rng.standard_normal((12, 12)), rng.permutation(3)
    within = np.kron(np.eye(3), np.ones((4, 4))) * rng.standard_normal((12, 12))
    unmixing = (within @ np.linalg.inv(mixing)).reshape(3, 4, 12)[order].reshape(12, 12)
    assert amari_distance(unmixing, mixing, group_size=4) == pytest.approx(0, abs=1e-12)
    assert amari_distance(unmixing, mixing) > 0.1
    assert amari_distance(np.roll(unmixing, 2, axis=0), mixing, group_size=4) > 0.1
    assert amari_distance(np.eye(4), np.eye(4), group_size=4) == 0


def test_groups_that_are_not_full_are_refused():
    with pytest.raises(ValueError, match="group_size is 3 but there are 4 sources"):
        amari_distance(np.eye(4), np.eye(4), group_size=3)
    with pytest.raises(ValueError, match="group_size must be an integer ≥ 1, got 0"):
        amari_distance(np.eye(4), np.eye(4), group_size=0)


def test_shapes_that_do_not_multiply_to_a_square_are_refused():
    with pytest.raises(ValueError, match=r"unmixing has shape \(2, 3\) and mixing \(2, 3\).*Trans"):
        amari_distance(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="mixing must be finite, got NaN or infinity"):
        amari_distance(np.eye(2), np.full((2, 2), np.inf))
