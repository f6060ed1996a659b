import numpy as np
import pytest

from sparsebp.metrics import motion_tuning

FRAMES, SIDE = 8, 12
TIME, ROW, COLUMN = (
    np.mgrid[:FRAMES, :SIDE, :SIDE] - 0.5 * np.array([7, 11, 11])[:, None, None, None]
)


def drifting(frequency, angle, speed, backwards=0.0):
    """A Gabor function that drifts at an angle, counter-clockwise from rightwards."""
    along = COLUMN * np.cos(angle) - ROW * np.sin(angle)
    envelope = np.exp(-(COLUMN**2 + ROW**2) / 30)
    forth, back = (np.cos(2 * np.pi * frequency * (along - s * TIME)) for s in (speed, -speed))
    return envelope * (forth + backwards * back)


def test_drifting_gabors():
    angle, speed = np.meshgrid(np.linspace(-np.pi, np.pi, 6)[1:], [0.5, 1.0, 1.8])
    angle, speed = angle.ravel(), speed.ravel()
    filters = [drifting(0.22, *motion).ravel() for motion in zip(angle, speed, strict=True)]
    tuning = motion_tuning(filters, (FRAMES, SIDE, SIDE))
    np.testing.assert_allclose(tuning.speed, speed, rtol=0.05)
    assert np.abs(np.angle(np.exp(1j * (tuning.direction - angle)))).max() < 0.05
    expected = speed * np.array([-np.sin(angle), np.cos(angle)])
    np.testing.assert_allclose(tuning.velocity, expected.T, atol=0.1)
    np.testing.assert_allclose(tuning.to_dict()["spatial_frequency"], 0.22, rtol=0.05)
    np.testing.assert_allclose(tuning.temporal_frequency, 0.22 * speed, rtol=0.05)
    # In so few frames a grating that drifts backwards is partly the same.
    twice = 2 * np.pi * 0.22 * speed
    same = np.sin(FRAMES * twice) / (FRAMES * np.sin(twice))
    np.testing.assert_allclose(tuning.direction_index, 1 - np.abs(same), atol=0.05)


def test_index_of_mixtures_and_standing_waves():
    filters = [drifting(0.2, 0, 1.25, backwards=share) for share in (0, 0.5, 1)]
    filters += [drifting(0.2, 0, 0), np.zeros_like(TIME)]
    tuning = motion_tuning(np.reshape(filters, (5, -1)), (FRAMES, SIDE, SIDE))
    np.testing.assert_allclose(tuning.direction_index[1:], [0.5, 0, 0, 0], atol=0.05)
    assert tuning.direction_index[0] > 0.95
    np.testing.assert_allclose(tuning.speed[3:], 0, atol=1e-9)
    assert all(np.isfinite(column).all() for column in tuning.to_dict().values())


def test_the_peak_is_that_of_the_spectrum():
    """Compared with the Fourier sum, written out, on a fine grid around it."""
    volume = np.random.default_rng(0).normal(size=(4, 5, 6))
    tuning = motion_tuning(volume.reshape(1, -1), (4, 5, 6))
    centered = volume - volume.mean(axis=(1, 2), keepdims=True)
    t, y, x = np.mgrid[:4, :5, :6]

    def response(w, down, right):
        return abs((centered * np.exp(2j * np.pi * (down * y + right * x - w * t))).sum())

    found = tuning.temporal_frequency[0], *tuning.spatial_frequency[0]
    rng = np.random.default_rng(1)
    others = [response(w, *f) for w, *f in rng.uniform(-0.5, 0.5, (500, 3))]
    assert response(*found) > 0.98 * max(others)
    back = response(-found[0], *found[1:]) / response(*found)
    assert tuning.direction_index[0] == pytest.approx(1 - back, abs=0.03)


@pytest.mark.parametrize("scale", [-2.0, 1e-300, 1e300])
def test_scale_sign_and_color_do_not_matter(scale):
    filters = np.random.default_rng(1).normal(size=(3, 48)) / 10
    expected = motion_tuning(filters, (3, 4, 4)).to_dict()
    color = np.multiply.outer(filters * scale, [1, -0.5, 0.2]).reshape(3, -1)
    for found in (motion_tuning(filters * scale, (3, 4, 4)), motion_tuning(color, (3, 4, 4, 3))):
        for name, values in expected.items():
            np.testing.assert_allclose(found.to_dict()[name], values, atol=1e-9)


def test_brightness_that_changes_is_no_motion():
    grating = drifting(0.2, 0, 1)
    flicker = grating + 50 * np.cos(TIME)
    both = motion_tuning(np.reshape([grating, flicker], (2, -1)), (FRAMES, SIDE, SIDE))
    np.testing.assert_allclose(both.velocity[0], both.velocity[1], atol=1e-6)


def test_single_frames_are_refused():
    with pytest.raises(ValueError, match=r"patch_shape=\(4, 4\) has no motion; .* at least 2 fr"):
        motion_tuning(np.ones((2, 16)), (4, 4))
