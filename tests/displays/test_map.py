from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.gratings import BARS, FREQUENCIES, given_fit, gratings, seen_angles, turned
from matplotlib.collections import PolyCollection
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from thinning import first_fast

from sparsebp.displays import MapDisplay, filter_mosaic
from sparsebp.metrics import gabor_fit


def whole_display(**options):
    return MapDisplay(gratings(), grid_shape=(2, 3), fit=given_fit(), **options)


def bars_of(ax):
    return next(c for c in ax.collections if isinstance(c, PolyCollection) and not c.get_hatch())


def hatched_of(ax):
    return next(c for c in ax.collections if c.get_hatch())


def corners(collection):
    return np.array([path.vertices[:4] for path in collection.get_paths()])


def test_three_panels_show_filters_orientation_and_frequency():
    display = whole_display()
    assert display.plot() is display
    filters, orientation, frequency = display.axes_
    assert [ax.get_title() for ax in display.axes_] == ["Filters", "Orientation", "Frequency"]
    mosaic = filter_mosaic(gratings(), grid_shape=(2, 3))
    np.testing.assert_array_equal(np.ma.filled(filters.images[0].get_array(), 1.0), mosaic)
    drawn = orientation.images[0].get_array()
    np.testing.assert_allclose(drawn, BARS.reshape(2, 3), atol=1e-9)
    np.testing.assert_allclose(frequency.images[0].get_array(), FREQUENCIES.reshape(2, 3))
    assert display.figure_ is filters.figure


def test_components_are_fitted_where_no_fit_is_given():
    display = MapDisplay(gratings(), grid_shape=(2, 3)).plot(panels="orientation")
    drawn = display.axes_[0].images[0].get_array()
    np.testing.assert_allclose(drawn, BARS.reshape(2, 3), atol=1e-3)
    np.testing.assert_allclose(display.fit.frequency, FREQUENCIES, atol=1e-4)


def test_a_bar_in_each_cell_lies_as_the_stripes_of_the_filter_look():
    ax = whole_display().plot(panels="orientation").axes_[0]
    rectangles = corners(bars_of(ax))
    row, column = np.divmod(np.arange(6), 3)
    np.testing.assert_allclose(rectangles.mean(axis=1), np.stack([column, row], axis=1))
    ends = [(r[[0, 1]].mean(axis=0), r[[2, 3]].mean(axis=0)) for r in rectangles]
    assert turned(seen_angles(ax, ends), BARS) < 1e-6


def test_orientations_next_to_each_other_look_alike_also_across_the_end_of_the_scale():
    image = whole_display().plot(panels="orientation").axes_[0].images[0]
    assert image.get_clim() == (0, 180)
    colors = image.get_cmap()(np.linspace(0, 1, 256))[:, :3]
    steps = np.linalg.norm(np.diff(colors, axis=0, append=colors[:1]), axis=1)
    assert steps.max() < 0.03


def test_all_orientations_are_equally_light_so_that_black_bars_stand_out():
    ax = whole_display().plot(panels="orientation").axes_[0]
    rgb = ax.images[0].get_cmap()(np.linspace(0, 1, 256))[:, :3]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = linear @ [0.2126, 0.7152, 0.0722]
    assert 0.38 < luminance.min() < luminance.max() < 0.46
    assert ((luminance + 0.05) / 0.05).min() > 7  # the contrast that readers need
    np.testing.assert_array_equal(bars_of(ax).get_facecolor(), [[0, 0, 0, 1]])


def test_the_scale_of_frequency_gets_lighter_all_the_way():
    image = whole_display().plot(panels=["frequency"]).axes_[0].images[0]
    gray = image.get_cmap()(np.linspace(0, 1, 256))[:, :3] @ [0.299, 0.587, 0.114]
    assert (np.diff(gray) > 0).all()
    assert image.get_clim() == pytest.approx((FREQUENCIES.min(), FREQUENCIES.max()))


