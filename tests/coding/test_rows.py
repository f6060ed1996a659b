"""Weighted sums of rows in vector registers, against NumPy."""

import numpy as np
import pytest

from sparsebp.coding._compiled import compiled
from sparsebp.coding._rows import DEPENDENT, LANES, add_rows, orthogonalize

pytestmark = pytest.mark.slow  # it is compiled; the fast tests of exact codes and pursuit use it


@compiled
def added(out, weights, rows, numbers, n, first, last):
    add_rows(out, weights, rows, numbers, n, first, last)


@pytest.mark.parametrize("n", [0, 1, 3, 4, 6, 11])
def test_equals_a_product(n):
    rng = np.random.default_rng(n)
    for last in (0, 1, LANES, LANES + 3, 4 * LANES, 9 * LANES + 5):
        for first in {0, min(3, last), last}:
            rows, weights = rng.normal(size=(15, last + 2)), rng.normal(size=n)
            numbers = rng.choice(15, n)
            out = rng.normal(size=last + 2)
            expected = out.copy()
            expected[first:last] += weights @ rows[numbers, first:last]
            added(out, weights, rows, numbers, n, first, last)
            np.testing.assert_allclose(out, expected, rtol=1e-13, atol=1e-13)
            np.testing.assert_array_equal(out[:first], expected[:first])
            np.testing.assert_array_equal(out[last:], expected[last:])


def test_the_sum_may_be_a_row_of_the_matrix():
    rows = np.arange(40.0).reshape(4, 10)
    expected = rows[3] - rows[0] + 2 * rows[1]
    added(rows[3], np.array([-1.0, 2.0]), rows, np.arange(4), 2, 0, 10)
    np.testing.assert_array_equal(rows[3], expected)


@compiled
def taken(row, atom, weights, rows, numbers, n, shorten, step, slope, new, steepest, place):
    orthogonalize(row, atom, weights, rows, numbers, n, shorten, step, slope, new, steepest, place)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("n", [0, 1, 6])
def test_a_step_of_pursuit_equals_five_loops(n, precision):
    rng = np.random.default_rng(n)
    rounding = 20 * np.finfo(precision).eps
    for last in (1, LANES - 1, LANES, LANES + 3, 4 * LANES, 9 * LANES + 5):
        rows, atom, slope, new = (
            rng.normal(size=shape).astype(precision) for shape in ((8, last), last, last, last)
        )
        weights, numbers = rng.normal(size=n).astype(precision), rng.choice(8, n)
        q = 0.7 * (atom + weights @ rows[numbers])
        slopes, fractions = slope - 0.3 * q, new - q * q
        row = np.empty_like(atom)
        integers = np.dtype(f"i{atom.itemsize}")
        steepest, place = np.empty(LANES + 1, integers), np.empty(LANES + 1, integers)
        taken(row, atom, weights, rows, numbers, n, 0.7, 0.3, slope, new, steepest, place)
        for found, expected in ((row, q), (slope, slopes), (new, fractions)):
            np.testing.assert_allclose(found, expected, rtol=rounding, atol=rounding)
        heights = np.where(new > DEPENDENT, np.abs(slope), 0)
        assert steepest.view(precision).max() == heights.max()
        if heights.any():
            assert heights[place[steepest.argmax()]] == heights.max()
