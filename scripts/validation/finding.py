"""Published findings, and whether they were reproduced."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from rich.table import Table

REPRODUCED, EXCEEDED, REFUSED = "reproduced", "exceeded", "refused"


@dataclass(frozen=True)
class Finding:
    """What a source found, and what was measured here.

    Parameters
    ----------
    what : str
        What was measured, with its unit.
    published : str
        The source's figure, in words.
    ours : sequence of float
        The package's figure for each seed, image or size.
    at_least, at_most : float, optional
        The figures that count as reproduced.
    better : int
        1 if more is better: a median above `at_most` exceeds the source. −1 if less is better, 0 if
        neither is.
    others : mapping of str to sequence of float
        The figures of other packages and methods in the same run.
    recalled : bool
        Whether the source's figure was recalled instead of looked up.
    remark : str
        What else there is to know; the reason, if the finding is refused.
    """

    what: str
    published: str
    ours: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None
    better: int = 0
    others: Mapping[str, Sequence[float]] = field(default_factory=dict)
    recalled: bool = False
    remark: str = ""

    @property
    def verdict(self) -> str:
        """Whether the median was reproduced, exceeded or refused."""
        median = float(np.median(self.ours))
        below = self.at_least is not None and median < self.at_least
        above = self.at_most is not None and median > self.at_most
        if (above and self.better > 0) or (below and self.better < 0):
            return EXCEEDED
        return REFUSED if above or below or np.isnan(median) else REPRODUCED

    @property
    def range(self) -> str:
        """The figures that count as reproduced, in words."""
        if self.at_least is None:
            return f"≤ {self.at_most:g}"
        if self.at_most is None:
            return f"≥ {self.at_least:g}"
        return f"{self.at_least:g} – {self.at_most:g}"

    @property
    def peers(self) -> str:
        """The figures of the others, in words."""
        return "; ".join(f"{who} {spread(figures)}" for who, figures in self.others.items())


def spread(figures: Sequence[float]) -> str:
    """Return the median of figures and, of several, their range and number."""
    several = len(figures) > 1
    figures = [np.median(figures), min(figures), max(figures), len(figures)] if several else figures
    median, *rest = (f"{figure:.3g}".replace("-", "−") for figure in figures)
    dash = "\u00a0–\u00a0"  # a narrow column breaks before the range, not within it
    return f"{median} ({dash.join(rest[:2])}; {rest[2]})" if several else median


def as_table(rows: Iterable[Finding], *, toy: bool) -> Table:
    """Return findings as a table for the terminal; at a toy size without a verdict."""
    table = Table("measured", "published", "ours", "others", "reproduced if", "verdict")
    for row in rows:
        verdict = "" if toy else row.verdict
        table.add_row(row.what, row.published, spread(row.ours), row.peers, row.range, verdict)
    return table
