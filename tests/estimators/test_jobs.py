import numpy as np
import pytest
from thinning import first_fast
from threadpoolctl import threadpool_info, threadpool_limits

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding
from sparsebp.coding import OnlineLearning
from sparsebp.datasets import make_dictionary_signals
from sparsebp.penalties import L1
from sparsebp.preprocessing import Whitening

MODELS = [
    SparseCoding(6, batch_size=300, max_iter=3, random_state=0),
    SparseCoding(6, penalty="l1", solver="online", batch_size=300, max_iter=5, random_state=0),
    ReconstructionICA(6, max_iter=5, tol=0, random_state=0),
    OrthonormalICA(4, max_iter=5, tol=0, random_state=0),
]


def samples(n_samples=3000, dtype=np.float64):
    return make_dictionary_signals(n_samples, 5, 8, n_nonzero=2, random_state=0).X.astype(dtype)


@pytest.mark.filterwarnings("ignore:.*X is not white")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
@pytest.mark.parametrize("model", MODELS, ids=lambda m: f"{type(m).__name__}-{m.solver}")
def test_what_is_learned_does_not_depend_on_the_number_of_threads(model, dtype):
    X = samples(dtype=dtype)
    one, three = (model.set_params(n_jobs=n).fit(X).components_ for n in (1, 3))
    np.testing.assert_array_equal(one, three)
    assert one.dtype == dtype


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [OrthonormalICA, ReconstructionICA])
def test_whitening_within_fit_uses_one_blas_thread(kind, monkeypatch):
    """Whatever n_jobs is: with several threads its products are rounded otherwise."""
    find, threads = Whitening.fit, []

    def watched(*args):
        threads.extend(lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas")
        return find(*args)

    monkeypatch.setattr(Whitening, "fit", watched)
    with threadpool_limits(2, user_api="blas"):
        for n_jobs in (1, 2, None):
            kind(3, whiten=True, max_iter=1, n_jobs=n_jobs).fit(samples(50))
    assert set(threads) == {1}


@pytest.mark.parametrize("kind", [SparseCoding, ReconstructionICA, OrthonormalICA])
def test_another_number_of_threads_is_refused(kind):
    for n_jobs in (0, 1.5, "2", True):
        with pytest.raises(
            (TypeError, ValueError), match="n_jobs must be a number of threads, −1 f"
        ):
            kind(n_jobs=n_jobs).fit(samples(50))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*X is not white")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_growing_batches_reach_a_minimum_of_all_samples():
    X = samples(4000)
    model = ReconstructionICA(4, alpha=0.1, tol=1e-12, max_iter=2000, random_state=0)
    model.fit(X)
    assert -model.score(X) == pytest.approx(model.objective_, rel=1e-10)
    objective = model.problem_.objective("W", {"x": X.T})
    value, gradient = objective.value_and_gradient(model.components_)
    assert value == pytest.approx(model.objective_, rel=1e-10)
    assert np.abs(gradient).max() < 1e-4 * value


def test_positive_codes_and_a_positive_basis():
    X = np.abs(samples(600))
    model = SparseCoding(
        6,
        penalty=L1(positive=True),
        alpha=0.1,
        solver="online",
        positive_basis=True,
        batch_size=100,
        max_iter=20,
        random_state=0,
    ).fit(X)
    codes = model.transform(X)
    assert model.components_.min() >= 0
    assert codes.min() >= 0
    reconstruction = model.inverse_transform(codes)
    assert ((reconstruction - X) ** 2).mean() < 0.3 * (X**2).mean()


def test_a_positive_basis_does_not_start_from_a_negative_one():
    X, options = np.abs(samples(60)), {"solver": "online", "max_iter": 1, "random_state": 0}
    init = np.random.default_rng(0).normal(size=(3, X.shape[1]))
    positive = SparseCoding(3, positive_basis=True, **options)
    with pytest.raises(ValueError, match=r"init, where .* has numbers < 0.*positive_basis=False"):
        positive.set_params(init=init).fit(X)
    assert positive.set_params(init=np.abs(init)).fit(X).components_.min() >= 0
    mixed = SparseCoding(3, init=init, **options).fit(X - X.mean())
    mixed.set_params(positive_basis=True, warm_start=True, init=None)
    for learn in (mixed.fit, mixed.partial_fit):
        with pytest.raises(ValueError, match=r"components_, where .* has numbers < 0"):
            learn(X)


def test_a_positive_basis_needs_the_online_solver():
    with pytest.raises(ValueError, match="requires solver='online'"):
        SparseCoding(positive_basis=True).fit(samples(50))


def test_blas_has_one_thread_while_partial_fit_learns(monkeypatch):
    """With more its pool would spin against SciPy's and ours around small products."""
    step, threads = OnlineLearning.step, []

    def watched(*args):
        threads.extend(lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas")
        return step(*args)

    monkeypatch.setattr(OnlineLearning, "step", watched)
    with threadpool_limits(2, user_api="blas"):
        SparseCoding(4, penalty="l1", solver="online").partial_fit(samples(40))
    assert set(threads) == {1}
