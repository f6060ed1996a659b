import numpy as np
import pytest
import scipy.stats
from scipy.stats import norm
from sklearn.metrics import r2_score

from sparsebp.metrics import (
    coefficient_entropy,
    coefficient_kurtosis,
    explained_variance,
    near_zero_fraction,
    signal_fraction,
    silent_components,
)


def laplace(seed=0, shape=(400, 6)):
    return np.random.default_rng(seed).laplace(size=shape) * np.arange(1, shape[1] + 1) + 0.3


def test_kurtosis_equals_scipy():
    codes = laplace()
    assert coefficient_kurtosis(codes) == pytest.approx(
        scipy.stats.kurtosis(codes, axis=None, fisher=False)
    )
    np.testing.assert_allclose(
        coefficient_kurtosis(codes, per_component=True), scipy.stats.kurtosis(codes, fisher=False)
    )


def test_known_kurtosis():
    rng = np.random.default_rng(1)
    assert coefficient_kurtosis(rng.standard_normal((50_000, 4))) == pytest.approx(3, abs=0.1)
    assert coefficient_kurtosis(rng.laplace(size=(200_000, 2))) == pytest.approx(6, rel=0.05)
    assert coefficient_kurtosis([[1, -1]]) == 1.0


@pytest.mark.parametrize("value", [0.0, 0.1, -1e300])
def test_constant_codes_count_as_gaussian_and_take_no_bits(value):
    codes = np.full((7, 3), value)
    assert coefficient_kurtosis(codes) == 3.0
    np.testing.assert_array_equal(coefficient_kurtosis(codes, per_component=True), 3.0)
    assert coefficient_entropy(codes) == 0.0
    assert coefficient_entropy(codes, step=0.5) == 0.0


@pytest.mark.parametrize("scale", [1e-300, 1e-3, 1e150, 1e300])
def test_scale_does_not_matter(scale):
    codes = laplace(shape=(50, 2))
    assert coefficient_kurtosis(scale * codes) == pytest.approx(coefficient_kurtosis(codes))
    assert coefficient_entropy(scale * codes) == pytest.approx(coefficient_entropy(codes), abs=0.02)


def test_dead_component_leaves_the_others_alone():
    codes = np.column_stack([np.zeros(100), laplace(shape=(100, 1))])
    per_component = coefficient_kurtosis(codes, per_component=True)
    assert per_component[0] == 3.0
    assert per_component[1] == pytest.approx(scipy.stats.kurtosis(codes[:, 1], fisher=False))


@pytest.mark.parametrize("step", [0.1, 1.0, 7.5])
def test_entropy_equals_that_of_a_histogram(step):
    codes = laplace(2)
    reach = np.ceil(np.abs(codes).max() / step)
    edges = (np.arange(-reach - 1, reach + 2) + 0.5) * step
    counts = np.histogram(codes, edges)[0]
    assert coefficient_entropy(codes, step=step) == pytest.approx(
        scipy.stats.entropy(counts, base=2)
    )


def test_known_entropy():
    codes = np.repeat(np.arange(8), 5).reshape(4, 10)
    assert coefficient_entropy(codes, step=1) == pytest.approx(3.0)
    gaussian = np.random.default_rng(0).standard_normal((100_000, 2))
    expected = 0.5 * np.log2(2 * np.pi * np.e) + 2
    assert coefficient_entropy(gaussian) == pytest.approx(expected, abs=0.01)


def test_sparser_codes_of_equal_variance_take_fewer_bits():
    rng = np.random.default_rng(0)
    dense = rng.standard_normal((5000, 2))
    sparse = rng.standard_t(3, size=(5000, 2)) / np.sqrt(3)
    assert coefficient_entropy(sparse, step=0.1) < coefficient_entropy(dense, step=0.1) - 0.1
    assert coefficient_kurtosis(sparse) > coefficient_kurtosis(dense)


def test_integers_and_float32_work_and_stay_untouched():
    codes = np.arange(12, dtype=np.int8).reshape(3, 4)
    codes.setflags(write=False)
    assert coefficient_kurtosis(codes) == pytest.approx(
        scipy.stats.kurtosis(np.arange(12.0), fisher=False)
    )
    assert coefficient_entropy(np.asfortranarray(codes, dtype=np.float32), step=1) == (
        pytest.approx(np.log2(12))
    )


