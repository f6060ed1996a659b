"""Weighted sums of rows in vector registers, against NumPy."""

import numpy as np
import pytest

from sparsebp.coding._compiled import compiled
from sparsebp.coding._rows import LANES, add_rows

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
