import numpy as np
import pytest
from thinning import first_fast

from sparsebp.preprocessing import patches as module
from sparsebp.preprocessing import sample_patches


def numbered(*shapes):
    """Images whose pixels all have different values, so that a patch tells its position."""
    ends = np.cumsum([0, *(np.prod(shape) for shape in shapes)])
    return [
        np.arange(start, start + np.prod(shape), dtype=float).reshape(shape)
        for start, shape in zip(ends, shapes, strict=False)
    ]


def all_patches(images, height, width):
    """Every patch of every image, by the slow obvious loops, keyed by its first pixel."""
    found = {}
    for image in images:
        for row in range(image.shape[0] - height + 1):
            for column in range(image.shape[1] - width + 1):
                patch = image[row : row + height, column : column + width].ravel()
                found[patch[0]] = patch
    return found


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 1), (5, 6)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_every_position_is_equally_likely_and_cut_right(shape, channels):
    images = numbered((5, 6, *channels), (8, 7, *channels), (5, 9, *channels))
    expected = all_patches(images, *shape)
    n_patches = 200 * len(expected)
    sampled = sample_patches(images, shape, n_patches, random_state=0)
    first, counts = np.unique(sampled[:, 0], return_counts=True)
    np.testing.assert_array_equal(first, sorted(expected))
    # Pearson's chi-squared over d degrees of freedom has the variance 2 d.
    degrees = len(expected) - 1
    chi_squared = np.sum((counts - 200) ** 2) / 200
    assert abs(chi_squared - degrees) <= 4 * np.sqrt(2 * degrees)
    np.testing.assert_array_equal(sampled, [expected[value] for value in sampled[:, 0]])


def test_order_is_random_over_images():
    images = [np.zeros((20, 20)), np.ones((20, 20))]
    sampled = sample_patches(images, 4, 4000, random_state=0)[:, 0]
    assert abs(sampled[:2000].mean() - 0.5) < 0.05
    assert abs(np.corrcoef(sampled[1:], sampled[:-1])[0, 1]) < 0.06


def test_an_int_is_a_square():
    images = numbered((9, 9))
    np.testing.assert_array_equal(
        sample_patches(images, 3, 20, random_state=1),
        sample_patches(images, (3, 3), 20, random_state=1),
    )


@pytest.mark.slow
def test_result_of_many_blocks_has_the_same_distribution(monkeypatch):
    monkeypatch.setattr(module, "_BLOCK_SIZE", 40)
    images = numbered((6, 7))
    expected = all_patches(images, 3, 3)
    sampled = sample_patches(images, 3, 3001, min_contrast=0.1, random_state=0)
    np.testing.assert_array_equal(sampled, [expected[value] for value in sampled[:, 0]])
    assert len(np.unique(sampled[:, 0])) == len(expected)


@pytest.mark.parametrize(
    ("dtypes", "expected"),
    [
        ((np.float32, np.float32), np.float32),
        ((np.float32, np.float64), np.float64),
        ((np.uint8, np.uint8), np.float64),
        ((np.float32, np.uint8), np.float64),
        ((bool, bool), np.float64),
        ((np.float16, np.float16), np.float64),
    ],
)
def test_types(dtypes, expected):
    images = [np.ones((4, 4), dtype) for dtype in dtypes]
    sampled = sample_patches(images, 2, 10, random_state=0)
    assert sampled.dtype == expected
    np.testing.assert_array_equal(sampled, 1)


def test_integers_are_not_rescaled():
    images = [np.full((4, 4), 255, np.uint8)]
    np.testing.assert_array_equal(sample_patches(images, 2, 3), 255)


def test_layout_does_not_matter_and_images_are_untouched():
    images = numbered((7, 8), (9, 5))
    expected = sample_patches(images, 3, 50, random_state=0)
    frozen = [np.asfortranarray(image) for image in images]
    for image in frozen:
        image.setflags(write=False)
    np.testing.assert_array_equal(sample_patches(frozen, 3, 50, random_state=0), expected)
    strided = [np.repeat(image, 2, axis=1)[:, ::2] for image in images]
    np.testing.assert_array_equal(sample_patches(strided, 3, 50, random_state=0), expected)


