"""Rows of measurements with goals."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.table import Table


@dataclass(frozen=True)
class Row:
    """A figure and its goal.

    Parameters
    ----------
    point : str
        What it belongs to, such as ``"signs"``.
    what : str
        What was measured, with its unit.
    figure : float
        The figure.
    at_least, at_most : float, optional
        The goal; None for figures for comparison, such as a peer's.
    note : str
        Seeds, spread, sizes.
    """

    point: str
    what: str
    figure: float
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def goal(self) -> str:
        """The goal in words."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"

    @property
    def met(self) -> bool | None:
        """Whether the figure reaches its goal; None where there is none."""
        if self.at_least is not None:
            return bool(self.figure >= self.at_least)
        return None if self.at_most is None else bool(self.figure <= self.at_most)


def as_table(rows: Iterable[Row], *, toy: bool) -> Table:
    """Return the rows as a table for the terminal; at a toy size without a verdict."""
    table = Table("point", "what", "goal", "figure", "met", "note")
    for row in rows:
        met = "" if toy or row.met is None else ("yes" if row.met else "[bold]no[/bold]")
        table.add_row(row.point, row.what, row.goal, f"{row.figure:.4g}", met, row.note)
    return table
