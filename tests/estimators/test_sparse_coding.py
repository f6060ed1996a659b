import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from thinning import first_fast

from sparsebp import SparseCoding, sparse_encode
from sparsebp.coding import encode
from sparsebp.datasets import make_dictionary_signals
from sparsebp.penalties import L1, LogCosh, SmoothL1, Topographic

X, ATOMS, _ = make_dictionary_signals(400, 10, 15, n_nonzero=2, snr_db=20, random_state=0)
slow = pytest.mark.slow
FAST = {"max_iter": 3, "batch_size": 50, "random_state": 0}


def n_found(components, atoms=ATOMS):
    unit = components / np.linalg.norm(components, axis=1, keepdims=True)
    likeness = np.abs(atoms @ unit.T)
    return int((likeness[linear_sum_assignment(-likeness)] > 0.95).sum())


def by_hand(X, components, codes, sparsity, alpha, gamma):
    errors = ((codes @ components - X) ** 2).sum(axis=1)
    decay = (gamma or 0) * (components**2).sum()
    return (errors + alpha * sparsity(codes)).mean() + decay


def grouped(codes, epsilon):
    """Smoothed L2 norms of 3 × 3 neighborhoods on a 3 × 5 torus, by rolling the map."""
    maps = codes.reshape(-1, 3, 5) ** 2
    shifts = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1)]
    sums = sum(np.roll(maps, shift, axis=(1, 2)) for shift in shifts)
    return np.sqrt(sums + epsilon).sum(axis=(1, 2))


SPARSITY = {
    "l1": lambda s: np.abs(s).sum(axis=1),
    "smooth_l1": lambda s: np.sqrt(s**2 + 1e-3).sum(axis=1),
    "log_cosh": lambda s: np.log(np.cosh(s)).sum(axis=1),
    "cauchy": lambda s: np.log(1 + s**2).sum(axis=1),
    "topographic": lambda s: grouped(s, 1e-3),
}


