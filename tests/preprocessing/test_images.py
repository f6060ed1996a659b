import numpy as np
import pytest

from sparsebp.preprocessing import whiten_images


def noise(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(5, 2, size=shape) for shape in shapes]


def published_filter(image, cutoff):
    """The filter of 1996 as its program has it: centered full grid, complex transform."""
    height, width = image.shape
    rows, columns = np.arange(height) - height // 2, np.arange(width) - width // 2
    rho = np.hypot(rows[:, None] / height, columns / width)
    response = np.fft.ifftshift(rho * np.exp(-((rho / cutoff) ** 4)))
    return np.fft.ifft2(np.fft.fft2(image) * response).real


def mirrored_filter(image, cutoff):
    height, width = image.shape
    doubled = np.pad(image, ((0, height), (0, width)), mode="symmetric")
    return published_filter(doubled, cutoff)[:height, :width]


ORACLES = {"wrap": published_filter, "mirror": mirrored_filter}
SHAPES = [(16, 16), (15, 20), (9, 7), (1, 12), (30, 2)]


@pytest.mark.parametrize("boundary", ORACLES)
@pytest.mark.parametrize("cutoff", [0.4, 0.15])
def test_filter_is_the_published_one(boundary, cutoff):
    images = noise(*SHAPES)
    expected = [ORACLES[boundary](image, cutoff) for image in images]
    scale = np.sqrt(np.mean([image.var() for image in expected]))
    whitened = whiten_images(images, cutoff=cutoff, boundary=boundary)
    for found, filtered in zip(whitened, expected, strict=True):
        np.testing.assert_allclose(found, filtered / scale, atol=1e-12)


@pytest.mark.parametrize("boundary", ORACLES)
def test_scale_is_one_number_and_mean_variance_one(boundary):
    images = noise((20, 30), (25, 25))
    images[1] *= 7
    whitened = whiten_images(images, boundary=boundary)
    assert np.mean([image.var() for image in whitened]) == pytest.approx(1, rel=1e-13)
    assert whitened[1].std() > 5 * whitened[0].std()
    assert all(abs(image.mean()) < 1e-13 for image in whitened)
    rescaled = whiten_images([100 * image + 3 for image in images], boundary=boundary)
    for one, other in zip(whitened, rescaled, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-11)


def test_defaults():
    images = noise((12, 14))
    np.testing.assert_array_equal(
        whiten_images(images)[0], whiten_images(images, cutoff=0.4, boundary="mirror")[0]
    )


@pytest.mark.parametrize("boundary", ORACLES)
def test_color_filters_each_channel(boundary):
    images = noise((15, 20, 3), (12, 12, 3))
    whitened = whiten_images(images, boundary=boundary)
    assert [image.shape for image in whitened] == [(15, 20, 3), (12, 12, 3)]
    expected = [
        np.stack([ORACLES[boundary](image[..., c], 0.4) for c in range(3)], axis=-1)
        for image in images
    ]
    scale = np.sqrt(np.mean([image.var() for image in expected]))
    for found, filtered in zip(whitened, expected, strict=True):
        np.testing.assert_allclose(found, filtered / scale, atol=1e-12)


def test_mirror_has_no_lines_along_the_border():
    sky_and_ground = np.tanh(np.linspace(4, -4, 64))[:, None] + 0.01 * noise((64, 64))[0]
    mirrored, wrapped = (whiten_images([sky_and_ground], boundary=b)[0] for b in ("mirror", "wrap"))
    assert np.abs(wrapped[0]).mean() > 3 * np.abs(wrapped[20:40]).mean()
    assert np.abs(mirrored[0]).mean() < 2 * np.abs(mirrored[20:40]).mean()


