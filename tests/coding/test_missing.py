"""Missing values: codes of known values alone, moments of each feature, and the basis step."""

import numpy as np
import pytest
from scipy.optimize import minimize
from thinning import first_fast

from sparsebp.coding import (
    Alternation,
    BasisState,
    OnlineLearning,
    Pursuit,
    encode,
    least_squares_basis,
    pursue,
    replaced_atoms,
    split_missing,
)
from sparsebp.coding.basis import optimal_directions
from sparsebp.coding.online import unit_minimum
from sparsebp.coding.state import AlternationState, packed_state, unpacked_state
from sparsebp.metrics import duality_gap
from sparsebp.penalties import L1, LogCosh, SmoothL1


def problem(seed=0, shape=(8, 12), n_samples=40, known=0.7):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=shape)
    basis /= np.linalg.norm(basis, axis=0)
    x = rng.normal(size=(shape[0], n_samples))
    x[rng.random(x.shape) > known] = np.nan
    return x, basis


def own_rows(x, basis):
    """Yield each sample's known values, and the rows of the basis for them."""
    for sample in x.T:
        known = ~np.isnan(sample)
        yield sample[known, np.newaxis], basis[known]


def test_complete_samples_are_the_same_array():
    x = np.ones((2, 3))
    assert split_missing(x)[0] is x
    assert split_missing(x)[1] is None
    assert split_missing(np.empty((2, 0)))[1] is None


@pytest.mark.parametrize("penalty", [L1(), L1(positive=True)], ids=repr)
def test_l1_codes_of_known_values_are_exact(penalty):
    for seed, shape in enumerate([(8, 12), (12, 8), (6, 40), (1, 3)]):
        x, basis = problem(seed, shape)
        codes, n_unfinished = encode(x, basis, penalty, 0.3)
        assert n_unfinished == 0
        for code, (sample, rows) in zip(codes.T, own_rows(x, basis), strict=True):
            if sample.size and np.abs(sample).max() > 0:
                limits = {"alpha": 0.3, "positive": penalty.positive}
                gap = duality_gap(sample.T, rows.T, code[np.newaxis], **limits)
                assert gap.max() < 1e-9


def test_l1_codes_are_found_where_atoms_are_alike_or_zero():
    x, basis = problem(1, (8, 12))
    basis[:, 3], basis[:, 4], basis[:4, 5] = basis[:, 2], 0, 0
    codes, n_unfinished = encode(x, basis, L1(), 0.1)
    assert n_unfinished == 0
    for code, (sample, rows) in zip(codes.T, own_rows(x, basis), strict=True):
        if sample.size:
            assert duality_gap(sample.T, rows.T, code[np.newaxis], 0.1).max() < 1e-6


@pytest.mark.parametrize("limits", [{"n_nonzero": 2}, {"error": 3.0}, {"n_nonzero": 3, "error": 1}])
def test_a_pursuit_approximates_known_values_by_their_rows_of_the_atoms(limits):
    x, basis = problem()
    x[:, 0] = np.nan
    found = encode(x, basis, Pursuit(**limits), 0.0).points
    for code, (sample, rows) in zip(found.T, own_rows(x, basis), strict=True):
        share = len(sample) / len(x)  # of the bound on the error, too
        stop = {"n_nonzero": limits.get("n_nonzero"), "max_energy": limits.get("error", 0) * share}
        expected = pursue(sample, rows, **stop) if sample.size else np.zeros((12, 1))
        np.testing.assert_allclose(code[:, np.newaxis], expected, atol=1e-12)


@pytest.mark.parametrize("rule", [L1(), SmoothL1(), Pursuit(n_nonzero=2)], ids=repr)
def test_complete_samples_have_the_codes_that_they_have_among_complete_ones(rule):
    complete, basis = problem(known=1)
    x = complete.copy()
    x[0, ::2] = np.nan
    found, expected = (encode(a, basis, rule, 0.3).points for a in (x, complete))
    np.testing.assert_array_equal(found[:, 1::2], expected[:, 1::2])
    assert np.abs(found[:, ::2] - expected[:, ::2]).max() > 0.01


