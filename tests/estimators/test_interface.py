"""What every estimator does the same."""

import copy
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.network import Activation, Formula, Layer
from sparsebp.penalties import LogCosh, Penalty, SmoothL1, Topographic
from sparsebp.preprocessing import Whitening

MODELS = {
    "batches": SparseCoding(9, epsilon=0.1, max_iter=3, batch_size=30),
    "l1": SparseCoding(9, penalty="l1", solver="exact", gamma=0.1, max_iter=3, batch_size=30),
    "topographic": SparseCoding(9, penalty="topographic", epsilon=1e-2, max_iter=3, batch_size=30),
    "rica": ReconstructionICA(9, whiten=True, tol=1e-4, random_state=0),
    "unit": ReconstructionICA(9, penalty=Topographic((3, 3)), unit_norm=True, tol=1e-4),
    "ica": OrthonormalICA(tol=1e-5, random_state=0),
    "manifold": OrthonormalICA(4, penalty=LogCosh(), solver="manifold", random_state=0),
    "filtering": SparseFiltering(5, tol=1e-3),
}
unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
pytestmark = pytest.mark.filterwarnings("ignore:.*(is|are) unused")  # after three turns
#: All but those that run the lines of others in the fast suite.
every = pytest.mark.parametrize(
    "kind", first_fast(sorted(MODELS, key=["topographic", "rica", "ica"].__contains__), 5)
)
#: One of each class in the fast suite, where the class matters and its options do not.
each_class = pytest.mark.parametrize(
    "kind", first_fast(sorted(MODELS, key=["unit", "ica", "filtering", "l1"].__contains__)[::-1], 4)
)
ROTATION = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
X = np.random.default_rng(0).laplace(size=(60, 6)) @ ROTATION
X.flags.writeable = False


def model(kind, **parameters):
    return clone(MODELS[kind]).set_params(**{"random_state": 0, **parameters})


@cache
def _fitted(kind):
    return model(kind).fit(X)


def fitted(kind):
    return copy.deepcopy(_fitted(kind))


@each_class
def test_the_same_seed_gives_the_same_result(kind):
    again = model(kind, random_state=np.random.RandomState(0)).fit(X)
    np.testing.assert_array_equal(again.components_, fitted(kind).components_)
    np.testing.assert_array_equal(again.objective_history_, fitted(kind).objective_history_)
    other = model(kind, random_state=1).fit(X)
    assert not np.allclose(other.objective_history_[0], again.objective_history_[0], rtol=1e-8)


@each_class
def test_fit_transform_is_fit_then_transform(kind):
    codes = model(kind).fit_transform(X)
    np.testing.assert_array_equal(codes, fitted(kind).transform(X))
    assert codes.shape == (60, len(fitted(kind).components_))


@every
def test_what_fit_leaves(kind):
    estimator = fitted(kind)
    assert estimator.fit(X) is estimator
    assert estimator.n_features_in_ == 6
    assert estimator.components_.shape[1] == 6
    assert estimator.components_.flags.c_contiguous
    assert estimator.objective_history_.shape == (estimator.n_iter_ + 1,)
    assert estimator.objective_ == estimator.objective_history_[-1]
    assert estimator.objective_ < estimator.objective_history_[0]
    assert estimator.status_ in {"converged", "iteration_limit"}
    if kind != "filtering":
        estimator.penalty_.check_components(len(estimator.components_))


@every
def test_copies_and_pickles_transform_alike(kind):
    estimator = fitted(kind)
    expected = estimator.transform(X[:9])
    for how in (copy.copy, copy.deepcopy, lambda e: pickle.loads(pickle.dumps(e))):
        np.testing.assert_array_equal(how(estimator).transform(X[:9]), expected)


@each_class
def test_a_clone_is_unfitted_and_fits_alike(kind):
    twin = clone(fitted(kind))
    assert not hasattr(twin, "components_")
    np.testing.assert_array_equal(twin.fit(X).components_, fitted(kind).components_)


@every
def test_a_sample_is_transformed_by_itself(kind):
    estimator = fitted(kind)
    together = estimator.transform(X)
    for rows in ([5], [50, 3], list(range(59, -1, -1)), list(range(20, 40))):
        np.testing.assert_allclose(estimator.transform(X[rows]), together[rows], atol=1e-9)


