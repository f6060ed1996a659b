import numpy as np
import pytest
from sklearn.base import clone

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering, _checkpoint
from sparsebp.penalties import LogCosh, Topographic

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*(X is not white|is too large for these|each sample can)"),
]
rng = np.random.default_rng(0)
SOURCES = np.hstack([rng.laplace(size=(300, 3)), rng.uniform(-1.7, 1.7, size=(300, 3))])
X = SOURCES @ rng.normal(size=(6, 6))
MODELS = {
    "online": SparseCoding(7, solver="online", batch_size=64, max_iter=12),
    "batches": SparseCoding(7, batch_size=100, max_iter=5),
    "one batch": SparseCoding(7, batch_size=None, max_iter=5),
    "exact": SparseCoding(7, solver="exact", gamma=0.1, batch_size=90, max_iter=5),
    "exact l1": SparseCoding(
        7, solver="exact", penalty="l1", gamma=0.1, batch_size=None, max_iter=5
    ),
    "rica": ReconstructionICA(9, alpha=0.5, whiten=True, max_iter=40),
    "rica signs": ReconstructionICA(6, alpha=0.5, whiten=True, max_iter=40),
    "unit norm": ReconstructionICA(4, penalty=Topographic((2, 2)), unit_norm=True, max_iter=40),
    "ica": OrthonormalICA(max_iter=40),
    "manifold": OrthonormalICA(5, penalty=LogCosh(), solver="manifold", max_iter=40),
    "filtering": SparseFiltering(5, max_iter=40),
}
every = pytest.mark.parametrize("kind", MODELS)


class Killed(BaseException):
    """As sudden as a signal."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Write without a pause, so that nothing depends on the clock."""
    monkeypatch.setattr(_checkpoint, "PAUSE", 0.0)
    monkeypatch.setattr(_checkpoint, "_TIMES", 0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


def model(kind, path=None, **parameters):
    return clone(MODELS[kind]).set_params(**{"random_state": 0, "checkpoint": path, **parameters})


def assert_same(one, other):
    for name in ("components_", "objective_history_"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert (one.n_iter_, one.status_) == (other.n_iter_, other.status_)


def killed_at(number, estimator, samples=X):
    def kill(iteration, _):
        if iteration == number:
            raise Killed

    with pytest.raises(Killed):
        clone(estimator).set_params(callback=kill).fit(samples)


@every
def test_a_killed_fit_resumes_to_the_last_bit(kind, path):
    undisturbed = model(kind).fit(X)
    for number in (1, 3, 3):
        killed_at(number, model(kind, path))
        assert path.exists()
    assert_same(model(kind, path).fit(X), undisturbed)
    assert not path.exists()


@every
def test_a_checkpoint_changes_no_number(kind, path):
    assert_same(model(kind, path).fit(X), model(kind).fit(X))
    assert list(path.parent.iterdir()) == []