def test_a_row_of_the_basis_is_fitted_to_the_samples_that_know_its_feature():
    x, codes = problem()[0], np.random.default_rng(1).normal(size=(5, 40))
    x[2], before = np.nan, np.random.default_rng(2).normal(size=(8, 5))
    for gamma in (0.1, 0.0):
        basis = least_squares_basis(x, codes, gamma, scale=1 / 40, unknown=before)
        for row, values, old in zip(basis, x, before, strict=True):
            known = ~np.isnan(values)
            inner = {"gamma": gamma, "scale": 1 / 40}
            expected = least_squares_basis(values[np.newaxis, known], codes[:, known], **inner)[0]
            np.testing.assert_allclose(row, expected if known.any() else old, atol=1e-12)
    np.testing.assert_array_equal(least_squares_basis(x, codes, 0.1, scale=1.0)[2], 0)
    basis, lengths = optimal_directions(x, codes, before)
    np.testing.assert_allclose((basis * lengths)[[0, 2]], [(basis * lengths)[0], before[2]])


@pytest.mark.parametrize("seed", first_fast(range(5)))
def test_the_unit_minimum_is_the_best_of_all_unit_vectors(seed):
    rng = np.random.default_rng(seed)
    pull, weights = rng.normal(size=6), rng.uniform(0, 3, size=6)
    pull[0] *= 10.0 ** (seed - 2)
    pull[1] = weights[2] = 0

    def value(a):
        a = a / np.linalg.norm(a)
        return a @ (weights * a) - 2 * pull @ a

    found = unit_minimum(pull, weights)
    assert np.linalg.norm(found) == pytest.approx(1)
    starts = rng.normal(size=(10, 6))
    assert value(found) <= min(minimize(value, start).fun for start in starts) + 1e-8
    same = unit_minimum(pull, np.full(6, 2.0))
    np.testing.assert_allclose(same, pull / np.linalg.norm(pull))


def test_a_pull_far_below_the_weights_rounding_gives_a_unit_vector():
    for pull in ([1e-30, 2e-30, 0.0], [1e-300, 0.0, 0.0], [0.0, -1e-17, 1e-20]):
        found = unit_minimum(np.array(pull), np.array([1.0, 1.001, 0.999]))
        assert np.linalg.norm(found) == pytest.approx(1)
        assert (np.sign(found) == np.sign(pull)).all()


def masked_objective(x, basis, codes):
    """Mean over each feature's known values, so that all features count alike."""
    return np.nansum(np.nanmean(np.square(x - basis @ codes), axis=1))


@pytest.mark.parametrize("gamma", first_fast([0.0, None]))
def test_online_steps_approach_the_best_basis_for_the_moments_of_each_feature(gamma):
    x, start = problem(3, (5, 3), n_samples=200, known=0.6)
    codes = np.random.default_rng(4).normal(size=(3, 200))
    search = OnlineLearning(L1(), 0.1, gamma)
    state = BasisState.empty(start).including(x, codes)
    for _ in range(300):
        state = BasisState(
            **{**vars(state), "basis": search._improved_by_features(state, np.arange(3))}
        )

    def value(flat):
        basis = flat.reshape(5, 3)
        return masked_objective(x, search.project(basis), codes)

    best = minimize(value, start.ravel(), tol=1e-12).fun
    assert masked_objective(x, state.basis, codes) == pytest.approx(best, rel=1e-6)


def test_complete_samples_give_moments_of_each_feature_the_same_steps():
    x, basis = problem(known=1)
    codes = np.random.default_rng(1).normal(size=(12, 40))
    plain = BasisState.empty(basis).including(x[:, :20], codes[:, :20])
    own = plain._including_features(x[:, 20:], codes[:, 20:], None, 48)
    plain = plain.including(x[:, 20:], codes[:, 20:])
    np.testing.assert_allclose(own["cross_moments"], plain.cross_moments)
    for moments in own["feature_moments"]:
        np.testing.assert_allclose(moments, plain.codes_moments)
    np.testing.assert_array_equal(own["n_known"], 40)
    order, search = np.arange(12)[::-1], OnlineLearning(L1(), 0.1, None)
    state = BasisState(**{**vars(plain), **own})
    expected = search._improved(basis, plain.codes_moments, plain.cross_moments, order)
    np.testing.assert_allclose(search._improved_by_features(state, order), expected, atol=1e-10)


