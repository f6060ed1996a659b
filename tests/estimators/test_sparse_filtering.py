import numpy as np
import oracles
import pytest
from sklearn.pipeline import make_pipeline
from thinning import first_fast

from sparsebp import SparseFiltering
from sparsebp.preprocessing import Whitening

X = np.random.default_rng(0).laplace(size=(80, 6)) @ np.random.default_rng(1).normal(size=(6, 6))


def test_the_objective_is_the_papers():
    model = SparseFiltering(5, epsilon=1e-4, random_state=0).fit(X)
    epsilon = 1e-4 * (X**2).mean()
    assert model.epsilon_ == pytest.approx(epsilon, rel=1e-12)
    expected = oracles.sparse_filtering(model.components_, X.T, epsilon) / 80
    assert model.objective_ == pytest.approx(expected, rel=1e-12)
    assert model.score(X) == pytest.approx(-expected, rel=1e-12)
    assert model.objective_history_[-1] == model.objective_ < model.objective_history_[0]


def test_codes_are_the_papers_where_the_samples_are_those_of_fit():
    model = SparseFiltering(5, random_state=0).fit(X)
    f = np.sqrt((X @ model.components_.T) ** 2 + model.epsilon_)
    f /= np.linalg.norm(f, axis=0)
    f /= np.linalg.norm(f, axis=1, keepdims=True)
    np.testing.assert_allclose(model.transform(X), f, rtol=1e-10)
    strength = np.sqrt(((X @ model.components_.T) ** 2 + model.epsilon_).mean(axis=0))
    np.testing.assert_allclose(model.scale_, strength, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-6, 2.0**-20, 1e6])
@pytest.mark.parametrize("epsilon", first_fast([1e-8, 1e-2]))
def test_the_filters_do_not_depend_on_the_unit_of_the_samples(unit, epsilon):
    model = SparseFiltering(5, epsilon=epsilon, tol=1e-3, random_state=0).fit(X)
    other = SparseFiltering(5, epsilon=epsilon, tol=1e-3, random_state=0).fit(unit * X)
    np.testing.assert_allclose(other.components_, model.components_, atol=1e-6)
    np.testing.assert_allclose(other.transform(unit * X), model.transform(X), atol=1e-6)


def test_a_sample_is_encoded_by_itself():
    model = SparseFiltering(5, random_state=0).fit(X)
    np.testing.assert_allclose(model.transform(X[7:8]), model.transform(X)[7:8], rtol=1e-12)


@pytest.mark.parametrize("seed", first_fast(range(5), 2))
def test_codes_become_sparser_and_filters_equally_strong(seed):
    model = SparseFiltering(6, random_state=seed).fit(X)
    assert model.objective_ < 0.95 * model.objective_history_[0]
    strength = np.square(model.transform(X)).mean(axis=0)
    assert strength.max() < 3 * strength.min()


def test_finds_the_sources_of_a_white_mixture():
    """With as many filters as independent sparse sources each filter answers to one of them."""
    rng = np.random.default_rng(0)
    sources = rng.laplace(size=(4000, 4)) ** 3
    mixture = sources @ rng.normal(size=(4, 4))
    model = make_pipeline(Whitening(), SparseFiltering(4, max_iter=500, random_state=0))
    answers = model.fit(mixture)[-1].components_ @ model[0].transform(mixture).T
    match = np.abs(np.corrcoef(answers, sources.T)[:4, 4:])
    assert match.max(axis=1).min() > 0.9
    assert len(set(match.argmax(axis=1))) == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_is_kept(dtype):
    model = SparseFiltering(3, tol=1e-3, random_state=0).fit(X.astype(dtype))
    assert model.components_.dtype == model.transform(X.astype(dtype)).dtype == dtype


@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
@pytest.mark.parametrize("value", [0.0, 3.0])
def test_constant_samples_do_not_crash(value):
    model = SparseFiltering(3, random_state=0).fit(np.full((10, 4), value))
    assert np.isfinite(model.transform(np.full((2, 4), value))).all()


@pytest.mark.parametrize("epsilon", [1e-8, 0.1])
def test_filters_have_length_one_however_large_epsilon_is(epsilon):
    model = SparseFiltering(6, epsilon=epsilon, random_state=0).fit(X)
    np.testing.assert_allclose(np.linalg.norm(model.components_, axis=1), 1, rtol=1e-12)


def test_epsilon_must_be_positive():
    with pytest.raises(ValueError, match="epsilon must be a finite number > 0, got 0"):
        SparseFiltering(epsilon=0).fit(X)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_warm_start_resumes():
    model = SparseFiltering(4, max_iter=15, tol=0, random_state=0, warm_start=True)
    first = model.fit(X).objective_
    assert model.fit(X).objective_history_[0] == pytest.approx(first, rel=1e-12)
