import tracemalloc
from itertools import islice, product

import numpy as np
import pytest

from sparsebp.samples import ArraySamples
from sparsebp.samples.samples import BLOCK

#: One sample, fewer than a block, one block, one more, several with and without a remainder.
COUNTS = (1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 4 * BLOCK + 7)


def normal(n, m, dtype=np.float64, seed=0):
    rng = np.random.default_rng([n, m, seed])
    if np.dtype(dtype).kind == "c":
        return (rng.normal(size=(n, m)) + 1j * rng.normal(size=(n, m))).astype(dtype)
    return rng.normal(size=(n, m)).astype(dtype)


def statistics(block):
    """A vector, a matrix, a number, a count."""
    return block.sum(axis=1), block @ block.T, (block**2).sum(), block.shape[1]


def assert_sums_are_plain(samples, plain, rtol=1e-11):
    for total, expected in zip(samples.sum(statistics), statistics(plain), strict=True):
        np.testing.assert_allclose(total, expected, rtol=rtol, atol=rtol * plain.shape[1])


def samples_of(x, n_threads=1, order=None, mapping=None):
    samples = ArraySamples(x, n_threads)
    samples = samples if order is None else samples.select(order)
    return samples if mapping is None else samples.transform(*mapping)


def mapping_for(x, k, seed=1):
    rng = np.random.default_rng([seed, k])
    matrix = rng.normal(size=(k, x.shape[0])).astype(x.real.dtype)
    return matrix, rng.normal(size=(x.shape[0], 1)).astype(x.real.dtype)


def test_sums_over_blocks_are_plain_sums():
    for n, m in product((1, 2, 7), COUNTS):
        x = normal(n, m)
        samples = ArraySamples(x)
        assert samples.shape == (n, m)
        assert_sums_are_plain(samples, x)


