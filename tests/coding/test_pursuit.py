"""Orthogonal matching pursuit, against scikit-learn's and against least squares in a loop."""

import numpy as np
import pytest
from oracles import seeds
from sklearn.linear_model import orthogonal_mp

from sparsebp.coding import learn_by_pursuit, pursue


def problem(seed=0, n_features=10, n_components=25, n_samples=40):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(n_features, n_components))
    basis /= np.linalg.norm(basis, axis=0)
    return rng.normal(size=(n_features, n_samples)), basis


def in_a_loop(x, basis, n_nonzero, max_energy, min_gain):
    """One sample: all least squares from scratch, the gain of every atom from its own."""
    chosen, codes, left = [], np.zeros(basis.shape[1]), x
    while len(chosen) < n_nonzero and left @ left > max_energy:
        best = int(np.argmax(np.abs(basis.T @ left)))
        solution = np.linalg.lstsq(basis[:, [*chosen, best]], x, rcond=None)[0]
        new = x - basis[:, [*chosen, best]] @ solution
        if left @ left - new @ new < min_gain:
            break
        chosen, left = [*chosen, best], new
        codes[:] = 0
        codes[chosen] = solution
    return codes


@pytest.mark.parametrize(
    "stop",
    [{"n_nonzero": 1}, {"n_nonzero": 4}, {"max_energy": 3.0}, {"min_gain": 1.5},
     {"n_nonzero": 3, "max_energy": 2.0, "min_gain": 0.8}],
)  # fmt: skip
@pytest.mark.parametrize("seed", seeds(3))
def test_equals_least_squares_in_a_loop(stop, seed):
    x, basis = problem(seed)
    limits = {"n_nonzero": 10, "max_energy": 0.0, "min_gain": 0.0, **stop}
    expected = np.transpose([in_a_loop(sample, basis, **limits) for sample in x.T])
    np.testing.assert_allclose(pursue(x, basis, **stop), expected, atol=1e-10)


@pytest.mark.parametrize("seed", seeds(3))
def test_equals_scikit_learn(seed):
    x, basis = problem(seed, 30, 60)
    expected = orthogonal_mp(basis, x, n_nonzero_coefs=6)
    np.testing.assert_allclose(pursue(x, basis, n_nonzero=6), expected, atol=1e-10)
    expected = orthogonal_mp(basis, x, tol=12.0)
    np.testing.assert_allclose(pursue(x, basis, max_energy=12.0), expected, atol=1e-10)


def test_planted_codes_are_found_and_nothing_else():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(20, 20)))[0]
    codes = np.zeros((20, 30))
    for j in range(30):
        codes[rng.choice(20, 4, replace=False), j] = rng.normal(size=4)
    np.testing.assert_allclose(pursue(basis @ codes, basis), codes, atol=1e-12)
    assert np.count_nonzero(pursue(basis @ codes, basis)) == np.count_nonzero(codes)


def test_lengths_of_atoms_do_not_change_what_is_chosen():
    x, basis = problem()
    lengths = np.linspace(0.1, 9, basis.shape[1])
    scaled = pursue(x, basis * lengths, n_nonzero=3)
    np.testing.assert_allclose(lengths[:, None] * scaled, pursue(x, basis, n_nonzero=3), atol=1e-10)


def test_atoms_that_add_nothing_are_never_chosen():
    x, basis = problem(n_features=6, n_components=6)
    twice = np.hstack([np.zeros((6, 1)), basis, basis, basis @ np.ones((6, 1))])
    codes = pursue(x, twice)
    assert np.count_nonzero(codes, axis=0).max() <= 6
    assert not codes[0].any()
    np.testing.assert_allclose(twice @ codes, x, atol=1e-8)
    assert not pursue(np.zeros((6, 2)), twice).any()
    assert not pursue(x, np.zeros((6, 3))).any()


def test_threads_blocks_precision_and_order_change_nothing(monkeypatch):
    x, basis = problem()
    alone = pursue(x, basis, min_gain=0.5)
    monkeypatch.setattr("sparsebp.coding.pursuit._BLOCK", 7)
    np.testing.assert_allclose(pursue(x, basis, min_gain=0.5, n_threads=2), alone, atol=1e-14)
    single = pursue(np.asfortranarray(x, np.float32), basis.astype(np.float32), min_gain=0.5)
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, alone, atol=1e-4)
    assert pursue(x[:, :0], basis).shape == (25, 0)


