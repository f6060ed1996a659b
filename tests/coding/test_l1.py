import numpy as np
import pytest
from sklearn.linear_model import Lasso
from thinning import first_fast

from sparsebp.coding import encode
from sparsebp.coding.exchange import exchange_atoms
from sparsebp.coding.gram import Gram
from sparsebp.metrics import duality_gap
from sparsebp.penalties import L1


def a_problem(seed, n_features, n_components, n_samples=30):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(n_features, n_components))
    return rng.normal(size=(n_features, n_samples)), basis / np.linalg.norm(basis, axis=0)


def lasso(x, basis, alpha, positive=False):
    weight = alpha / 2 / len(x)
    model = Lasso(weight, fit_intercept=False, positive=positive, tol=1e-10, max_iter=1_000_000)
    return np.array([model.fit(basis, sample).coef_ for sample in x.T]).T


@pytest.mark.parametrize("positive", first_fast([False, True]))
@pytest.mark.parametrize("shape", [(5, 1), (5, 3), (8, 8), (6, 13), (20, 50), (3, 40)])
def test_exchanges_lead_to_the_lasso(shape, positive):
    alpha = 0.4
    x, basis = a_problem(sum(shape), *shape)
    gram = Gram.of(basis)
    pull = np.ascontiguousarray((2 * basis.T @ x).T)
    expected = lasso(x, basis, alpha, positive)
    weights = np.full(len(pull), alpha)
    G = gram.matrix * gram.scale
    for rounds in ((5, 40), (0, 120)):
        codes = expected.T.copy()
        codes[:, 0] = 0  # a guess that is wrong where this atom is used
        optimal = exchange_atoms(codes, pull, weights, G, 1e-9, positive, rounds)
        assert optimal.all()
        np.testing.assert_allclose(codes.T, expected, atol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
@pytest.mark.parametrize("positive", [False, True])
def test_codes_are_optimal_at_every_scale(scale, positive):
    x, basis = a_problem(3, 16, 40)
    found = encode(scale * x, basis, L1(positive), 0.3 * scale)
    assert found.n_unfinished == 0
    gap = duality_gap(scale * x.T, basis.T, found.points.T, 0.3 * scale, positive=positive)
    assert gap.max() < 1e-6


@pytest.mark.parametrize("length", [1e-3, 1e3])
def test_codes_are_optimal_whatever_the_length_of_the_atoms(length):
    x, basis = a_problem(4, 16, 40)
    found = encode(x, length * basis, L1(), 0.3 * length)
    assert found.n_unfinished == 0
    gap = duality_gap(x.T, length * basis.T, found.points.T, 0.3 * length)
    assert gap.max() < 1e-6


def test_twin_atoms_are_no_trouble():
    x, basis = a_problem(5, 10, 15)
    twins = np.hstack([basis, basis[:, :5], -basis[:, 5:8]])
    found = encode(x, twins, L1(), 0.2)
    assert found.n_unfinished == 0
    assert duality_gap(x.T, twins.T, found.points.T, 0.2).max() < 1e-6


def test_float64_codes_are_exact_although_their_signs_are_found_in_float32():
    x, basis = a_problem(6, 20, 30)
    codes = encode(x, basis, L1(), 0.5).points
    assert duality_gap(x.T, basis.T, codes.T, 0.5).max() < 1e-13


def test_a_basis_changed_in_place_is_another_basis():
    x, basis = a_problem(9, 12, 30)
    encode(x, basis, L1(), 0.5)
    basis[0, 3] += 0.1
    again = encode(x, basis, L1(), 0.5).points
    encode(x, basis[:, ::-1], L1(), 0.5)
    np.testing.assert_array_equal(again, encode(x, basis, L1(), 0.5).points)
    assert duality_gap(x.T, basis.T, again.T, 0.5).max() < 1e-13
    assert Gram.of(basis) is Gram.of(basis.copy())


def test_a_large_basis_is_not_kept(monkeypatch):
    _, basis = a_problem(10, 12, 30)
    monkeypatch.setattr("sparsebp.coding.gram._SMALL", 0)
    assert Gram.of(basis) is not Gram.of(basis)


def test_a_guess_that_leads_nowhere_is_left_after_its_rounds():
    x, basis = a_problem(7, 4, 60)
    gram = Gram.of(basis)
    pull = np.ascontiguousarray((2 * basis.T @ x).T)
    codes = np.ones(pull.shape)
    weights = np.full(len(pull), 0.01)
    optimal = exchange_atoms(codes, pull, weights, gram.matrix * gram.scale, 0.0, False, (1, 1))
    assert (codes[~optimal] == 1).all()


def test_no_guess_at_all_leads_to_the_lasso_one_atom_at_a_time():
    x, basis = a_problem(8, 20, 50)
    gram = Gram.of(basis)
    pull = np.ascontiguousarray((2 * basis.T @ x).T)
    codes = np.zeros(pull.shape)
    weights = np.full(len(pull), 0.5)
    G = gram.matrix * gram.scale
    optimal = exchange_atoms(codes, pull, weights, G, 1e-9, False, (0, 200))
    assert optimal.all()
    np.testing.assert_allclose(codes.T, lasso(x, basis, 0.5), atol=1e-6)


@pytest.mark.parametrize("positive", [False, True])
def test_codes_are_zero_at_once_where_no_slope_exceeds_alpha(positive):
    x, basis = a_problem(5, 16, 40, 8)
    x[:, :4] *= 0.9 / np.abs(2 * basis.T @ x).max(axis=0)[:4]
    start = np.ones((40, 8))
    at_once = encode(x[:, :4], basis, L1(positive), 1.0, start=start[:, :4], max_iter=1)
    assert at_once.n_unfinished == 0
    np.testing.assert_array_equal(at_once.points, 0)
    found = encode(x, basis, L1(positive), 1.0, start=start)
    np.testing.assert_array_equal(found.points[:, :4], 0)
    assert (found.points[:, 4:] != 0).any(axis=0).all()


def test_atoms_are_exchanged_one_at_a_time_from_the_guess():
    x, basis = a_problem(8, 20, 50, 40)
    gram = Gram.of(basis)
    pull, weights = np.ascontiguousarray((2 * basis.T @ x).T), np.full(40, 0.5)
    G = gram.matrix * gram.scale
    for n_rounds in (10, 15, 20, 25):
        alone, after = (
            exchange_atoms(np.zeros(pull.shape), pull, weights, G, 1e-9, False, (n, n_rounds))
            for n in (0, 1)
        )
        assert (after >= alone).all()


def test_few_steps_are_never_worse_than_none():
    x, basis = a_problem(11, 20, 50, 200)
    start = encode(x, basis, L1(), 0.52).points

    def values(codes):
        return ((x - basis @ codes) ** 2).sum(axis=0) + 0.5 * np.abs(codes).sum(axis=0)

    for n_steps in (1, 2, 3):
        codes = encode(x, basis, L1(), 0.5, start=start, max_iter=n_steps).points
        assert (values(codes) <= values(start) * (1 + 1e-12)).all()
