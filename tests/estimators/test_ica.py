from dataclasses import replace

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA
from sparsebp.datasets import make_mixtures
from sparsebp.metrics import amari_distance
from sparsebp.minimizers import WINDOW
from sparsebp.penalties import L1, LogCosh, SmoothL1, Topographic
from sparsebp.preprocessing import Whitening

MIXTURES = make_mixtures(1000, 6, random_state=0)
X = MIXTURES.X
X.flags.writeable = False
WHITE = Whitening().fit_transform(X)

SPARSITY = {
    "l1": lambda s: np.abs(s).sum(axis=1),
    "smooth_l1": lambda s: np.sqrt(s**2 + 1e-2).sum(axis=1),
    "log_cosh": lambda s: np.log(np.cosh(s)).sum(axis=1),
    "cauchy": lambda s: np.log(1 + s**2).sum(axis=1),
    "welsch": lambda s: (1 - np.exp(-(s**2) / 2)).sum(axis=1),
}
solvers = pytest.mark.parametrize("solver", ["lbfgs", "manifold"])


@pytest.mark.parametrize("penalty", list(SPARSITY))
def test_the_score_of_orthonormal_ica_is_minus_its_objective(penalty):
    model = OrthonormalICA(penalty=penalty, epsilon=1e-2, tol=1e-3, random_state=0).fit(X)
    codes = (X - X.mean(axis=0)) @ model.components_.T
    np.testing.assert_allclose(model.transform(X), codes, atol=1e-10)
    expected = SPARSITY[penalty](codes).mean()
    assert model.score(X) == pytest.approx(-expected, rel=1e-10)
    assert model.objective_ == pytest.approx(expected, rel=1e-9)


@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
@pytest.mark.parametrize("unit_norm", [False, True])
@pytest.mark.parametrize("penalty", first_fast(["smooth_l1", "log_cosh", "cauchy"]))
def test_the_score_of_reconstruction_ica_is_minus_its_objective(penalty, unit_norm):
    model = ReconstructionICA(
        8, penalty=penalty, alpha=0.3, epsilon=1e-2, unit_norm=unit_norm, tol=1e-4, random_state=0
    ).fit(WHITE)
    w = model.components_
    errors = ((WHITE @ w.T @ w - WHITE) ** 2).sum(axis=1)
    expected = (errors + 0.3 * SPARSITY[penalty](WHITE @ w.T)).mean()
    assert model.score(WHITE) == pytest.approx(-expected, rel=1e-9)
    assert model.objective_ == pytest.approx(expected, rel=1e-9)


@solvers
@pytest.mark.parametrize("penalty", first_fast(["smooth_l1", LogCosh()]))
def test_eight_laplace_sources_are_recovered(solver, penalty):
    mixtures = make_mixtures(5000, 8, random_state=1)
    model = OrthonormalICA(penalty=penalty, solver=solver, random_state=0).fit(mixtures.X)
    start = np.random.default_rng(0).normal(size=(8, 8))
    assert amari_distance(np.linalg.qr(start)[0], np.eye(8)) > 0.2
    assert amari_distance(model.components_, mixtures.mixing) < 0.05
    estimated = model.transform(mixtures.X)
    alike = np.abs(np.corrcoef(estimated.T, mixtures.sources.T)[:8, 8:])
    assert alike.max(axis=1).min() > 0.99