def test_filters_that_are_no_gabor_functions_are_hatched():
    fit = given_fit([1.0, 0.4, 0.9, 0.7, 0.6, 0.1])
    display = MapDisplay(gratings(), grid_shape=(2, 3), fit=fit).plot(min_r_squared=0.65)
    for ax in display.axes_[1:]:
        pale = np.array([[False, True, False], [False, True, True]])
        np.testing.assert_array_equal(ax.images[0].get_array().mask, pale)
        centers = corners(hatched_of(ax)).mean(axis=1)
        np.testing.assert_allclose(centers, np.argwhere(pale)[:, ::-1])
        assert ax.get_xlabel() == "hatched: R² < 0.65"
    assert len(bars_of(display.axes_[1]).get_paths()) == 3
    assert display.axes_[2].images[0].get_clim() == pytest.approx(tuple(FREQUENCIES[[0, 2]]))


@pytest.mark.slow
def test_vector_files_hold_one_pixel_for_each_cell():
    images = [ax.images[0] for ax in whole_display().plot().axes_]
    assert [image.get_interpolation() for image in images] == ["none"] * 3


def test_poorly_determined_filters_are_hatched_and_the_label_says_so():
    edge_or_blob = given_fit(sigma=np.array([[2.5, 2.5]] * 5 + [[0.5, 2.5]]))  # less than a wave
    ax = MapDisplay(gratings(), grid_shape=(2, 3), fit=edge_or_blob).plot(panels="frequency").ax_
    np.testing.assert_array_equal(np.argwhere(ax.images[0].get_array().mask), [[1, 2]])
    assert ax.get_xlabel() == "hatched: poorly determined"
    both = replace(edge_or_blob, r_squared=np.array([0.1, 1, 1, 1, 1, 1]))
    ax = MapDisplay(gratings(), grid_shape=(2, 3), fit=both).plot(panels="frequency").ax_
    assert ax.get_xlabel() == "hatched: R² < 0.5 or poorly determined"


def test_nothing_is_said_of_hatching_where_there_is_none():
    assert [ax.get_xlabel() for ax in whole_display().plot().axes_] == ["", "", ""]


@pytest.mark.parametrize("components", first_fast([np.ones((4, 16)), np.zeros((1, 16))]))
def test_constant_filters_are_hatched_whatever_is_asked(components):
    display = MapDisplay(components).plot(min_r_squared=0)
    display.figure_.draw_without_rendering()
    assert display.axes_[1].images[0].get_array().mask.all()


@pytest.mark.parametrize("difference", first_fast([1e-13, 0.0]))
def test_a_map_with_one_frequency_has_one_color(difference):
    fit = given_fit([1.0, 1.0], carrier=np.array([0.2, 0.2 + difference]))
    display = MapDisplay(gratings()[:2], fit=fit).plot()
    image = display.axes_[2].images[0]
    low, high = image.get_clim()
    assert low < 0.2 < high
    first, second = image.to_rgba(image.get_array())[0]
    np.testing.assert_allclose(first, second, atol=0.01)  # the next of 256 colors at most


@pytest.mark.slow
def test_the_panels_of_a_wide_map_stand_above_each_other_with_their_color_bars_below():
    display = MapDisplay(gratings(), grid_shape=(1, 6), fit=given_fit([1, 1, 1, 1, 1, 0])).plot()
    figure = display.figure_
    figure.draw_without_rendering()
    tops = [ax.get_position().y1 for ax in display.axes_]
    assert tops == sorted(tops, reverse=True)
    bars = [ax.child_axes[0] for ax in display.axes_[1:]]
    for ax, bar in zip(display.axes_[1:], bars, strict=True):
        assert bar.get_window_extent().y1 < ax.get_window_extent().y0
        box = bar.get_window_extent()
        assert box.width > 20 * box.height
        assert not box.overlaps(ax.xaxis.label.get_window_extent())
    assert bars[1].get_xlabel() == "cycles per pixel"


@pytest.mark.slow
def test_titles_of_a_narrow_map_do_not_overlap():
    display = MapDisplay(gratings(), grid_shape=(6, 1), fit=given_fit()).plot()
    display.figure_.draw_without_rendering()
    boxes = [ax.title.get_window_extent() for ax in display.axes_]
    assert all(a.x1 < b.x0 for a, b in pairwise(boxes))


def test_the_map_of_an_estimator_may_be_changed_by_an_array():
    model = SimpleNamespace(components_=gratings())
    shape = np.array([6, 1])
    assert MapDisplay.from_estimator(model, grid_shape=shape, fit=given_fit()).grid_shape == (6, 1)