@every
def test_output_columns_have_names(kind):
    estimator = fitted(kind)
    names = estimator.get_feature_names_out()
    prefix = type(estimator).__name__.lower()
    assert list(names) == [f"{prefix}{i}" for i in range(len(estimator.components_))]
    frame = estimator.set_output(transform="pandas").transform(X)
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(names)
    np.testing.assert_array_equal(frame.to_numpy(), fitted(kind).transform(X))


@each_class
def test_a_pipeline_behind_whitening(kind):
    pipeline = make_pipeline(Whitening(), model(kind)).fit(X)
    white = Whitening().fit_transform(X)
    expected = model(kind).fit(white)
    np.testing.assert_array_equal(pipeline.transform(X), expected.transform(white))
    assert pipeline.score(X) == expected.score(white)
    assert len(pipeline.get_feature_names_out()) == len(expected.components_)
    if kind != "filtering":  # its responses do not say how large a sample was
        assert pipeline.inverse_transform(pipeline.transform(X)).shape == X.shape


@unconverged
@pytest.mark.parametrize("kind", first_fast(["rica", "batches"]))
def test_grid_search_over_the_weight_picks_the_best_score(kind):
    alphas = [0.1, 3.0]
    search = GridSearchCV(model(kind), {"alpha": alphas}, cv=2, error_score="raise").fit(X)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert search.best_params_["alpha"] == alphas[int(np.argmax(scores))]
    assert search.best_estimator_.transform(X).shape == (60, 9)


@every
def test_a_callback_sees_every_iteration_and_may_stop(kind):
    calls = []
    estimator = model(kind, callback=lambda *a: calls.append(a)).fit(X)
    assert calls == list(enumerate(estimator.objective_history_))[1:]
    np.testing.assert_array_equal(estimator.components_, fitted(kind).components_)
    stopped = model(kind, callback=lambda i, value: i == 2).fit(X)
    assert (stopped.status_, stopped.n_iter_) == ("stopped", 2)
    np.testing.assert_array_equal(stopped.objective_history_, estimator.objective_history_[:3])
    assert np.isfinite(stopped.transform(X)).all()


@every
def test_an_interrupt_leaves_a_fitted_estimator_and_is_reraised(kind):
    def interrupt(iteration, objective):
        if iteration == 2:
            raise KeyboardInterrupt

    estimator = model(kind, callback=interrupt)
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(X)
    assert (estimator.status_, estimator.n_iter_) == ("interrupted", 2)
    assert estimator.objective_history_.shape == (3,)
    assert np.isfinite(estimator.transform(X)).all()
    assert np.isfinite(estimator.score(X))
    stopped = model(kind, callback=lambda i, value: i == 2).fit(X)
    np.testing.assert_array_equal(estimator.components_, stopped.components_)


@pytest.mark.parametrize("kind", ["batches", "rica"])
def test_an_interrupt_before_the_first_iteration_changes_nothing(kind):
    class Interrupting(SmoothL1):
        @property
        def layers(self):
            raise KeyboardInterrupt

    earlier = fitted(kind)
    for interrupted in (model(kind), earlier):
        before = vars(interrupted).copy()
        interrupted.set_params(penalty=Interrupting())
        with pytest.raises(KeyboardInterrupt):
            interrupted.fit(X[:, :5])
        assert vars(interrupted).keys() == before.keys()
    np.testing.assert_array_equal(earlier.transform(X), fitted(kind).transform(X))


@dataclass(frozen=True)
class InterruptedRoot(Activation):
    """√(z² + 0.01), which is computed some times before a KeyboardInterrupt."""

    left: Iterator
    formula = Formula("√(z² + 0.01)", "{z} / {a}", "", ("", "", ""))

    def __call__(self, z, variables):
        if next(self.left, None) == 1:
            raise KeyboardInterrupt
        return np.sqrt(z * z + 0.01)

    def derivative(self, z, a):
        return z / a


@dataclass(frozen=True)
class InterruptedL1(Penalty):
    left: Iterator

    @property
    def layers(self):
        return (Layer(None, InterruptedRoot(self.left)),)


