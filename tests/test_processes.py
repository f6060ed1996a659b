"""Processes that are started while a thread fits: none hangs, and all find the same, to the bit."""

import multiprocessing
import sys
import threading
import warnings
from concurrent.futures import ProcessPoolExecutor

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering

X = np.random.default_rng(0).laplace(size=(1500, 16))
SHORT = {"max_iter": 4, "random_state": 0}
MODELS = {
    "turns": SparseCoding(20, alpha=0.5, batch_size=700, **SHORT),
    "exact": SparseCoding(12, penalty="l1", solver="exact", gamma=0.1, **SHORT),
    "online": SparseCoding(20, penalty="l1", solver="online", **SHORT),
    "rica": ReconstructionICA(20, whiten=0.9, **SHORT),
    "ica": OrthonormalICA(8, **SHORT),
    "filtering": SparseFiltering(8, **SHORT),
}
#: Seconds after which a process counts as hanging.
LIMIT = 240

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def expected():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {name: clone(model).fit(X) for name, model in MODELS.items()}


@pytest.fixture
def fitting():
    """Have a thread that fits with threads of its own all the while."""
    stop = threading.Event()

    def fit():
        while not stop.is_set():
            clone(MODELS["turns"]).set_params(n_jobs=2).fit(X)

    thread = threading.Thread(target=fit)
    thread.start()
    yield
    stop.set()
    thread.join()


def in_processes(way):
    models = [clone(model) for model in MODELS.values()]
    if way == "loky":
        parallel = joblib.Parallel(n_jobs=2, backend="loky", timeout=LIMIT)
        return parallel(joblib.delayed(model.fit)(X) for model in models)
    context = multiprocessing.get_context(way)
    with ProcessPoolExecutor(2, context) as pool:
        started = [pool.submit(model.fit, X) for model in models]
        return [future.result(LIMIT) for future in started]


@pytest.mark.parametrize("way", ["fork", "spawn", "loky"])
@pytest.mark.skipif(sys.platform != "linux", reason="forking with threads")
def test_processes_find_the_same(way, fitting, expected):
    for found, name in zip(in_processes(way), MODELS, strict=True):
        np.testing.assert_array_equal(found.components_, expected[name].components_)


def test_a_grid_search_in_processes_finds_the_same(fitting):
    model, grid = MODELS["turns"], {"alpha": [0.1, 0.5], "n_jobs": [1, 2]}
    searches = [GridSearchCV(model, grid, cv=2, n_jobs=n).fit(X[:600]) for n in (None, 2)]
    one, two = (search.cv_results_["mean_test_score"] for search in searches)
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(one[::2], one[1::2])


@pytest.mark.parametrize("name", list(MODELS))
def test_any_number_of_jobs_finds_the_same(name, expected):
    model = MODELS[name]
    if "n_jobs" not in model.get_params():
        pytest.skip("takes no number of jobs")
    codes = expected[name].transform(X)
    for n_jobs in (1, 2, 3, 4, -1):
        found = clone(model).set_params(n_jobs=n_jobs).fit(X)
        np.testing.assert_array_equal(found.components_, expected[name].components_)
        np.testing.assert_array_equal(found.transform(X), codes)
