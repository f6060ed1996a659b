"""The lines of verbose, and scikit-learn's callbacks where it has them."""

import re

import numpy as np
import pytest
from estimators.test_interface import MODELS, X, each_class, every, fitted, model, unconverged

callback = pytest.importorskip("sklearn.callback")


class Witness:
    """Keeps what scikit-learn tells a callback, and may stop the fit."""

    def __init__(self, stop_at=None):
        self.stop_at = stop_at
        self.begun, self.models, self.ended, self.fits = 0, [], 0, 0

    def setup(self, estimator, context):
        self.begun += 1

    def teardown(self, estimator, context):
        self.ended += 1

    def on_fit_task_begin(self, estimator, context):
        self.max_subtasks = max(getattr(self, "max_subtasks", 0), context.max_subtasks)

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        self.fits += context.parent is None
        if fitted_estimator is not None:
            self.models.append(fitted_estimator)
        return fitted_estimator is not None and fitted_estimator.n_iter_ == self.stop_at


@each_class
@unconverged
def test_every_iteration_is_reported_with_a_model_fitted_there(kind):
    witness = Witness()
    watched = model(kind).set_callbacks(witness).fit(X)
    assert witness.begun == witness.fits == witness.ended == 1
    assert witness.max_subtasks == watched.max_iter
    assert [m.n_iter_ for m in witness.models] == list(range(1, watched.n_iter_ + 1))
    assert [m.objective_ for m in witness.models] == list(watched.objective_history_[1:])
    last = witness.models[-1]
    np.testing.assert_allclose(last.components_, watched.components_, atol=1e-12)
    np.testing.assert_allclose(last.transform(X), watched.transform(X), atol=1e-12)
    assert last.score(X) == pytest.approx(watched.score(X), rel=1e-12)


@each_class
@unconverged
def test_what_is_learned_does_not_depend_on_who_looks_on(kind, capsys):
    watched = model(kind, verbose=True).set_callbacks(Witness(), callback.ProgressBar()).fit(X)
    np.testing.assert_array_equal(watched.components_, fitted(kind).components_)
    assert f"{type(watched).__name__} - fit" in capsys.readouterr().out


@every
@unconverged
def test_a_callback_that_returns_true_stops_the_fit(kind):
    witness = Witness(stop_at=2)
    stopped = model(kind).set_callbacks(witness).fit(X)
    assert (stopped.n_iter_, stopped.status_) == (2, "stopped")
    assert witness.ended == 1


def test_the_users_function_stops_a_fit_that_others_watch():
    witness = Witness()
    stopped = model("rica", callback=lambda i, _: i == 3).set_callbacks(witness).fit(X)
    assert (stopped.n_iter_, stopped.status_, len(witness.models)) == (3, "stopped", 3)


def test_a_failing_callback_leaves_the_estimator_as_it_was_and_is_taken_down():
    class Failing(Witness):
        def on_fit_task_end(self, estimator, context):
            raise RuntimeError("no room")

    failing = Failing()
    estimator = model("rica").set_callbacks(failing)
    with pytest.raises(RuntimeError, match="no room"):
        estimator.fit(X)
    assert failing.ended == 1
    assert not hasattr(estimator, "components_")
    assert not [name for name in vars(estimator) if "context" in name or "teardown" in name]


@every
@unconverged
def test_verbose_prints_a_line_for_each_iteration(kind, capsys):
    told = model(kind, verbose=1).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(told.objective_history_) - 1
    line = rf"{type(told).__name__}  iteration +(\d+)  objective (\S+) +[0-9.]+ s"
    found = [re.fullmatch(line, text).groups() for text in lines]
    assert [int(number) for number, _ in found] == list(range(1, len(lines) + 1))
    np.testing.assert_allclose(
        [float(value) for _, value in found], told.objective_history_[1:], rtol=1e-5
    )


def test_silent_by_default(capsys):
    model("ica").fit(X)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("verbose", [-1, "yes", None, 1.5])
def test_verbose_must_be_a_flag_or_a_whole_number(verbose):
    for kind in MODELS:
        with pytest.raises((TypeError, ValueError), match="verbose must be an integer ≥ 0, got "):
            model(kind, verbose=verbose).fit(X)
