from itertools import product

import numpy as np
import pytest

from sparsebp.preprocessing.principal_directions import principal_directions
from sparsebp.samples import BLOCK, ArraySamples


def low_rank(n_samples, n_features, rank, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n_samples, rank)) @ rng.normal(size=(rank, n_features)) + 3


@pytest.mark.parametrize(("n_samples", "n_features"), [(50, 6), (6, 50), (30, 30), (200, 1)])
def test_singular_values_of_the_centered_samples(n_samples, n_features):
    X = low_rank(n_samples, n_features, min(n_samples, n_features))
    values, directions = principal_directions(ArraySamples(X.T), X.mean(axis=0))
    _, singular, right = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    rank = min(n_samples - 1, n_features)
    assert values.shape == (rank,)
    np.testing.assert_allclose(values, singular[:rank] ** 2 / n_samples, rtol=1e-8)
    np.testing.assert_allclose(np.abs(right[:rank] @ directions), np.eye(rank), atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_largest_entry_of_each_direction_is_positive(seed):
    X = low_rank(40, 7, 7, seed)
    directions = principal_directions(ArraySamples(X.T), X.mean(axis=0))[1]
    assert (directions.max(axis=0) > -directions.min(axis=0)).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rank_is_found_at_every_scale_and_precision(dtype):
    for rank, scale in product((1, 3, 8), (1e-6, 1, 1e6)):
        X = (low_rank(300, 20, rank) * scale).astype(dtype)
        assert len(principal_directions(ArraySamples(X.T), X.mean(axis=0, dtype=float))[0]) == rank


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_large_mean_blurs_the_samples(dtype):
    X = (low_rank(300, 20, 4) + 1000).astype(dtype)
    assert len(principal_directions(ArraySamples(X.T), X.mean(axis=0, dtype=float))[0]) == 4


def test_float32_keeps_directions_of_small_variance():
    # Natural patches of 12 x 12 pixels span a factor of a thousand in variance and more.
    deviations = np.geomspace(1, 1e-3, 10)
    X = (np.random.default_rng(0).normal(size=(20000, 10)) * deviations).astype(np.float32)
    values = principal_directions(ArraySamples(X.T), X.mean(axis=0, dtype=float))[0]
    np.testing.assert_allclose(values, deviations**2, rtol=0.05)


def test_blocks_sum_to_the_covariance():
    X = low_rank(2 * BLOCK + 101, 5, 5)
    values, directions = principal_directions(ArraySamples(X.T), X.mean(axis=0))
    np.testing.assert_allclose((directions * values) @ directions.T, np.cov(X.T, bias=True))


def test_equal_samples_and_overflow_are_refused():
    X = np.full((5, 3), 0.1)
    with pytest.raises(ValueError, match=r"all 5 samples are equal \(n_features=3\)"):
        principal_directions(ArraySamples(X.T), X[0])
    X = low_rank(9, 4, 4) * 1e200
    with pytest.raises(ValueError, match="whose squares overflow: scale X down"):
        principal_directions(ArraySamples(X.T), X.mean(axis=0))


def test_samples_at_the_end_of_the_range_are_refused_without_warnings():
    X = np.full((3, 9), 1.7e308)
    X[::2] *= -1
    with pytest.raises(ValueError, match=r"too large|scale X"):
        principal_directions(ArraySamples(X.T), np.zeros(9))
    with pytest.raises(ValueError, match="all 2 samples are equal"):
        principal_directions(ArraySamples(X[:1].repeat(2, axis=0).T), X[0])