@pytest.mark.parametrize("m", [1, BLOCK, 3 * BLOCK + 5])
@pytest.mark.parametrize("layout", ["C", "F", "rows", "columns"])
def test_any_layout_gives_the_same_sums(layout, m):
    x = normal(3, m)
    given = {
        "C": np.ascontiguousarray(x),
        "F": np.asfortranarray(x),
        "rows": np.repeat(x, 2, axis=0)[::2],
        "columns": np.repeat(x, 2, axis=1)[:, ::2],
    }[layout]
    assert_sums_are_plain(ArraySamples(given), x)
    assert_sums_are_plain(ArraySamples(given).select(np.arange(m)[::-1]), x[:, ::-1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("m", [3, 2 * BLOCK + 1])
def test_the_sums_are_in_double_precision(dtype, m):
    x = normal(3, m, dtype)
    samples = ArraySamples(x)
    assert samples.dtype == samples.block(0).dtype == dtype
    wide = np.result_type(dtype, np.float64)
    totals = samples.sum(lambda block: (block.sum(axis=1), block @ block.T))
    assert {total.dtype for total in totals} == {wide}
    plain = x.astype(wide)
    tolerance = 1e-4 if np.finfo(dtype).eps > 1e-10 else 1e-11
    np.testing.assert_allclose(totals[0], plain.sum(axis=1), atol=tolerance * m)
    np.testing.assert_allclose(totals[1], plain @ plain.T, atol=tolerance * m)


def test_float32_blocks_are_added_without_loss():
    """In float32 the later blocks would vanish beside the first."""
    x = np.full((1, 100 * BLOCK), 1e-3, dtype=np.float32)
    x[0, 0] = 2.0**24
    total = ArraySamples(x).sum(lambda block: (block.sum(dtype=np.float64).astype(np.float32),))[0]
    assert total == pytest.approx(2.0**24 + 1e-3 * (100 * BLOCK - 1), abs=2)


def test_whole_numbers_become_floating():
    x = np.arange(2 * BLOCK + 3)[None, :]
    total = ArraySamples(x).sum(lambda block: (block.sum(axis=1),))[0]
    assert total.dtype == np.float64
    assert total == x.sum()


@pytest.mark.parametrize("m", [5, 2 * BLOCK + 9])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
def test_read_only_arrays_are_left_alone(m, ordered, mapped):
    x = normal(3, m)
    before = x.copy()
    order, mapping = np.arange(m)[::2], mapping_for(x, 2)
    for array in (x, order, *mapping):
        array.flags.writeable = False
    samples = samples_of(x, 2, order if ordered else None, mapping if mapped else None)
    samples.sum(statistics)
    np.testing.assert_array_equal(x, before)


def test_the_first_parts_are_not_added_to_in_place():
    """What the function returns may be its own, and read only."""
    kept = np.ones(3)
    kept.flags.writeable = False
    total = ArraySamples(np.ones((1, 5 * BLOCK))).sum(lambda block: (kept,))[0]
    np.testing.assert_array_equal(total, 5.0)
    np.testing.assert_array_equal(kept, 1.0)


@pytest.mark.parametrize("size", [1, 10, BLOCK, 3 * BLOCK + 2])
@pytest.mark.parametrize("kind", [np.ascontiguousarray, np.asfortranarray])
def test_an_order_picks_columns_also_repeatedly(kind, size):
    x = kind(normal(4, 2 * BLOCK + 11))
    order = np.random.default_rng(size).integers(x.shape[1], size=size)
    picked = x[:, order]
    for samples in (ArraySamples(x[:, order]), ArraySamples(x).select(order)):
        assert samples.shape == picked.shape
        blocks = [samples.block(first) for first in range(0, size, BLOCK)]
        np.testing.assert_array_equal(np.hstack(blocks), picked)
        assert_sums_are_plain(samples, picked)


def test_a_selection_of_mapped_samples_is_mapped():
    x = normal(3, 20)
    matrix, mean = mapping_for(x, 2)
    samples = ArraySamples(x, 2).transform(matrix, mean)
    fewer = samples.select(np.array([5, 3]))
    assert fewer.n_threads == 2
    assert fewer.shape == (2, 2)
    np.testing.assert_allclose(fewer.block(0), matrix @ (x[:, [5, 3]] - mean), rtol=1e-14)


@pytest.mark.parametrize("m", COUNTS)
def test_a_mapping_is_the_slow_obvious_one(m):
    x = normal(3, m)
    for k, ordered in product((1, 3, 6), (False, True)):
        matrix, mean = mapping_for(x, k)
        order = np.random.default_rng(m).permutation(m) if ordered else None
        samples = samples_of(x, order=order, mapping=(matrix, mean))
        plain = matrix @ ((x if order is None else x[:, order]) - mean)
        assert samples.shape == plain.shape
        np.testing.assert_allclose(samples.block(0, m), plain, atol=1e-13)
        assert_sums_are_plain(samples, plain)


def test_a_mapping_keeps_float32():
    x = normal(3, 2 * BLOCK, np.float32)
    assert ArraySamples(x).transform(*mapping_for(x, 2)).block(0).dtype == np.float32


@pytest.mark.parametrize("m", [BLOCK + 1, 9 * BLOCK + 13])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("mapped", [False, True])
def test_the_threads_do_not_change_a_bit(m, dtype, ordered, mapped):
    x = normal(5, m, dtype)
    order = np.random.default_rng(m).permutation(m) if ordered else None
    mapping = mapping_for(x, 4) if mapped else None
    first, *others = (samples_of(x, n, order, mapping).sum(statistics) for n in (1, 2, 3))
    for other in others:
        for a, b in zip(first, other, strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)


def test_the_array_is_not_copied():
    for x in (normal(3, 3 * BLOCK), normal(3, 3 * BLOCK).T.copy().T):
        samples = ArraySamples(x)
        assert samples.array is x
        for first in (0, BLOCK, 2 * BLOCK + 5):
            block = samples.block(first)
            assert np.shares_memory(block, x)
            np.testing.assert_array_equal(block, x[:, first : first + BLOCK])


@pytest.mark.parametrize(("first", "size", "left"), [(0, 4, 4), (8, 4, 2), (10, 4, 0), (3, 99, 7)])
def test_the_last_block_ends_with_the_samples(first, size, left):
    x = normal(2, 10)
    assert ArraySamples(x).block(first, size).shape == (2, left)
    assert ArraySamples(x).select(np.arange(10)).block(first, size).shape == (2, left)
    assert ArraySamples(x).transform(*mapping_for(x, 3)).block(first, size).shape == (3, left)


@pytest.mark.parametrize(
    ("n_threads", "ordered", "mapped"),
    [(1, False, True), (1, True, False), (2, False, False), (2, True, True)],
)
def test_memory_is_that_of_a_few_blocks(n_threads, ordered, mapped):
    x = normal(16, 45 * BLOCK)
    order = np.random.default_rng(0).permutation(x.shape[1]) if ordered else None
    samples = samples_of(x, n_threads, order, mapping_for(x, 16) if mapped else None)
    samples.sum(statistics)  # what is made once, such as the threads
    one_block = x[:, :BLOCK].nbytes
    tracemalloc.start()
    try:
        samples.sum(statistics)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5 * n_threads * one_block < x.nbytes / 4


def test_an_error_in_a_block_goes_through():
    def fail(block):
        if block[0, 0] >= 2 * BLOCK:
            raise ZeroDivisionError
        return (block.sum(),)

    x = np.arange(5.0 * BLOCK)[None, :]
    for n_threads in (1, 2, 3):
        with pytest.raises(ZeroDivisionError):
            ArraySamples(x, n_threads).sum(fail)
        assert ArraySamples(x, n_threads).sum(lambda block: (block.sum(),))[0] == x.sum()


def test_samples_are_compared_as_objects():
    """Comparing arrays has no truth value; a frozen dataclass would try."""
    x = np.ones((2, 3))
    samples = ArraySamples(x)
    assert samples == samples
    assert samples != ArraySamples(x)
    assert len({samples, ArraySamples(x)}) == 2


def test_computed_samples_are_the_same():
    rng = np.random.default_rng(0)
    mapping = (rng.normal(size=(2, 5)), rng.normal(size=(5, 1)))
    x, order = rng.normal(size=(5, 2500)), rng.permutation(2500)[:2100]
    samples = samples_of(x, order=order, mapping=mapping)
    computed = samples.load()
    assert computed.shape == samples.shape == (2, 2100)
    assert isinstance(computed, ArraySamples)
    for first in (0, 1024, 2048):
        np.testing.assert_array_equal(computed.block(first), samples.block(first))


@pytest.mark.parametrize(("n", "size"), [(10, 5), (10, 3), (10, 7), (10, 9), (3, 1)])
def test_batches_hold_every_sample_once_before_any_comes_again(n, size):
    stream_of = ArraySamples(np.arange(n)[None, :]).batches(size, 0)
    drawn = [next(stream_of).ravel() for _ in range(3 * n)]
    assert {len(batch) for batch in drawn} == {size}
    stream = np.concatenate(drawn)
    passes = stream[: len(stream) // n * n].reshape(-1, n)
    assert (np.sort(passes, axis=1) == np.arange(n)).all()
    assert len({tuple(row) for row in passes}) > 1


@pytest.mark.parametrize("size", [10, 11, 1000, None])
def test_a_batch_of_all_samples_is_the_same_array_every_time(size):
    x = np.arange(10.0)[None, :]
    stream_of = ArraySamples(x).batches(size, 0)
    first, *others = (next(stream_of) for _ in range(3))
    assert all(batch is first for batch in others)
    np.testing.assert_array_equal(first, x)


def test_a_selection_of_a_selection_is_taken_from_it():
    x = normal(3, 20)
    for samples in (ArraySamples(x), ArraySamples(x).transform(np.eye(3), np.zeros((3, 1)))):
        some = samples.select(np.array([7, 8, 9]))
        np.testing.assert_array_equal(some.select(np.array([2, 0])).block(0), x[:, [9, 7]])
        batch = next(some.batches(2, 0))
        assert all((column == x[:, 7:10].T).all(axis=1).any() for column in batch.T)


@pytest.mark.parametrize(("n", "size"), [(10, 3), (7, 7), (5, 2)])
def test_batches_from_any_number_on_are_those_of_the_whole_stream(n, size):
    samples = ArraySamples(np.arange(n)[None, :])
    whole = list(islice(samples.batches(size, 5), 12))
    for start in range(12):
        for batch, expected in zip(samples.batches(size, 5, start), whole[start:], strict=False):
            np.testing.assert_array_equal(batch, expected)


def test_some_samples_are_evenly_spread():
    x = normal(2, 25)
    np.testing.assert_array_equal(ArraySamples(x).take_evenly(10), x[:, ::3])
    np.testing.assert_array_equal(ArraySamples(x).take_evenly(25), x)


def test_rows_are_computed_in_large_blocks():
    x = np.broadcast_to(np.arange(2500, dtype=np.float32), (4096, 2500))
    seen = []

    def first_and_last(block):
        seen.append(block.shape[1])
        return block[[0, -1]].T

    found = ArraySamples(x).map_rows(first_and_last, 2)
    assert seen == [2048, 452]
    np.testing.assert_array_equal(found, x[:2].T)


def test_transformed_samples_are_where_the_others_are():
    samples = ArraySamples(np.ones((2, 5)), 3).transform(np.eye(2), np.zeros((2, 1)))
    assert (samples.is_in_memory, samples.n_threads) == (True, 3)
    assert not samples.is_drawn
    assert not samples.computes_later


def test_blocks_of_rows_are_small_where_the_results_are_wide(monkeypatch):
    monkeypatch.setattr("sparsebp.samples.samples._LARGE", 2**16)
    sizes = []

    def widened(block):
        sizes.append(block.shape[1])
        return np.zeros((block.shape[1], 8))

    ArraySamples(np.ones((1, 3000))).map_rows(widened, 8)
    assert sizes == [1024, 1024, 952]
