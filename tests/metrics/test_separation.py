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


def test_shapes_that_do_not_multiply_to_a_square_are_refused():
    with pytest.raises(ValueError, match=r"unmixing has shape \(2, 3\) and mixing \(2, 3\).*Trans"):
        amari_distance(np.ones((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match="mixing must be finite, got NaN or infinity"):
        amari_distance(np.eye(2), np.full((2, 2), np.inf))
