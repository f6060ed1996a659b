from types import SimpleNamespace

import numpy as np
import pytest
from thinning import first_fast

from sparsebp.samples import ArraySamples
from sparsebp.samples.samples import BLOCK

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

from sparsebp.samples import cluster as of_cluster  # noqa: E402
from sparsebp.samples.cluster import futures_in, shares_of  # noqa: E402
from sparsebp.samples.on_dask import DaskSamples  # noqa: E402

N_SAMPLES = 7 * BLOCK + 100
QUIET = pytest.mark.filterwarnings("ignore")  # dask's own


def numbers(dtype=np.float32):
    return np.random.default_rng(0).normal(scale=50, size=(N_SAMPLES, 4)).astype(dtype)


@pytest.fixture(scope="module", params=["no cluster", "cluster"])
def cluster(request):
    if request.param == "no cluster":
        yield None
        return
    options = {"processes": False, "n_workers": 2, "threads_per_worker": 1}
    with distributed.Client(dashboard_address=":0", **options) as client:
        yield client


def statistics(block):
    return block @ block.T, block.sum(axis=1), block.shape[1]


@QUIET
@pytest.mark.parametrize("chunk", first_fast([2 * BLOCK, N_SAMPLES, BLOCK, 3 * BLOCK], 2))
def test_sums_are_those_of_an_array_to_the_last_bit(chunk, cluster):
    rows = numbers(np.float64)  # sums of float32 are exact in float64
    samples, plain = DaskSamples.of(da.from_array(rows, chunks=(chunk, 4))), ArraySamples(rows.T)
    assert (samples.shape, samples.dtype) == (plain.shape, plain.dtype)
    mapping = np.eye(4)[::-1], np.ones((4, 1))
    for here, there in ((plain, samples), (plain.transform(*mapping), samples.transform(*mapping))):
        for total, expected in zip(there.sum(statistics), here.sum(statistics), strict=True):
            np.testing.assert_array_equal(total, expected)
        assert list(there.map_blocks(np.max)) == list(here.map_blocks(np.max))


@QUIET
@pytest.mark.parametrize("chunk", [(1500, 2), (999, 4)])
def test_other_chunks_change_rounding_only(chunk, cluster):
    rows = numbers(np.float64)
    samples = DaskSamples.of(da.from_array(rows, chunks=chunk))
    expected = ArraySamples(rows.T).sum(statistics)
    for total, other in zip(samples.sum(statistics), expected, strict=True):
        np.testing.assert_allclose(total, other, rtol=1e-12, atol=1e-9)


@QUIET
def test_some_samples_are_fetched(cluster):
    rows = numbers()
    samples = DaskSamples.of(da.from_array(rows, chunks=(1500, 4)))
    order = np.random.default_rng(1).permutation(N_SAMPLES)[:900]
    np.testing.assert_array_equal(samples.take(order), rows[order].T)
    np.testing.assert_array_equal(samples.block(1400, 200), rows[1400:1600].T)
    np.testing.assert_array_equal(samples.take_evenly(10), ArraySamples(rows.T).take_evenly(10))
    batch = next(samples.batches(50, 3))
    np.testing.assert_array_equal(batch, next(ArraySamples(rows.T).batches(50, 3)))


@QUIET
def test_rows_are_a_dask_array_or_written(cluster):
    rows = numbers()
    samples = DaskSamples.of(da.from_array(rows, chunks=(1500, 4)))
    doubled = samples.transform(2 * np.eye(4, dtype=np.float32), np.zeros((4, 1), np.float32))
    found = doubled.map_rows(lambda x: x[:3].T, 3)
    assert (found.shape, found.dtype, found.chunks[0]) == (
        (N_SAMPLES, 3),
        np.float32,
        samples.array.chunks[0],
    )
    np.testing.assert_array_equal(found.compute(), 2 * rows[:, :3])
    out = np.empty((N_SAMPLES, 4))
    assert samples.map_rows(lambda x: x.T, 4, out) is out
    np.testing.assert_array_equal(out, rows)


@QUIET
def test_integers_become_float64():
    rows = np.arange(12).reshape(6, 2)
    samples = DaskSamples.of(da.from_array(rows, chunks=(3, 2)))
    assert samples.dtype == np.float64
    np.testing.assert_array_equal(samples.block(0), rows.T)


