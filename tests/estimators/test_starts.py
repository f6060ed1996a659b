"""Starting points of fits, and sub-Gaussian features."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
)
from sparsebp.metrics import amari_distance
from sparsebp.minimizers import WINDOW
from sparsebp.penalties import LogCosh, Signed

ROTATION = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
X = np.random.default_rng(0).laplace(size=(90, 6)) @ ROTATION
ESTIMATORS = [
    SparseCoding(4, max_iter=3, batch_size=30),
    SparseCoding(4, penalty="l1", max_iter=3, solver="online", batch_size=30),
    ReconstructionICA(4, tol=1e-3),
    ReconstructionICA(8, tol=1e-3, whiten=True),
    OrthonormalICA(4, tol=1e-3),
    OrthonormalICA(4, tol=1e-3, whiten=False),
    SparseFiltering(4, tol=1e-3),
]
every = pytest.mark.parametrize(
    "estimator", first_fast([ESTIMATORS[i] for i in (1, 2, 4, 6, 0, 3, 5)], 4), ids=str
)


def set_up(estimator, **parameters):
    return type(estimator)(**{**estimator.get_params(), **parameters})


@every
def test_a_fit_begins_at_init(estimator):
    init = np.random.default_rng(2).normal(size=(estimator.n_components, 6))
    fits = [set_up(estimator, init=init, random_state=seed).fit(X) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0].components_, fits[1].components_)
    if not isinstance(estimator, SparseCoding):  # whose seed draws batches, too
        np.testing.assert_array_equal(fits[0].components_, fits[2].components_)
    drawn = set_up(estimator, random_state=0).fit(X)
    assert abs(drawn.objective_history_[0] - fits[0].objective_history_[0]) > 1e-6


@pytest.mark.parametrize("estimator", first_fast(ESTIMATORS[2:], 2), ids=str)
def test_a_fit_that_begins_where_another_ended_has_nothing_left_to_do(estimator):
    first = set_up(estimator, tol=1e-9, max_iter=3000, random_state=0).fit(X)
    again = set_up(estimator, init=first.components_, max_iter=3000, tol=1e-7).fit(X)
    assert again.objective_history_[0] == pytest.approx(first.objective_, rel=1e-6)
    assert again.n_iter_ <= WINDOW


@pytest.mark.parametrize("estimator", ESTIMATORS[2:], ids=str)
def test_a_warm_start_goes_before_init(estimator):
    init = np.random.default_rng(2).normal(size=(estimator.n_components, 6))
    model = set_up(estimator, init=init, warm_start=True, random_state=0)
    first = model.fit(X).objective_
    assert model.fit(X).objective_history_[0] == pytest.approx(first, rel=1e-9)


@every
def test_inputs_are_left_alone_and_lists_will_do(estimator):
    init = np.random.default_rng(2).normal(size=(estimator.n_components, 6))
    kept = init.copy()
    a = set_up(estimator, init=init, random_state=0).fit(X)
    b = set_up(estimator, init=init.tolist(), random_state=0).fit(X)
    np.testing.assert_array_equal(init, kept)
    np.testing.assert_array_equal(a.components_, b.components_)


@every
def test_an_init_that_does_not_fit_is_refused(estimator):
    for init in (np.ones((4, 5)), np.ones((3, 6)), np.full((4, 6), np.nan), "pca"):
        with pytest.raises((ValueError, TypeError), match="init"):
            set_up(estimator, init=init).fit(X)


def mixture(seed, n=4000):
    """Two sources sparser than a Gaussian and two less so, white in expectation."""
    rng = np.random.default_rng(seed)
    sources = np.c_[rng.laplace(size=(n, 2)) / np.sqrt(2), rng.uniform(-1, 1, (n, 2)) * np.sqrt(3)]
    mixing = rng.normal(size=(4, 4))
    return sources @ mixing.T, mixing


@pytest.mark.parametrize("seed", first_fast(range(3)))
@pytest.mark.parametrize("solver", ["lbfgs", "manifold"])
@pytest.mark.parametrize("penalty", first_fast(["log_cosh", "smooth_l1", "welsch"]))
def test_signs_find_sub_gaussian_sources(seed, solver, penalty):
    mixed, mixing = mixture(seed)
    model = OrthonormalICA(
        4, penalty=penalty, signs=[1, 1, -1, -1], solver=solver, random_state=seed
    ).fit(mixed)
    assert amari_distance(model.components_, mixing) < 0.1
    without = OrthonormalICA(4, penalty=penalty, signs=None, solver=solver, random_state=seed).fit(
        mixed
    )
    assert amari_distance(without.components_, mixing) > 2 * amari_distance(
        model.components_, mixing
    )


def test_signs_in_reconstruction_ica():
    mixed, mixing = mixture(0)
    model = ReconstructionICA(
        4, alpha=0.1, penalty="log_cosh", signs=(1, 1, -1, -1), whiten=True, random_state=0
    ).fit(mixed)
    assert amari_distance(model.components_, mixing) < 0.1


def test_signs_are_saved(tmp_path):
    model = OrthonormalICA(4, signs=np.array([1, 1, -1, 1]), random_state=0, tol=1e-2).fit(X)
    save_model(model, tmp_path / "model.npz")
    back = load_model(tmp_path / "model.npz")
    assert back.penalty_ == model.penalty_
    assert isinstance(back.penalty_, Signed)
    np.testing.assert_array_equal(back.signs, model.signs)
    assert back.score(X) == model.score(X)


@pytest.mark.parametrize("kind", [ReconstructionICA, OrthonormalICA])
def test_a_sign_is_wanted_for_each_component(kind):
    with pytest.raises(ValueError, match="3 signs for 4 components"):
        kind(4, signs=[1, 1, -1]).fit(X)
    with pytest.raises(ValueError, match="signs are"):
        kind(4, signs=[1, 1, -1, 0.5]).fit(X)


@pytest.mark.parametrize("solver", ["lbfgs", "exact", "online"])
def test_sparse_coding_refuses_signs(solver):
    with pytest.raises(ValueError, match="Signed"):
        SparseCoding(2, penalty=Signed(LogCosh(), (1, -1)), gamma=0.1, solver=solver).fit(X)


@pytest.mark.parametrize("kind", [ReconstructionICA, OrthonormalICA, SparseCoding, SparseFiltering])
def test_rows_of_zeros_are_no_beginning(kind):
    init = np.vstack([np.ones(X.shape[1]), np.zeros(X.shape[1])])
    with pytest.raises(ValueError, match="init has rows of zeros"):
        kind(2, init=init).fit(X)


@pytest.mark.parametrize(
    "kind", [OrthonormalICA, lambda **o: ReconstructionICA(whiten=True, alpha=0.1, **o)]
)
def test_a_warm_start_on_other_samples_of_the_kind_begins_where_the_last_fit_ended(kind):
    """Variances are alike, so whitened directions of other samples are quite different ones."""
    samples = np.random.default_rng(0).laplace(size=(2000, 5))
    model = kind(random_state=0, warm_start=True).fit(samples[:1000])
    last, cold = model.components_, kind(random_state=1, max_iter=1)
    model.fit(samples[1000:])
    with pytest.warns(ConvergenceWarning):
        cold.fit(samples[1000:])
    alike = np.abs(np.sum(last * model.components_, axis=1))
    lengths = np.linalg.norm(last, axis=1) * np.linalg.norm(model.components_, axis=1)
    assert (alike / lengths).min() > 0.9
    assert model.objective_history_[0] < cold.objective_history_[0]