def test_sums_of_a_feature_are_means_over_the_samples_that_know_it():
    x, basis = problem(n_samples=60)
    codes = np.random.default_rng(1).normal(size=(12, 60))
    first = BasisState.empty(basis).including(x[:, :40], codes[:, :40])
    x[1, 40:] = np.nan  # for a while
    whole = first.including(x[:, 40:], codes[:, 40:])
    for i, known in enumerate(~np.isnan(x)):
        before, after = np.flatnonzero(known[:40]), 40 + np.flatnonzero(known[40:])
        assert whole.n_known[i] == known.sum()
        kept = (len(before) / known.sum()) ** 48
        mean = [codes[:, at] @ codes[:, at].T / max(len(at), 1) for at in (before, after)]
        np.testing.assert_allclose(
            whole.feature_moments[i], kept * mean[0] + (1 - kept) * mean[1], atol=1e-12
        )
        cross = [codes[:, at] @ x[i, at] / max(len(at), 1) for at in (before, after)]
        expected = kept * cross[0] + (1 - kept) * cross[1]
        np.testing.assert_allclose(whole.cross_moments[i], expected, atol=1e-12)
    np.testing.assert_array_equal(whole.feature_moments[1], first.feature_moments[1])


def test_a_feature_that_the_last_batch_does_not_know_is_not_forgotten():
    x, basis = problem()
    x[2] = np.nan
    codes = np.random.default_rng(1).normal(size=(12, 40))
    state = BasisState.fitted(basis, x, codes, 400)
    assert state.n_samples == state.n_known[2] == 400
    improved = OnlineLearning(L1(), 0.1, 0.0)._improved_by_features(state, np.arange(12))
    np.testing.assert_allclose(improved[2], basis[2], atol=1e-8)


def test_moments_follow_the_lengths_of_atoms_and_lose_those_that_are_replaced():
    x, basis = problem()
    codes = np.random.default_rng(1).normal(size=(12, 40))
    state = BasisState.fitted(basis, x, codes, 40)
    longer = state.moved_to(2 * basis)
    scaled = BasisState.fitted(2 * basis, x, codes / 2, 40)
    np.testing.assert_allclose(longer.feature_moments, scaled.feature_moments)
    np.testing.assert_allclose(longer.cross_moments, scaled.cross_moments)
    rest = state.without(np.array([1]))
    assert not rest.feature_moments[:, 1].any()
    assert not rest.feature_moments[:, :, 1].any()
    assert rest.feature_moments[:, 0, 0].all()


def test_trusted_sums_have_the_energy_of_complete_samples():
    x, basis = problem(known=1, n_samples=4000)
    x[np.random.default_rng(0).random(x.shape) < 0.5] = np.nan
    energy = np.trace(BasisState.trusted(basis, x).codes_moments) / 12 * np.square(basis).sum()
    assert energy == pytest.approx(8, rel=0.1)


def test_new_atoms_come_from_residuals_of_known_values():
    x, basis = problem(n_samples=1)
    codes = np.zeros((12, 1))
    new = replaced_atoms(x, basis, codes, np.array([4]), np.random.default_rng(0))[:, 4]
    known = split_missing(x)[0][:, 0]
    np.testing.assert_allclose(new, known / np.linalg.norm(known), atol=1e-12)


@pytest.mark.parametrize("rule", first_fast([L1(), LogCosh(), Pursuit(n_nonzero=2)]), ids=repr)
@pytest.mark.parametrize("steps", first_fast(["exact", "lbfgs"]))
def test_no_step_of_the_alternation_raises_the_objective(rule, steps):
    x, basis = problem(2, (8, 10), n_samples=60)
    pursues = isinstance(rule, Pursuit)
    gamma = 0.1 if steps == "exact" and not pursues else None
    search = Alternation(
        rule, 0.0 if pursues else 0.3, gamma, steps=steps, batch_size=None, max_iter=8, tol=0
    )
    history = search.run(x, BasisState.empty(basis), 0).history[1:]
    assert history[-1] < 0.9 * history[0]
    if not pursues:
        assert np.all(np.diff(history) <= 1e-9 * history[0])


def test_the_state_with_moments_of_each_feature_is_kept():
    x, basis = problem()
    codes = np.random.default_rng(1).normal(size=(12, 40))
    rest = {"value": 0.1, "n_steps": 3, "replacing": True, "start": basis}
    known = BasisState.fitted(basis, x, codes, 40)
    state = AlternationState(**vars(known), samples=x, codes=codes, **rest)
    kept = {name: a if a.ndim else a.item() for name, a in packed_state(state).items()}
    found = unpacked_state(kept, x)
    for name, value in vars(state).items():
        np.testing.assert_array_equal(vars(found)[name], value)
    assert not {"feature_moments", "n_known"} & packed_state(BasisState.empty(basis)).keys()