def test_seeds():
    images = numbered((9, 9))
    first, again, other = (sample_patches(images, 3, 40, random_state=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    generator = np.random.default_rng(0)
    pair = [sample_patches(images, 3, 40, random_state=generator) for _ in range(2)]
    assert (pair[0] != pair[1]).any()


def half_flat(seed=0):
    """One image of noise and one of a tenth of its contrast."""
    noise = np.random.default_rng(seed).normal(size=(2, 60, 60))
    return [noise[0], 5 + 0.1 * noise[1]]


@pytest.mark.parametrize("min_contrast", first_fast([1.4, 1]))
def test_min_contrast_is_relative_to_the_average_patch(min_contrast):
    images = half_flat()
    patches = all_patches(images, 4, 4)
    deviations = np.array([patch.std() for patch in patches.values()])
    threshold = min_contrast * np.sqrt(np.mean(deviations**2))
    sampled = sample_patches(images, 4, 5000, min_contrast=min_contrast, random_state=0)
    kept = sampled.std(axis=1)
    assert threshold * 0.95 < kept.min() < threshold * 1.05
    assert kept.mean() == pytest.approx(deviations[deviations > threshold].mean(), rel=0.02)


def test_no_min_contrast_keeps_flat_patches():
    sampled = sample_patches(half_flat(), 4, 1000, random_state=0)
    assert 0.4 < np.mean(sampled.std(axis=1) < 0.3) < 0.6


def test_contrast_that_no_patch_has_is_refused():
    with pytest.raises(ValueError, match=r"patches still had .* lower min_contrast"):
        sample_patches(half_flat(), 4, 200, min_contrast=50, random_state=0)


@pytest.mark.parametrize("value", [0, 0.1, 200])
def test_constant_images_have_no_contrast(value):
    images = [np.full((9, 9), value), np.full((12, 9), 2 * value)]
    with pytest.raises(ValueError, match="every patch is constant"):
        sample_patches(images, 3, 10, min_contrast=0.1, random_state=0)
    assert sample_patches(images, 3, 10, random_state=0).shape == (10, 9)


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, (7, 3), r"images\[1\] of shape \(6, 9\) is smaller than a patch of 7 x 7"),
        (
            ValueError,
            ((3, 9), 3),
            r"images\[0\] of shape \(8, 8\) is smaller than a patch of 3 x 9",
        ),
        (ValueError, ((3, 3, 3), 3), r"3 channels but images\[0\] has shape \(8, 8\)"),
        (ValueError, ((3, 3, 2), 3), r"images\[0\] has shape \(8, 8\): give \(frames, height"),
        (
            ValueError,
            ((3,), 3),
            r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got \(3,\)",
        ),
        (ValueError, (0, 3), "patch_shape must be an integer ≥ 1, got 0"),
        (TypeError, (2.0, 3), r"patch_shape must be an integer ≥ 1, got 2\.0"),
        (
            TypeError,
            (None, 3),
            r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got None",
        ),
        (ValueError, (2, -3), "n_patches must be an integer ≥ 1, got -3"),
        (TypeError, (2, "many"), "n_patches must be an integer ≥ 1, got 'many'"),
    ],
)
def test_bad_arguments(error, arguments, message):
    with pytest.raises(error, match=message):
        sample_patches(numbered((8, 8), (6, 9)), *arguments)


def test_bad_contrast_and_images():
    with pytest.raises(ValueError, match="min_contrast must be a finite number ≥ 0, got -1"):
        sample_patches(numbered((8, 8)), 3, 3, min_contrast=-1)
    with pytest.raises(ValueError, match="images must be at least one image, got none"):
        sample_patches([], 3, 3)


@pytest.mark.parametrize(
    ("image", "patch", "cut"),
    [
        ((9, 20), (4, 16), (4, 16)),
        ((9, 20, 3), (4, 16), (4, 16, 3)),
        ((9, 20, 3), (4, 16, 3), (4, 16, 3)),
        ((7, 9, 10), (5, 8, 8), (5, 8, 8)),
        ((7, 9, 10, 3), (5, 8, 8), (5, 8, 8, 3)),
        ((7, 9, 10), (5, 8, 8, 1), (5, 8, 8)),
        ((9, 20, 5), (4, 16, 5), (4, 16, 5)),
    ],
)
def test_patches_of_any_shape_are_cut_where_windows_are(image, patch, cut):
    volume = np.arange(np.prod(image)).reshape(image)
    windows = np.lib.stride_tricks.sliding_window_view(volume, cut).reshape(-1, np.prod(cut))
    patches = sample_patches([volume], patch, 500, random_state=0)
    assert {tuple(row) for row in patches} == {tuple(row) for row in windows}


def test_a_stack_with_its_images_last_is_refused():
    with pytest.raises(ValueError, match=r"10 images of 128 x 128 .* np\.moveaxis"):
        sample_patches(np.ones((128, 128, 10)), 8, 5)
    assert sample_patches(np.ones((10, 128, 128)), 8, 5).shape == (5, 64)
    assert sample_patches(list(np.ones((16, 16, 9))), 8, 5).shape == (5, 64)
