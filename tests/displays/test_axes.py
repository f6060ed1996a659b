from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.found_again import found_again
from displays.gratings import given_fit, gratings
from matplotlib.colors import to_hex
from matplotlib.text import Text
from thinning import first_fast

from sparsebp.displays import (
    BasisDisplay,
    BinocularDisplay,
    CoefficientsDisplay,
    ColorDisplay,
    ComparisonDisplay,
    GaborDisplay,
    MapDisplay,
    MotionDisplay,
    ObjectiveDisplay,
    ReconstructionDisplay,
    SpectrumDisplay,
    StabilityDisplay,
    TuningDisplay,
)
from sparsebp.metrics import compare_dictionaries, grating_responses

DISPLAYS = [
    BasisDisplay(gratings()),
    CoefficientsDisplay(gratings()),
    GaborDisplay(gratings(), fit=given_fit()),
    MapDisplay(gratings(), fit=given_fit()),
    ObjectiveDisplay({"a": [3, 2], "b": [4, 1]}),
    ReconstructionDisplay(gratings(), 0.5 * gratings()),
    SpectrumDisplay([3, 2, 1]),
    StabilityDisplay(found_again([1.0, 0.5], n_components=2), (2, 3)),
    ComparisonDisplay(compare_dictionaries(gratings(), gratings(), n_draws=1, random_state=0)),
    TuningDisplay({"a": grating_responses(gratings(), 10, n_orientations=4)}),
    BinocularDisplay(gratings(), (2, 5, 10)),
    ColorDisplay(gratings()[:, :75]),
    MotionDisplay(gratings(), (4, 5, 5)),
]
every_display = pytest.mark.parametrize("display", DISPLAYS, ids=lambda one: type(one).__name__)
#: One of several panels, and one of one image, in the fast suite.
divided = pytest.mark.parametrize(
    "display",
    first_fast([DISPLAYS[i] for i in (3, 0, 2, 6, 12, 1, 4, 5, 7, 8, 9, 10, 11)], 2),
    ids=lambda one: type(one).__name__,
)


def axes_of(display):
    return getattr(display, "axes_", None) or [display.ax_]


def state():
    return dict(plt.rcParams), plt.get_fignums(), plt.isinteractive()


@divided
def test_each_display_draws_into_the_place_of_one_axes(display):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 3), layout="constrained")
    before = state()
    assert display.plot(ax=right) is display
    figure.draw_without_rendering()
    assert state() == before
    assert display.figure_ is figure
    assert not left.has_data()
    start = figure.transFigure.inverted().transform(left.get_window_extent())[1, 0]
    places = [ax.get_position() for ax in axes_of(display)]
    assert all(start < place.x0 < place.x1 <= 1 for place in places)
    assert all(a.x1 <= b.x0 for a, b in pairwise(places))


@divided
def test_each_display_makes_one_figure_and_changes_nothing_else(display):
    """Here on a dark page, where no text may be black."""
    with plt.style.context("dark_background"):
        before = state()
        figure = display.plot().figure_
        figure.draw_without_rendering()
        after = state()
    colors = {to_hex(text.get_color()) for text in figure.findobj(Text)}
    assert colors <= {"#ffffff"}
    assert (after[0], after[2]) == (before[0], before[2])
    assert len(after[1]) == 1
    assert figure.get_size_inches().max() <= 8
    assert display.ax_ is axes_of(display)[0]
    assert all(ax.figure is figure for ax in axes_of(display))
    if not isinstance(display, GaborDisplay):  # half of its polar box is empty and may go beyond
        inches = figure.get_tightbbox().extents
        assert inches.min() >= -0.01
        assert (inches[2:] <= figure.get_size_inches() + 0.01).all()


@every_display
def test_axes_that_are_none_are_refused(display):
    with pytest.raises(ValueError, match=r"ax must be one matplotlib Axes.*, got 'here'"):
        display.plot("here")
    with pytest.raises(ValueError, match="ax must be one matplotlib Axes"):
        display.plot(np.array([plt.figure().add_axes((0, 0, 1, 1))] * 5))


@pytest.mark.parametrize("display", [DISPLAYS[2], DISPLAYS[6]], ids=lambda one: type(one).__name__)
def test_several_panels_need_a_place_that_can_be_divided(display):
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(
        ValueError, match="ax must be one matplotlib Axes of a grid of subplots, or 2"
    ):
        display.plot(ax)
