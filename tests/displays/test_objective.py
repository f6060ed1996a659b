from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sparsebp.displays import ObjectiveDisplay


def drawn(display):
    display.figure_.canvas.draw()
    return display.ax_


def test_plot_draws_the_history_from_iteration_zero():
    display = ObjectiveDisplay([5, 4, 3.5])
    assert display.plot() is display
    np.testing.assert_array_equal(display.line_.get_xydata(), [[0, 5], [1, 4], [2, 3.5]])
    ax = drawn(display)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("Iteration", "Objective")
    assert ax.get_legend() is None
    assert display.figure_ is ax.figure


@pytest.mark.parametrize(
    ("history", "scale"),
    [([100, 5], "log"), ([10, 1.5], "linear"), ([100, 0], "linear"), ([100, -5], "linear")],
)
def test_log_axis_only_where_it_helps(history, scale):
    assert drawn(ObjectiveDisplay(history).plot()).get_yscale() == scale


def test_a_curve_below_zero_makes_the_axis_linear_again():
    display = ObjectiveDisplay([100, 5]).plot()
    ObjectiveDisplay([100, -5]).plot(display.ax_)
    assert display.ax_.get_yscale() == "linear"


def test_log_axis_has_plain_numbers():
    labels = [t.get_text() for t in drawn(ObjectiveDisplay([30, 2]).plot()).get_yticklabels()]
    assert "10" in labels
    assert not any("times" in label for label in labels)


@pytest.mark.parametrize("length", [1, 2, 4, 300])
def test_iterations_are_whole_numbers(length):
    ax = drawn(ObjectiveDisplay(np.linspace(2, 1, length)).plot())
    low, high = ax.get_xlim()
    ticks = [tick for tick in ax.get_xticks() if low <= tick <= high]
    assert ticks
    np.testing.assert_array_equal(ticks, np.round(ticks))


def test_curves_in_one_axes_differ_without_color():
    _, ax = plt.subplots()
    for label in ("a", "b", "c"):
        ObjectiveDisplay([3, 2, 1], label=label).plot(ax)
    assert len({line.get_linestyle() for line in ax.lines}) == 3
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "c"]


def test_options_reach_the_line():
    display = ObjectiveDisplay([3, 2], label="a").plot(color="black", linewidth=3)
    assert (display.line_.get_color(), display.line_.get_linewidth()) == ("black", 3)


def test_a_single_value_can_be_seen():
    assert ObjectiveDisplay([3.0]).plot().line_.get_marker() == "o"


def test_from_estimator_names_the_curve():
    model = SimpleNamespace(objective_history_=np.array([3.0, 2.0]))
    display = ObjectiveDisplay.from_estimator(model)
    assert display.label == "SimpleNamespace"
    np.testing.assert_array_equal(display.history, [3, 2])
    assert ObjectiveDisplay.from_estimator(model, label="run").label == "run"
    pipeline = SimpleNamespace(steps=[("first", None), ("last", model)])
    np.testing.assert_array_equal(ObjectiveDisplay.from_estimator(pipeline).history, [3, 2])


def test_unfitted_estimators_are_refused():
    with pytest.raises(AttributeError, match="PCA has no objective_history_; call fit on it"):
        ObjectiveDisplay.from_estimator(PCA())
    with pytest.raises(AttributeError, match="PCA has no objective_history_"):
        ObjectiveDisplay.from_estimator(make_pipeline(PCA()))


@pytest.mark.parametrize(
    ("history", "match"),
    [
        ([], r"history has shape \(0,\); expected a sequence of one number or more"),
        (3.0, r"history has shape \(\); expected"),
        ([[1.0, 2.0]], r"history has shape \(1, 2\); expected"),
        ([1.0, np.nan], "history contains NaN or infinity"),
        (["a"], "history has dtype <U1"),
    ],
)
def test_refusals_say_what_came(history, match):
    with pytest.raises(ValueError, match=match):
        ObjectiveDisplay(history)


def test_a_start_far_above_the_rest_is_written_beside_it():
    display = ObjectiveDisplay([105.0, 25.0, 24.0, 23.5]).plot()
    low, high = display.ax_.get_ylim()
    assert low < 23.5
    assert 25.0 < high < 30.0
    assert [text.get_text() for text in display.ax_.texts] == ["begins at 105"]
    ObjectiveDisplay([60.0, 50.0]).plot(display.ax_)
    assert display.ax_.get_ylim()[1] > 60


def test_a_start_near_the_rest_stays_on_the_axis():
    display = ObjectiveDisplay([30.0, 25.0, 24.0, 21.0]).plot()
    assert display.ax_.get_ylim()[1] > 30
    assert not display.ax_.texts
