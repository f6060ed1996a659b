"""Sums over blocks that do not depend on who computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Subtotal(NamedTuple):
    """The sums over the blocks number · 2ˡ to (number + 1) · 2ˡ − 1, where l is the level."""

    level: int
    number: int
    totals: list[np.ndarray]


class BlockSums:
    """Sums in float64 over blocks, added as a binary tree of their indices.

    Blocks 0 to 5 are added as ((0 + 1) + (2 + 3)) + (4 + 5), so parts of the tree can be summed
    elsewhere without a change of rounding.

    Attributes
    ----------
    subtotals : list of Subtotal
        The largest complete parts of the tree so far, in the blocks' order.

    Examples
    --------
    >>> sums = BlockSums()
    >>> for index in range(6):
    ...     sums.add(index, [float(index)])
    >>> [(part.level, part.number, part.totals[0].item()) for part in sums.subtotals]
    [(2, 0, 6.0), (1, 2, 9.0)]
    >>> sums.totals()
    [array(15.)]
    """

    def __init__(self) -> None:
        self.subtotals: list[Subtotal] = []

    def add(self, index: int, parts: Sequence[Any], level: int = 0) -> None:
        """Add the next block, or a subtotal computed elsewhere.

        Parameters
        ----------
        index : int
            Of the block, greater than those before; of the subtotal at its level.
        parts : sequence of numbers or ndarrays
            What is summed; not changed.
        level : int
            0 for a block.
        """
        wide = [np.result_type(part, np.float64) for part in parts]
        totals = [np.array(part, dtype=dtype) for part, dtype in zip(parts, wide, strict=True)]
        while self.subtotals and index % 2 and self.subtotals[-1][:2] == (level, index - 1):
            totals = _added(self.subtotals.pop().totals, totals)
            level, index = level + 1, index // 2
        self.subtotals.append(Subtotal(level, index, totals))

    def totals(self) -> list[np.ndarray]:
        """Return the sums over all blocks; an empty list if there were none."""
        totals: list[np.ndarray] = []
        for part in reversed(self.subtotals):
            copies = [total.copy() for total in part.totals]
            totals = _added(copies, totals) if totals else copies
        return totals


def _added(first: list[np.ndarray], second: list[np.ndarray]) -> list[np.ndarray]:
    """Add to the first, which is overwritten."""
    for total, part in zip(first, second, strict=True):
        total += part
    return first
