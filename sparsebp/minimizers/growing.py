"""Minimization on growing subsets of the samples, finally on all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sparsebp._checks import RandomSource
from sparsebp.minimizers.lbfgs import Callback, minimize_lbfgs
from sparsebp.minimizers.result import Result, Status
from sparsebp.problems import Differentiable
from sparsebp.samples import Samples

_FACTOR = 4
#: Samples of the first stage for each row of the free matrix; fewer would be overfitted.
_SAMPLES_PER_ROW = 16
#: A stage ends when an iteration gains less than this fraction: sampling errors are larger.
_STAGE_TOL = 1e-4


def minimize_growing(
    objective_of: Callable[[Samples], Differentiable],
    samples: Samples,
    start: np.ndarray,
    *,
    rng: RandomSource,
    max_iter: int,
    tol: float,
    callback: Callback | None = None,
) -> Result:
    """Minimize an objective of samples by L-BFGS, starting on a random subset.

    An iteration on a quarter of the samples takes a quarter of the time, and far from the minimum
    it makes the same progress. Each stage starts where the last one ended; the last is on all
    samples, whose minimum is returned. With few samples there is only that stage.

    Parameters
    ----------
    objective_of : callable
        Makes the objective, a mean over samples, from `Samples`.
    samples : Samples
        All of them.
    start : ndarray of shape (n_rows, n_columns)
        The starting point.
    rng : RandomState or Generator
        Draws the samples of the first stages.
    max_iter : int
        Maximum number of iterations, over all stages.
    tol : float
        Tolerance of the last stage.
    callback : callable, optional
        ``callback(iteration, value, point)``, the iterations being counted through; returning
        True stops the search.

    Returns
    -------
    result : Result
        Its history has the objective on the samples of each stage.
    """
    result = Result(start, np.inf, 0, Status.CONVERGED, ())
    for part in _stages(samples, start.shape[0], rng):
        before, last = result, part is samples
        left = max_iter - before.n_iter - (not last)  # at least one for the last stage
        if left <= 0:
            continue

        def count(i: int, value: float, at: np.ndarray, passed: int = before.n_iter) -> Any:
            return callback is not None and callback(passed + i, value, at)

        try:
            found = minimize_lbfgs(
                objective_of(part),
                before.point,
                max_iter=left,
                tol=tol if last else max(tol, _STAGE_TOL),
                callback=count,
            )
        except KeyboardInterrupt:  # while a stage was prepared
            if not before.history:
                raise
            return replace(before, status=Status.INTERRUPTED)
        result = before.followed_by(found)
        if result.status in (Status.INTERRUPTED, Status.STOPPED, Status.NOT_FINITE):
            break
    return result


def _stages(samples: Samples, n_rows: int, rng: RandomSource) -> list[Samples]:
    sizes = [samples.shape[1]]
    while sizes[-1] // _FACTOR >= _SAMPLES_PER_ROW * n_rows:
        sizes.append(sizes[-1] // _FACTOR)
    if len(sizes) == 1:
        return [samples]
    order = rng.permutation(samples.shape[1])[: sizes[1]]
    subsets = (samples.only(np.sort(order[:size])) for size in reversed(sizes[1:]))
    return [*subsets, samples]
