import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA

from sparsebp.displays import ColorDisplay

COLORS = np.array([[1, 1, 1], [1, -1, 0], [-1, -1, 2]], float)
FILTERS = np.multiply.outer(COLORS, [0.5, 1, -1, 0]).transpose(0, 2, 1).reshape(3, -1)


def test_lines_join_opposed_colors():
    display = ColorDisplay(FILTERS, (2, 2, 3)).plot()
    lines, dots = display.ax_.collections
    ends = np.array(lines.get_segments())
    np.testing.assert_allclose(np.abs(ends[:, 0]), [[0, 0], [1, 0], [0, 1]], atol=1e-6)
    np.testing.assert_allclose(ends[:, 0], -ends[:, 1], atol=1e-12)
    colors = dots.get_facecolor()[:, :3].reshape(3, 2, 3)
    np.testing.assert_allclose(colors[0], 0.5, atol=1e-6)
    red, green = sorted(colors[1], key=lambda color: -color[0])
    assert red[0] > 0.9 > 0.1 > red[1]
    assert green[1] > 0.9 > 0.1 > green[0]
    blue, yellow = sorted(colors[2], key=lambda color: -color[2])
    assert blue[2] > 0.9
    assert yellow[2] < 0.1 < 0.6 < min(yellow[:2])
    names = {text.get_text(): text.get_position() for text in display.ax_.texts}
    assert names["red"][0] > 1 > -1 > names["green"][0]
    assert names["blue"][1] > 1 > -1 > names["yellow"][1]


def test_an_estimator_and_its_shape():
    X = np.random.default_rng(0).normal(size=(60, 24))
    model = PCA(5).fit(X)
    display = ColorDisplay.from_estimator(model, patch_shape=(2, 4, 3))
    assert display.patch_shape == (2, 4, 3)
    assert display.tuning.hue.shape == (5,)


def test_refusals():
    with pytest.raises(ValueError, match=r"patch_shape=\(4, 4\) has no colors"):
        ColorDisplay(np.ones((2, 16)))
    with pytest.raises(ValueError, match="one matplotlib Axes"):
        ColorDisplay(FILTERS).plot(ax=5)
    assert not plt.get_fignums()