@pytest.mark.parametrize(
    "stop", [{"n_nonzero": 6}, {"max_energy": 2.0}, {"max_energy": 1e-6}, {}, {"n_nonzero": 20}]
)
@pytest.mark.parametrize("seed", seeds(2))
def test_single_precision_chooses_as_double_does(stop, seed):
    x, basis = problem(seed, 20, 45, 150)
    basis[:, 40:] = basis[:, :5] + 0.01 * basis[:, 5:10]  # the independent parts are small
    x[:, 100:] = basis[:, 40:] @ np.random.default_rng(seed).normal(size=(5, 50))
    x, basis = x.astype(np.float32), basis.astype(np.float32)
    codes = pursue(x, basis, **stop)
    expected = pursue(x.astype(np.float64), basis.astype(np.float64), **stop)
    scale = np.maximum(np.abs(expected).max(axis=0), 1e-9)
    np.testing.assert_allclose(codes / scale, expected / scale, atol=1e-7)
    left = ((x - basis.astype(np.float64) @ codes) ** 2).sum(axis=0)
    if "max_energy" in stop:
        assert (left <= stop["max_energy"] * (1 + 1e-5)).all()


@pytest.mark.parametrize("seed", seeds(2))
def test_single_precision_stops_at_an_error_as_double_does(seed):
    x, basis = (a.astype(np.float32) for a in problem(seed, 20, 45))
    wide = basis.astype(np.float64)
    for sample in x.T[:, :, np.newaxis]:
        left = ((sample - wide @ pursue(sample.astype(float), wide, n_nonzero=3)) ** 2).sum()
        for bound, n_used in ((left * (1 + 1e-9), 3), (left * (1 - 1e-9), 4)):
            assert np.count_nonzero(pursue(sample, basis, max_energy=bound)) == n_used


def test_dependent_atoms_are_not_chosen_in_single_precision():
    x, basis = (a.astype(np.float32) for a in problem(n_components=3))
    twice = np.hstack([basis, basis[:, ::-1], basis @ np.ones((3, 2), np.float32)])
    codes = pursue(x, twice, n_nonzero=8)
    assert np.count_nonzero(codes, axis=0).max() <= 3
    expected = basis @ np.linalg.lstsq(basis, x, rcond=None)[0]
    np.testing.assert_allclose(twice @ codes, expected, atol=1e-5)


@pytest.mark.parametrize("exponent", [-60, 50])
def test_single_precision_holds_at_any_scale(exponent):
    x, basis = (a.astype(np.float32) for a in problem())
    scaled = pursue(np.ldexp(x, exponent), basis, n_nonzero=3)
    np.testing.assert_array_equal(scaled, np.ldexp(pursue(x, basis, n_nonzero=3), exponent))


def test_slopes_may_leave_the_range_of_single_precision():
    x, basis = np.full((100, 1), 2e38, np.float32), np.full((100, 1), 100, np.float32)
    np.testing.assert_allclose(pursue(x, basis, n_nonzero=1), [[2e36]], rtol=1e-6)


@pytest.mark.parametrize("seed", seeds(3))
def test_learning_finds_a_planted_basis_from_near_it(seed):
    rng = np.random.default_rng(seed)
    truth = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    codes = rng.laplace(size=(12, 800)) * (rng.random((12, 800)) < 0.15)
    x = truth @ codes + 0.1 * rng.normal(size=(12, 800))
    start = truth + 0.1 * rng.normal(size=(12, 12))
    found = learn_by_pursuit(x, start, max_energy=12 * 0.115**2, n_iter=10)
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), 1)
    assert np.abs((found * truth).sum(axis=0)).min() > 0.97


def test_atoms_that_no_sample_chooses_stay():
    x = np.outer([1.0, 0.1, 0.0], [1.0, 2.0, -1.0])
    found = learn_by_pursuit(x, np.eye(3), max_energy=0.1, n_iter=3)
    np.testing.assert_allclose(found[:, 0], x[:, 0] / np.linalg.norm(x[:, 0]))
    np.testing.assert_array_equal(found[:, 1:], np.eye(3)[:, 1:])


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_atoms_whose_squares_leave_the_range_are_atoms(scale):
    rng = np.random.default_rng(0)
    x, basis = rng.normal(size=(6, 9)), rng.normal(size=(6, 8))
    codes = pursue(x, scale * basis, n_nonzero=2)
    np.testing.assert_allclose(scale * codes, pursue(x, basis, n_nonzero=2), rtol=1e-9)


def test_samples_that_overflow_are_refused():
    with pytest.raises(ValueError, match=r"Squares overflow float64: x contains"):
        pursue(np.full((2, 1), 1e160), np.eye(2))
    with pytest.raises(ValueError, match=r"The coefficients overflow float32"):
        pursue(np.full((4, 1), 3e38, np.float32), np.ones((4, 1), np.float32) / 4)