@pytest.mark.filterwarnings("ignore:.*(is|are) unused")
@pytest.mark.parametrize("gamma", first_fast([None, 0.05]))
@pytest.mark.parametrize("penalty", first_fast(list(SPARSITY), 3))
def test_the_score_is_minus_the_objective(penalty, gamma):
    few = X[:60]
    model = SparseCoding(15, penalty=penalty, alpha=0.3, gamma=gamma, **FAST).fit(few)
    expected = by_hand(few, model.components_, model.transform(few), SPARSITY[penalty], 0.3, gamma)
    assert model.score(few) == pytest.approx(-expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*(is|are) unused")
@pytest.mark.parametrize("gamma", [None, 0.05])
def test_transform_is_the_best_code_for_the_weights_of_fit(gamma):
    model = SparseCoding(15, alpha=0.3, gamma=gamma, **FAST).fit(X[:100])
    codes = model.transform(X[:20])
    best = by_hand(X[:20], model.components_, codes, SPARSITY["smooth_l1"], 0.3, gamma)
    rng = np.random.default_rng(0)
    for size in (1e-3, 1e-2, 1e-1):
        near = codes + size * rng.normal(size=codes.shape)
        assert by_hand(X[:20], model.components_, near, SPARSITY["smooth_l1"], 0.3, gamma) > best


@pytest.mark.parametrize("penalty", first_fast(["l1", "smooth_l1"]))
@pytest.mark.parametrize("batch_size", [50, None])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_without_weight_decay_the_atoms_have_length_one(penalty, batch_size):
    model = SparseCoding(15, penalty=penalty, alpha=0.3, **{**FAST, "batch_size": batch_size})
    lengths = np.linalg.norm(model.fit(X[:100]).components_, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-12)
    lengths = np.linalg.norm(model.partial_fit(X[:100]).components_, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-12)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_warm_start_from_weight_decay_puts_the_atoms_on_the_constraint_first():
    few = X[:100]
    model = SparseCoding(15, alpha=0.3, gamma=1e-5, **FAST).fit(few)
    unit = model.components_ / np.linalg.norm(model.components_, axis=1, keepdims=True)
    model.set_params(gamma=None, warm_start=True, batch_size=None, max_iter=1).fit(few)
    codes = few @ unit.T
    expected = by_hand(few, unit, codes, SPARSITY["smooth_l1"], 0.3, None)
    assert model.objective_history_[0] == pytest.approx(expected, rel=1e-9)


def test_more_weight_makes_sparser_codes():
    codes = [
        SparseCoding(15, penalty="l1", alpha=a, **FAST).fit_transform(X[:100]) for a in (0.1, 1)
    ]
    used = [(np.abs(c) > 0).mean() for c in codes]
    assert used[0] > used[1] > 0


def test_inverse_transform_is_the_combination_of_atoms():
    few = X[:60]
    model = SparseCoding(15, penalty="l1", alpha=1e-2, **FAST).fit(few)
    codes = model.transform(few[:20])
    np.testing.assert_allclose(model.inverse_transform(codes), codes @ model.components_)
    np.testing.assert_allclose(model.inverse_transform(codes), few[:20], atol=0.1)
    one = model.inverse_transform(np.eye(15))
    np.testing.assert_array_equal(one, model.components_)


@pytest.mark.parametrize("gamma", [None, 0.05])
def test_partial_fit_starts_and_resumes(gamma):
    model = SparseCoding(15, alpha=0.2, gamma=gamma, random_state=0)
    assert model.partial_fit(X[:100]) is model
    assert (model.n_iter_, len(model.objective_history_)) == (1, 2)
    first = model.components_
    model.partial_fit(X[100:200])
    assert (model.n_iter_, len(model.objective_history_)) == (2, 3)
    assert not np.array_equal(first, model.components_)
    assert model.transform(X[:9]).shape == (9, 15)
    with pytest.raises(ValueError, match="9 features"):
        model.partial_fit(X[:, :9])


def test_partial_fit_takes_what_was_set_meanwhile_and_refuses_another_number_of_atoms():
    model = SparseCoding(15, alpha=0.2, random_state=0).partial_fit(X)
    model.set_params(penalty="log_cosh", alpha=0.3).partial_fit(X)
    assert (model.penalty_, model.alpha_) == (LogCosh(), 0.3)
    before = model.components_
    with pytest.raises(ValueError, match=r"has shape \(15, 10\), but \(12, 10\) is required"):
        model.set_params(n_components=12).partial_fit(X)
    assert model.components_ is before


def test_partial_fit_draws_the_first_basis_of_fit():
    few = X[:100]  # one step for both
    whole = SparseCoding(15, alpha=0.2, solver="online", max_iter=1, random_state=0).fit(few)
    part = SparseCoding(15, alpha=0.2, random_state=0).partial_fit(few)
    assert part.objective_history_[0] == pytest.approx(whole.objective_history_[0], rel=1e-12)
    np.testing.assert_allclose(part.objective_, whole.objective_, rtol=1e-9)


@pytest.mark.slow
def test_partial_fit_after_fit_improves_on_it():
    few = X[:100]
    model = SparseCoding(15, alpha=0.2, **FAST).fit(few)
    before = model.score(few)
    for _ in range(3):
        model.partial_fit(few)
    assert model.score(few) > before
    assert model.n_iter_ == FAST["max_iter"] + 3


@pytest.mark.slow
@pytest.mark.parametrize("penalty", ["smooth_l1", "l1"])
def test_partial_fit_learns_a_planted_dictionary_roughly(penalty):
    found = []
    for seed in range(4):
        model = SparseCoding(15, penalty=penalty, alpha=0.2, random_state=seed)
        rng = np.random.default_rng(seed)
        for _ in range(40):
            model.partial_fit(X[rng.choice(400, 100, replace=False)])
        history = model.objective_history_
        assert history.shape == (41,)
        assert history[-5:].mean() < 0.9 * history[1:6].mean()
        found.append(n_found(model.components_))
    assert np.mean(found) >= 11  # single draws find 9 to 15


def test_partial_fit_with_a_single_sample():
    model = SparseCoding(4, alpha=0.2, random_state=0)
    for sample in X[:5]:
        model.partial_fit(sample[None])
    assert np.isfinite(model.components_).all()
    assert model.n_iter_ == 5


def test_partial_fit_keeps_the_precision_of_its_first_batch():
    model = SparseCoding(15, random_state=0).partial_fit(X[:100].astype(np.float32))
    assert model.partial_fit(X[:100]).components_.dtype == np.float32


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({}, marks=slow),
        pytest.param({"gamma": 0.02}, marks=slow),
        pytest.param({"gamma": 0.02, "solver": "exact"}, marks=slow),
        pytest.param({"penalty": "l1"}, marks=slow),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*(is|are) unused")
def test_finds_a_planted_dictionary(parameters):
    model = SparseCoding(15, alpha=0.2, max_iter=60, batch_size=100, random_state=1, **parameters)
    assert n_found(model.fit(X).components_) >= 11


def test_objects_and_names_of_penalties_agree():
    few = X[:100]
    named = SparseCoding(15, penalty="topographic", epsilon=0.1, **FAST).fit(few)
    given = SparseCoding(15, penalty=Topographic((3, 5), epsilon=0.1), **FAST).fit(few)
    np.testing.assert_array_equal(named.components_, given.components_)
    assert named.penalty_ == given.penalty_
    assert SparseCoding(15, epsilon=0.1, **FAST).fit(few).penalty_ == SmoothL1(0.1)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_all_samples_at_once_however_it_is_said():
    few, settings = X[:40], {"penalty": "l1", "alpha": 0.05, "max_iter": 2, "random_state": 0}
    default = SparseCoding(15, **settings).fit(few)
    assert (np.diff(default.objective_history_) < 0).all()
    for batch_size in (None, 40):
        model = SparseCoding(15, batch_size=batch_size, **settings).fit(few)
        np.testing.assert_array_equal(model.components_, default.components_)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_as_many_atoms_as_features_by_default():
    assert SparseCoding(max_iter=1, random_state=0).fit(X).components_.shape == (10, 10)


def test_another_weight_than_that_of_the_fit():
    X = np.random.default_rng(0).laplace(size=(60, 8))
    model = SparseCoding(
        12, penalty="l1", alpha=0.1, solver="online", batch_size=30, random_state=0
    )
    model.fit(X)
    at_fit = model.transform(X)
    coder = model.with_alpha(3.0)
    expected = encode(X.T, model.components_.T, L1(), 3.0).points.T
    np.testing.assert_allclose(coder.transform(X), expected, atol=1e-8)
    np.testing.assert_array_equal(model.transform(X), at_fit)
    assert (model.alpha, model.alpha_) == (0.1, 0.1)
    with pytest.raises(ValueError, match="alpha must be a finite number ≥ 0, got -1"):
        model.with_alpha(-1)


def test_a_weight_set_after_the_fit_is_not_passed_over_in_silence():
    X = np.random.default_rng(0).laplace(size=(60, 8))
    model = SparseCoding(
        12, penalty="l1", alpha=0.1, solver="online", batch_size=30, random_state=0
    )
    model.fit(X)
    at_fit = model.transform(X)
    model.set_params(alpha=3.0)
    with pytest.warns(UserWarning, match=r"alpha is 3.0, but was 0.1 .* with_alpha\(3.0\)"):
        np.testing.assert_array_equal(model.transform(X), at_fit)
    with pytest.warns(UserWarning, match="alpha is 3.0, but was 0.1"):
        model.score(X)


@pytest.mark.parametrize(
    ("solver", "batch_size", "least"),  # of six seeds
    [("online", 100, 15), ("exact", 200, 14), pytest.param("lbfgs", 200, 14, marks=slow)],
)
def test_codes_by_pursuit_find_a_planted_dictionary(solver, batch_size, least):
    options = {"solver": solver, "batch_size": batch_size, "random_state": 0}
    model = SparseCoding(15, n_nonzero=2, **options).fit(X)
    assert n_found(model.components_) >= least
    np.testing.assert_allclose(np.linalg.norm(model.components_, axis=1), 1)
    codes = model.transform(X)
    assert np.count_nonzero(codes, axis=1).max() == 2
    np.testing.assert_array_equal(codes, sparse_encode(X, model.components_, n_nonzero=2))
    errors = np.square(X - model.inverse_transform(codes)).sum(axis=1)
    assert model.score(X) == pytest.approx(-errors.mean())
    assert errors.mean() < 0.1 * np.square(X).sum(axis=1).mean()
    assert (model.penalty_, model.alpha_, model.n_nonzero_, model.error_) == (None, 0, 2, None)


def test_a_bound_on_the_error_of_fit_holds_for_codes_and_partial_fits():
    model = SparseCoding(15, error=0.2, solver="online", **FAST)
    with pytest.warns(UserWarning, match="Give n_nonzero"):
        model.fit(X).partial_fit(X[:100])
    errors = np.square(X - model.inverse_transform(model.transform(X))).sum(axis=1)
    assert 0.1 < errors.max() <= 0.2
    with pytest.warns(UserWarning, match=r"n_nonzero is 1, but was None .* n_nonzero=1\) encodes"):
        model.set_params(n_nonzero=1).transform(X[:2])


@pytest.mark.slow
def test_a_bound_that_takes_many_atoms_for_each_sample_warns():
    drawn = make_dictionary_signals(3000, 20, 50, n_nonzero=3, snr_db=20, random_state=0)
    options = {"solver": "online", "batch_size": 256, "max_iter": 60, "random_state": 0}
    model = SparseCoding(50, error=20 * 0.115**2, **options)
    with pytest.warns(UserWarning, match=r"takes \d.* atoms on average.* Give n_nonzero"):
        model.fit(drawn.X / drawn.X.std())
    assert n_found(model.components_, drawn.dictionary) < 10
    batches = np.split(drawn.X / drawn.X.std(), 12)
    online = clone(model)
    with pytest.warns(UserWarning, match=r"takes \d.* atoms on average.* Give n_nonzero"):
        online.partial_fit(batches[0])
    online.partial_fit(batches[1])  # without a warning, as with every later batch
    clone(online).set_params(error=20.0).partial_fit(batches[0])
    model.set_params(n_nonzero=3).fit(drawn.X / drawn.X.std())  # without a warning
    assert n_found(model.components_, drawn.dictionary) >= 45


def test_the_objective_of_codes_by_pursuit_is_the_squared_error():
    model = SparseCoding(15, n_nonzero=2, solver="exact", batch_size=None, max_iter=2)
    with pytest.warns(ConvergenceWarning):
        model.fit(X)
    basis, moments, cross = (
        getattr(model.state_, n) for n in ("basis", "codes_moments", "cross_moments")
    )
    energy = np.square(X).sum(axis=1).mean()
    expected = energy - 2 * (basis * cross).sum() + ((basis @ moments) * basis).sum()
    assert model.objective_ == pytest.approx(expected)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"error": 1e9}, "Lower error or n_components"),
        ({"n_nonzero": 1}, "Lower n_components, or raise"),
    ],
)
def test_advice_about_unused_atoms_of_a_pursuit(parameters, said):
    few = np.repeat(X[:3], 20, axis=0)
    with pytest.warns(ConvergenceWarning, match=said):
        SparseCoding(15, **parameters, **FAST).fit(few)


@pytest.mark.parametrize("given", [{"penalty": "l1"}, {"alpha": 2.0}, {"gamma": 0.1}])
def test_a_pursuit_has_no_penalty_and_no_weights(given):
    (name,) = given
    with pytest.raises(
        ValueError, match=f"a pursuit, which has no .* but {name} is .* Leave {name} at its"
    ):
        SparseCoding(n_nonzero=2, **given).fit(X)
