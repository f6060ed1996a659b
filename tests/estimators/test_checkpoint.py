"""Fits that are killed and resume to the last bit."""

import io
import os
import pickle
import signal
import time
from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.base import clone
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoding,
    SparseFiltering,
    _checkpoint,
    load_model,
    save_model,
)
from sparsebp._checkpoint import CheckpointFile
from sparsebp._tape import FRAME, frame
from sparsebp.coding import Alternation, OnlineLearning
from sparsebp.estimators._resuming import checksum
from sparsebp.penalties import LogCosh, Penalty, SmoothL1, Topographic

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:.*(X is not white|is too large for|each sample can)"),
]
rng = np.random.default_rng(0)
X = np.hstack([rng.laplace(size=(150, 2)), rng.uniform(-1.7, 1.7, size=(150, 2))])
X = X @ rng.normal(size=(4, 4))
MODELS = {
    "online": SparseCoding(5, penalty="l1", solver="online", batch_size=64, max_iter=6),
    "one batch": SparseCoding(5, batch_size=None, max_iter=4),
    "signs": ReconstructionICA(4, alpha=0.5, whiten=True, max_iter=12),
    "manifold": OrthonormalICA(3, penalty=LogCosh(), solver="manifold", max_iter=12),
    "filtering": SparseFiltering(3, max_iter=8),
    "batches": SparseCoding(5, batch_size=50, max_iter=5),
    "exact": SparseCoding(5, solver="exact", gamma=0.1, batch_size=40, max_iter=5),
    "l1": SparseCoding(5, solver="exact", penalty="l1", gamma=0.1, batch_size=40, max_iter=4),
    "rica": ReconstructionICA(6, alpha=0.5, whiten=True, max_iter=12),
    "unit norm": ReconstructionICA(4, penalty=Topographic((2, 2)), unit_norm=True, max_iter=12),
    "ica": OrthonormalICA(max_iter=12),
    "subspaces": OrthonormalICA(penalty="subspace", group_size=2, max_iter=12),
    "groups of atoms": SparseCoding(6, penalty="subspace", group_size=2, batch_size=50, max_iter=5),
}
IN_STEPS = (Alternation, OnlineLearning)
#: Of which a larger max_iter takes the same steps and more.
CAN_GO_ON = ["online", "signs", "manifold", "filtering", "rica", "unit norm", "ica", "subspaces"]
every = pytest.mark.parametrize("kind", first_fast(MODELS, 4))


class Killed(BaseException):
    """As sudden as a signal."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Write without a pause, so that nothing depends on the clock."""
    monkeypatch.setattr(_checkpoint, "PAUSE", 0.0)
    monkeypatch.setattr(_checkpoint, "_TIMES", 0)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fit.checkpoint"


@pytest.fixture
def computed(monkeypatch):
    """List what fits compute: the points of evaluations, and steps."""
    done, record = [], CheckpointFile.record
    monkeypatch.setattr(CheckpointFile, "record", lambda *a: done.append(a[1]) or record(*a))
    for kind in IN_STEPS:

        def step(*arguments, plain=kind.step):
            done.append("step")
            return plain(*arguments)

        monkeypatch.setattr(kind, "step", step)
    return done


def model(kind, path=None, **parameters):
    return clone(MODELS[kind]).set_params(**{"random_state": 0, "checkpoint": path, **parameters})