@pytest.mark.parametrize("step", [0, -1.0, float("nan"), float("inf"), "fine", True])
def test_steps_that_are_no_width_are_refused(step):
    with pytest.raises(
        (TypeError, ValueError), match="step must be a finite number > 0, or None, got "
    ):
        coefficient_entropy([[1.0, 2.0]], step=step)


@pytest.mark.parametrize("statistic", [coefficient_kurtosis, coefficient_entropy])
def test_codes_that_are_no_matrix_are_refused(statistic):
    with pytest.raises(ValueError, match=r"codes must have two dimensions, got shape \(2,\)"):
        statistic([1.0, 2.0])
    with pytest.raises(ValueError, match="codes must be finite, got NaN or infinity"):
        statistic([[1.0, np.nan]])


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
def test_a_gaussian_has_eight_percent_near_zero(scale):
    codes = scale * np.random.default_rng(0).standard_normal((20_000, 4))
    expected = 2 * norm.cdf(0.1) - 1
    assert near_zero_fraction(codes) == pytest.approx(expected, abs=0.004)
    np.testing.assert_allclose(near_zero_fraction(codes, per_component=True), expected, atol=0.008)


def test_near_zero_is_a_tenth_of_the_root_mean_square_of_all_together():
    codes = np.array([[3.0, 0.1, 0.0], [3.0, 0.3, 0.0]])
    assert near_zero_fraction(codes) == 0.5  # up to 0.174
    codes[:, 0] = 1.0
    assert near_zero_fraction(codes) == pytest.approx(2 / 6)
    np.testing.assert_array_equal(near_zero_fraction(codes, per_component=True), [0, 0, 1])
    assert near_zero_fraction(np.zeros((2, 3))) == 1.0
    assert near_zero_fraction(np.full((2, 3), 5)) == 0.0


@pytest.mark.parametrize("seed", range(3))
def test_explained_variance_is_what_scikit_learn_scores(seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 5)) * [1, 2, 3, 4, 5] + 7
    back = x + rng.normal(size=x.shape)
    expected = r2_score(x, back, multioutput="variance_weighted")
    assert explained_variance(x, back) == pytest.approx(expected, rel=1e-12)
    assert explained_variance(1e200 * x, 1e200 * back) == pytest.approx(expected, rel=1e-9)
    assert explained_variance(x, np.tile(x.mean(axis=0), (30, 1))) == pytest.approx(0)
    assert explained_variance(x, x) == 1


def test_equal_samples_have_no_variance_to_explain():
    x = np.full((7, 3), 0.1)
    assert np.isnan(explained_variance(x, 0 * x))


def test_a_reconstruction_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shape \(3, 2\) but the reconstruction \(2, 2\)"):
        explained_variance(np.ones((3, 2)), np.ones((2, 2)))


def test_shares_of_the_signal_are_those_of_what_components_add():
    rng = np.random.default_rng(0)
    features, codes = rng.normal(size=(4, 6)), rng.laplace(size=(20, 4))
    parts = np.array([((codes[:, [r]] @ features[[r]]) ** 2).sum() for r in range(4)])
    np.testing.assert_allclose(signal_fraction(features, codes), parts / parts.sum())
    share = signal_fraction(1e200 * features, 1e-300 * codes)
    np.testing.assert_allclose(share, parts / parts.sum())
    assert (signal_fraction(features, 0 * codes) == 0).all()
    with pytest.raises(ValueError, match="codes have 3 columns but there are 4 features"):
        signal_fraction(features, codes[:, :3])


def test_silent_components_are_found_though_they_be_many():
    rng = np.random.default_rng(0)
    features, codes = rng.normal(size=(10, 6)), rng.laplace(size=(50, 10))
    assert silent_components(features, codes).size == 0
    features[3:] *= 1e-3
    np.testing.assert_array_equal(silent_components(features, codes), range(3, 10))
    np.testing.assert_array_equal(silent_components(features, 0 * codes), range(10))


@pytest.mark.parametrize("measure", [coefficient_kurtosis, near_zero_fraction])
def test_per_component_is_a_flag(measure):
    with pytest.raises(TypeError, match="per_component must be True or False, got 'yes'"):
        measure(laplace(), per_component="yes")
