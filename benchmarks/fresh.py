"""One fit in a new process: its time, and its memory in addition to the data."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sklearn.decomposition import FastICA, MiniBatchDictionaryLearning

from benchmarks.data import patches
from benchmarks.timing import timed
from sparsebp import OrthonormalICA, Recipe, ReconstructionICA, SparseCoding


@dataclass(frozen=True)
class Work:
    """A fit to measure.

    Parameters
    ----------
    estimator : str
        One of `ESTIMATORS`.
    n_samples, n_components, side : int
        Number of patches, of features learned, and pixels along a patch.
    max_iter : int
        Iterations or batches; for scikit-learn's dictionary, passes over the samples.
    images : Path, optional
        Folder of photographs.
    streamed : bool
        Whether patches are drawn while learning.
    """

    estimator: str
    n_samples: int
    n_components: int
    side: int
    max_iter: int
    images: Path | None = None
    streamed: bool = False


@dataclass(frozen=True)
class Cost:
    """Time and memory of a fit.

    Parameters
    ----------
    seconds : float
        Wall time.
    megabytes : float
        Peak of what was allocated during the fit, the data not counted.
    """

    seconds: float
    megabytes: float


ESTIMATORS: dict[str, Callable[[Work], Any]] = {
    "SparseCoding": lambda work: SparseCoding(
        work.n_components, max_iter=work.max_iter, tol=0.0, random_state=0
    ),
    "SparseCoding online": lambda work: SparseCoding(
        work.n_components,
        penalty="l1",
        alpha=0.5,
        solver="online",
        batch_size=256,
        max_iter=work.max_iter,
        tol=0.0,
        random_state=0,
    ),
    "ReconstructionICA": lambda work: ReconstructionICA(
        work.n_components, max_iter=work.max_iter, tol=0.0, random_state=0
    ),
    "OrthonormalICA": lambda work: OrthonormalICA(
        work.n_components, max_iter=work.max_iter, tol=0.0, random_state=0
    ),
    "MiniBatchDictionaryLearning": lambda work: MiniBatchDictionaryLearning(
        work.n_components, alpha=0.25, batch_size=256, fit_algorithm="cd", max_iter=1
    ),
    "FastICA": lambda work: FastICA(
        work.n_components,
        whiten="unit-variance",
        whiten_solver="eigh",
        max_iter=work.max_iter,
        random_state=0,
    ),
}


def measure(work: Work) -> Cost:
    """Fit in a new process, once for the time and once for the memory.

    Parameters
    ----------
    work : Work
        What to fit.

    Returns
    -------
    cost : Cost
        `tracemalloc` includes NumPy's arrays, so the peak is exact; it excludes the buffers of
        BLAS, which do not grow with the work.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return Cost(**process.submit(_measure, work).result())


def _samples(work: Work) -> Any:
    if work.streamed:
        return Recipe(work.side).draw_stream(work.images, work.n_samples, seed=0)[0]
    return patches(work.side, work.n_samples, work.images)


def _measure(work: Work) -> dict[str, float]:
    X = _samples(work)
    make = ESTIMATORS[work.estimator]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the iterations ran out is meant to be
        make(work).fit(X[: max(2 * work.n_components, 500)])  # libraries load and warm up
        seconds, _ = timed(lambda: make(work).fit(X))
        tracemalloc.start()
        make(work).fit(X)
    return asdict(Cost(seconds, tracemalloc.get_traced_memory()[1] / 1e6))