@pytest.mark.parametrize("kind", ["rica", "ica"])
def test_an_interrupt_at_any_moment_leaves_a_usable_model_or_changes_nothing(kind):
    """Nothing changes while the first signs are searched for: there are no filters then."""
    fitted = []
    for number in (1, 2, 4, 13, 34):
        estimator = model(kind, penalty=InterruptedL1(iter(range(number, 0, -1))))
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(X)
        fitted.append(hasattr(estimator, "components_"))
        if fitted[-1]:
            assert estimator.status_ == "interrupted"
            assert np.isfinite(estimator.transform(X)).all()
        else:
            assert vars(estimator).keys() == vars(model(kind)).keys()
    assert not fitted[0]
    assert fitted[-1]
    assert fitted == sorted(fitted)


@pytest.mark.parametrize(
    "estimator",
    [
        SparseCoding(9, batch_size=None),
        SparseCoding(9, gamma=0.1, batch_size=60),
        ReconstructionICA(9),
        OrthonormalICA(),
        OrthonormalICA(solver="manifold"),
    ],
    ids=str,
)
def test_too_few_iterations_are_warned_of(estimator):
    estimator.set_params(max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning, match=r"1 iterations.*raise max_iter or tol") as caught:
        estimator.fit(X)
    assert caught[0].filename == __file__
    assert (estimator.status_, estimator.n_iter_) == ("iteration_limit", 1)


@every
@unconverged
def test_a_warm_start_resumes_from_the_last_fit(kind):
    estimator = fitted(kind).set_params(warm_start=True)
    last = estimator.objective_
    if isinstance(estimator, SparseCoding):
        once = {"batch_size": None, "max_iter": 1}
        cold = model(kind, **once).fit(X)
        assert estimator.set_params(**once).fit(X).objective_ < cold.objective_
    else:
        estimator.fit(X)
        assert estimator.objective_history_[0] == pytest.approx(last, rel=1e-6)
    unwarmed = model(kind, warm_start=True).fit(X)
    np.testing.assert_array_equal(unwarmed.components_, fitted(kind).components_)


@every
def test_a_warm_start_with_another_shape_is_refused(kind):
    estimator = fitted(kind).set_params(warm_start=True)
    with pytest.raises(ValueError, match=r"components_ of the last fit has shape"):
        estimator.fit(X[:, :4])


@each_class
@unconverged
def test_the_score_is_minus_the_objective_of_fit(kind):
    """Where the samples are those that the last objective was computed on."""
    if kind in ("batches", "l1", "topographic"):
        estimator = model(kind, batch_size=None, max_iter=100, tol=1e-3).fit(X)
        assert -estimator.score(X) <= estimator.objective_ * (1 + 1e-9)
        assert -estimator.score(X) == pytest.approx(estimator.objective_, rel=2e-2)
    else:
        assert -fitted(kind).score(X) == pytest.approx(fitted(kind).objective_, rel=1e-9)


@every
def test_a_refused_fit_leaves_a_fitted_estimator_as_it_was(kind):
    estimator = fitted(kind)
    before = estimator.transform(X)
    with pytest.raises(ValueError, match="n_components"):
        estimator.set_params(n_components=7, penalty=Topographic((2, 2))).fit(X[:, :8])
    np.testing.assert_array_equal(estimator.transform(X), before)


@each_class
def test_a_generator_may_draw(kind):
    draws = [model(kind, random_state=np.random.default_rng(3)).fit(X) for _ in range(2)]
    np.testing.assert_array_equal(draws[0].components_, draws[1].components_)


@pytest.mark.filterwarnings("ignore:alpha is 100.0, but was")
@pytest.mark.parametrize("kind", ["l1", "batches", "rica"])
def test_parameters_set_after_fit_do_not_change_what_was_fitted(kind):
    estimator = fitted(kind)
    codes, score = estimator.transform(X), estimator.score(X)
    estimator.set_params(alpha=100.0)
    np.testing.assert_array_equal(estimator.transform(X), codes)
    assert estimator.score(X) == score


@every
def test_the_score_does_not_depend_on_the_container_of_the_codes(kind):
    estimator = copy.deepcopy(fitted(kind))
    expected = estimator.score(X)
    assert estimator.set_output(transform="pandas").score(X) == expected