@QUIET
def test_what_is_no_table_of_known_size_is_refused():
    known = da.from_array(numbers(np.float64), chunks=(1000, 4))
    with pytest.raises(ValueError, match="compute_chunk_sizes"):
        DaskSamples.of(known[known[:, 0] > 0])
    with pytest.raises(ValueError, match="of shape"):
        DaskSamples.of(known[:, 0])
    with pytest.raises(ValueError, match="real numbers"):
        DaskSamples.of(known.astype(complex))


@QUIET
@pytest.mark.parametrize("n_rows", first_fast([90, 110]))
def test_chunks_of_other_sizes_than_declared_are_named(n_rows, cluster):
    true, wrong = (dask.delayed(np.ones)((n, 4)) for n in (100, n_rows))
    parts = [da.from_delayed(part, (100, 4), np.float64) for part in (true, wrong)]
    samples = DaskSamples.of(da.concatenate(parts))
    calls = {
        "block": lambda: samples.block(120, 10),
        "evenly": lambda: samples.take_evenly(50),
        "sum": lambda: samples.sum(statistics),
        "rows": lambda: samples.map_rows(lambda x: x.T, 4).compute(),
        "out": lambda: samples.map_rows(lambda x: x.T, 4, np.empty((200, 4))),
    }
    for call in calls.values():
        with pytest.raises(ValueError, match=f"chunk of {n_rows} rows, but 100 were declared"):
            call()


@QUIET
def test_the_client_that_holds_the_chunks_is_used():
    rows = numbers()
    options = {"processes": False, "n_workers": 1, "set_as_default": False}
    with distributed.Client(dashboard_address=":0", **options) as client:
        with client.as_current():
            samples = DaskSamples.of(da.from_array(rows, chunks=(BLOCK, 4)))
        (total,) = samples.sum(lambda x: (x.shape[1],))
        assert total == N_SAMPLES
        out = np.empty((N_SAMPLES, 4))
        np.testing.assert_array_equal(samples.map_rows(lambda x: x.T, 4, out), rows)


@QUIET
def test_no_task_is_left_to_be_released_where_an_interrupt_is_lost(cluster, monkeypatch):
    """Python ignores a KeyboardInterrupt in `__del__`, where futures tell the scheduler."""
    samples = DaskSamples.of(da.from_array(numbers(), chunks=(BLOCK, 4)))
    samples.sum(statistics)  # finds the chunks
    left = []
    release = distributed.Future.__del__

    def delete(future):
        left.extend([] if future._cleared else [future.key])
        release(future)

    monkeypatch.setattr(distributed.Future, "__del__", delete)
    samples.sum(statistics)
    assert not left


@QUIET
def test_shares_are_neighbors_and_even():
    options = {"processes": False, "n_workers": 1, "threads_per_worker": 1}
    with distributed.Client(dashboard_address=":0", **options) as client:
        chunks = da.ones((40, 2), chunks=(5, 2))
        alone, sizes = futures_in(DaskSamples.of(chunks).array), chunks.chunks[0]
        client.cluster.scale(2)
        client.wait_for_workers(2, timeout=30)
        both = futures_in(DaskSamples.of(da.ones((40, 2), chunks=(5, 2))).array)
        shares = shares_of(client, both, sizes, spread=True)
        assert sorted(shares.values()) == [[0, 1, 2, 3], [4, 5, 6, 7]]
        shares = shares_of(client, alone, sizes, spread=False)
        assert list(shares.values()) == [list(range(8))]
        shares = shares_of(client, alone, sizes, spread=True)
        assert sorted(map(len, shares.values())) == [4, 4]


@pytest.mark.parametrize(
    ("given", "is_changed"), [("65536", True), ("1000000", False), (None, False)]
)
def test_workers_keep_freed_memory_unless_a_user_has_set_it(given, is_changed, monkeypatch):
    called = []
    monkeypatch.setattr(
        "ctypes.CDLL", lambda _: SimpleNamespace(mallopt=lambda *a: called.append(a))
    )
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)
    if given is not None:
        monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", given)
    of_cluster.keep_freed_memory.__wrapped__()
    assert called == ([(-1, 2**27), (-3, 2**25)] if is_changed else [])
