"""Timing: medians of alternating runs, and iterates against time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call takes, and what it returns.

    Parameters
    ----------
    run : callable
        Called once.

    Returns
    -------
    seconds : float
        Wall time.
    outcome : object
        What came back.
    """
    start = perf_counter()
    outcome = run()
    return perf_counter() - start, outcome


def race(contenders: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Return the median time of each method, in alternating runs.

    Alternation spreads other load of the machine evenly over the methods. The first round is a
    warm-up.

    Parameters
    ----------
    contenders : mapping of str to callable
        What to time, by name.
    repeats : int
        Rounds that count.

    Returns
    -------
    seconds : dict of str to float
        Median wall times.
    """
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(repeats + 1):
        for name, run in contenders.items():
            times[name].append(timed(run)[0])
    return {name: median(taken[1:]) for name, taken in times.items()}


@dataclass
class Trail:
    """The iterates of a minimization with their times; their objective is computed afterwards.

    Points are kept at times that grow by a constant factor, so that a long search keeps few.

    Parameters
    ----------
    limit : float
        Seconds after which `keep` asks the search to stop.
    growth : float
        A point is kept once this many times the age of the last one has passed.

    Attributes
    ----------
    seconds, points : list
        When, and where.
    """

    limit: float = np.inf
    growth: float = 1.03
    seconds: list[float] = field(default_factory=list)
    points: list[np.ndarray] = field(default_factory=list)
    start: float = field(default_factory=perf_counter)

    def keep(self, point: np.ndarray, *, always: bool = False) -> bool:
        """Note where the search is now.

        Parameters
        ----------
        point : ndarray
            Copied, if it is kept.
        always : bool
            Whether to keep it whenever it comes, as the last point is.

        Returns
        -------
        over : bool
            Whether the time is up.
        """
        now = perf_counter() - self.start
        if always or not self.seconds or now >= self.growth * self.seconds[-1]:
            self.seconds.append(now)
            self.points.append(np.array(point))
        return now > self.limit

    def curve(self, objective: Callable[[np.ndarray], float]) -> Curve:
        """Return the best objective so far against time.

        Parameters
        ----------
        objective : callable
            The same for all contenders.

        Returns
        -------
        curve : Curve
            One value for each point kept.
        """
        values = np.minimum.accumulate([objective(point) for point in self.points])
        return Curve(tuple(self.seconds), tuple(values.tolist()))


@dataclass(frozen=True)
class Curve:
    """An objective against time.

    Parameters
    ----------
    seconds, values : tuple of float
        When, and the best objective until then.
    """

    seconds: tuple[float, ...]
    values: tuple[float, ...]

    @property
    def best(self) -> float:
        """The objective reached in the end."""
        return self.values[-1]

    def reaches(self, target: float) -> float:
        """Return the first time at which the objective is no more than a target; else infinity."""
        pairs = zip(self.seconds, self.values, strict=True)
        return next((s for s, value in pairs if value <= target), np.inf)
