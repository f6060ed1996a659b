"""How soon independent component analysis gets where its peers get."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import peers, tutorial
from benchmarks.data import patches, random_rows, white_patches
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import Curve, Trail, timed
from sparsebp import problems
from sparsebp.minimizers import growing_subsets, minimize_growing, minimize_lbfgs
from sparsebp.penalties import SmoothL1
from sparsebp.problems import (
    Objective,
    OrthonormalRows,
)
from sparsebp.samples import ArraySamples, Samples

_ALPHA, _EPSILON = 1.0, 0.01
_MANY = 100_000


def reconstruction_ica(setting: Setting) -> list[Record]:
    """Compare the times to within 0.5 % of the best objective that any method reached.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each peer.
    """
    side, n, n_filters = setting.size((16, 50_000, 256), (6, 3000, 40))
    work = f"RICA to within 0.5 % of the best, {n:,} × {side**2}, {n_filters} filters"
    X = patches(side, n, setting.images, np.float32)
    w = random_rows((n_filters, side**2)).astype(np.float32)
    trails = {"sparsebp": _ours(X, w, setting), "NumPy + SciPy float64": _numpy(X, w, setting)}
    if peers.installed("torch"):
        trails["PyTorch L-BFGS float32"] = _torch(X, w, setting)
    truth = _objective(ArraySamples(X.T, setting.n_threads))
    curves = {name: trail.curve(_value_of(truth)) for name, trail in trails.items()}
    setting.curves["Reconstruction ICA"] = curves
    goal = 1.005 * min(curve.best for curve in curves.values())
    targets = {"PyTorch L-BFGS float32": 6.0, "NumPy + SciPy float64": 12.0}
    return [_to_goal(work, peer, curves, goal, target) for peer, target in targets.items()]


def _objective(samples: Samples) -> Objective:
    smooth, scale = SmoothL1(_EPSILON), 1 / samples.shape[1]
    return problems.reconstruction_ica(smooth, _ALPHA).objective(
        "W", {"x": samples}, scale=scale, compressed=True
    )


def _value_of(objective: Objective) -> Callable[[np.ndarray], float]:
    return lambda point: float(objective.value_and_gradient(point.astype(np.float32))[0])


def _ours(X: np.ndarray, w: np.ndarray, setting: Setting) -> Trail:
    trail = Trail(setting.seconds)
    samples, rng = ArraySamples(X.T, setting.n_threads), np.random.default_rng(0)
    result = minimize_growing(
        _objective,
        growing_subsets(samples, max(16 * len(w), 1000), rng),
        w,
        max_iter=_MANY,
        tol=1e-6,
        callback=lambda iteration, value, point: trail.keep(point),
    )
    trail.keep(result.point, always=True)
    return trail


def _numpy(X: np.ndarray, w: np.ndarray, setting: Setting) -> Trail:
    x = X.T.astype(np.float64)
    trail = Trail(setting.seconds)
    tutorial.rica_lbfgs(x, w, _ALPHA, _EPSILON, trail)
    return trail


def _torch(X: np.ndarray, w: np.ndarray, setting: Setting) -> Trail:
    few = peers.torch_reconstruction(X[:100], w, _ALPHA, _EPSILON, setting.n_threads)
    peers.torch_lbfgs(*few, Trail(limit=0.0))  # its optimizer loads when it is first used
    problem = peers.torch_reconstruction(X, w, _ALPHA, _EPSILON, setting.n_threads)
    trail = Trail(setting.seconds)
    peers.torch_lbfgs(*problem, trail)
    return trail


def _to_goal(work: str, peer: str, curves: dict[str, Curve], goal: float, target: float) -> Record:
    if peer not in curves:
        return Record.missing(work, peer)
    ours, theirs = curves["sparsebp"], curves[peer]
    late = theirs.reaches(goal)
    note = f"best {ours.best:.6g}, theirs {theirs.best:.6g}, goal {goal:.6g}"
    if np.isinf(late):
        late, note = theirs.seconds[-1], f"{note}; theirs not there when stopped, ratio is a bound"
    return Record(work, peer, ours.reaches(goal), late, target, note)


def orthonormal_ica(setting: Setting) -> list[Record]:
    """Compare the time to FastICA's final contrast with the total times of FastICA and Picard-O.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each peer.
    """
    side, n = setting.size((12, 50_000), (4, 1000))
    X = white_patches(side, n, setting.images)
    w = OrthonormalRows.project(random_rows((X.shape[1],) * 2))
    work = f"orthonormal ICA to FastICA's contrast, {n:,} × {X.shape[1]} white"
    objective = problems.orthonormal_ica(SmoothL1(_EPSILON)).objective(
        "W", {"x": ArraySamples(X.T, setting.n_threads)}, scale=1 / X.size
    )

    def contrast(filters: np.ndarray) -> float:
        return float(objective.value_and_gradient(OrthonormalRows.project(filters))[0])

    curves = setting.curves["Orthonormal ICA"] = {
        "sparsebp": _orthonormal(objective, w).curve(contrast)
    }
    curves["FastICA"] = _once(lambda: peers.fast_ica(X, w), contrast)
    goal, targets = curves["FastICA"].best, {"FastICA": 4.0, "Picard-O": 8.0}
    if peers.installed("picard"):
        curves["Picard-O"] = _once(lambda: peers.picard_o(X, w), contrast)
    return [_to_contrast(work, peer, curves, goal, target) for peer, target in targets.items()]


def _orthonormal(objective: Objective, w: np.ndarray) -> Trail:
    """Run the solver of `OrthonormalICA`, whose callback sees the filters."""
    trail = Trail()
    end = minimize_lbfgs(
        OrthonormalRows(objective),
        w,
        max_iter=500,
        callback=lambda iteration, value, point: trail.keep(point),
    )
    trail.keep(end.point, always=True)
    return trail


def _once(search: Callable[[], np.ndarray], contrast: Callable[[np.ndarray], float]) -> Curve:
    """Return a search that shows only its end as a curve of one point."""
    seconds, filters = timed(search)
    return Curve((seconds,), (contrast(filters),))


def _to_contrast(
    work: str, peer: str, curves: dict[str, Curve], goal: float, target: float
) -> Record:
    if peer not in curves:
        return Record.missing(work, peer)
    ours, theirs = curves["sparsebp"], curves[peer]
    note = f"contrast {ours.best:.6g} in the end, theirs {theirs.best:.6g}"
    return Record(work, peer, ours.reaches(goal), theirs.seconds[-1], target, note)
