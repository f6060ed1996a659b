"""Long use: many rounds of learning, coding, saving and loading leave nothing behind."""

import gc
import threading
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from sparsebp import OrthonormalICA, SparseCoding, load_model, save_model
from sparsebp.datasets import make_dictionary_signals

X = make_dictionary_signals(2_000, 8, 12, n_nonzero=2, random_state=0).X
WARM_UP, ROUNDS = 60, 100


def stream(path, number):
    """One round of a dictionary that learns from a stream of batches."""
    model = load_model(path)
    batch = X[np.random.default_rng(number).integers(0, len(X), 40)]
    codes = model.partial_fit(batch).transform(batch)
    save_model(model, path)
    return model.inverse_transform(codes)


def reuse(path, number):
    """One round of a fitted ICA."""
    model = load_model(path)
    save_model(model, path)
    return model.inverse_transform(model.transform(X[number : number + 40]))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
@pytest.mark.parametrize(
    ("model", "turn"),
    [
        (SparseCoding(12, penalty="l1", alpha=0.2, random_state=0, n_jobs=2), stream),
        (OrthonormalICA(6, tol=1e-2, random_state=0, n_jobs=2), reuse),
    ],
    ids=["dictionary", "ica"],
)
def test_memory_files_and_threads_stay_as_they_are(model, turn, tmp_path):
    path = tmp_path / "model.npz"
    model = model.partial_fit(X[:200]) if turn is stream else model.fit(X)
    save_model(model, path)

    def used():
        gc.collect()  # files that libraries have not closed yet
        return (
            tracemalloc.get_traced_memory()[0],
            len(list(Path("/proc/self/fd").iterdir())),
            threading.active_count(),
        )

    tracemalloc.start()
    try:
        for number in range(WARM_UP):  # caches of libraries fill
            turn(path, number)
        before = used()
        for number in range(ROUNDS):
            assert np.isfinite(turn(path, number)).all()
        after = used()
    finally:
        tracemalloc.stop()
    # A model kept from each round would be several kB; strings that libraries keep are some 400 B.
    assert after[0] - before[0] < 1_000 * ROUNDS
    assert after[1:] == before[1:]
    assert [file.name for file in tmp_path.iterdir()] == ["model.npz"]
