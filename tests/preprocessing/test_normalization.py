import numpy as np
import pytest

from sparsebp.preprocessing import normalize_contrast, remove_mean, unit_norm
from sparsebp.preprocessing.normalization import row_deviation

FUNCTIONS = [remove_mean, normalize_contrast, unit_norm]


def patches(shape=(50, 12), seed=0):
    return np.random.default_rng(seed).normal(3, 2, size=shape)


def test_remove_mean_leaves_the_differences():
    x = patches()
    centered = remove_mean(x)
    np.testing.assert_allclose(centered.mean(axis=1), 0, atol=1e-15)
    np.testing.assert_allclose(np.diff(centered, axis=1), np.diff(x, axis=1), atol=1e-14)


@pytest.mark.parametrize("scale", [1, 1e307])
def test_remove_mean_is_over_the_known_pixels(scale):
    x = patches() * scale
    x[np.random.default_rng(1).random(x.shape) < 0.3] = np.nan
    x[4], x[5, 0], x[5, 1:] = np.nan, 7 * scale, np.nan
    centered = remove_mean(x)
    np.testing.assert_array_equal(np.isnan(centered), np.isnan(x))
    for found, given in zip(centered / scale, x / scale, strict=True):
        known = given[~np.isnan(given)]
        expected = known - known.mean() if known.size else known
        np.testing.assert_allclose(found[~np.isnan(found)], expected, atol=1e-14)
    assert not centered[5, 0]
    complete = ~np.isnan(x).any(axis=1)
    np.testing.assert_array_equal(centered[complete], remove_mean(x[complete]))
    x[0, 0] = np.inf
    with pytest.raises(ValueError, match="patches must be finite or NaN, got infinity"):
        remove_mean(x)


def test_constant_patches_become_exactly_zero():
    # The mean of 144 times 0.1, as summed in floating point, is not 0.1.
    assert not remove_mean(np.full((3, 144), 0.1)).any()
    assert not row_deviation(np.full((3, 144), 0.1)).any()


def test_normalize_contrast_is_its_formula():
    x = patches()
    expected = [p / np.sqrt(np.mean((p - p.mean()) ** 2) + 0.25) for p in x]
    np.testing.assert_allclose(normalize_contrast(x, regularization=0.25), expected, rtol=1e-14)


def test_normalized_patches_have_unit_variance_without_regularization():
    variances = normalize_contrast(patches(), regularization=0).var(axis=1)
    np.testing.assert_allclose(variances, 1, rtol=1e-13)


@pytest.mark.parametrize("regularization", [0, 1e-4])
def test_constant_patches_stay_finite(regularization):
    scaled = normalize_contrast(np.full((2, 9), 0.3), regularization=regularization)
    assert np.isfinite(scaled).all()
    if regularization == 0:
        np.testing.assert_array_equal(scaled, 0.3)


def test_default_regularization_is_ten_for_eight_bits():
    x = patches()
    np.testing.assert_allclose(
        normalize_contrast(x), normalize_contrast(255 * x, regularization=10), rtol=1e-12
    )


def test_unit_norm_scales_and_keeps_zeros():
    x = patches()
    x[3] = 0
    scaled = unit_norm(x)
    expected = np.ones(len(x))
    expected[3] = 0
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), expected, rtol=1e-14)
    np.testing.assert_allclose(scaled * np.linalg.norm(x, axis=1, keepdims=True), x, rtol=1e-13)


@pytest.mark.parametrize("factor", [1e-200, 1e200])
def test_unit_norm_survives_extreme_numbers(factor):
    np.testing.assert_allclose(unit_norm(patches() * factor), unit_norm(patches()), rtol=1e-13)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_types_layouts_and_inputs(function):
    x = patches()
    x.setflags(write=False)
    expected = function(x)
    np.testing.assert_allclose(function(np.asfortranarray(x)), expected, rtol=1e-12)
    single = function(x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=1e-5, atol=1e-6)
    whole = np.arange(12, dtype=np.uint8).reshape(2, 6)
    np.testing.assert_array_equal(function(whole), function(whole.astype(float)))


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("bad", [[[np.inf, 1]], [1.0, 2.0], [["a"]], np.ones((0, 3))])
def test_bad_patches_are_refused(function, bad):
    with pytest.raises(ValueError, match="patches must "):
        function(bad)


@pytest.mark.parametrize("function", [normalize_contrast, unit_norm])
def test_missing_pixels_are_refused(function):
    with pytest.raises(ValueError, match="patches must be finite, got NaN"):
        function([[np.nan, 1]])


def test_bad_regularization_is_refused():
    with pytest.raises(ValueError, match="regularization must be a finite number ≥ 0, got -1"):
        normalize_contrast(patches(), regularization=-1)
    with pytest.raises(TypeError, match="regularization must be a finite number ≥ 0, got None"):
        normalize_contrast(patches(), regularization=None)
