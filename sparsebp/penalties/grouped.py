"""Base of penalties on groups of coefficients."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp.network import Add, Identity, Layer, Linear, Parameter, Root, Square
from sparsebp.penalties.base import Penalty


class Grouped(Penalty):
    """S(s) = Σ √(V(s∘s) + ε): row r of V ≥ 0 tells how strongly group r holds each coefficient.

    A subclass has ε and defines V, as a matrix (`grouping`) and as a weight, `_weight`, which may
    be a linear operator instead.
    """

    epsilon: float
    _weight: Any
    grouping: np.ndarray

    @property
    def is_elementwise(self) -> bool:
        """False: groups join coefficients."""
        return False

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Four layers: z², V, z + ε, z^½."""
        return (
            Layer(Identity(), Square()),
            Layer(Parameter("V"), Linear()),
            Layer(Identity(), Add(self.epsilon)),
            Layer(None, Root()),
        )

    @property
    def variables(self) -> dict[str, Any]:
        """The grouping matrix V, which may not be written out."""
        return {"V": self._weight}
