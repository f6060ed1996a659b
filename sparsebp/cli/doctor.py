"""The command `sparsebp doctor`: checks of versions, threads and speed, with advice."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
import textwrap
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from packaging.requirements import Requirement
from threadpoolctl import threadpool_info

from sparsebp import __version__
from sparsebp.cli.endings import interruptible
from sparsebp.cli.output import Output, counted

#: Sizes whose gradient is timed: pixels of a patch, atoms, patches.
SIZES = (144, 256, 2000)
#: GFLOP/s per thread; a BLAS optimized for the processor reaches several times as much.
_SLOW = 3.0
_LIMITS = {"openblas": "OPENBLAS", "mkl": "MKL", "blis": "BLIS"}


class State(StrEnum):
    """Result of a check."""

    WELL = "ok"
    SLOW = "slow"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What one check found, also as values for JSON, with advice if something is slow or wrong."""

    text: str
    values: dict[str, Any]
    advice: str = ""
    fault: State = State.SLOW

    @property
    def state(self) -> State:
        """Well without advice."""
        return self.fault if self.advice else State.WELL


@interruptible()
def examine(output: Output) -> None:
    """Run all checks and print what they found; raise ValueError if something is wrong."""
    found = {name: CHECKS[name]() for name in output.track(CHECKS, "examining")}
    values = {n: {"state": f.state, **f.values, "advice": f.advice} for n, f in found.items()}
    lines = [line for name in found for line in _lines(name, found[name])]
    if all(finding.state is State.WELL for finding in found.values()):
        lines.append("Everything is fine.")
    output.summary(lines, values)
    wrong = [name for name in found if found[name].state is State.WRONG]
    if wrong:
        raise ValueError(f"Wrong: {', '.join(wrong)}; `sparsebp doctor` says how to fix it.")


def _lines(name: str, finding: Finding) -> list[str]:
    width = max(shutil.get_terminal_size().columns, 40) - 18
    wrap = textwrap.TextWrapper(width, break_on_hyphens=False, break_long_words=False)
    lines = wrap.wrap(finding.text) + wrap.wrap(finding.advice)  # a path can be copied whole
    labels = [f"{finding.state:6}{name:12}"] + [" " * 18] * (len(lines) - 1)
    return [label + line for label, line in zip(labels, lines, strict=True)]


def check_versions() -> Finding:
    """Check the versions of Python and of the required packages."""
    needs = _requirements()
    found = {need.name: _version(need.name) for need in needs}
    bad = [f"{n} {found[n.name] or 'is missing'}" for n in needs if not _satisfied(n, found)]
    text = ", ".join(f"{name} {version or 'missing'}" for name, version in found.items())
    python = platform.python_version()
    return Finding(
        f"sparsebp {__version__} on Python {python}, {platform.system()} {platform.machine()}; "
        f"{text}",
        {"sparsebp": __version__, "python": python, "packages": found},
        f"Too old or missing: {', '.join(bad)}. Run: pip install --upgrade sparsebp" if bad else "",
        State.WRONG,
    )


