from itertools import pairwise

import numpy as np
import pytest

from sparsebp.samples import BlockSums


def summed(parts):
    sums = BlockSums()
    for index, part in enumerate(parts):
        sums.add(index, part)
    return sums


@pytest.mark.parametrize("n_blocks", [1, 2, 3, 7, 8, 21])
def test_sums_are_plain_sums(n_blocks):
    parts = [(np.full((2, 3), float(i)), 2 * i) for i in range(n_blocks)]
    before = [matrix.copy() for matrix, _ in parts]
    matrix, number = summed(parts).totals()
    np.testing.assert_array_equal(matrix, np.full((2, 3), n_blocks * (n_blocks - 1) / 2))
    assert number == n_blocks * (n_blocks - 1)
    for (given, _), copy in zip(parts, before, strict=True):
        np.testing.assert_array_equal(given, copy)


def test_no_blocks_have_no_sums():
    assert summed([]).totals() == []


def test_sums_of_float32_and_complex_parts_are_wide():
    totals = summed([(np.float32(0.1), np.complex64(1j))] * 3).totals()
    assert [total.dtype for total in totals] == [np.float64, np.complex128]


def test_neighbors_are_added_first():
    tiny = 2.0**-53  # lost when added to 1 alone, but not as two of them
    assert summed([[tiny], [tiny], [1.0], [0.0]]).totals()[0] == 1 + 2 * tiny
    assert summed([[1.0], [tiny], [tiny], [0.0]]).totals()[0] == 1.0


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_the_tree_summed_elsewhere_change_no_bit(seed):
    rng = np.random.default_rng(seed)
    n_blocks = int(rng.integers(1, 40))
    parts = [(rng.normal(size=3), rng.normal()) for _ in range(n_blocks)]
    edges = [0, *np.sort(rng.integers(0, n_blocks + 1, size=4)), n_blocks]
    merged = BlockSums()
    for first, last in pairwise(edges):
        elsewhere = BlockSums()
        for index in range(first, last):
            elsewhere.add(index, parts[index])
        for part in elsewhere.subtotals:
            merged.add(part.number, part.totals, part.level)
    for total, expected in zip(merged.totals(), summed(parts).totals(), strict=True):
        np.testing.assert_array_equal(total, expected)
    assert len(merged.totals()) == 2
    assert len(merged.subtotals) == bin(n_blocks).count("1")


def test_totals_can_be_asked_for_at_any_time():
    sums = BlockSums()
    for index in range(6):
        sums.add(index, [np.array([float(index)])])
        first = sums.totals()[0]
        assert first == sums.totals()[0] == index * (index + 1) / 2
