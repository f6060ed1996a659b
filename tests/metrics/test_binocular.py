import numpy as np
import pytest

from sparsebp.metrics import binocular_tuning

ROW, COLUMN = np.mgrid[:10, :16]


def gabor(center, angle=0.0):
    right, down = COLUMN - center, ROW - 4.5
    wave = np.cos(1.3 * (right * np.cos(angle) + down * np.sin(angle)))
    return np.exp(-(right**2 + down**2) / 8) * wave


def test_a_moved_gabor_has_the_disparity_by_which_it_is_moved():
    disparity, angle = np.meshgrid([-3, -0.4, 0, 1.3, 2], [0.0, 0.6, -0.9])
    moved = zip(disparity.ravel(), angle.ravel(), strict=True)
    pairs = [[gabor(7.5 - d / 2, a), 0.25 * gabor(7.5 + d / 2, a)] for d, a in moved]
    tuning = binocular_tuning(np.reshape(pairs, (15, -1)), (2, 10, 16))
    np.testing.assert_allclose(tuning.disparity, disparity.ravel(), atol=0.1)
    np.testing.assert_allclose(tuning.dominance, -0.6, atol=0.01)
    assert (tuning.correlation > 0.95 - 0.3 * (disparity.ravel() % 1 > 0)).all()


def test_curves_are_correlations_of_the_halves():
    filters = np.random.default_rng(0).normal(size=(3, 2 * 4 * 5 * 3))
    tuning = binocular_tuning(filters, (2, 4, 5, 3))
    np.testing.assert_array_equal(tuning.disparities, np.arange(-4, 5))
    for (left, right), curve in zip(filters.reshape(3, 2, 4, 5, 3), tuning.curves, strict=True):
        for d, value in zip(range(-4, 5), curve, strict=True):
            both = [(x, x + d) for x in range(5) if 0 <= x + d < 5]
            total = sum((left[:, x] * right[:, at]).sum() for x, at in both)
            assert value == pytest.approx(total / np.linalg.norm(left) / np.linalg.norm(right))


def test_one_eye_alone_has_no_disparity():
    left = np.concatenate([gabor(7), 0 * gabor(7)]).reshape(1, -1)
    right, none = np.roll(left, 160), 0 * left
    tuning = binocular_tuning(np.concatenate([left, right, none]), (2, 10, 16))
    np.testing.assert_array_equal(tuning.dominance, [-1, 1, 0])
    assert np.isnan(tuning.disparity).all()
    assert not tuning.curves.any()
    assert list(tuning.to_dict()) == ["dominance", "disparity", "correlation"]


@pytest.mark.parametrize("scale", [-2.0, 1e-300, 1e300])
def test_scale_and_sign_do_not_matter(scale):
    filters = np.random.default_rng(1).normal(size=(3, 32)) / 10
    expected = binocular_tuning(filters, (2, 4, 4)).to_dict()
    found = binocular_tuning(filters * scale, (2, 4, 4)).to_dict()
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-9)


@pytest.mark.parametrize("shape", [(4, 8), (4, 2, 4), (1, 4, 8)])
def test_what_is_not_of_two_eyes_is_refused(shape):
    with pytest.raises(ValueError, match=r"is not of two eyes; give filters of binocular patches"):
        binocular_tuning(np.ones((2, 32)), shape)
