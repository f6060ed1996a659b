from functools import cache
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.gratings import SIDE, gratings

from sparsebp.displays import TuningDisplay
from sparsebp.metrics import grating_responses
from sparsebp.penalties import SmoothL1, Subspace

FILTERS = gratings() - gratings().mean(axis=1, keepdims=True)
PAIRS = np.kron(np.eye(3), [[1, 1]])


@cache
def cells():
    return {
        "filters": grating_responses(FILTERS, SIDE, n_orientations=8),
        "pairs": grating_responses(FILTERS, SIDE, groups=PAIRS, n_orientations=8),
    }


def test_curves_are_about_the_best_grating():
    display = TuningDisplay(cells()).plot()
    orientation, frequency, phase, _ = display.axes_
    for ax, best in ((orientation, 0), (frequency, 0), (phase, 0)):
        for line in ax.lines:
            x, y = line.get_data()
            assert y[x == best] == pytest.approx(1)
            assert np.nanmax(y) == pytest.approx(1)
    for line in (*orientation.lines, *phase.lines):  # they are periodic
        assert line.get_ydata()[0] == pytest.approx(line.get_ydata()[-1])
    assert phase.get_xlim() == (-180, 180)
    assert orientation.get_xlim() == (-90, 90)


def test_the_phase_of_a_simple_cell_is_that_of_a_half_wave():
    (line,) = TuningDisplay(cells()["filters"]).plot(panels="phase").ax_.lines
    expected = np.maximum(np.cos(np.radians(line.get_xdata())), 0)
    assert np.abs(line.get_ydata() - expected).max() < 0.1  # the peak is between two phases


def test_ratios_fall_into_their_bins():
    (ax,) = TuningDisplay(cells()).plot(panels=["modulation"]).axes_
    heights = np.array([bar.get_height() for bar in ax.patches]).reshape(2, 20)
    assert heights[0, 15] == 1  # π/2 = 1.571
    assert heights[1, 0] == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["filters", "pairs"]


def test_second_harmonics_tell_phase_dependence():
    magnitudes = grating_responses(FILTERS, SIDE, groups=np.eye(6), n_orientations=4)
    both = {"magnitudes": magnitudes, "pairs": cells()["pairs"]}
    display = TuningDisplay(both).plot(panels=("modulation", "second_harmonic"))
    modulation, ax = display.axes_
    assert (modulation.get_xlabel(), ax.get_xlabel()) == ("F1 / F0", "F2 / F0")
    assert ax.lines[-1].get_xdata()[0] == 2 / 3
    heights = np.array([bar.get_height() for bar in ax.patches]).reshape(2, 20)
    assert heights[0, 13] == 1  # 2/3 in bins of 0.05
    expected = np.histogram(cells()["pairs"].harmonic_ratio(2), np.linspace(0, 1, 21))[0] / 3
    np.testing.assert_allclose(heights[1], expected)
    np.testing.assert_allclose(ax.lines[1].get_ydata()[1:-1:2], expected)  # outlines as curves
    assert [line.get_linestyle() for line in ax.lines[:2]] == ["-", "--"]


@pytest.mark.slow
def test_the_names_of_the_cells_take_no_width_from_the_panels():
    named = {f"cells of kind {number}": cells()["pairs"] for number in range(3)}
    for panels in (("phase", "second_harmonic"), ("phase",)):
        display = TuningDisplay(named).plot(panels=panels)
        display.figure_.draw_without_rendering()
        widths = [ax.get_position().width for ax in display.axes_]
        assert min(widths) > 0.7 / len(panels)
        extent = display.ax_.get_legend().get_window_extent()
        assert display.figure_.bbox.x1 >= extent.x1
        assert display.figure_.bbox.y1 >= extent.y1


def test_second_harmonics_above_1_are_drawn():
    narrow = grating_responses(lambda x: np.maximum(x @ FILTERS.T, 0) ** 8, SIDE, n_orientations=4)
    assert narrow.harmonic_ratio(2).min() > 1
    ax = TuningDisplay(narrow).plot(panels="second_harmonic").ax_
    assert ax.get_xlim() == (0, 2)
    assert sum(bar.get_height() for bar in ax.patches) == pytest.approx(1)


def test_one_kind_of_cells_needs_no_legend():
    display = TuningDisplay(cells()["filters"]).plot(panels=("phase", "orientation"))
    assert [ax.get_legend() for ax in display.axes_] == [None, None]
    assert display.ax_.get_ylabel() == "Relative response"


def test_silent_cells_are_left_out():
    silent = np.vstack([FILTERS[:2], np.zeros((1, FILTERS.shape[1]))])
    with_silent, without = (
        TuningDisplay(grating_responses(f, SIDE, n_orientations=4))
        .plot(panels="phase")
        .ax_.lines[0]
        .get_ydata()
        for f in (silent, FILTERS[:2])
    )
    np.testing.assert_array_equal(with_silent, without)
    TuningDisplay(grating_responses(np.zeros((2, 16)), 4)).plot()


@pytest.mark.slow
def test_an_estimator_is_measured_by_its_filters_and_groups():
    model = SimpleNamespace(components_=FILTERS[:, ::4], penalty_=Subspace(3, 2))
    display = TuningDisplay.from_estimator(model)
    expected = grating_responses(FILTERS[:, ::4], 5, groups=PAIRS)
    np.testing.assert_array_equal(display.responses["groups"].responses, expected.responses)
    assert len(display.responses["filters"].responses) == 6
    model.penalty_ = SmoothL1()
    assert list(TuningDisplay.from_estimator(model).responses) == ["filters"]


def test_what_is_no_result_is_refused():
    for wrong in (FILTERS, {"a": FILTERS}, None):
        with pytest.raises(TypeError, match="responses must be the result of grating_responses"):
            TuningDisplay(wrong)
    with pytest.raises(ValueError, match="empty mapping"):
        TuningDisplay({})
    for panels in ("color", 3, None, [], ["phase", 2]):
        with pytest.raises(ValueError, match="panels must be some of 'orientation'"):
            TuningDisplay(cells()).plot(panels=panels)
    with pytest.raises(ValueError, match="ax must be one matplotlib Axes of a grid of subplots"):
        TuningDisplay(cells()).plot(ax=plt.subplots(1, 2)[1])
