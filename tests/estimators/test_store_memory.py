"""The memory of fits does not grow with the file of the samples."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

STATUS = Path("/proc/self/status")
SCRIPT = """
import sys, threading, time, warnings
import numpy as np
from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.preprocessing import Whitening

warnings.simplefilter("ignore")

def resident():  # without the pages of the file
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024

def use(X, out):
    quick = {"max_iter": 2, "tol": 0, "random_state": 0}
    for kind in (OrthonormalICA, ReconstructionICA, SparseFiltering):
        kind(4, **quick).fit(X)
    SparseCoding(8, **quick).fit(X)
    model = SparseCoding(8, solver="online", penalty="l1", alpha=5.0, **quick).fit(X)
    model.transform(X, out=out)
    Whitening().fit(X)

X = np.memmap(sys.argv[1], np.float32, "r").reshape(-1, 64)
out = np.memmap(sys.argv[1] + ".out", np.float32, "w+", shape=(len(X), 8))
use(X[:20000], out[:20000])
start, peak, ended = resident(), 0, False

def watch():
    global peak
    while not ended:
        peak = max(peak, resident())
        time.sleep(0.002)

watching = threading.Thread(target=watch)
watching.start()
use(X, out)
ended = True
watching.join()
print(peak - start)
"""


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="needs Linux")
def test_memory_does_not_grow_with_the_file(tmp_path):
    part = np.random.default_rng(0).laplace(size=(40_000, 64)).astype(np.float32)
    peaks = []
    for n_parts in (4, 12):  # 40 and 120 MB
        path = tmp_path / str(n_parts)
        with path.open("wb") as file:
            for _ in range(n_parts):
                part.tofile(file)
        run = [sys.executable, "-c", SCRIPT, str(path)]
        found = subprocess.run(run, check=True, capture_output=True, text=True)
        peaks.append(float(found.stdout))
    assert peaks[1] < 100
    assert peaks[1] - peaks[0] < 30  # of 80 MB more
