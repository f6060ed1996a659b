"""Compiled code is kept on disk where that works, and compiled in memory where it does not."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numba
import pytest
from numba.core.compiler_lock import global_compiler_lock

from sparsebp.coding._compiled import compiled


def source():
    """The same code as another function, as a new process has it."""

    def double(x):
        return 2 * x

    return double


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def files(folder, ending):
    return sorted(folder.rglob(f"*.{ending}"))


@pytest.mark.slow
def test_compiled_code_is_kept(folder):
    assert compiled(source())(3.0) == 6.0
    assert files(folder, "nbi")
    again = compiled(source())
    assert again(3.0) == 6.0
    assert sum(again.stats.cache_hits.values()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "cut"])
def test_damaged_files_are_compiled_again_with_a_word(folder, ending, content):
    compiled(source())(3.0)
    (file,) = files(folder, ending)
    file.write_bytes(file.read_bytes()[:-9] if content is None else content)
    with pytest.warns(UserWarning, match="compiled in memory"):
        assert compiled(source())(3.0) == 6.0


@pytest.mark.slow
def test_a_full_disk_is_survived(folder, monkeypatch):
    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(UserWarning, match="No space left"):
        assert compiled(source())(3.0) == 6.0


@pytest.mark.slow
def test_a_folder_that_is_a_file_is_survived(folder, monkeypatch):
    Path(folder / "file").write_text("")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder / "file"))
    assert compiled(source())(3.0) == 6.0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_forked_while_a_thread_compiles_can_compile(folder):
    compiling = threading.Event()

    def compile_slowly():
        with global_compiler_lock:
            compiling.set()
            time.sleep(0.5)

    thread = threading.Thread(target=compile_slowly)
    thread.start()
    compiling.wait()
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)  # instead of hanging
        os._exit(compiled(source())(3.0) != 6.0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    thread.join()


AT_ONCE = """
import sys, time, warnings
import numpy as np
from sparsebp.coding._compiled import compiled
warnings.simplefilter("error")
sys.path.insert(0, sys.argv[1])
import doubling
double = compiled(doubling.double)
time.sleep(max(0.0, float(sys.argv[2]) - time.time()))
for kind in (np.int8, np.int16, np.int32, np.int64, np.float32, np.float64):
    assert double(kind(3)) == 6
print(sum(double.stats.cache_hits.values()))
"""


@pytest.mark.slow
def test_processes_that_compile_at_once_agree(tmp_path):
    """All write into one empty cache; later processes read what is in it without a warning."""
    (tmp_path / "doubling.py").write_text("def double(x):\n    return 2 * x\n")
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path), str(time.time() + 3)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    running = [subprocess.Popen(command, env=environment, **pipes) for _ in range(4)]
    said = [process.communicate(timeout=120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * 4, said
    later = subprocess.run(command, env=environment, check=True, **pipes)
    assert int(later.stdout) > 0


ENCODE = """
import numpy as np
from sparsebp.coding import encode, pursue
from sparsebp.penalties import L1
rng = np.random.default_rng(0)
basis = rng.normal(size=(40, 60))
x = rng.normal(size=(40, 300))
codes = encode(x, basis, L1(), 4.0).points
again = encode(x, basis, L1(), 4.0).points
assert (again == codes).all()
print(codes.tobytes().hex(), pursue(x, basis, n_nonzero=9).tobytes().hex())
"""


@pytest.mark.slow
def test_codes_do_not_depend_on_the_cache_and_the_pause_for_compiling_is_explained_once(tmp_path):
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-c", ENCODE]
    empty, full = (
        subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        for _ in range(2)
    )
    assert empty.stdout == full.stdout
    assert files(tmp_path, "nbc")
    assert len(empty.stderr.splitlines()) == 1
    assert "takes some seconds" in empty.stderr
    assert full.stderr == ""
