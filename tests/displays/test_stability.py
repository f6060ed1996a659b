import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.found_again import found_again

from sparsebp import OrthonormalICA
from sparsebp.displays import StabilityDisplay


def offsets(display):
    return [np.asarray(drawn.get_offsets()) for drawn in display.axes_[0].collections]


def test_as_many_clusters_as_components_are_drawn_by_rank():
    found = found_again(index=[1.0, 0.9, 0.5, -0.2, -0.3], n_components=4)
    display = StabilityDisplay(found)
    assert display.plot() is display
    stable, others, cut = offsets(display)
    np.testing.assert_array_equal(stable, [[1, 1.0], [2, 0.9]])
    np.testing.assert_array_equal(others, [[3, 0.5]])
    np.testing.assert_array_equal(cut, [[4, 0.0]])
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["2 reproducible", "1 not reproducible", "1 not reproducible, index < 0"]
    assert display.ax_.get_xlabel() == "Cluster (4 most stable of 5)"
    assert display.ax_.lines[0].get_ydata()[0] == 0.8
    assert display.axes_ == [display.ax_]


def test_the_result_is_one_line():
    found = found_again(index=[1.0, 0.9, 0.5], n_components=2)
    n_runs = len(found.labels)
    assert repr(found) == f"<Stability n_runs={n_runs}, n_clusters=3, n_reproducible=2>"


def test_all_reproducible_clusters_are_drawn():
    display = StabilityDisplay(found_again(index=[1.0, 0.9, 0.9], n_components=2)).plot()
    assert [len(points) for points in offsets(display)] == [3, 0]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["3 reproducible"]
    assert display.ax_.get_xlabel() == "Cluster"


def test_fewer_clusters_than_components_are_drawn_alone():
    display = StabilityDisplay(found_again(index=[0.9], n_components=3)).plot()
    assert [len(points) for points in offsets(display)] == [1, 0]


def test_features_that_are_not_reproducible_are_pale():
    found = found_again(index=[1.0, 0.1], n_components=2)
    display = StabilityDisplay(found, (2, 3)).plot()
    mosaic = display.axes_[1].images[0].get_array()
    tiles = [mosaic[1:3, 1:4], mosaic[1:3, 5:8]]
    for tile, feature, pale in zip(tiles, found.features, (1.0, 0.3), strict=True):
        shade = 0.5 + feature.reshape(2, 3) / (2 * np.abs(feature).max())
        np.testing.assert_allclose(tile, 1 - pale * (1 - shade))


def test_from_estimator_takes_options_and_the_shape_of_the_patches():
    X = np.random.default_rng(0).laplace(size=(400, 4))
    options = {"n_runs": 2, "random_state": 0}
    display = StabilityDisplay.from_estimator(OrthonormalICA(patch_shape=2), X, **options)
    assert display.patch_shape == (2, 2)
    assert display.stability.labels.shape == (2, 4)
    assert StabilityDisplay.from_estimator(OrthonormalICA(), X, **options).patch_shape is None


def test_plot_draws_into_given_axes():
    figure, axes = plt.subplots(1, 2)
    display = StabilityDisplay(found_again(index=[1.0, 0.1], n_components=2), (3, 2)).plot(axes)
    assert display.axes_ == list(axes)
    assert display.figure_ is figure


def test_refusals_say_what_came():
    with pytest.raises(TypeError, match=r"stability must be what sparsebp.* returned, got 3"):
        StabilityDisplay(3)
    with pytest.raises(ValueError, match="has 25 values but each component has 6"):
        StabilityDisplay(found_again(index=[1.0], n_components=1), 5)
