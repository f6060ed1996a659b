import numpy as np
import pytest

from sparsebp.penalties import L1, Cauchy, LogCosh, SmoothL1


def test_l1_proximal_is_the_least_of_many():
    grid = np.linspace(-4, 4, 80_001)
    for s in (-2.3, -0.4, 0.0, 0.1, 0.7, 3.1):
        for step in (0.0, 0.05, 0.5, 2.0):
            costs = 0.5 * (grid - s) ** 2 + step * np.abs(grid)
            found = L1().proximal(np.array([[s]]), step).item()
            assert found == pytest.approx(grid[costs.argmin()], abs=1e-4)


def test_l1_proximal_solves_its_optimality_condition():
    rng = np.random.default_rng(0)
    s, step = rng.normal(size=(5, 7)), rng.uniform(0, 1, size=(1, 7))
    u = L1().proximal(s, step)
    step = np.broadcast_to(step, s.shape)
    np.testing.assert_allclose((s - u)[u != 0], (step * np.sign(u))[u != 0], rtol=1e-12)
    assert (np.abs(s)[u == 0] <= step[u == 0]).all()
    assert 5 < (u == 0).sum() < 30


def test_l1_proximal_keeps_the_precision_and_the_codes():
    s = np.array([[1.0, -0.2]], dtype=np.float32)
    assert L1().proximal(s, 0.5).dtype == np.float32
    np.testing.assert_array_equal(s, np.array([[1.0, -0.2]], dtype=np.float32))
    np.testing.assert_array_equal(L1().proximal(np.array([[3, -1]]), 1.5), [[1.5, 0.0]])


def test_smooth_l1_lies_above_l1_by_at_most_the_root_of_epsilon():
    s = np.linspace(-3, 3, 101)[None]
    for epsilon in (1e-6, 1e-2, 1.0):
        excess = SmoothL1(epsilon).values_and_gradient(s)[0] - np.abs(s[0])
        assert (excess >= 0).all()
        assert excess.max() == pytest.approx(np.sqrt(epsilon))


def test_smooth_penalties_far_out():
    s = np.array([[30.0]])
    assert LogCosh().values_and_gradient(s)[0] == pytest.approx(30 - np.log(2))
    assert Cauchy().values_and_gradient(s)[0] == pytest.approx(np.log(901))


@pytest.mark.parametrize("epsilon", [0, 0.0, -1e-3, np.nan, np.inf, "0.1", None, 1j, [0.1]])
def test_epsilon_must_be_positive(epsilon):
    with pytest.raises((TypeError, ValueError), match="epsilon must be a finite number > 0, got "):
        SmoothL1(epsilon)


@pytest.mark.parametrize("epsilon", [1, 0.5, np.float32(0.5), np.int64(2)])
def test_any_real_epsilon_works_and_keeps_float32(epsilon):
    values, gradient = SmoothL1(epsilon).values_and_gradient(np.ones((1, 1), np.float32))
    assert values.dtype == gradient.dtype == np.float32
    assert values[0] == pytest.approx(np.sqrt(1 + float(epsilon)))


def test_equality_is_that_of_the_parameters():
    assert SmoothL1(1) == SmoothL1(1.0) != SmoothL1(2.0)
    assert hash(SmoothL1(1)) == hash(SmoothL1(1.0))
    assert L1() == L1()
    assert L1() != LogCosh() != Cauchy()


@pytest.mark.parametrize("penalty", [L1(), SmoothL1(), LogCosh(), Cauchy()], ids=repr)
def test_any_number_of_components_will_do(penalty):
    penalty.check_components(17)
    assert penalty.variables == {}


def test_positive_is_a_truth_value():
    with pytest.raises((TypeError, ValueError), match="positive must be True or False, got 'x'"):
        L1(positive="x")


def test_sharpness_is_a_positive_number():
    with pytest.raises(ValueError, match="sharpness must be a finite number > 0, got 0"):
        LogCosh(0)
