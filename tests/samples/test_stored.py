import os
import signal
from itertools import islice

import numpy as np
import pytest
from thinning import first_fast

from sparsebp.samples import ArraySamples, StoredSamples, is_store
from sparsebp.samples.samples import BLOCK

N_SAMPLES = 3 * BLOCK + 100


class Chunked:
    """Rows in memory that are read like those of a file; counts what is read."""

    def __init__(self, rows, chunk):
        self.rows, self.chunks, self.read = rows, (chunk, rows.shape[1]), []
        self.shape, self.dtype = rows.shape, rows.dtype

    def __getitem__(self, rows):
        self.read.append(rows.start // self.chunks[0])
        return self.rows[rows]


class SimpleStore:
    """Rows in memory, with what somebody's store gives as its chunks."""

    def __init__(self, rows, chunks):
        self.rows, self.chunks, self.shape, self.dtype = rows, chunks, rows.shape, rows.dtype

    def __getitem__(self, rows):
        return self.rows[rows]


def mapped_file(rows, folder):
    path = folder / "rows.bin"
    rows.tofile(path)
    return np.memmap(path, dtype=rows.dtype, mode="r", shape=rows.shape)


def hdf5(rows, folder, chunks=(700, 4)):
    h5py = pytest.importorskip("h5py")
    return h5py.File(folder / "rows.h5", "w").create_dataset("rows", data=rows, chunks=chunks)


def zarr_array(rows, folder):
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array(
        folder / "r.zarr", shape=rows.shape, dtype=rows.dtype, chunks=(700, 4)
    )
    stored[:] = rows
    return stored


STORES = {
    "memmap": mapped_file,
    "hdf5": hdf5,
    "hdf5, one piece": lambda rows, folder: hdf5(rows, folder, chunks=None),
    "zarr": zarr_array,
    "anything else": lambda rows, folder: Chunked(rows, 700),
}


def numbers(dtype=np.float32, n_samples=N_SAMPLES):
    return np.random.default_rng(0).normal(scale=50, size=(n_samples, 4)).astype(dtype)


@pytest.mark.parametrize("kind", STORES)
def test_stored_samples_are_those_in_memory(kind, tmp_path):
    rows = numbers()
    store = STORES[kind](rows, tmp_path)
    assert is_store(store)
    for n_threads in (1, 2):
        stored, plain = StoredSamples(store, n_threads), ArraySamples(rows.T)
        assert (stored.shape, stored.dtype) == (plain.shape, plain.dtype)
        for first, size in ((0, BLOCK), (650, 100), (N_SAMPLES - 3, 50), (0, N_SAMPLES)):
            np.testing.assert_array_equal(stored.block(first, size), plain.block(first, size))
        order = np.random.default_rng(1).permutation(N_SAMPLES)[:2000]
        np.testing.assert_array_equal(stored.take(order), plain.take(order))
        selected = [samples.select(order).block(5, 9) for samples in (stored, plain)]
        np.testing.assert_array_equal(*selected)
        for sums in (
            s.sum(lambda x: (x @ x.T, x.shape[1]))
            for s in (
                stored,
                stored.transform(np.eye(4, dtype=np.float32), np.zeros((4, 1), dtype=np.float32)),
            )
        ):
            for total, expected in zip(
                sums, plain.sum(lambda x: (x @ x.T, x.shape[1])), strict=True
            ):
                np.testing.assert_array_equal(total, expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float16, ">f4", ">f8", np.int64])
def test_numbers_of_other_types_are_converted_block_by_block(dtype, tmp_path):
    rows = numbers(n_samples=300).astype(dtype)
    stored = StoredSamples(mapped_file(rows, tmp_path))
    wanted = np.float32 if dtype == ">f4" else np.float64
    assert stored.dtype == wanted
    assert stored.dtype.isnative
    for block in (stored.block(10, 7), stored.take(np.arange(10, 17))):
        assert block.dtype == wanted
        np.testing.assert_array_equal(block, rows[10:17].astype(wanted).T)


@pytest.mark.parametrize(
    "sizes",
    first_fast([(1, 256), (100, 1000), (70000, 256), (1, 1000), (100, 256), (70000, 1000)], 3),
    ids=str,
)
def test_batches_hold_every_sample_once_and_read_every_chunk_once(sizes):
    chunk, size = sizes
    rows = np.arange(40000.0, dtype=np.float32)[:, np.newaxis]
    if chunk == 1:
        rows = rows[:3000]
    store = Chunked(rows, chunk)
    n_batches = len(rows) // size
    batches = list(islice(StoredSamples(store).batches(size, 3), n_batches))
    seen = np.sort(np.concatenate([batch.ravel() for batch in batches]))
    assert len(np.unique(seen)) == n_batches * size
    assert len(store.read) == len(set(store.read))
    # Neighbors in the file are in different batches.
    spread = [np.ptp(batch) for batch in batches]
    assert min(spread) > 0.5 * min(len(rows), 30000)


@pytest.mark.parametrize("chunk", [100, 3000])
def test_batches_from_any_number_on_are_those_of_the_whole_stream(chunk):
    samples = StoredSamples(Chunked(numbers(), chunk))
    whole = list(islice(samples.batches(500, 7), 20))
    for start in (0, 1, 6, 7, 13, 19):
        for batch, expected in zip(samples.batches(500, 7, start), whole[start:], strict=False):
            np.testing.assert_array_equal(batch, expected)


def test_blocks_in_a_row_read_every_chunk_once():
    store = Chunked(numbers(), 700)
    StoredSamples(store).sum(lambda x: (x.sum(),))
    assert store.read == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("X", [np.ones((2, 2)), [[1.0]], None, "text"])
def test_arrays_in_memory_are_no_stores(X):
    assert not is_store(X)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_process_that_is_forked_while_another_thread_reads_reads_too():
    samples = StoredSamples(Chunked(np.arange(12.0).reshape(6, 2), 2))
    with samples._reader.lock:
        child = os.fork()
        if not child:
            signal.alarm(5)  # ends it if it waits for the lock
            os._exit(samples.block(0).shape != (2, 6))
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("n_rows", [0, 300, 999, 1500])
def test_a_store_that_changes_its_size_is_refused(n_rows, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        store = file.create_dataset(
            "rows", data=numbers(n_samples=1000), chunks=(100, 4), maxshape=(None, 4)
        )
        stored = StoredSamples(store)
        stored.block(0, 100)
        store.resize((n_rows, 4))
        assert stored.shape == (4, 1000)
        for read in (lambda: stored.block(200), lambda: stored.take(np.array([990]))):
            with pytest.raises(ValueError, match=r"had shape \(1000, 4\) and has shape"):
                read()


def test_rows_that_cannot_be_read_are_named(tmp_path):
    h5py = pytest.importorskip("h5py")
    file = h5py.File(tmp_path / "rows.h5", "w")
    stored = StoredSamples(
        file.create_dataset("rows", data=numbers(n_samples=1000), chunks=(100, 4))
    )
    file.close()
    with pytest.raises(ValueError, match=r"X\[300:400\] cannot be read; open its file again"):
        stored.block(300, 50)


@pytest.mark.parametrize("chunks", [(0, 4), "auto", None, (), (None, None), 7])
def test_chunks_that_say_nothing_are_ignored(chunks):
    store = SimpleStore(numbers(n_samples=1000), chunks)
    np.testing.assert_array_equal(StoredSamples(store).block(3, 5), store.rows[3:8].T)