def _requirements() -> list[Requirement]:
    try:
        lines = metadata.requires("sparsebp") or []
    except metadata.PackageNotFoundError:  # run from a source tree
        lines = ["numpy", "scipy", "scikit-learn", "numba", "matplotlib"]
    needs = [Requirement(line) for line in lines]
    return [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _satisfied(need: Requirement, found: dict[str, str | None]) -> bool:
    version = found[need.name]
    return version is not None and need.specifier.contains(version, prereleases=True)


def check_threads() -> Finding:
    """Check the number of processors and of BLAS threads."""
    affinity = getattr(os, "sched_getaffinity", None)
    processors = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    blas = [
        {key: library.get(key) for key in ("internal_api", "version", "num_threads")}
        for library in threadpool_info()
        if library["user_api"] == "blas"
    ]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    names = [
        f"{b['internal_api']} {b['version'] or ''} with {counted(b['num_threads'], 'thread')}"
        for b in blas
    ]
    return Finding(
        f"{counted(processors, 'processor')} for this process; {' and '.join(names) or 'no BLAS'}",
        {"processors": processors, "load": load, "blas": blas},
        advise_on_threads(processors, blas, load),
    )


def advise_on_threads(processors: int, blas: list[dict[str, Any]], load: float) -> str:
    """Return advice on slow settings of threads; empty if nothing is slow.

    `blas` are threadpoolctl's descriptions of libraries, `load` the load average over a minute.

    Examples
    --------
    >>> print(advise_on_threads(2, [{"internal_api": "mkl", "num_threads": 8}], 0.1))
    mkl uses 8 threads on 2 processors, so they wait for each other; set MKL_NUM_THREADS=2.
    """
    advice = []
    for library in blas:
        api, threads = library["internal_api"], library["num_threads"]
        variable = f"{_LIMITS.get(api, 'OMP')}_NUM_THREADS"
        if threads > processors:
            advice.append(
                f"{api} uses {threads} threads on {processors} processors, so they wait for each "
                f"other; set {variable}={processors}."
            )
        elif threads == 1 < processors:
            advice.append(
                f"{api} is limited to one thread, and with n_jobs=None so is the package, on "
                f"{processors} processors; unset {variable}, or set it to {processors}."
            )
    if not blas:
        advice.append("threadpoolctl does not recognize NumPy's BLAS, so its threads are unknown.")
    if load > 1.5 * processors:
        advice.append(
            f"About {load:.0f} processes compete for {counted(processors, 'processor')}: all "
            "is slower until they end."
        )
    return " ".join(advice)


def check_speed() -> Finding:
    """Time a gradient of the sparse coding objective, and its two matrix products alone."""
    from sparsebp.penalties import SmoothL1
    from sparsebp.problems import sparse_coding

    n_pixels, n_atoms, n_patches = SIZES
    rng = np.random.default_rng(0)
    x, basis = rng.standard_normal((n_pixels, n_patches)), rng.standard_normal((n_pixels, n_atoms))
    codes = rng.standard_normal((n_atoms, n_patches))
    objective = sparse_coding(SmoothL1(), 1.0).objective("s", {"x": x, "A": basis})
    gradient = _shortest(lambda: objective.value_and_gradient(codes))
    products = _shortest(lambda: (basis @ codes, basis.T @ x))
    work = 4e-9 * np.prod(SIZES)  # one multiplication and one addition in each of two products
    threads = max((lib["num_threads"] for lib in threadpool_info()), default=1)
    slow = work / products < _SLOW * threads
    advice = (
        f"Matrix products alone reach {work / products:.1f} GFLOP/s, which is slow for {threads} "
        "thread(s): other programs may be running, or NumPy's BLAS is not optimized for this "
        "processor; install NumPy from pip or conda-forge."
    )
    return Finding(
        f"one gradient ({n_pixels} pixels, {n_atoms} atoms, {n_patches} patches) takes "
        f"{1e3 * gradient:.1f} ms, {work / gradient:.1f} GFLOP/s; its matrix products alone run at "
        f"{work / products:.0f} GFLOP/s",
        {
            "gradient_ms": 1e3 * gradient,
            "gradient_gflops": work / gradient,
            "products_gflops": work / products,
        },
        advice if slow else "",
    )


def _shortest(call: Callable[[], Any], seconds: float = 0.5) -> float:
    """Return the shortest time of several calls."""
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)


def check_compiled() -> Finding:
    """Check where compiled code is cached, and that it can be written and read there."""
    from sparsebp.coding.exchange import cache_folder

    folder = cache_folder()
    if folder is None:
        return Finding(
            "compiled code is not cached",
            {"folder": None, "files": 0},
            "No folder is writable, so exact codes are compiled again in every process, which "
            "takes some seconds; set NUMBA_CACHE_DIR to a writable folder.",
        )
    files = len(list(Path(folder).glob("*.nbc")))
    text = f"compiled code is cached in {folder}"
    if not files:
        text += ", which is still empty: the first exact codes take some seconds longer"
    return Finding(text, {"folder": folder, "files": files}, _trouble_with_cache(folder, files))


def _trouble_with_cache(folder: str, n_files: int) -> str:
    """Write into the folder and run cached code; return what is wrong, if anything."""
    from sparsebp.coding import pursue

    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        return (
            f"Nothing can be written there ({error.strerror}), so every process compiles again; "
            "free disk space, or set NUMBA_CACHE_DIR to a writable folder."
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if n_files:  # otherwise this takes some seconds
            pursue(np.eye(2), np.eye(2), n_nonzero=1)
    return " ".join(str(warning.message) for warning in caught)


def check_pictures() -> Finding:
    """Check that pictures can be written, and whether windows can be opened."""
    try:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(1, 1))
        figure.savefig(BytesIO())
        windows = figure.canvas.required_interactive_framework is not None
        backend = plt.get_backend()
        plt.close(figure)
    except Exception as error:  # a broken backend may raise anything
        return Finding(
            "pictures cannot be written",
            {"backend": None, "windows": False},
            f"matplotlib's error: {error} Unset MPLBACKEND, or set it to agg.",
            State.WRONG,
        )
    here = "windows can be opened" if windows else "no windows, which are not needed"
    return Finding(
        f"pictures can be written; {here} (matplotlib's backend is {backend})",
        {"backend": backend, "windows": windows},
    )


CHECKS: dict[str, Callable[[], Finding]] = {
    "versions": check_versions,
    "threads": check_threads,
    "speed": check_speed,
    "compiled": check_compiled,
    "pictures": check_pictures,
}
