"""Coefficients for smooth penalties, and the objective that they reach."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.optimize import minimize  # noqa: TID251  (what one would call)

from benchmarks.data import atoms_from, patches
from benchmarks.records import Record
from benchmarks.setting import Setting
from benchmarks.timing import timed
from sparsebp.coding import encode, starting_codes
from sparsebp.penalties import Cauchy, LogCosh, Penalty, SmoothL1, Topographic, squarest_grid
from sparsebp.problems import Objective, sparse_coding

#: Weight of the penalty, and the tolerance of both, as `encode` defines it.
_ALPHA, _TOL = 0.5, 1e-6


def smooth_codes(setting: Setting) -> list[Record]:
    """Compare codes of smooth penalties with a search of SciPy's L-BFGS for each sample.

    Parameters
    ----------
    setting : Setting
        Sizes.

    Returns
    -------
    records : list of Record
        One for each penalty: the time for a sample, and the objectives of the first ones.
    """
    side, n, n_atoms = setting.size((12, 10_000, 256), (6, 300, 48))
    n_few = setting.size(100, 4)
    X = patches(side, n, setting.images)
    x, basis = np.ascontiguousarray(X.T), atoms_from(X, n_atoms)
    penalties = (LogCosh(), Cauchy(), SmoothL1(), Topographic(squarest_grid(n_atoms)))
    records = []
    for penalty in penalties:
        encoding = partial(encode, x, basis, penalty, _ALPHA, tol=_TOL, n_threads=1)
        ours, found = timed(encoding)
        theirs, expected = timed(partial(_one_by_one, x[:, :n_few], basis, penalty))
        values = [
            _objective(x[:, :n_few], basis, penalty).value_and_gradient(codes)[0] / n_few
            for codes in (found.points[:, :n_few], expected)
        ]
        work = f"{n:,} codes, {type(penalty).__name__}, {side**2} × {n_atoms}, one thread"
        note = f"objective {values[0]:.8g}, theirs {values[1]:.8g}"
        each = 1e3 * ours / n, 1e3 * theirs / n_few
        records.append(Record(work, "SciPy's L-BFGS", *each, target=10, note=note, unit="ms"))
    return records


def _objective(x: np.ndarray, basis: np.ndarray, penalty: Penalty) -> Objective:
    return sparse_coding(penalty, _ALPHA).objective("s", {"x": x, "A": basis}, scale=1)


def _one_by_one(x: np.ndarray, basis: np.ndarray, penalty: Penalty) -> np.ndarray:
    """Return the codes of a search for each sample, to the same tolerance, in columns."""
    start, found = starting_codes(x, basis), []
    for j in range(x.shape[1]):
        objective = _objective(x[:, j : j + 1], basis, penalty)

        def flat(point: np.ndarray, objective: Objective = objective) -> tuple[float, np.ndarray]:
            value, gradient = objective.value_and_gradient(point[:, np.newaxis])
            return value, gradient[:, 0]

        gtol = _TOL * max(np.abs(2 * basis.T @ x[:, j]).max(), _ALPHA)
        options = {"gtol": gtol, "ftol": 0.0, "maxiter": 5000, "maxfun": 5000}
        found.append(minimize(flat, start[:, j], jac=True, method="L-BFGS-B", options=options).x)
    return np.stack(found, axis=1)
