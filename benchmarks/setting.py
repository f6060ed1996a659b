"""The size of a comparison, and its curves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks.timing import Curve
from sparsebp.samples import count_threads

_Size = TypeVar("_Size")


@dataclass(frozen=True)
class Setting:
    """What all rows share.

    Parameters
    ----------
    toy : bool
        Whether to do everything small, to see that it runs.
    images : Path, optional
        Folder of photographs.
    seconds : float
        Time that a peer's search gets.
    curves : dict of str to dict of str to Curve
        Objectives against time, by panel and contender; the rows add theirs.
    """

    toy: bool = False
    images: Path | None = None
    seconds: float = 240.0
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)

    def size(self, full: _Size, toy: _Size) -> _Size:
        """Return the size of a piece of work: the full one, or the toy's."""
        return toy if self.toy else full

    @property
    def n_threads(self) -> int:
        """As many threads as BLAS may use, for every contender."""
        return count_threads(None)

    @property
    def repeats(self) -> int:
        """Rounds of a short timing."""
        return self.size(7, 2)
