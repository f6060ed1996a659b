"""The cost of one value and gradient."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import fused, peers
from benchmarks.data import patches, random_rows
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import race, timed
from sparsebp.penalties import L1, SmoothL1, Topographic
from sparsebp.problems import (
    Objective,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
)
from sparsebp.samples import ArraySamples, one_blas_thread

_ALPHA, _EPSILON, _GAMMA = 1.0, 0.01, 0.01


def engine_overhead(setting: Setting) -> list[Record]:
    """Compare the engine with formulas fused by hand, on one thread, without compression.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each objective.
    """
    # As many columns as the solvers take at a time: beyond, both mostly wait for memory.
    side, n, grid = setting.size((12, 400, 16), (4, 300, 5))
    x = np.ascontiguousarray(patches(side, n, setting.images).T)
    w = random_rows((grid**2, side**2))
    records = []
    for name, (ours, theirs) in _pairs(x, w, grid).items():
        difference = np.abs(ours()[1] - theirs()[1]).max() / np.abs(theirs()[1]).max()
        with one_blas_thread():
            times = race({"ours": ours, "theirs": theirs}, 9 * setting.repeats)
        work = f"engine: {name}, {n:,} × {side**2}, {grid**2} components, one thread"
        note = f"gradients differ by {difference:.0e} of the largest element"
        records.append(Record(work, "NumPy by hand", *times.values(), target=1 / 1.1, note=note))
    return records


def _pairs(x: np.ndarray, w: np.ndarray, grid: int) -> dict[str, tuple[Callable, Callable]]:
    """Return every objective at a point, through the engine and by hand."""
    scale, smooth = 1 / x.shape[1], SmoothL1(_EPSILON)
    map_of = Topographic((grid, grid), epsilon=_EPSILON)
    a, s = np.ascontiguousarray(w.T), w @ x
    v, sizes = map_of.variables["V"], (_ALPHA, _EPSILON)
    rica = reconstruction_ica(smooth, _ALPHA).objective("W", {"x": x}, scale=scale)
    ica = orthonormal_ica(smooth).objective("W", {"x": x}, scale=scale)
    in_s = sparse_coding(smooth, _ALPHA).objective("s", {"x": x, "A": a}, scale=scale)
    in_a = sparse_coding(L1(), 0.0, _GAMMA).objective("A", {"x": x, "s": s}, scale=scale)
    on_map = sparse_coding(map_of, _ALPHA).objective("s", {"x": x, "A": a}, scale=scale)
    return {
        "RICA": (
            lambda: rica.value_and_gradient(w),
            lambda: fused.reconstruction(w, x, *sizes),
        ),
        "ICA": (lambda: ica.value_and_gradient(w), lambda: fused.sparsity(w, x, _EPSILON)),
        "codes": (lambda: in_s.value_and_gradient(s), lambda: fused.codes(s, x, a, *sizes)),
        "basis": (lambda: in_a.value_and_gradient(a), lambda: fused.basis(a, x, s, _GAMMA)),
        "topographic codes": (
            lambda: on_map.value_and_gradient(s),
            lambda: fused.topographic(s, x, a, v, sizes),
        ),
    }


def reconstruction_gradient(setting: Setting) -> list[Record]:
    """Compare a value and gradient of reconstruction ICA with PyTorch's autograd.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each precision.
    """
    side, n, n_filters = setting.size((16, 50_000, 256), (6, 2000, 40))
    records = []
    for dtype in (np.float32, np.float64):
        name = np.dtype(dtype).name
        work = f"RICA value and gradient, {n:,} × {side**2}, {n_filters} filters, {name}"
        if not peers.installed("torch"):
            records.append(Record.missing(work, "PyTorch autograd"))
            continue
        X = patches(side, n, setting.images, dtype)
        w = random_rows((n_filters, side**2)).astype(dtype)
        seconds, objective = timed(lambda X=X: _compressed(X, setting.n_threads))
        _, evaluate = peers.torch_reconstruction(X, w, _ALPHA, _EPSILON, setting.n_threads)
        run = {"ours": lambda o=objective, w=w: _as_solvers_do(o, w), "theirs": evaluate}
        times = race(run, setting.repeats)
        ours, theirs = objective.value_and_gradient(w)[0], evaluate().item()
        note = f"values {ours:.6g}, {theirs:.6g}; compression once {seconds:.2g} s"
        records.append(Record(work, "PyTorch autograd", *times.values(), target=4.0, note=note))
    return records


def _as_solvers_do(objective: Objective, point: np.ndarray) -> None:
    with one_blas_thread():
        objective.value_and_gradient(point)


def _compressed(X: np.ndarray, n_threads: int) -> Objective:
    return reconstruction_ica(SmoothL1(_EPSILON), _ALPHA).objective(
        "W", {"x": ArraySamples(X.T, n_threads)}, scale=1 / len(X), compressed=True
    )