@solvers
@pytest.mark.parametrize("n_components", [None, 2, 6])
def test_the_outputs_of_orthonormal_ica_are_white(solver, n_components):
    model = OrthonormalICA(n_components, solver=solver, tol=1e-3, random_state=0).fit(X)
    n = n_components or 6
    codes = model.transform(X)
    np.testing.assert_allclose(codes.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(codes.T @ codes / len(X), np.eye(n), atol=1e-10)
    np.testing.assert_allclose(
        model.whitened_components_ @ model.whitened_components_.T, np.eye(n), atol=1e-10
    )
    np.testing.assert_allclose(model.components_ @ model.mixing_, np.eye(n), atol=1e-10)
    np.testing.assert_allclose(model.mean_, X.mean(axis=0), atol=1e-12)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_inverse_transform_is_exact_at_full_rank(offset):
    flat = np.hstack([X, X[:, :2] - X[:, 2:4]]) + offset
    model = OrthonormalICA(tol=1e-3, random_state=0).fit(flat)
    assert model.components_.shape == (6, 8)
    back = model.inverse_transform(model.transform(flat))
    np.testing.assert_allclose(back, flat, atol=1e-8)
    part = OrthonormalICA(3, tol=1e-3, random_state=0).fit(flat)
    back = part.inverse_transform(part.transform(flat))
    assert 0.01 < ((back - flat) ** 2).sum() / ((flat - offset) ** 2).sum() < 1
    np.testing.assert_allclose(part.transform(back), part.transform(flat), atol=1e-8)


def test_without_whitening_the_samples_are_taken_as_they_are():
    model = OrthonormalICA(whiten=False, tol=1e-6, random_state=0).fit(WHITE)
    w = model.components_
    np.testing.assert_allclose(w @ w.T, np.eye(6), atol=1e-10)
    np.testing.assert_array_equal(model.mean_, 0)
    np.testing.assert_allclose(model.transform(WHITE), WHITE @ w.T, atol=1e-12)
    inside = OrthonormalICA(tol=1e-6, random_state=0).fit(X)
    assert model.objective_ == pytest.approx(inside.objective_, rel=1e-3)


def test_both_solvers_find_the_same_optimum():
    values = [
        OrthonormalICA(solver=solver, tol=1e-9, max_iter=2000, random_state=0).fit(X).objective_
        for solver in ("lbfgs", "manifold")
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-5)


@solvers
def test_nothing_sparser_is_near_the_filters_found(solver):
    model = OrthonormalICA(solver=solver, tol=1e-10, max_iter=2000, random_state=0).fit(X)
    rng = np.random.default_rng(0)
    codes = model.transform(X)

    def sparsity(codes):
        return np.sqrt(codes**2 + 1).mean()

    best = sparsity(codes)
    for size in (1e-3, 1e-2, 1e-1):
        turn = np.linalg.qr(np.eye(6) + size * rng.normal(size=(6, 6)))[0]
        assert sparsity(codes @ turn.T) > best


@pytest.mark.parametrize("alpha", first_fast([0.0, 1e-4]))
def test_reconstruction_ica_tends_to_orthonormal_filters_on_white_samples(alpha):
    model = ReconstructionICA(alpha=alpha, tol=1e-12, max_iter=2000, random_state=0).fit(WHITE)
    w = model.components_
    np.testing.assert_allclose(w @ w.T, np.eye(6), atol=20 * alpha + 1e-5)


def test_a_small_weight_still_finds_the_sources():
    """The limit α → 0 of reconstruction ICA is orthonormal ICA."""
    model = ReconstructionICA(alpha=0.05, tol=1e-10, max_iter=3000, random_state=0).fit(WHITE)
    mixing = Whitening().fit(X).whitening_matrix_ @ MIXTURES.mixing
    assert amari_distance(model.components_, mixing) < 0.05


@pytest.mark.parametrize("n_components", [3, 6, 12])
def test_unit_rows_have_length_one(n_components):
    model = ReconstructionICA(n_components, unit_norm=True, alpha=0.2, tol=1e-3, random_state=0)
    lengths = np.linalg.norm(model.fit(WHITE).components_, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-12)


def test_more_weight_makes_smaller_and_sparser_responses():
    sizes = [
        np.abs(ReconstructionICA(8, alpha=a, tol=1e-4, random_state=0).fit_transform(WHITE)).mean()
        for a in (0.1, 1.0)
    ]
    assert sizes[0] > sizes[1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("estimator", [ReconstructionICA, OrthonormalICA])
def test_exact_l1_is_taken(estimator):
    model = estimator(penalty=L1(), random_state=0, max_iter=200).fit(WHITE)
    smooth = estimator(penalty=SmoothL1(1e-8), random_state=0, max_iter=200).fit(WHITE)
    assert model.objective_ == pytest.approx(smooth.objective_, rel=2e-2)


@pytest.mark.slow
def test_topographic_ica_puts_dependent_components_side_by_side():
    """Pairs of sources share their scale; on a map of pairs they come to share a group."""
    rng = np.random.default_rng(0)
    scales = np.repeat(rng.exponential(size=(4000, 3)) + 0.05, 2, axis=1)
    sources = scales * rng.normal(size=(4000, 6))
    mixing = rng.normal(size=(6, 6))
    groups = np.repeat(np.eye(3), 2, axis=1)
    penalty = Topographic.from_groups(groups, epsilon=1e-3)
    models = [
        OrthonormalICA(penalty=penalty, random_state=i).fit(sources @ mixing.T) for i in range(8)
    ]
    gains = (min(models, key=lambda model: model.objective_).components_ @ mixing) ** 2
    gains /= gains.sum(axis=1, keepdims=True)
    blocks = gains.reshape(3, 2, 3, 2).sum(axis=(1, 3)) / 2
    assert blocks.max(axis=1).min() > 0.95
    assert sorted(blocks.argmax(axis=1)) == [0, 1, 2]


@pytest.mark.parametrize("kind", [OrthonormalICA, ReconstructionICA])
def test_responses_cannot_be_kept_positive(kind):
    with pytest.raises(ValueError, match="use SparseCoding"):
        kind(2, penalty=L1(positive=True)).fit(np.random.default_rng(0).normal(size=(50, 4)))


def waves(n_samples=2000):
    t = np.linspace(0, 30, n_samples)
    return np.c_[np.sign(np.sin(2.13 * t)), np.sign(np.sin(5.37 * t + 1)), np.sin(3.3 * t)]


SOURCES = {
    "square waves and a sine": lambda rng: waves(),
    "two values": lambda rng: np.sign(rng.normal(size=(2000, 3))),
    "rare events": lambda rng: (rng.random((2000, 3)) < 0.1).astype(float),
    "exponential": lambda rng: rng.exponential(size=(2000, 3)),
    "gamma": lambda rng: rng.gamma(2, size=(2000, 3)),
}


@pytest.mark.parametrize("estimator", [OrthonormalICA, ReconstructionICA])
@pytest.mark.parametrize("kind", first_fast(SOURCES))
def test_sources_of_two_values_and_skewed_ones_are_separated(estimator, kind):
    """With ε = 0.01 the median distance is 0.1 to 0.5, but for rare events."""
    distances = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        sources, mixing = SOURCES[kind](rng), rng.normal(size=(3, 3))
        model = estimator(whiten=True, random_state=seed).fit(sources @ mixing.T)
        distances.append(amari_distance(model.components_, mixing))
    assert np.median(distances) < 0.08
    assert max(distances) < 0.12


@pytest.mark.filterwarnings("ignore")
def test_the_smoothing_is_the_variance_of_white_samples():
    def smoothing(samples, *n_components, **options):
        model = ReconstructionICA(*n_components, max_iter=1, random_state=0, **options).fit(samples)
        return model.penalty_.epsilon

    assert smoothing(5 * X, whiten=True) == 1
    assert smoothing(X, 7, whiten=True) == 0.01
    assert smoothing(WHITE / 9) == pytest.approx(1 / 81)
    assert smoothing(WHITE / 9, 7) == pytest.approx(0.01 / 81)
    assert smoothing(WHITE / 9, epsilon=0.3, alpha=0.01) == 0.3
    assert smoothing(np.zeros((20, 3))) == 1


@pytest.mark.parametrize("unit", [2.0**-20, 2.0**20])
def test_filters_of_white_samples_do_not_depend_on_their_unit(unit):
    models = [OrthonormalICA(whiten=False, random_state=0).fit(x) for x in (WHITE, unit * WHITE)]
    np.testing.assert_allclose(*(model.components_ for model in models), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    "model",
    [OrthonormalICA(), OrthonormalICA(solver="manifold"), ReconstructionICA(whiten=True)],
    ids=["lbfgs", "manifold", "reconstruction"],
)
def test_searches_stop_where_ten_iterations_gain_little_or_one_next_to_nothing(model):
    history = np.array(model.set_params(random_state=0, tol=1e-3).fit(X).objective_history_)
    gains = -np.diff(history) / np.abs(history[1:])
    settled = len(gains) >= WINDOW and gains[-WINDOW:].mean() <= 1.05 * model.tol
    assert settled or gains[-1] <= 1e-4 * model.tol


@pytest.mark.parametrize("solver", ["lbfgs", "manifold"])
def test_the_problem_that_a_subclass_states_is_minimized(solver):
    class Doubled(OrthonormalICA):
        def _problem_of(self, penalty, shape):
            problem = super()._problem_of(penalty, shape)
            return replace(problem, parts=[replace(p, weight=2 * p.weight) for p in problem.parts])

    plain, doubled = (
        kind(solver=solver, random_state=0).fit(X) for kind in (OrthonormalICA, Doubled)
    )
    assert doubled.objective_ == pytest.approx(2 * plain.objective_, rel=1e-6)
    assert doubled.score(X) == pytest.approx(-doubled.objective_, rel=1e-6)
