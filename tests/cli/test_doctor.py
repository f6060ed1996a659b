import json
import os
import time
import warnings
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits
from typer.testing import CliRunner

from sparsebp.cli import doctor
from sparsebp.cli.app import app
from sparsebp.cli.doctor import Finding, State, advise_on_threads


def run(*arguments):
    return CliRunner().invoke(app, ["doctor", *arguments])


@pytest.mark.slow  # it may compile
def test_it_finds_what_can_be_found_otherwise():
    result = run("--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert list(found) == ["versions", "threads", "speed", "compiled", "pictures"]
    assert found["versions"]["packages"]["numpy"] == np.__version__
    if hasattr(os, "sched_getaffinity"):
        assert found["threads"]["processors"] == len(os.sched_getaffinity(0))
    known = [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]
    assert [blas["num_threads"] for blas in found["threads"]["blas"]] == known
    # Two products of 144×256 and 2000 columns, two operations for each pair of numbers.
    speed, operations = found["speed"], 2 * 2 * 144 * 256 * 2000
    assert speed["gradient_ms"] * speed["gradient_gflops"] == pytest.approx(operations / 1e6)
    assert speed["products_gflops"] > 0
    assert Path(found["compiled"]["folder"]).is_dir()


@pytest.mark.parametrize(
    ("processors", "blas", "load", "advice"),
    [
        (4, [("openblas", 4)], 1.0, ""),
        (1, [("openblas", 1)], 0.0, ""),
        (4, [("openblas", 1)], 0.0, "limited to one thread"),
        (4, [("openblas", 1)], 0.0, "unset OPENBLAS_NUM_THREADS, or set it to 4"),
        (2, [("mkl", 2), ("blis", 6)], 0.0, "blis uses 6 threads on 2 processors"),
        (2, [("unheard-of", 6)], 0.0, "set OMP_NUM_THREADS=2"),
        (2, [("openblas", 2)], 5.0, "About 5 processes compete for 2 processors"),
        (2, [], 0.0, "threadpoolctl does not recognize"),
    ],
)
def test_threads_that_slow_things_down_are_named(processors, blas, load, advice):
    libraries = [{"internal_api": api, "num_threads": threads} for api, threads in blas]
    said = advise_on_threads(processors, libraries, load)
    assert advice in said
    assert bool(advice) == bool(said)


def test_slow_products_are_found(monkeypatch):
    monkeypatch.setattr(time, "perf_counter", count(0, 0.5).__next__)  # a call takes half a second
    with threadpool_limits(1):
        found = doctor.check_speed()
    assert found.state is State.SLOW
    assert "reach 0.6 GFLOP/s, which is slow for 1 thread" in found.advice


def test_packages_too_old_or_missing_are_wrong(monkeypatch):
    needed = ["numpy>=1.26", "numba>=0.60", "unheard-of", 'pytest>=99; extra == "test"']
    monkeypatch.setattr(doctor.metadata, "requires", lambda name: needed)
    versions = {"numpy": "1.9", "numba": "0.61"}

    def version(name):
        if name not in versions:
            raise doctor.metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(doctor.metadata, "version", version)
    found = doctor.check_versions()
    assert found.state is State.WRONG
    assert "numpy>=1.26 1.9, unheard-of is missing." in found.advice


def test_a_backend_that_fails_is_wrong(monkeypatch):
    import matplotlib.pyplot as plt

    def fail(**_):
        raise ImportError("no display name")

    monkeypatch.setattr(plt, "figure", fail)
    found = doctor.check_pictures()
    assert found.state is State.WRONG
    assert "no display name" in found.advice


def test_code_that_is_kept_nowhere_is_slow(monkeypatch):
    monkeypatch.setattr("sparsebp.coding.exchange.cache_folder", lambda: None)
    found = doctor.check_compiled()
    assert found.state is State.SLOW
    assert "NUMBA_CACHE_DIR" in found.advice


def test_what_is_wrong_gives_the_exit_status_also_quietly(monkeypatch):
    ill = Finding("pictures cannot be written", {}, "Unset MPLBACKEND.", State.WRONG)
    slow = Finding("one thread", {}, "Take more.", State.SLOW)
    monkeypatch.setattr(doctor, "CHECKS", {"pictures": lambda: ill, "threads": lambda: slow})
    result = run()
    assert result.exit_code == 2
    assert "wrong pictures" in result.stdout
    assert "Unset MPLBACKEND." in result.stdout
    assert "Everything is fine" not in result.stdout
    quiet = run("--quiet")
    assert (quiet.exit_code, quiet.stdout) == (2, "")
    assert "Wrong: pictures" in quiet.stderr
    monkeypatch.setattr(doctor, "CHECKS", {"threads": lambda: slow})
    assert run().exit_code == 0


def test_a_cache_of_compiled_code_that_cannot_be_used_is_slow(monkeypatch, tmp_path):
    def pursue(*_, **__):
        warnings.warn("The compiled code could not be read.")

    monkeypatch.setattr("sparsebp.coding.pursue", pursue)
    monkeypatch.setattr("sparsebp.coding.exchange.cache_folder", lambda: str(tmp_path))
    assert doctor.check_compiled().state is State.WELL  # nothing to read yet
    (tmp_path / "pursuit.nbc").write_bytes(b"")
    found = doctor.check_compiled()
    assert (found.state, found.advice) == (State.SLOW, "The compiled code could not be read.")
    monkeypatch.setattr("sparsebp.coding.exchange.cache_folder", lambda: str(tmp_path / "gone"))
    found = doctor.check_compiled()
    assert found.state is State.SLOW
    assert "No such file or directory" in found.advice
