import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.callbacks import Measurement, ObjectiveMonitor

sklearn_callback = pytest.importorskip("sklearn.callback")

rng = np.random.default_rng(0)
ALL = rng.laplace(size=(160, 6)) @ rng.normal(size=(6, 6))
X, HELD_OUT = ALL[:80], ALL[80:]
ESTIMATORS = [
    SparseCoding(8, alpha=0.3, max_iter=6, batch_size=20, random_state=0),
    SparseCoding(8, penalty="l1", solver="online", batch_size=20, max_iter=6, random_state=0),
    ReconstructionICA(8, alpha=0.3, whiten=True, tol=1e-3, random_state=0),
    OrthonormalICA(5, tol=1e-3, random_state=0),
    SparseFiltering(8, tol=1e-3, random_state=0),
]
every = pytest.mark.parametrize(
    "estimator", first_fast(ESTIMATORS[1:] + ESTIMATORS[:1], 4), ids=lambda e: type(e).__name__
)


@every
def test_the_last_measurement_is_that_of_the_fitted_model(estimator):
    monitor = ObjectiveMonitor(HELD_OUT)
    model = estimator.set_callbacks(monitor).fit(X)
    last = monitor.history_[-1]
    assert [m.iteration for m in monitor.history_] == list(range(1, model.n_iter_ + 1))
    assert last.objective == pytest.approx(-model.score(HELD_OUT), rel=1e-12)
    codes = model.transform(HELD_OUT)
    assert last.sparsity == np.mean(np.abs(codes) < 0.1 * np.sqrt((codes**2).mean()))
    if isinstance(model, SparseFiltering):
        assert np.isnan(last.reconstruction_error)
    else:
        error = ((model.inverse_transform(codes) - HELD_OUT) ** 2).sum(axis=1).mean()
        assert last.reconstruction_error == pytest.approx(error, rel=1e-12)


def test_at_intervals_and_restarted_for_each_fit():
    monitor = ObjectiveMonitor(HELD_OUT, every=2)
    model = ESTIMATORS[1].set_callbacks(monitor)
    for _ in range(2):
        model.fit(X)
        assert [m.iteration for m in monitor.history_] == [2, 4, 6]


def test_patience_stops_when_other_samples_gain_nothing():
    few = ALL[:12]
    monitor = ObjectiveMonitor(HELD_OUT, patience=3)
    model = ReconstructionICA(8, alpha=0.3, tol=0, random_state=0).set_callbacks(monitor).fit(few)
    objectives = [m.objective for m in monitor.history_]
    assert model.status_ == "stopped"
    assert int(np.argmin(objectives)) == len(objectives) - 4


def test_measurements_are_a_table():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame([Measurement(1, 2.0, 3.0, 0.5)])
    assert list(table) == ["iteration", "objective", "reconstruction_error", "sparsity"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": [[np.nan]]}, "X"),
        ({"X": [1.0]}, "2D array"),
        ({"X": X, "every": 0}, "every must be an integer ≥ 1, got 0"),
        ({"X": X, "every": 1.5}, r"every must be an integer ≥ 1, got 1\.5"),
        ({"X": X, "patience": 0}, r"patience must be .*, got 0"),
        ({"X": X, "every": "often"}, "every must be an integer ≥ 1, got 'often'"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises((TypeError, ValueError), match=message):
        ObjectiveMonitor(**arguments)


def test_samples_with_other_features_are_refused_with_a_message():
    with pytest.raises(ValueError, match="features"):
        ESTIMATORS[2].set_callbacks(ObjectiveMonitor(HELD_OUT[:, :4])).fit(X)


@pytest.mark.parametrize("estimator", first_fast(ESTIMATORS[::-1]), ids=lambda e: type(e).__name__)
def test_tables_are_measured_as_arrays_are(estimator):
    names = [f"pixel {i}" for i in range(6)]
    table, held_out = (pd.DataFrame(x, columns=names) for x in (X, HELD_OUT))
    plain, monitor = ObjectiveMonitor(HELD_OUT), ObjectiveMonitor(held_out)
    clone(estimator).set_callbacks(plain).fit(X)
    clone(estimator).set_callbacks(monitor).set_output(transform="pandas").fit(table)
    found, expected = ([m.objective for m in each.history_] for each in (monitor, plain))
    np.testing.assert_allclose(found, expected, rtol=1e-9)  # a table lies otherwise in memory
