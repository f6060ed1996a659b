"""The result of a minimization and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

import numpy as np


class Status(Enum):
    """Why a search stopped; the value is advice for the user."""

    CONVERGED = "Converged: the last change was within tol."
    ITERATION_LIMIT = "The iteration limit was reached before convergence; raise max_iter or tol."
    STALLED = (
        "The line search found no further descent although the tolerance was not met; the best "
        "point is kept. Scale the data, use float64, or raise tol."
    )
    NOT_FINITE = (
        "The objective became infinite or NaN; the best finite point is kept. Scale the data "
        "to about unit variance."
    )
    UNSETTLED = (
        "The signs of some components still changed; the last ones are kept. These components are "
        "nearly Gaussian: give signs, fewer components or more samples."
    )
    STOPPED = "The callback asked to stop."
    INTERRUPTED = "Interrupted; the best point so far is kept."


@dataclass(frozen=True, eq=False)
class Result:
    """The point that a minimizer returns, and how its search ended.

    Parameters
    ----------
    point : ndarray
        The best point evaluated; of a search over batches, whose objectives differ, the last.
    value : float
        The objective there.
    n_iter : int
        Number of iterations.
    status : Status
        Why the search stopped.
    history : tuple of float
        The objective from iteration 0, the start, on.
    """

    point: np.ndarray
    value: float
    n_iter: int
    status: Status
    history: tuple[float, ...]

    def followed_by(self, later: Result) -> Result:
        """Return the result of a search continued from this one's point.

        Parameters
        ----------
        later : Result
            Of the second search alone, perhaps of another objective.

        Returns
        -------
        result : Result
            The later one, with the iterations and the history of both. At the junction the history
            has the earlier value.
        """
        history = (*self.history, *later.history[1 if self.history else 0 :])
        return replace(later, n_iter=self.n_iter + later.n_iter, history=history)


class ColumnResult(NamedTuple):
    """The result of a minimization for each column, such as the codes of samples.

    Parameters
    ----------
    points : ndarray of shape (n_rows, n_columns)
        The minima.
    n_unfinished : int
        Columns that hit the iteration limit, or whose line search failed while they were steep.
    """

    points: np.ndarray
    n_unfinished: int
