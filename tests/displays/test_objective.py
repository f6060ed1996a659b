from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sparsebp.displays import ObjectiveDisplay
from sparsebp.displays.objective import STYLES


def drawn(display):
    display.figure_.draw_without_rendering()
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
    assert ObjectiveDisplay(history).plot().ax_.get_yscale() == scale


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
    ax = ObjectiveDisplay(np.linspace(2, 1, length)).plot().ax_
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
    with pytest.raises(AttributeError, match="PCA is not fitted"):
        ObjectiveDisplay.from_estimator(PCA())
    with pytest.raises(AttributeError, match="PCA is not fitted"):
        ObjectiveDisplay.from_estimator(make_pipeline(PCA()))


@pytest.mark.parametrize(
    ("history", "match"),
    [
        ([], r"history must be a sequence of at least one number, got shape \(0,\)"),
        (3.0, r"history must be a sequence of at least one number, got shape \(\)"),
        ([[1.0, 2.0]], r"history must be a sequence of at least one number, got shape \(1, 2\)"),
        ([1.0, np.nan], "history must be finite, got NaN or infinity"),
        (["a"], "history must be real numbers, got dtype <U1"),
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
    assert [text.get_text() for text in display.ax_.texts] == ["starts at 105"]
    ObjectiveDisplay([60.0, 50.0]).plot(display.ax_)
    assert display.ax_.get_ylim()[1] > 60


def test_a_start_near_the_rest_stays_on_the_axis():
    display = ObjectiveDisplay([30.0, 25.0, 24.0, 21.0]).plot()
    assert display.ax_.get_ylim()[1] > 30
    assert not display.ax_.texts


def runs():
    return {"a": [9.0, 5.0, 4.0], "b": np.array([8.0, 3.0]), "c": [7.0, 6.5, 6.0, 5.9]}


def test_several_runs_are_drawn_at_once_and_differ_without_color():
    display = ObjectiveDisplay(runs())
    assert display.plot() is display
    assert len(set(STYLES)) == len(STYLES) == 6
    assert len(display.lines_) == len({line.get_linestyle() for line in display.lines_}) == 3
    assert display.lines_ == list(display.ax_.lines)
    for line, values in zip(display.lines_, runs().values(), strict=True):
        np.testing.assert_array_equal(line.get_xydata().T, [range(len(values)), values])
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["a", "b", "c"]
    assert display.line_ is display.lines_[0]


def test_the_first_run_stands_for_all_where_one_is_asked_for():
    display = ObjectiveDisplay(runs())
    assert display.label == "a"
    np.testing.assert_array_equal(display.history, [9, 5, 4])
    assert list(display.histories) == ["a", "b", "c"]
    assert list(ObjectiveDisplay([1.0]).histories) == [None]


def test_from_estimator_takes_several():
    first = SimpleNamespace(objective_history_=[3.0, 2.0])
    last = SimpleNamespace(steps=[("only", SimpleNamespace(objective_history_=[4.0, 1.0]))])
    display = ObjectiveDisplay.from_estimator({"plain": first, "pipeline": last})
    np.testing.assert_array_equal(display.histories["pipeline"], [4, 1])
    with pytest.raises(AttributeError, match="PCA is not fitted"):
        ObjectiveDisplay.from_estimator({"plain": first, "other": PCA()})


@pytest.mark.parametrize(
    ("history", "options", "match"),
    [
        ({}, {}, "history is an empty mapping; give at least one run"),
        ({"a": [1.0]}, {"label": "b"}, "label='b' but history is a mapping"),
        ({"a": [1.0], "b": [np.nan]}, {}, r"history\['b'\] must be finite, got NaN or infinity"),
    ],
)
def test_refusals_of_several_runs_say_which(history, options, match):
    with pytest.raises(ValueError, match=match):
        ObjectiveDisplay(history, **options)


def test_an_empty_mapping_of_estimators_is_refused():
    with pytest.raises(ValueError, match="estimator is an empty mapping"):
        ObjectiveDisplay.from_estimator({})


@pytest.mark.parametrize(
    ("starts", "note"),
    [((105.0, 300.0), "start at 105 to 300"), ((105.0, 105.0), "start at 105")],
)
def test_starts_of_several_runs_far_above_the_rest_are_written_beside_them(starts, note):
    first, second = ([start, 25.0, 24.0, 23.5] for start in starts)
    display = ObjectiveDisplay({"a": first, "b": second}).plot()
    assert [text.get_text() for text in display.ax_.texts] == [note]
    assert display.ax_.get_ylim()[1] < 30


def test_runs_drawn_one_after_the_other_look_as_if_drawn_at_once():
    first, second = [105.0, 25.0, 24.0, 23.5], [300.0, 26.0, 25.0, 24.0]
    at_once = ObjectiveDisplay({"a": first, "b": second}).plot()
    ax = ObjectiveDisplay(first, label="a").plot().ax_
    ObjectiveDisplay(second, label="b").plot(ax)
    assert ax.get_ylim() == at_once.ax_.get_ylim()
    assert [text.get_text() for text in ax.texts] == ["start at 105 to 300"]
    styles = [[line.get_linestyle() for line in one.lines] for one in (ax, at_once.ax_)]
    assert styles[0] == styles[1]


def test_small_numbers_on_a_log_axis_are_plain():
    labels = [t.get_text() for t in drawn(ObjectiveDisplay([0.3, 0.01]).plot()).get_yticklabels()]
    assert "0.1" in labels
    assert not any("e" in label for label in labels)
