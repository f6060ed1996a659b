from itertools import pairwise

import numpy as np
import pytest

from sparsebp import OrthonormalICA
from sparsebp.datasets import make_dead_leaves
from sparsebp.metrics import motion_tuning
from sparsebp.preprocessing import make_movies, remove_mean, sample_patches, whiten_images

NOISE = np.random.default_rng(0).random((40, 50))


@pytest.mark.parametrize("velocity", [(0, 1), (0, -2), (1, 0), (-1, 2)])
def test_whole_pixels_are_moved_as_they_are(velocity):
    movies, velocities = make_movies([NOISE], 5, (4, 9, 12), velocity=velocity, random_state=0)
    np.testing.assert_array_equal(velocities, np.tile(velocity, (5, 1)))
    down, right = velocity
    for movie in movies:
        assert movie.shape == (4, 9, 12)
        for before, after in pairwise(movie):
            moved = np.roll(before, velocity, axis=(0, 1))
            inside = (
                slice(max(down, 0), 9 + min(down, 0)),
                slice(max(right, 0), 12 + min(right, 0)),
            )
            np.testing.assert_allclose(after[inside], moved[inside], atol=1e-12)


def test_between_pixels_waves_are_interpolated():
    row, column = np.mgrid[:60, :70]
    image = np.sin(0.5 * column + 0.3 * row)
    (movie,), velocities = make_movies([image], 1, (6, 20, 20), velocity=1.5, random_state=3)
    down, right = velocities[0]
    t = np.arange(6)[:, None, None]
    phase = 0.5 * (column[:20, :20] - right * t) + 0.3 * (row[:20, :20] - down * t)
    design = np.stack([np.sin(phase).ravel(), np.cos(phase).ravel()], axis=1)
    left = movie.ravel() - design @ np.linalg.lstsq(design, movie.ravel(), rcond=None)[0]
    assert np.abs(left).max() < 1e-3


def test_velocities_have_all_directions_up_to_the_largest():
    movies, velocities = make_movies([NOISE] * 2, 200, (2, 3, 3), velocity=3, random_state=0)
    speed, angle = np.hypot(*velocities.T), np.arctan2(*velocities.T)
    assert len(movies) == 200
    assert 2.9 < speed.max() <= 3
    assert speed.mean() == pytest.approx(1.5, abs=0.2)
    assert abs(np.exp(1j * angle).mean()) < 0.2


def test_windows_stay_in_their_images_and_reach_all_of_them():
    ramp = np.tile(np.arange(30.0), (30, 1))
    movies, _ = make_movies([ramp], 150, (3, 8, 8), velocity=(0, 1), random_state=0)
    corners = np.array([movie[0, 0, 0] for movie in movies])
    assert corners.min() < 3
    assert corners.max() > 21
    everything = np.array(movies)
    assert everything.min() > -0.1
    assert everything.max() < 29.1


def test_colors_types_and_seeds():
    color = np.stack([NOISE, NOISE**2, 1 - NOISE], axis=2).astype(np.float32)
    options = {"velocity": 1.0, "random_state": 1}
    movies, velocities = make_movies([color], 2, (3, 6, 7), **options)
    gray, same = make_movies([color[..., 2]], 2, (3, 6, 7), **options)
    assert movies[0].shape == (3, 6, 7, 3)
    np.testing.assert_array_equal(velocities, same)
    np.testing.assert_allclose(np.array(movies)[..., 2], gray)
    again, _ = make_movies([np.asfortranarray(color)], 2, (3, 6, 7), **options)
    np.testing.assert_array_equal(again, movies)


@pytest.mark.parametrize(
    ("error", "options", "match"),
    [
        (ValueError, {"velocity": -1}, "velocity must be a finite number ≥ 0, or two, .* got -1"),
        (ValueError, {"velocity": (1, 2, 3)}, r"velocity must be a number ≥ 0, or two, \(rows, c"),
        (TypeError, {"velocity": None}, r"velocity must be a number ≥ 0, or two.* got None"),
        (ValueError, {"velocity": (np.nan, 1)}, "each number of velocity must be a finite number"),
        (TypeError, {"velocity": True}, "velocity must be a finite number"),
        (ValueError, {"velocity": (0, 9)}, r"images\[0\] of shape \(40, 50\) is too small .* 36 c"),
        (ValueError, {"shape": (3, 5)}, "shape must be 3 integers"),
        (ValueError, {"n_movies": 0}, "n_movies must be an integer ≥ 1, got 0"),
        (ValueError, {"images": []}, "at least one image"),
        (
            ValueError,
            {"images": [1.7e308 * (NOISE / np.abs(NOISE).max())]},
            r"overflow float64: images\[0\] contains numbers",
        ),
        (ValueError, {"images": NOISE}, r"put it into a list, \[image\]"),
    ],
)
def test_bad_arguments(error, options, match):
    with pytest.raises(error, match=match):
        make_movies(**({"images": [NOISE], "shape": (5, 20, 20)} | options))


@pytest.mark.parametrize("channels", [(), (3,)])
def test_movies_and_pairs_are_whitened_frame_by_frame(channels):
    rng = np.random.default_rng(0)
    movies = [rng.random((4, 20, 22, *channels)), rng.random((2, 15, 17, *channels))]
    frames = [frame for movie in movies for frame in movie]
    for options in ({}, {"unit_variance": False, "boundary": "wrap", "cutoff": 0.3}):
        white, expected = whiten_images(movies, **options), whiten_images(frames, **options)
        assert [movie.shape for movie in white] == [movie.shape for movie in movies]
        np.testing.assert_array_equal(
            np.concatenate([w.ravel() for w in white]),
            np.concatenate([e.ravel() for e in expected]),
        )
    (one,) = whiten_images(iter(movies[0][np.newaxis]))
    np.testing.assert_array_equal(one, whiten_images(movies[:1])[0])


def test_a_stack_of_images_last_is_no_movie():
    with pytest.raises(ValueError, match=r"looks like images with their number last: give \(fra"):
        whiten_images([np.ones((128, 128, 10))])
    (white,) = whiten_images([np.random.default_rng(0).random((20, 20, 30))])
    assert white.shape == (20, 20, 30)


@pytest.mark.slow
@pytest.mark.parametrize("velocity", [(0.0, 1.0), (-0.5, 0.5)])
def test_features_of_movies_of_one_velocity_move_at_this_velocity(velocity):
    scenes = make_dead_leaves(4, (100, 100), min_radius=2, random_state=0)
    movies, _ = make_movies(scenes, 60, (6, 24, 24), velocity=velocity, random_state=0)
    shape = (6, 8, 8)
    X = remove_mean(sample_patches(movies, shape, 3000, random_state=0))
    model = OrthonormalICA(25, whiten=True, patch_shape=shape, tol=1e-2, random_state=0).fit(X)
    tuning = motion_tuning(model.features_, shape)
    # Of an edge, only the motion across it is seen.
    across = tuning.spatial_frequency / np.hypot(*tuning.spatial_frequency.T)[:, np.newaxis]
    expected = (across @ np.array(velocity))[:, np.newaxis] * across
    wrong = np.hypot(*(tuning.velocity - expected).T)
    assert np.median(wrong) < 0.2 * np.hypot(*velocity)