def test_empty_cells_stay_empty():
    display = MapDisplay(gratings()[:5], fit=given_fit(np.ones(5))).plot()
    mask = display.axes_[1].images[0].get_array().mask
    np.testing.assert_array_equal(mask, [[False] * 3, [False, False, True]])
    assert len(hatched_of(display.axes_[1]).get_paths()) == 0


def test_color_bars_say_what_they_measure():
    display = whole_display().plot()
    turning, waves = (ax.child_axes[0] for ax in display.axes_[1:])
    assert [t.get_text() for t in turning.get_yticklabels()] == ["0°", "45°", "90°", "135°", "180°"]
    assert waves.get_ylabel() == "cycles per pixel"
    assert not display.axes_[0].child_axes


def test_plot_draws_into_given_axes():
    figure, axes = plt.subplots(2, 2)
    display = whole_display().plot(axes[1], panels=["frequency", "filters"])
    assert display.axes_ == list(axes[1])
    assert display.figure_ is figure
    assert not axes[0, 0].images
    assert plt.gca() is axes[1, 1]


@pytest.mark.slow
def test_color_filters_are_fitted_in_their_principal_color():
    gray = gratings()
    colored = (gray[:, :, None] * [0.5, 1.0, -0.5]).reshape(6, -1)
    display = MapDisplay(colored, grid_shape=(2, 3)).plot()
    assert display.patch_shape == (10, 10, 3)
    assert display.axes_[0].images[0].get_array().shape == (23, 34, 4)
    np.testing.assert_allclose(display.fit.frequency, FREQUENCIES, atol=1e-4)


def test_from_estimator_takes_the_features_and_the_map():
    fit = given_fit()
    model = SimpleNamespace(
        components_=np.zeros((6, 100)),
        features_=gratings(),
        penalty_=SimpleNamespace(grid_shape=(3, 2)),
    )
    display = MapDisplay.from_estimator(model, fit=fit)
    assert display.grid_shape == (3, 2)
    assert display.fit is fit
    np.testing.assert_array_equal(display.components, gratings())
    assert MapDisplay.from_estimator(model, grid_shape=(1, 6), fit=fit).grid_shape == (1, 6)
    del model.penalty_
    MapDisplay.from_estimator(model, grid_shape=(3, 2), fit=fit)
    with pytest.warns(UserWarning, match="SimpleNamespace has no topographic map") as caught:
        MapDisplay.from_estimator(model, fit=fit)
    assert caught[0].filename == __file__
    with pytest.raises(NotFittedError, match="PCA is not fitted"):
        MapDisplay.from_estimator(PCA())


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"panels": "phase"}, ValueError, "panels must be some of 'filters', 'orien"),
        ({"panels": []}, ValueError, r"panels must be .*, got \[\]"),
        ({"panels": None}, ValueError, "panels must be some of"),
        ({"panels": ["filters", 3]}, ValueError, r"panels must be .*got \['filters', 3\]"),
        (
            {"min_r_squared": 2},
            ValueError,
            "min_r_squared must be a finite number ≥ 0 and ≤ 1, got 2",
        ),
        ({"min_r_squared": "a"}, TypeError, "min_r_squared must be a finite number.*, got 'a'"),
        (
            {"ax": "here"},
            ValueError,
            "ax must be one matplotlib Axes of a grid of subplots, or 3, .* got 'here'",
        ),
    ],
)
def test_refusals_say_what_came(options, error, match):
    with pytest.raises(error, match=match):
        whole_display().plot(**options)
    assert not plt.get_fignums()


def test_fits_of_something_else_are_refused():
    with pytest.raises(TypeError, match="fit is of type float"):
        MapDisplay(gratings(), fit=0.5)
    other = gabor_fit(np.eye(16)[:2], (4, 4))
    with pytest.raises(ValueError, match=r"fit is of 2 filters \(4, 4\) but there are 6"):
        MapDisplay(gratings(), fit=other)
    with pytest.raises(ValueError, match=r"grid_shape=\(2, 2\) has 4 cells"):
        MapDisplay(gratings(), grid_shape=(2, 2))