def assert_same(one, other):
    for name in ("components_", "objective_history_"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    assert (one.n_iter_, one.status_) == (other.n_iter_, other.status_)


def killing(number, ending=Killed):
    """Return a callback that ends a fit at an iteration."""

    def end(iteration, _):
        if iteration == number:
            raise ending

    return end


def kill(estimator, number, samples=X, ending=Killed):
    with pytest.raises(ending):
        clone(estimator).set_params(callback=killing(number, ending)).fit(samples)


@every
def test_a_killed_fit_resumes_to_the_last_bit(kind, path, computed):
    undisturbed = model(kind).fit(X)
    computed.clear()
    assert_same(model(kind, path).fit(X), undisturbed)
    n_computed = len(computed)
    path.unlink(missing_ok=True)
    computed.clear()
    for number in (1, 3, 3):
        kill(model(kind, path), number)
    assert_same(model(kind, path).fit(X), undisturbed)
    if "step" in computed:  # the one that was killed, each time
        before = n_computed - undisturbed.n_iter_  # repeated, since the first had kept nothing
        assert len(computed) == n_computed + 3 + before
    else:
        assert len(computed) == n_computed > undisturbed.n_iter_
    may_go_on = undisturbed.status_ == "iteration_limit" and kind in CAN_GO_ON
    assert list(path.parent.iterdir()) == ([path] if may_go_on else [])


# In the last two the search before it hits the limit, too, and the rest is computed again.
@pytest.mark.parametrize("kind", first_fast(CAN_GO_ON[:-2], 2))
def test_a_fit_goes_on_when_its_limit_is_raised(kind, path, computed, capsys):
    limit = 5 if kind == "manifold" else 8  # it converges after 10
    more = limit + 3
    undisturbed = model(kind, max_iter=more, tol=0).fit(X)
    assert model(kind, path, max_iter=limit, tol=0).fit(X).status_ == "iteration_limit"
    computed.clear()
    gone_on = model(kind, path, max_iter=more, tol=0, verbose=True).fit(X)
    assert_same(gone_on, undisturbed)
    assert f"resumed at iteration {more - 2} from '{path}'" in capsys.readouterr().out
    assert 0 < len(computed) <= 6
    with pytest.raises(ValueError, match=rf"max_iter was \d+ and is {more - 4}"):
        model(kind, path, max_iter=more - 4).fit(X)


def test_a_subset_that_came_to_the_limit_goes_on(path):
    """It asks for points that the tape does not have, since all samples had the last iteration."""
    many = np.random.default_rng(1).laplace(size=(5000, 4))
    limited = model("rica", path, max_iter=3).fit(many)
    assert limited.n_iter_ == 3
    found = model("rica", path, max_iter=12).fit(many)
    assert_same(found, model("rica", max_iter=12).fit(many))


def test_a_callback_is_told_that_a_fit_resumed(path):
    class Callback(list):
        def __call__(self, iteration, objective):
            self.append(iteration)

        def resumed(self, text):
            self.append(text)

    kill(model("online", path), 3)
    told = Callback()
    model("online", path, callback=told).fit(X)
    assert told == [f"resumed at iteration 3 from '{path}'", 3, 4, 5, 6]
    told = Callback()
    model("online", path, callback=told).fit(X)
    assert told == [f"resumed at its end from '{path}'"]


@pytest.mark.parametrize("kind", first_fast(["manifold", "online", "signs", "l1"]))
def test_a_fit_in_single_precision_resumes(kind, path):
    single = X.astype(np.float32)
    kill(model(kind, path), 3, single)
    resumed = model(kind, path).fit(single)
    assert resumed.components_.dtype == np.float32
    assert_same(resumed, model(kind).fit(single))


@pytest.mark.parametrize("ending", [KeyboardInterrupt, ValueError])
def test_an_interrupted_or_failed_fit_resumes(ending, path):
    kill(model("manifold", path), 4, ending=ending)
    assert_same(model("manifold", path).fit(X), model("manifold").fit(X))


def test_a_fit_that_ended_is_not_resumed(path, computed):
    model("filtering", path, tol=0.1).fit(X)
    n_computed = len(computed)
    model("filtering", path, tol=0.1).fit(X)
    assert len(computed) == 2 * n_computed
    stopped = model("filtering", path, callback=lambda *_: True).fit(X)
    assert (stopped.status_, path.exists()) == ("stopped", False)


@pytest.mark.parametrize("kind", ["online", "signs"])
@pytest.mark.parametrize("draw", first_fast([lambda: None, lambda: np.random.default_rng(4)]))
def test_what_was_drawn_is_drawn_again(kind, draw, path, monkeypatch):
    monkeypatch.setattr("sparsebp._checks._numpy_random.get_bit_generator", np.random.MT19937)
    starts = []

    def remember(iteration, value):
        starts.append(value)
        if len(starts) == 2:
            raise Killed

    with pytest.raises(Killed):
        model(kind, path, random_state=draw(), callback=remember).fit(X)
    resumed = model(kind, path, random_state=draw()).fit(X)
    assert resumed.objective_history_[1] == starts[0]


def test_other_samples_parameters_and_versions_are_refused(path, monkeypatch):
    monkeypatch.setattr("sparsebp.estimators._resuming._SOME", 10)  # every 15th sample
    kill(model("online", path), 3)
    whole = path.read_bytes()
    other = X.copy()
    other[77, 2] = np.nextafter(other[77, 2], 9)
    for samples, parameters, message in [
        (other, {}, "checksum of X was .* and is"),
        (X[::-1].copy(), {}, "checksum of X was .* and is"),
        (X[:-1], {}, r"shape of X was \[150, 4\] and is \[149, 4\]"),
        (X.astype(np.float32), {}, "dtype of X was float64 and is float32"),
        (np.asfortranarray(X), {}, "memory order of X was C and is F"),
        (X, {"max_iter": 5}, "max_iter was 6 and is 5"),
        (X, {"random_state": 1}, "random_state was 0 and is 1"),
        (X, {"random_state": None}, "random_state was 0 and is None"),
        (X, {"penalty": LogCosh(2.0)}, "penalty was l1 and is .*LogCosh"),
        (X, {"init": np.eye(5, 4) + 1}, "init was None and is array"),
    ]:
        estimator = model("online", path, **parameters)
        with pytest.raises(ValueError, match=f"of another fit: {message}.*To restart, delete"):
            estimator.fit(samples)
        assert not hasattr(estimator, "components_")
    kill(model("batches", path.with_name("b")), 3)
    with pytest.raises(ValueError, match="max_iter was 5 and is 6"):  # replaces atoms by it
        model("batches", path.with_name("b"), max_iter=6).fit(X)
    with pytest.raises(ValueError, match="estimator was SparseCoding and is SparseFiltering"):
        model("filtering", path).fit(X)
    with monkeypatch.context() as patch:
        patch.setattr("scipy.__version__", "0")
        with pytest.raises(
            ValueError, match=r"of another fit: scipy was \S+ and is 0\. To restart"
        ):
            model("online", path).fit(X)
    assert path.read_bytes() == whole
    harmless = {"n_jobs": 2, "verbose": 0, "callback": lambda *_: None, "patch_shape": (2, 2)}
    assert_same(model("online", path, **harmless).fit(X), model("online").fit(X))


@pytest.mark.parametrize(
    "penalty", [LogCosh(2.0), Topographic((1, 4)), Topographic.from_groups(np.eye(4))], ids=str
)
def test_a_penalty_that_was_used_before_resumes_its_fit(penalty, path):
    """Although it has cached what it computed."""
    kill(OrthonormalICA(penalty=penalty, checkpoint=path, random_state=0), 2)
    estimator = OrthonormalICA(penalty=penalty, checkpoint=path, random_state=0)
    used = estimator.fit(X).components_
    kill(estimator, 2)
    np.testing.assert_array_equal(estimator.fit(X).components_, used)


def test_another_grid_is_refused(path):
    kill(OrthonormalICA(penalty=Topographic((1, 4)), checkpoint=path, random_state=0), 2)
    with pytest.raises(ValueError, match="of another fit: penalty was"):
        OrthonormalICA(penalty=Topographic((2, 2)), checkpoint=path, random_state=0).fit(X)


def edited(epsilon, factor):
    """A user's penalty, as before or after its code or what it holds was edited."""

    @dataclass(frozen=True)
    class Own(Penalty):
        scale: object = None

        @property
        def layers(self):
            return SmoothL1(epsilon).layers

    return Own({"of": (lambda x: factor * x, 1j, frozenset({2}))})


@pytest.mark.parametrize("after", [(100.0, 2), (1.0, 3)], ids=["layers", "function"])
def test_a_penalty_whose_code_was_edited_is_refused(path, after):
    kill(OrthonormalICA(penalty=edited(1.0, 2), checkpoint=path, random_state=0), 2)
    with pytest.raises(ValueError, match="of another fit: penalty was"):
        OrthonormalICA(penalty=edited(*after), checkpoint=path, random_state=0).fit(X)
    OrthonormalICA(penalty=edited(1.0, 2), checkpoint=path, random_state=0).fit(X)


def test_a_warm_start_from_other_components_is_refused(path):
    first = model("online", warm_start=True).fit(X)
    with pytest.raises(Killed):
        first.set_params(checkpoint=path, callback=killing(3)).fit(X)
    other = model("online", path, warm_start=True)
    with pytest.raises(ValueError, match="the last fit was"):
        other.fit(X)


def test_an_estimator_with_a_checkpoint_is_copied_and_saved(path):
    estimator = model("filtering", str(path)).fit(X)
    for copied in (clone(estimator), pickle.loads(pickle.dumps(estimator))):
        assert copied.get_params()["checkpoint"] == str(path)
    save_model(estimator, path.with_name("model.npz"))
    assert load_model(path.with_name("model.npz")).checkpoint is None


@pytest.mark.parametrize("kind", ["online", "filtering"])
def test_a_checkpoint_that_is_no_path_is_refused(kind):
    for value in (True, 3, b"a"):
        with pytest.raises(TypeError, match="checkpoint must be a path, or None, got"):
            model(kind, value).check_parameters()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_kill_9_at_random_moments(kind, path, monkeypatch):
    """Of 2,000 samples, with pauses: what was not written is lost, and the file may be torn."""
    monkeypatch.setattr(_checkpoint, "PAUSE", 0.02)
    many = np.random.default_rng(1).laplace(size=(2000, 8)) @ np.random.default_rng(2).normal(
        size=(8, 8)
    )
    sizes = {"n_components": None if kind == "ica" else 4, "max_iter": 40}
    begun = time.perf_counter()
    undisturbed = model(kind, **sizes).fit(many)
    seconds = time.perf_counter() - begun
    moments, n_killed = np.random.default_rng(len(kind)), 0
    while n_killed < 3:
        child = os.fork()
        if not child:
            try:
                model(kind, path, **sizes).fit(many)
            finally:  # never into the rest of the tests
                os._exit(0)
        time.sleep(moments.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        if os.WIFSIGNALED(os.waitpid(child, 0)[1]):
            n_killed += 1
        else:  # it had ended: the first fit took longer
            seconds /= 2
    assert_same(model(kind, path, **sizes).fit(many), undisturbed)
    if undisturbed.status_ == "converged":
        assert not path.exists()  # a draft may be left, which a later write removes


def test_samples_in_another_order_are_other_samples():
    X = np.random.default_rng(0).normal(size=(2000, 5))
    swapped = X.copy()
    swapped[[1500, 1501]] = swapped[[1501, 1500]]
    sums = {checksum(rows.T) for rows in (X, np.asfortranarray(X), swapped)}
    assert len(sums) == 2


@pytest.mark.parametrize("kind", ["online", "batches"])
def test_an_edited_state_is_damage(kind, path):
    kill(model(kind, path), 3)
    content = path.read_bytes()
    start = content.index(b"PK\x03\x04") - FRAME.size
    with np.load(io.BytesIO(content[start + FRAME.size :])) as file:
        arrays = dict(file)
    arrays["cross_moments"] = arrays["cross_moments"][:, :1]
    state = io.BytesIO()
    np.savez(state, **arrays)
    path.write_bytes(content[:start] + frame(state.getvalue()))
    message = (
        r"is damaged \(the number of components of cross_moments must be 5.* To restart, delete"
    )
    with pytest.raises(ValueError, match=message):
        model(kind, path).fit(X)


def test_partial_fit_says_that_it_has_no_checkpoint(path):
    estimator = model("online", path)
    with pytest.warns(UserWarning, match="checkpoint is for fit, and partial_fit writes none"):
        estimator.partial_fit(X)
    estimator.partial_fit(X)  # said once
    assert not path.exists()
