from functools import partial
from itertools import product

import numpy as np
import oracles
import pytest

from sparsebp.network import value_and_gradients
from sparsebp.problems import (
    SparseFilteringInBlocks,
    sparse_filtering,
    sparse_filtering_network,
)
from sparsebp.samples import Samples

SIZES = [(1, 1, 1), (2, 3, 1), (3, 2, 7), (4, 4, 5), (6, 3, 20)]
sizes = pytest.mark.parametrize(("k", "n", "m"), SIZES)


def problem(k, n, m, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(k, n)), rng.normal(size=(n, m))


@sizes
def test_value_and_gradient_are_the_oracles(k, n, m):
    for seed, epsilon in product(range(4), (1e-8, 0.3)):
        w, x = problem(k, n, m, seed)
        objective = sparse_filtering(epsilon).objective("W", {"x": x}, scale=1 / m)
        value, gradient = objective.value_and_gradient(w)
        formula = partial(oracles.sparse_filtering, x=x, epsilon=epsilon)
        assert value == pytest.approx(formula(w) / m, rel=1e-13)
        exact = oracles.complex_step(formula, w) / m
        # Where a column holds one number its length says all, and the slope is rounding.
        assert np.abs(gradient - exact).max() <= 1e-12 * max(1.0, np.abs(exact).max())


@sizes
def test_the_literal_network_says_the_same(k, n, m):
    w, x = problem(k, n, m, 0)
    literal, gradients = value_and_gradients(sparse_filtering_network(0.1), {"x": x, "W": w}, "W")
    value, gradient = sparse_filtering(0.1).objective("W", {"x": x}, scale=1).value_and_gradient(w)
    assert value == pytest.approx(literal, rel=1e-14)
    np.testing.assert_allclose(gradient, gradients["W"], atol=1e-13)


@pytest.mark.parametrize(("k", "n", "m"), [*SIZES, (5, 3, 2500)])
def test_blocks_say_the_same(k, n, m):
    for seed, epsilon in product(range(4), (1e-8, 0.3)):
        w, x = problem(k, n, m, seed)
        blocks = SparseFilteringInBlocks(Samples.of(x), epsilon)
        whole = sparse_filtering(blocks.absolute_epsilon).objective("W", {"x": x})
        value, gradient = whole.value_and_gradient(w)
        found, slopes = blocks.value_and_gradient(w)
        assert blocks.absolute_epsilon == pytest.approx(epsilon * np.square(x).mean(), rel=1e-12)
        assert found == pytest.approx(value, rel=1e-13)
        np.testing.assert_allclose(slopes, gradient, atol=1e-12 * max(1, np.abs(gradient).max()))
        responses = np.sqrt((w @ x) ** 2 + blocks.absolute_epsilon)
        lengths = np.sqrt(np.square(responses).mean(axis=1))
        np.testing.assert_allclose(blocks.lengths(w), lengths, rtol=1e-12)


def test_the_sizes_of_filters_and_of_samples_hardly_matter():
    w, x = problem(4, 5, 30, 0)
    value = sparse_filtering(1e-12).objective("W", {"x": x}, scale=1).value_and_gradient
    scaled = sparse_filtering(1e-12).objective("W", {"x": 7 * x}, scale=1).value_and_gradient
    rows = np.array([[1.0], [20.0], [0.3], [4.0]])
    assert value(rows * w)[0] == pytest.approx(value(w)[0], rel=1e-6)
    assert scaled(w)[0] == pytest.approx(value(w)[0], rel=1e-6)


def test_the_value_lies_between_one_and_the_root_of_the_number_of_filters():
    for seed in range(20):
        w, x = problem(9, 5, 30, seed)
        value = (
            sparse_filtering(1e-8).objective("W", {"x": x}, scale=1 / 30).value_and_gradient(w)[0]
        )
        assert 1 < value < 3
