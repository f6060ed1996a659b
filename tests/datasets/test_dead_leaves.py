import itertools

import numpy as np
import pytest

from sparsebp.datasets import dead_leaves as module
from sparsebp.datasets import make_dead_leaves


def laid_back_to_front(shape, discs, gray):
    """The painter's way: every disc over those behind it."""
    image = np.full(shape, np.nan)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    for row, column, radius, value in reversed(list(zip(*discs, gray, strict=True))):
        image[(rows - row) ** 2 + (columns - column) ** 2 <= radius**2] = value
    return image


def random_discs(n_discs, shape, seed=0):
    rng = np.random.default_rng(seed)
    row, column = (rng.uniform(-10, size + 10, n_discs) for size in shape)
    return module._Discs(row, column, rng.uniform(0.1, 12, n_discs)), rng.random(n_discs)


@pytest.mark.parametrize("shape", [(20, 30), (1, 25), (13, 1), (1, 1)])
def test_near_discs_hide_far_ones(shape):
    for n_discs in (1, 8, 60):
        discs, gray = random_discs(n_discs, shape)
        image = np.full(shape, np.nan)
        module._lay(image, discs, gray)
        np.testing.assert_array_equal(image, laid_back_to_front(shape, discs, gray))


def test_a_second_batch_lies_behind_the_first():
    shape = (20, 30)
    discs, gray = random_discs(40, shape)
    image = np.full(shape, np.nan)
    for part in (slice(0, 15), slice(15, 40)):
        module._lay(image, module._Discs(*(field[part] for field in discs)), gray[part])
    np.testing.assert_array_equal(image, laid_back_to_front(shape, discs, gray))


def test_touching_radii_follow_the_cubic_law():
    # Discs drawn plainly, with centers all over a wide field, of which those that touch are kept.
    rng, shape, (low, high) = np.random.default_rng(0), (20, 30), (2.0, 15.0)
    radius = (low**-2 - rng.random(400000) * (low**-2 - high**-2)) ** -0.5
    row, column = (rng.uniform(-0.5 - high, size - 0.5 + high, radius.size) for size in shape)
    touching = (np.abs(row - 9.5) < 10 + radius) & (np.abs(column - 14.5) < 15 + radius)
    law = module._radius_law((low, high), shape)
    quantiles = [0.1, 0.3, 0.5, 0.7, 0.9]
    np.testing.assert_allclose(
        np.interp(quantiles, law.probability, law.radius),
        np.quantile(radius[touching], quantiles),
        rtol=0.02,
    )


def spectral_slope(images, low=0.02, high=0.2):
    """Exponent of the mean power spectrum between two frequencies, in cycles per pixel."""
    height, width = images[0].shape
    window = np.outer(np.hanning(height), np.hanning(width))
    power = sum(np.abs(np.fft.fft2((image - image.mean()) * window)) ** 2 for image in images)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))
    edges = np.geomspace(low, high, 12)
    ring = [power[(frequency >= a) & (frequency < b)].mean() for a, b in itertools.pairwise(edges)]
    return np.polyfit(np.log(edges[:-1]), np.log(ring), 1)[0]


@pytest.mark.slow
def test_power_spectrum_falls_about_as_the_square_of_frequency():
    images = make_dead_leaves(20, random_state=0)
    assert -2.3 < spectral_slope(images) < -1.7


@pytest.mark.slow
def test_gray_is_uniform_from_zero_to_one():
    values = np.concatenate(
        [image[::8, ::8].ravel() for image in make_dead_leaves(6, max_radius=5, random_state=0)]
    )
    assert values.min() >= 0
    assert values.max() <= 1
    np.testing.assert_allclose(
        np.quantile(values, [0.1, 0.25, 0.5, 0.75, 0.9]), [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.02
    )


@pytest.mark.slow
def test_as_many_discs_lie_upon_the_border_as_upon_the_middle():
    shape, rng = (20, 30), np.random.default_rng(0)
    law = module._radius_law((2.0, 15.0), shape)
    pixel = module._pixels(module._draw_discs(50000, shape, law, rng), shape)[1]
    counts = np.bincount(pixel).reshape(shape)
    np.testing.assert_allclose(counts / counts.mean(), 1, atol=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (33, 17), [8, 9]])
def test_every_pixel_is_covered(shape):
    small = {"min_radius": 0.5, "max_radius": 1}
    for radii in ({}, small, {"min_radius": 50}, {"min_radius": 1e9}):
        images = make_dead_leaves(3, shape, random_state=0, **radii)
        assert len(images) == 3
        assert all(image.shape == tuple(shape) and np.isfinite(image).all() for image in images)


def test_seeds():
    first, again = (make_dead_leaves(2, (20, 20), random_state=0) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()
    generator = np.random.default_rng(0)
    one, two = (make_dead_leaves(1, (20, 20), random_state=generator)[0] for _ in range(2))
    assert (one != two).any()


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, {"n_images": 0}, "n_images must be an integer ≥ 1, got 0"),
        (TypeError, {"shape": 64}, r"shape must be 2 integers ≥ 1, such as \(8, 8\), got 64"),
        (
            ValueError,
            {"shape": (64, 64, 3)},
            r"shape must be 2 integers ≥ 1, such as \(8, 8\), got \(64, 64, 3\)",
        ),
        (
            ValueError,
            {"shape": (64, 0)},
            r"shape must be 2 integers ≥ 1, such as \(8, 8\), got \(64, 0\)",
        ),
        (
            TypeError,
            {"shape": (64, 6.5)},
            r"shape must be 2 integers ≥ 1, such as \(8, 8\), got \(64, 6\.5\)",
        ),
        (ValueError, {"min_radius": 0.1}, r"min_radius must be a finite number ≥ 0\.5, got 0\.1"),
        (ValueError, {"min_radius": 1e200}, r"min_radius must be .* ≤ 1e\+09, got 1e\+200"),
        (ValueError, {"max_radius": 1e200}, r"max_radius must be .* ≤ 2e\+09, got 1e\+200"),
        (TypeError, {"min_radius": "1"}, "min_radius must be a finite number.*, got '1'"),
        (ValueError, {"max_radius": 1}, "max_radius must be a finite number > 1, got 1"),
        (ValueError, {"max_radius": np.nan}, "max_radius must be a finite number.*, got nan"),
    ],
)
def test_bad_arguments(error, arguments, message):
    with pytest.raises(error, match=message):
        make_dead_leaves(**arguments)
