from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.gratings import FREQUENCIES, WIDTH, given_fit, gratings

from sparsebp.displays import ShapeDisplay


def points(scatter):
    return np.asarray(scatter.get_offsets())


def display(fit=None, **options):
    return ShapeDisplay(gratings(), fit=fit or given_fit()).plot(**options)


def test_points_are_cycles_along_and_across():
    sigma = np.column_stack([np.full(6, WIDTH), np.full(6, 2.0)])
    drawn = display(given_fit(sigma=sigma))
    full = drawn.ax_.collections[0]
    expected = np.column_stack([WIDTH * FREQUENCIES, 2.0 * FREQUENCIES])
    np.testing.assert_allclose(points(full), expected)
    assert drawn.ax_.get_aspect() == 1
    assert drawn.ax_.get_legend() is None
    assert (drawn.ax_.get_xlim(), drawn.ax_.get_ylim()) == ((0, 1.5), (0, 1.5))


def test_stripes_through_the_patch_stand_at_the_edge():
    sigma = np.column_stack([np.full(6, WIDTH), [2.0] * 5 + [30.0]])
    full, edge = display(given_fit(sigma=sigma)).ax_.collections
    assert len(points(full)) == 5
    np.testing.assert_allclose(points(edge), [[WIDTH * FREQUENCIES[5], 1.5]])


def test_poorly_determined_filters_are_rings():
    fit = given_fit(sigma=np.array([[2.5, 2.5]] * 5 + [[0.5, 2.5]]))  # the last is a blob
    fit = replace(fit, r_squared=np.array([0.3, 1, 1, 1, 1, 1]))
    ax = display(fit, label="atoms").ax_
    np.testing.assert_allclose(points(ax.collections[2])[1], [0, 0])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["atoms", "R² < 0.5 or poorly determined"]


def test_models_share_axes():
    first = display(label="one")
    second = display(ax=first.ax_, label="two")
    assert second.ax_ is first.ax_
    assert [t.get_text() for t in first.ax_.get_legend().get_texts()] == ["one", "two"]
    assert not np.array_equal(*(first.ax_.collections[i].get_facecolor() for i in (0, 2)))


def test_components_are_fitted_and_constants_are_absent():
    drawn = ShapeDisplay(np.vstack([gratings(), np.ones((1, 100))])).plot()
    np.testing.assert_allclose(
        points(drawn.ax_.collections[0])[:, 0], WIDTH * FREQUENCIES, rtol=1e-2
    )
    assert sum(len(points(c)) for c in drawn.ax_.collections) == 6


def test_refusals_say_what_came():
    with pytest.raises(
        ValueError, match="min_r_squared must be a finite number ≥ 0 and ≤ 1, got 2"
    ):
        display(min_r_squared=2)
    with pytest.raises(ValueError, match="one matplotlib Axes"):
        display(ax=5)
    assert not plt.get_fignums()
