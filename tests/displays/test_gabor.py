from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.gratings import BARS, FREQUENCIES, given_fit, gratings, seen_angles, turned
from matplotlib.collections import LineCollection
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from sparsebp.displays import GaborDisplay


def display(fit=None, **options):
    return GaborDisplay(gratings(), fit=fit or given_fit()).plot(**options)


def points(scatter):
    return np.asarray(scatter.get_offsets())


def lines_of(ax):
    (lines,) = (c for c in ax.collections if isinstance(c, LineCollection))
    return np.array(lines.get_segments())


def test_the_polar_panel_has_a_point_for_each_filter():
    polar, _ = display().axes_
    (scatter,) = polar.collections
    angle, frequency = points(scatter).T
    np.testing.assert_allclose(np.degrees(angle), BARS, atol=1e-9)
    np.testing.assert_allclose(frequency, FREQUENCIES, rtol=1e-12)
    assert (polar.get_thetamin(), polar.get_thetamax()) == pytest.approx((0, 180))
    assert (polar.get_rmin(), polar.get_rmax()) == (0, pytest.approx(0.4))
    assert polar.get_legend() is None
    assert "cycles per pixel" in [text.get_text() for text in polar.texts]


def test_a_dead_filter_is_not_drawn_as_a_living_one():
    amplitude = np.array([1, 1, 1, 1, 1, 1e-6])  # whose shape is as good as the others'
    polar, patch = display(given_fit(amplitude=amplitude)).axes_
    living, dead = polar.collections
    assert (len(points(living)), len(points(dead)), len(lines_of(patch))) == (5, 1, 5)
    assert [text.get_text() for text in polar.get_legend().get_texts()] == ["dead"]


def test_the_polar_panel_is_counter_clockwise_from_the_right():
    polar, _ = display().axes_
    polar.figure.draw_without_rendering()
    origin, right, up = polar.transData.transform([(0, 0), (0, 0.2), (np.pi / 2, 0.2)])
    np.testing.assert_allclose((right - origin)[1] / (right - origin)[0], 0, atol=1e-9)
    assert up[1] - origin[1] == pytest.approx(right[0] - origin[0])
    assert right[0] > origin[0]


