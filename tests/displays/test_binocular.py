import matplotlib.pyplot as plt
import numpy as np
import pytest

from sparsebp import OrthonormalICA
from sparsebp.displays import BinocularDisplay

BAR = np.outer(np.ones(4), [0, 0, 0, -1, 2, -1, 0, 0, 0])


def pair(disparity, left=1.0):
    return np.concatenate([left * BAR.ravel(), np.roll(BAR, disparity, axis=1).ravel()])


FILTERS = np.stack([pair(2), pair(-1, left=3.0), pair(0, left=0.0)])


def points(scatter):
    return np.asarray(scatter.get_offsets())


def test_points_and_curves():
    display = BinocularDisplay(FILTERS, (2, 4, 9)).plot()
    first, curves = display.axes_
    (dots,) = first.collections
    np.testing.assert_allclose(points(dots), [[2, 0], [-1, -0.5]], atol=0.01)
    rows = curves.images[0].get_array()
    disparities = np.arange(-8, 9)
    np.testing.assert_array_equal(disparities[rows.argmax(axis=1)], [-1, 2])  # by disparity
    left, right, bottom, top = curves.images[0].get_extent()
    assert (left, right, bottom, top) == (-8.5, 8.5, 2, 0)
    assert first.get_xlim() == curves.get_xlim() == (-4.5, 4.5)
    bar = curves.images[0].colorbar
    assert (bar.vmin, bar.vmax, bar.ax.get_ylabel()) == (-1, 1, "Correlation of the eyes")
    assert display.axes_ == [first, curves]


def test_halves_with_little_in_common_are_rings():
    noise = np.random.default_rng(0).normal(size=(3, 72))
    display = BinocularDisplay(noise, (2, 4, 9)).plot(min_correlation=1)
    dots, rings = display.ax_.collections
    assert (len(points(dots)), len(points(rings))) == (0, 3)
    assert display.ax_.get_legend().get_texts()[0].get_text() == "correlation < 1"
    assert not display.axes_[1].images


def test_an_estimator_keeps_its_shape():
    X = np.random.default_rng(0).laplace(size=(80, 16))
    options = {"patch_shape": (2, 2, 4), "tol": 0.1, "random_state": 0}
    display = BinocularDisplay.from_estimator(OrthonormalICA(4, **options).fit(X))
    assert display.patch_shape == (2, 2, 4)


def test_refusals():
    with pytest.raises(ValueError, match=r"is not of two eyes"):
        BinocularDisplay(np.ones((2, 16)))
    with pytest.raises(ValueError, match="min_correlation must be a finite number ≥ 0 and ≤ 1"):
        BinocularDisplay(FILTERS, (2, 4, 9)).plot(min_correlation=-1)
    assert not plt.get_fignums()
