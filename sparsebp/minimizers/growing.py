"""Minimization on growing subsets of the samples, finally on all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from sparsebp._checks import RandomSource, draw_seed
from sparsebp.minimizers.lbfgs import WINDOW, Callback, minimize_lbfgs
from sparsebp.minimizers.result import Result, Status
from sparsebp.problems import Differentiable
from sparsebp.samples import Samples

#: About how many times as many samples a stage has as the one before.
_FACTOR = 4
#: Samples of a subset, which is kept in memory, at most.
_MOST = 2**16
#: A stage ends when an iteration gains less than this fraction: sampling errors are larger.
_STAGE_TOL = 5e-5


def minimize_growing(
    objective_of: Callable[[Samples], Differentiable],
    stages: Sequence[Samples],
    start: np.ndarray,
    *,
    max_iter: int,
    tol: float,
    callback: Callback | None = None,
) -> Result:
    """Minimize an objective of samples by L-BFGS, starting on a subset.

    An iteration on a quarter of the samples takes a quarter of the time, and far from the minimum
    it makes the same progress. Each stage starts where the last one ended; the minimum of the last
    is returned.

    Parameters
    ----------
    objective_of : callable
        Makes the objective, a mean over samples, from `Samples`.
    stages : sequence of Samples
        Those of each stage, such as `growing_subsets` draws.
    start : ndarray of shape (n_rows, n_columns)
        The starting point.
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
    for part in stages:
        before, last = result, part is stages[-1]
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
                window=WINDOW if last else 1,
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


def growing_subsets(samples: Samples, fewest: int, rng: RandomSource) -> list[Samples]:
    """Draw random subsets, each about four times as large as the one before, then all samples.

    Parameters
    ----------
    samples : Samples of shape (n_features, n_samples)
        All of them.
    fewest : int
        Samples of the first subset; if there are fewer than four times as many, there is none.
    rng : RandomState or Generator
        Draws them.

    Returns
    -------
    stages : list of Samples
        Each holds those before it; the last are the samples themselves.
    """
    n_samples = samples.shape[1]
    if fewest > _MOST or n_samples < _FACTOR * fewest:
        return [samples]
    n_stages = round(math.log(n_samples / fewest, _FACTOR))
    sizes = [int(size) for size in np.geomspace(fewest, n_samples, n_stages + 1)[:-1]]
    sizes = [size for size in sizes if size <= _MOST]
    # Of many samples it draws few without a list of all, unlike a RandomState.
    generator = np.random.default_rng(draw_seed(rng))
    order = generator.choice(n_samples, sizes[-1], replace=False)
    return [*(samples.select(np.sort(order[:size])) for size in sizes), samples]
