import numpy as np
import pytest
from oracles import seeds

from sparsebp.datasets import load_sample_photographs
from sparsebp.images import estimate_sigma

CHINA, FLOWER = load_sample_photographs()


@pytest.mark.parametrize("sigma", [15, 25, 50])
@pytest.mark.parametrize("seed", seeds(3))
def test_the_noise_of_a_photograph_is_found(sigma, seed):
    noisy = 255 * FLOWER + np.random.default_rng(seed).normal(scale=sigma, size=FLOWER.shape)
    assert abs(estimate_sigma(noisy) / sigma - 1) < 0.03


def test_the_estimate_is_that_of_scikit_image():
    # skimage.restoration.estimate_sigma (0.25) of the same arrays: 18.36, 27.81, 15.15, 25.01. It
    # looks at every second detail along each side, and differs by what that leaves to chance.
    for image, sigma, theirs in [
        (CHINA, 15, 18.36), (CHINA, 25, 27.81), (FLOWER, 15, 15.15), (FLOWER, 25, 25.01),
    ]:  # fmt: skip
        noisy = 255 * image + np.random.default_rng(0).normal(size=image.shape) * sigma
        assert abs(estimate_sigma(noisy) / theirs - 1) < 0.02


@pytest.mark.parametrize("scale", [1e-9, 1, 65535])
def test_it_is_in_the_images_units(scale):
    noise = np.random.default_rng(0).normal(size=(60, 70))
    expected = scale * estimate_sigma(noise)
    assert estimate_sigma(scale * (3 + noise)) == pytest.approx(expected, rel=1e-5)
    single = (scale * noise).astype(np.float32)
    assert estimate_sigma(single) == pytest.approx(expected, rel=1e-5)


def test_channels_count_together():
    noise = np.random.default_rng(0).normal(size=(90, 90, 3)) * [3, 4, 5]
    assert estimate_sigma(noise) == pytest.approx(np.sqrt(50 / 3), rel=0.03)


def test_nothing_to_see_is_no_noise():
    assert estimate_sigma(np.full((9, 12), 0.1)) == 0
    ramp = np.add.outer(np.arange(20), np.arange(30)) / 7
    assert estimate_sigma(ramp) < 1e-12
    assert estimate_sigma(np.kron(np.eye(4), np.ones((20, 20)))) == 0


def test_an_image_of_few_pixels_is_refused():
    with pytest.raises(ValueError, match=r"3 × 9 pixels.*give sigma"):
        estimate_sigma(np.zeros((3, 9)))
