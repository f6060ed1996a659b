"""Fits of dask arrays while workers are killed, clusters closed, and fits interrupted."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from sklearn.base import clone

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding

da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

QUICK = {"tol": 0, "random_state": 0}
MODELS = {
    "ica": OrthonormalICA(max_iter=12, **QUICK),
    "rica": ReconstructionICA(12, max_iter=20, **QUICK),
    "lbfgs": SparseCoding(12, batch_size=500, max_iter=8, **QUICK),
    "online": SparseCoding(12, batch_size=500, max_iter=20, solver="online", **QUICK),
}
CLIENT = """
import pickle, sys
import dask.array, distributed
from sparsebp import _checkpoint

_checkpoint.PAUSE = _checkpoint._TIMES = 0
address, model, X = pickle.load(sys.stdin.buffer)
with distributed.Client(address):
    model.fit(dask.array.from_array(X, chunks=(1024, 8)))
"""
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def X():
    rng = np.random.default_rng(0)
    return (rng.laplace(size=(16 * 1024, 8)) @ rng.normal(size=(8, 8))).astype(np.float32)


def connected(**options):
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", **options}
    return distributed.Client(distributed.LocalCluster(**options))


@pytest.fixture(scope="module")
def client():
    with connected() as client, client.cluster:
        yield client


def soon(seconds, function, *arguments):
    timer = threading.Timer(seconds, function, arguments)
    timer.start()
    return timer


@pytest.mark.parametrize("kind", MODELS)
def test_a_killed_worker_costs_no_digit(kind, X, client):
    model, rng = MODELS[kind].fit(X), np.random.default_rng(len(kind))
    expected, history = model.components_.copy(), model.objective_history_.copy()
    client.wait_for_workers(2, timeout=30)
    victim = int(rng.choice(list(client.run(os.getpid).values())))
    moment, killed = int(rng.integers(1, 6)), []

    def kill(iteration, value):
        if iteration >= moment and not killed:
            killed.append(soon(rng.uniform(0, 0.03), os.kill, victim, signal.SIGKILL))

    model.set_params(callback=kill).fit(da.from_array(X, chunks=(1024, 8)))
    model.set_params(callback=None)
    killed[0].join()
    np.testing.assert_array_equal(model.components_, expected)
    np.testing.assert_array_equal(model.objective_history_, history)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_client_resumes(X, client, tmp_path):
    path = tmp_path / "a.checkpoint"
    model = clone(MODELS["online"]).set_params(max_iter=15, checkpoint=path)
    expected = clone(model).set_params(checkpoint=None).fit(X)
    client.wait_for_workers(2, timeout=30)
    killed = subprocess.Popen([sys.executable, "-c", CLIENT], stdin=subprocess.PIPE)
    killed.stdin.write(pickle.dumps((client.scheduler.address, model, X)))
    killed.stdin.close()
    files = set()
    while len(files) < 2:  # each step writes another
        assert killed.poll() is None
        files |= {file.stat().st_ino for file in tmp_path.glob(path.name)}
        time.sleep(0.002)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    told = []
    model.set_params(callback=lambda iteration, _: told.append(iteration))
    model.fit(da.from_array(X, chunks=(1024, 8)))
    assert 1 < told[0] < 15
    np.testing.assert_array_equal(model.components_, expected.components_)
    np.testing.assert_array_equal(model.objective_history_, expected.objective_history_)


@pytest.fixture
def interruptible():
    """Have SIGINT raise KeyboardInterrupt; shells have what runs in the background ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_fit_leaves_no_tasks(X, client):
    client.wait_for_workers(2, timeout=30)
    model = ReconstructionICA(12, max_iter=2000, tol=0, random_state=0)

    def interrupt(iteration, value):
        if iteration == 30:
            soon(0.02, signal.pthread_kill, threading.main_thread().ident, signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        model.set_params(callback=interrupt).fit(da.from_array(X, chunks=(1024, 8)))
    assert model.status_ == "interrupted"
    deadline = time.monotonic() + 10
    while any(client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(client.processing().values())
    assert not client.futures


@pytest.mark.parametrize("what", ["cluster", "client"])
def test_a_closed_cluster_is_told_in_words(what, X):
    with connected(processes=False) as client, client.cluster as cluster:
        model = MODELS["rica"].fit(X)
        components = model.components_.copy()

        def close(iteration, value):
            if iteration == 3:
                (cluster if what == "cluster" else client).close()

        with pytest.raises(RuntimeError, match="The dask cluster that holds X was closed"):
            model.set_params(callback=close).fit(da.from_array(X, chunks=(1024, 8)))
        model.set_params(callback=None)
        np.testing.assert_array_equal(model.components_, components)
