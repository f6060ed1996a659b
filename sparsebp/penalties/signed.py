"""A penalty with its sign changed for coefficients that are to be less sparse than a Gaussian."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsebp.network import Layer, Linear, Parameter
from sparsebp.penalties.base import Penalty


@dataclass(frozen=True)
class Signed(Penalty):
    """S(s) = Σᵣ gᵣ ρ(sᵣ), where ρ is another penalty of one coefficient and gᵣ = ±1.

    Minimizing it makes coefficients with +1 sparser than a Gaussian, and those with −1 less sparse,
    so that ICA finds sub-Gaussian sources. MATLAB's NonGaussianityIndicator. It is for linear
    filters; with free coefficients the objective is unbounded below.

    Parameters
    ----------
    penalty : Penalty
        One that treats every coefficient by itself.
    signs : tuple of int
        A sign for each coefficient, +1 or −1.

    Raises
    ------
    ValueError
        If a sign is neither, or the penalty groups its coefficients.

    Examples
    --------
    >>> from sparsebp.penalties import L1
    >>> float(Signed(L1(), (1, -1)).values_and_gradient(np.array([[3.0], [-2.0]]))[0][0])
    1.0
    """

    penalty: Penalty
    signs: tuple[int, ...]

    def __post_init__(self) -> None:
        signs = np.asarray(self.signs)
        if signs.ndim != 1 or signs.size == 0 or not np.isin(signs, (-1, 1)).all():
            raise ValueError(
                f"signs are {self.signs!r}; there must be a +1 (sparser than a Gaussian) or a −1 "
                "for each component."
            )
        if not isinstance(self.penalty, Penalty):
            raise TypeError(
                f"penalty is {self.penalty!r}; give a Penalty of sparsebp.penalties, such as L1()."
            )
        if not self.penalty.is_elementwise:
            raise ValueError(
                f"{type(self.penalty).__name__} groups coefficients, which then share a sign; "
                "give a penalty that treats every coefficient by itself."
            )
        object.__setattr__(self, "signs", tuple(int(sign) for sign in signs))

    @property
    def unsigned(self) -> Penalty:
        """The penalty whose sign is changed."""
        return self.penalty

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The other penalty's layers, then the signs on the diagonal of G, and a sum."""
        *inner, last = self.penalty.layers
        return (*inner, replace(last, weight=Parameter("G")), Layer(None, Linear()))

    @property
    def variables(self) -> Mapping[str, Any]:
        """The diagonal matrix G of the signs."""
        return {"G": np.diag(np.array(self.signs, dtype=float))}

    def check_components(self, n_components: int) -> None:
        """Refuse another number of components than there are signs."""
        if len(self.signs) != n_components:
            raise ValueError(
                f"There are {len(self.signs)} signs for {n_components} components; give a sign "
                "for each."
            )