def test_lines_in_the_patch_lie_and_reach_as_the_bars_of_the_filters():
    rng = np.random.default_rng(0)
    center, sigma = rng.uniform(0, 9, (6, 2)), rng.uniform(1, 4, (6, 2))
    fit = given_fit(center=center, sigma=sigma)
    _, patch = display(fit, bar_length=0.8).axes_
    lines = lines_of(patch)
    np.testing.assert_allclose(lines.mean(axis=1), center[:, ::-1])
    lengths = np.linalg.norm(np.diff(lines, axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(lengths, 0.8 * sigma[:, 1])
    assert turned(seen_angles(patch, lines), BARS) < 1e-6
    (dots,) = (c for c in patch.collections if not isinstance(c, LineCollection))
    np.testing.assert_allclose(points(dots), center[:, ::-1])


def test_the_outline_is_that_of_the_pixels_first_row_on_top():
    fit = given_fit(patch_shape=(4, 25))
    _, patch = GaborDisplay(gratings(), (4, 25), fit=fit).plot().axes_
    (outline,) = patch.patches
    np.testing.assert_array_equal(outline.get_bbox().extents, [-0.5, -0.5, 24.5, 3.5])
    left, right = patch.get_xlim()
    bottom, top = patch.get_ylim()
    assert left < -0.5
    assert right > 24.5
    assert top < -0.5
    assert bottom > 3.5
    assert patch.get_aspect() == 1


def test_bars_that_run_through_the_patch_end_within_it():
    fit = given_fit(sigma=np.full((6, 2), 40.0))
    _, patch = display(fit, bar_length=1.0).axes_
    lengths = np.linalg.norm(np.diff(lines_of(patch), axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(lengths, fit.patch_shape[0] / 2)


def test_filters_that_are_no_gabor_functions_are_rings_and_have_no_place():
    fit = given_fit([1.0, 0.4, 0.9, 0.7, 0.6, 0.1], amplitude=np.array([1.0] * 5 + [0.0]))
    polar, patch = display(fit, min_r_squared=0.65).axes_
    full, rings = polar.collections
    np.testing.assert_allclose(points(full)[:, 1], FREQUENCIES[[0, 2, 3]])
    np.testing.assert_allclose(points(rings)[:, 1], FREQUENCIES[[1, 4]])
    assert not rings.get_facecolor().size
    assert [text.get_text() for text in polar.get_legend().get_texts()] == ["R² < 0.65"]
    assert len(lines_of(patch)) == 3


def test_poorly_determined_filters_are_rings():
    fit = given_fit(sigma=np.array([[2.5, 2.5]] * 5 + [[0.5, 2.5]]))  # the last is a blob
    polar, patch = display(fit).axes_
    np.testing.assert_array_equal(points(polar.collections[1])[:, 1], [0])
    assert [text.get_text() for text in polar.get_legend().get_texts()] == ["poorly determined"]
    assert len(lines_of(patch)) == 5


def test_constant_filters_leave_both_panels_empty():
    drawn = GaborDisplay(np.ones((3, 16))).plot(min_r_squared=0)
    drawn.figure_.draw_without_rendering()
    polar, patch = drawn.axes_
    assert points(polar.collections[0]).size == 0
    assert len(lines_of(patch)) == 0
    assert polar.get_rmax() > 0


def test_components_are_fitted_where_no_fit_is_given():
    (scatter,) = GaborDisplay(gratings()).plot().axes_[0].collections
    angle, frequency = points(scatter).T
    assert turned(np.degrees(angle), BARS) < 0.1
    np.testing.assert_allclose(frequency, FREQUENCIES, atol=1e-4)


def test_color_filters_are_fitted_in_their_principal_color():
    colored = (gratings()[:, :, None] * [0.5, 1.0, -0.5]).reshape(6, -1)
    drawn = GaborDisplay(colored)
    assert drawn.patch_shape == (10, 10, 3)
    np.testing.assert_allclose(drawn.fit.frequency, FREQUENCIES, atol=1e-4)


def test_the_half_circle_its_title_and_its_labels_do_not_overlap():
    polar, _ = display(given_fit([1, 1, 1, 1, 1, 0])).axes_
    polar.figure.draw_without_rendering()
    labels = [text for text in polar.get_xticklabels() if text.get_text() == "90°"]
    labels += [polar.title, *polar.texts, *polar.get_legend().get_texts()]
    labels += [text for text in polar.get_yticklabels() if text.get_text()]
    boxes = [text.get_window_extent() for text in labels]
    assert len(boxes) >= 6
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    inside = polar.figure.bbox
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= inside.x1 and b.y1 <= inside.y1 for b in boxes)


def test_plot_draws_into_given_axes():
    figure = plt.figure()
    axes = [figure.add_subplot(1, 2, 1, projection="polar"), figure.add_subplot(1, 2, 2)]
    drawn = display(ax=axes)
    assert drawn.axes_ == axes
    assert drawn.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_frames_take_the_color_of_axes():
    with plt.style.context("dark_background"):
        _, patch = display().axes_
    assert patch.patches[0].get_edgecolor() == (1, 1, 1, 1)


def test_from_estimator_takes_the_features():
    fit = given_fit()
    model = SimpleNamespace(components_=np.zeros((6, 100)), features_=gratings())
    assert GaborDisplay.from_estimator(model, fit=fit).fit is fit
    np.testing.assert_allclose(
        GaborDisplay.from_estimator(model).fit.frequency, FREQUENCIES, atol=1e-4
    )
    with pytest.raises(NotFittedError, match="PCA is not fitted"):
        GaborDisplay.from_estimator(PCA())


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"min_r_squared": -1}, ValueError, "min_r_squared must be a finite number.*, got -1"),
        ({"bar_length": -1}, ValueError, "bar_length must be a finite number.*, got -1"),
        ({"bar_length": "a"}, TypeError, "bar_length must be a finite number.*, got 'a'"),
        ({"ax": 5}, ValueError, "ax must be one matplotlib Axes of a grid of subplots, or 2"),
    ],
)
def test_refusals_say_what_came(options, error, match):
    with pytest.raises(error, match=match):
        display(**options)
    assert not plt.get_fignums()


def test_flat_axes_are_refused():
    with pytest.raises(ValueError, match="The first of ax is rectilinear; make it with"):
        display(ax=plt.subplots(1, 2)[1])
