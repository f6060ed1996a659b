"""Binocular patches of single images and of stereo pairs."""

import numpy as np
import pytest

from sparsebp import OrthonormalICA, PatchStream
from sparsebp.datasets import make_dead_leaves
from sparsebp.metrics import binocular_tuning
from sparsebp.preprocessing import remove_mean, sample_patches

HEIGHT, WIDTH = 12, 20
NUMBERED = np.arange(HEIGHT * WIDTH, dtype=float).reshape(HEIGHT, WIDTH)


@pytest.mark.parametrize(("disparity", "largest"), [(3, (0, 3)), ((1, 2), (1, 2)), (0, (0, 0))])
def test_the_right_crop_is_moved_by_every_disparity_alike(disparity, largest):
    drawn = sample_patches([NUMBERED], (2, 4, 5), 1500, disparity=disparity, random_state=0)
    left, right = drawn.reshape(-1, 2, 4, 5).transpose(1, 0, 2, 3)
    windows = np.lib.stride_tricks.sliding_window_view(NUMBERED, (4, 5)).reshape(-1, 20)
    for eye in (left, right):
        assert {tuple(row) for row in eye.reshape(-1, 20)} <= {tuple(row) for row in windows}
    # What is at one place of the left patch is d further right in the right one.
    moved = (left - right)[:, 0, 0]
    down = np.round(moved / WIDTH).astype(int)
    found, counts = np.unique([down, moved - WIDTH * down], axis=1, return_counts=True)
    vertical, horizontal = (np.arange(-most, most + 1) for most in largest)
    expected = np.stack(np.meshgrid(vertical, horizontal, indexing="ij")).reshape(2, -1)
    np.testing.assert_array_equal(found, expected)
    mean = 1500 / len(counts)
    assert np.abs(counts - mean).max() <= 4 * np.sqrt(mean)


def test_every_place_of_the_pair_is_reached():
    drawn = sample_patches([NUMBERED[:, :7]], (2, 12, 5), 200, disparity=2, random_state=0)
    assert set(drawn[:, 0]) == {0.0, 1.0, 2.0}


def test_an_int_and_colors():
    image = np.stack([NUMBERED, NUMBERED + 0.25, NUMBERED + 0.5], axis=2)
    drawn = sample_patches([image, image], 4, 50, disparity=2, random_state=0)
    assert drawn.shape == (50, 2 * 4 * 4 * 3)
    patches = drawn.reshape(50, 2, 4, 4, 3)
    np.testing.assert_array_equal(patches[..., 2] - patches[..., 0], 0.5)
    same = sample_patches([image, image], (2, 4, 4, 3), 50, disparity=(0, 2), random_state=0)
    np.testing.assert_array_equal(same, drawn)


def test_contrast_type_and_seed():
    images = [np.random.default_rng(0).normal(size=(30, 30)), np.full((30, 30), 3.0)]
    images = [image.astype(np.float32) for image in images]
    options = {"disparity": 2, "min_contrast": 0.5, "random_state": 1}
    drawn = sample_patches(images, 5, 300, **options)
    assert drawn.dtype == np.float32
    assert drawn.std(axis=1).min() > 0.3
    np.testing.assert_array_equal(sample_patches(images, 5, 300, **options), drawn)


@pytest.mark.parametrize(
    ("error", "patch_shape", "disparity", "match"),
    [
        (ValueError, (4, 4), 2, r"patch_shape must be \(2, height, width\), or an integer, for"),
        (ValueError, (3, 4, 4), 2, r"patch_shape must be \(2, height, width\)"),
        (ValueError, 4, -1, "each number of disparity must be an integer ≥ 0, got -1"),
        (TypeError, 4, 1.5, r"disparity must be an integer ≥ 0, or two.*, got 1\.5"),
        (TypeError, 4, True, "disparity must be an integer ≥ 0, or two"),
        (ValueError, 4, (1, 2, 3), r"disparity must be .*\(vertical, horizontal\), got \(1, 2, 3"),
        (ValueError, 4, 17, r"\(12, 20\) is smaller than a patch and its disparity, 4 x 21 pixels"),
    ],
)
def test_bad_arguments(error, patch_shape, disparity, match):
    with pytest.raises(error, match=match):
        sample_patches([NUMBERED], patch_shape, 5, disparity=disparity)


def test_pairs_have_a_disparity_already():
    pair = np.stack([NUMBERED, NUMBERED])
    for pairs in ([pair], pair[np.newaxis]):
        with pytest.raises(ValueError, match=r"stereo pairs .* are cut with disparity=None"):
            sample_patches(pairs, (2, 4, 4), 5, disparity=1)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_stereo_pairs_are_two_lists_or_arrays_of_two(channels):
    rng = np.random.default_rng(0)
    lefts, rights = rng.random((2, 3, 9, 11, *channels))
    pairs = list(zip(lefts, rights, strict=True))
    drawn = sample_patches(pairs, (2, 4, 4), 40, random_state=0)
    assert drawn.shape == (40, 32 * (3 if channels else 1))
    stacked = np.stack([lefts, rights], axis=1)
    np.testing.assert_array_equal(sample_patches(stacked, (2, 4, 4), 40, random_state=0), drawn)


def test_movies_of_all_kinds():
    movie = np.random.default_rng(0).random((7, 12, 14))
    color = np.stack([movie] * 3, axis=-1)
    for given, size in (
        ([movie], 5 * 16),
        ([movie, movie[1:]], 5 * 16),
        (np.stack([movie, movie]), 5 * 16),
        ([color], 5 * 16 * 3),
        (np.stack([color, color]), 5 * 16 * 3),
    ):
        assert sample_patches(given, (5, 4, 4), 9, random_state=0).shape == (9, size)
        assert PatchStream(given, (5, 4, 4), 9, random_state=0)[:].shape == (9, size)


@pytest.mark.parametrize("colors", [(), (3,)])
def test_frames_that_are_not_stacked_are_refused_with_what_to_do(colors):
    frames = list(np.random.default_rng(0).random((7, 12, 14, *colors)))
    with pytest.raises(ValueError, match=r"\[np\.stack\(images\)\]"):
        sample_patches(frames, (5, 4, 4), 9)


@pytest.mark.slow
@pytest.mark.parametrize("disparity", [-2, 0, 3])
def test_features_of_pairs_of_one_disparity_have_this_disparity(disparity):
    scenes = make_dead_leaves(4, (100, 100), min_radius=2, random_state=0)
    middle = [scene[:, 10:-10] for scene in scenes]
    moved = [np.roll(scene, disparity, axis=1)[:, 10:-10] for scene in scenes]
    pairs = list(zip(middle, moved, strict=True))
    shape = (2, 6, 12)
    X = remove_mean(sample_patches(pairs, shape, 3000, random_state=0))
    model = OrthonormalICA(30, whiten=True, patch_shape=shape, tol=1e-2, random_state=0).fit(X)
    tuning = binocular_tuning(model.features_, shape)
    clear = tuning.correlation > 0.7
    assert clear.mean() > 0.5
    assert abs(np.median(tuning.disparity[clear]) - disparity) < 0.5
    assert abs(np.median(tuning.dominance)) < 0.1
