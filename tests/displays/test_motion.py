import matplotlib.pyplot as plt
import numpy as np
import pytest

from sparsebp.displays import MotionDisplay

TIME, ROW, COLUMN = np.mgrid[:6, :9, :9] - 4.0


def drifting(angle, speed, backwards=0.0):
    along = COLUMN * np.cos(angle) - ROW * np.sin(angle)
    forth, back = (np.cos(1.3 * (along - s * TIME)) for s in (speed, -speed))
    return np.exp(-(ROW**2 + COLUMN**2) / 8) * (forth + backwards * back)


FILTERS = np.reshape([drifting(0, 1), drifting(2, 1), drifting(-1, 1, 0.9)], (3, -1))


def test_slices_run_along_the_motion():
    display = MotionDisplay(FILTERS, (6, 9, 9))
    assert display.slices.shape == (3, 6, 9, 1)
    exact = np.cos(1.3 * (COLUMN[:, 0] - TIME[:, 0])) * np.exp(-(COLUMN[:, 0] ** 2) / 8)
    for found in display.slices[:2, :, :, 0]:
        assert np.corrcoef(found.ravel(), exact.ravel())[0, 1] > 0.97


def test_points_are_directions_and_speeds():
    display = MotionDisplay(FILTERS, (6, 9, 9)).plot()
    slices, polar = display.axes_
    dots, rings = polar.collections
    np.testing.assert_allclose(dots.get_offsets(), [[0, 1], [2, 1]], atol=0.1)
    ((angle, speed),) = rings.get_offsets()
    assert speed == pytest.approx(1, abs=0.15)
    assert abs(np.angle(np.exp(1j * (angle + 1)))) < 0.1
    assert slices.images[0].get_array().shape[:2] == (2 * (6 + 1) + 1, 2 * (9 + 1) + 1)
    display.plot(ax=[slices, plt.subplot(projection="polar")], min_direction_index=0)
    assert len(display.axes_[1].collections) == 1


@pytest.mark.slow
def test_colors_are_drawn_in_color():
    colored = np.multiply.outer(FILTERS, [1, -1, 0]).reshape(3, -1)
    display = MotionDisplay(colored, (6, 9, 9, 3)).plot()
    assert display.slices.shape == (3, 6, 9, 3)
    np.testing.assert_allclose(display.slices[..., 0], -display.slices[..., 1])
    assert display.ax_.images[0].get_array().shape[2] == 4


def test_refusals():
    with pytest.raises(ValueError, match=r"has no motion"):
        MotionDisplay(np.ones((2, 16)), (4, 4))
    display = MotionDisplay(FILTERS, (6, 9, 9))
    with pytest.raises(ValueError, match="min_direction_index must be"):
        display.plot(min_direction_index=2)
    with pytest.raises(ValueError, match="The second of ax is rectilinear"):
        display.plot(ax=plt.subplots(1, 2)[1])
