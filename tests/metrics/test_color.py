import numpy as np
import pytest

from sparsebp import OrthonormalICA
from sparsebp.datasets import load_sample_photographs
from sparsebp.metrics import color_tuning, gabor_fit
from sparsebp.preprocessing import sample_patches

PURE = np.array([[1, 1, 1], [1, -1, 0], [-1, -1, 2], [1, 1, 0]], float)
GABOR = np.outer(np.hanning(5), np.hanning(6)) * np.cos(1.5 * np.arange(6))


def colored(*colors):
    return np.stack([np.multiply.outer(GABOR, color).ravel() for color in colors])


def test_pure_colors():
    tuning = color_tuning(colored(*PURE), (5, 6, 3))
    np.testing.assert_allclose(tuning.achromatic, [1, 0, 0, 2 / 3], atol=1e-12)
    np.testing.assert_allclose(tuning.red_green, [0, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(tuning.blue_yellow, [0, 0, 1, 1 / 3], atol=1e-12)
    np.testing.assert_allclose(tuning.hue[1:], [0, np.pi / 2, np.pi / 2], atol=1e-7)


def test_shares_and_hue_by_the_definition():
    filters = np.random.default_rng(0).normal(size=(7, 4 * 9 * 3))
    tuning = color_tuning(filters, (4, 3, 3, 3))
    total = tuning.achromatic + tuning.red_green + tuning.blue_yellow
    np.testing.assert_allclose(total, 1)
    assert list(tuning.to_dict()) == ["achromatic", "red_green", "blue_yellow", "hue"]
    for pixels, hue in zip(filters.reshape(7, -1, 3), tuning.hue, strict=True):
        plane = np.stack(
            [
                (pixels[:, 0] - pixels[:, 1]) / np.sqrt(2),
                (2 * pixels[:, 2] - pixels[:, 0] - pixels[:, 1]) / np.sqrt(6),
            ],
            axis=1,
        )
        strongest = np.linalg.svd(plane)[2][0]
        assert abs(strongest @ [np.cos(hue), np.sin(hue)]) == pytest.approx(1)
        assert 0 <= hue < np.pi


@pytest.mark.parametrize("scale", [-3, 1e-300, 1e300, np.float32(1e-30)])
def test_scale_and_sign_do_not_matter(scale):
    filters = np.random.default_rng(1).normal(size=(3, 48)) / 10
    expected, found = color_tuning(filters), color_tuning(filters * scale, 4)
    np.testing.assert_allclose(found.blue_yellow, expected.blue_yellow, rtol=1e-5)
    np.testing.assert_allclose(found.hue, expected.hue, rtol=1e-4)


def test_zero_filters_have_no_color():
    tuning = color_tuning(np.zeros((2, 12)))
    assert not np.concatenate(list(tuning.to_dict().values())).any()


def test_gray_filters_are_refused():
    with pytest.raises(ValueError, match=r"patch_shape=\(4, 4\) has no colors"):
        color_tuning(np.ones((2, 16)))
    with pytest.raises(ValueError, match="must be finite"):
        color_tuning([[np.nan] * 12])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_photographs_have_gray_features_and_coarser_colored_ones():
    """As Hoyer & Hyvärinen (2000) and Wachtler, Lee & Sejnowski (2001) found."""
    patches = sample_patches(load_sample_photographs(color=True), 6, 5000, random_state=0)
    model = OrthonormalICA(50, whiten=True, max_iter=30, random_state=0).fit(patches)
    achromatic = color_tuning(model.features_).achromatic
    gray, colored = achromatic > 0.9, achromatic < 0.6
    assert min(gray.sum(), colored.sum()) >= 8
    frequency = gabor_fit(model.features_, (6, 6, 3)).frequency
    assert np.median(frequency[colored]) < 0.6 * np.median(frequency[gray])