def test_spectrum_of_one_over_f_becomes_flat():
    rng = np.random.default_rng(0)
    rho = np.hypot(np.fft.fftfreq(128)[:, None], np.fft.fftfreq(128))
    rho[0, 0] = 1
    image = np.fft.ifft2(np.fft.fft2(rng.normal(size=(128, 128))) / rho).real
    power = np.abs(np.fft.fft2(whiten_images([image], boundary="wrap")[0])) ** 2
    low, middle = power[(rho > 0.02) & (rho < 0.06)], power[(rho > 0.1) & (rho < 0.15)]
    assert low.mean() / middle.mean() == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("boundary", ORACLES)
def test_types(boundary):
    image = noise((18, 18))[0]
    single, double, whole = whiten_images(
        [image.astype(np.float32), image, image.astype(np.int16)], boundary=boundary
    )
    assert (single.dtype, double.dtype, whole.dtype) == (np.float32, np.float64, np.float64)
    np.testing.assert_allclose(single, double, atol=1e-5)


def test_inputs_are_untouched_and_may_be_frozen():
    image = np.asfortranarray(noise((12, 9))[0])
    image.setflags(write=False)
    copy = image.copy()
    whiten_images([image])
    np.testing.assert_array_equal(image, copy)


@pytest.mark.parametrize("boundary", ORACLES)
@pytest.mark.parametrize("shape", [(12, 13), (12, 13, 3)])
def test_constant_images(boundary, shape):
    flat = np.full(shape, 0.1)
    whitened = whiten_images([flat, *noise(shape)], boundary=boundary)
    assert not whitened[0].any()
    assert whitened[1].var() == pytest.approx(2)
    with pytest.raises(ValueError, match="images are all constant"):
        whiten_images([flat, np.zeros(shape)], boundary=boundary)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_extreme_pixels(factor):
    image = noise((12, 13))[0]
    np.testing.assert_allclose(
        whiten_images([image * factor])[0], whiten_images([image])[0], atol=1e-12
    )


@pytest.mark.parametrize("cutoff", [0, 1e-3, -0.4, np.nan, np.inf])
def test_bad_cutoff(cutoff):
    with pytest.raises(ValueError, match=r"cutoff(=.* removes| must be a finite number > 0)"):
        whiten_images(noise((8, 8)), cutoff=cutoff)


def test_bad_arguments():
    with pytest.raises(TypeError, match=r"cutoff must be a finite number.*, got 'high'"):
        whiten_images(noise((8, 8)), cutoff="high")
    for boundary in ("reflect", None, ["mirror"]):
        with pytest.raises(
            (TypeError, ValueError), match="boundary must be one of 'mirror', 'wrap', got "
        ):
            whiten_images(noise((8, 8)), boundary=boundary)
    for flag in (0, 1.0, "no", None, [True]):
        with pytest.raises(TypeError, match=r"unit_variance must be True or False, got .*"):
            whiten_images(noise((8, 8)), unit_variance=flag)
    with pytest.raises(ValueError, match="images must be at least one image, got none"):
        whiten_images([])


def test_without_unit_variance_an_image_does_not_depend_on_the_others():
    first, second = np.random.default_rng(0).normal(size=(2, 16, 20))
    together = whiten_images([first, 5 * second], unit_variance=False)[0]
    alone = whiten_images([first], unit_variance=False)[0]
    np.testing.assert_allclose(together, alone, rtol=1e-12, atol=1e-15)
    scaled = whiten_images([first])[0]
    np.testing.assert_allclose(scaled, alone / alone.std())


def test_huge_pixels_of_one_image_are_no_business_of_others():
    rng = np.random.default_rng(0)
    small = rng.random((9, 9)).astype(np.float32)
    alone, _ = whiten_images([small, 1e300 * rng.random((9, 9))], unit_variance=False)
    np.testing.assert_allclose(alone, whiten_images([small], unit_variance=False)[0], rtol=1e-5)
    together, _ = whiten_images([small, 1e300 * rng.random((9, 9))])
    assert not together.any()


def test_pixels_whose_differences_overflow_are_refused():
    with pytest.raises(ValueError, match="images contains numbers that are too large"):
        whiten_images([[[-1.5e308, 1.5e308], [0, 1]]])
