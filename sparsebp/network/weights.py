"""Weights between the layers of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp.network._shapes import require_product

Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Parameter:
    """A named matrix, or its transpose, as the weight W⁽ˡ⁾ of a layer.

    The name is looked up in the variables when the network runs, so a network holds no arrays.
    A name may occur several times, also transposed; its gradient is then the sum over its
    occurrences, where that of a transposed occurrence is transposed back.

    Parameters
    ----------
    name : str
        Name of the matrix, of shape (n_outputs, n_inputs).
    transposed : bool
        Whether the transpose is meant; ``Parameter("W").T`` reads better.

    Examples
    --------
    >>> W = Parameter("W")
    >>> W.T
    Parameter(name='W', transposed=True)
    >>> W.T.T == W
    True
    """

    name: str
    transposed: bool = False

    @property
    def T(self) -> Parameter:
        """The transposed weight."""
        return Parameter(self.name, not self.transposed)

    @property
    def names(self) -> tuple[str, ...]:
        """Variables whose gradient passes through this weight."""
        return (self.name,)

    def __call__(self, a: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute W a."""
        weight = self._matrix(variables)
        require_product(self.symbol, weight.shape, a.shape)
        return weight @ a

    def pull_back(
        self, delta: np.ndarray, a: np.ndarray, out: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute Wᵀ δ, the gradient in the weight's input."""
        return self._matrix(variables).T @ delta

    def gradient(self, delta: np.ndarray, a: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute δ aᵀ, transposed back where the weight stands transposed."""
        return a @ delta.T if self.transposed else delta @ a.T

    @property
    def symbol(self) -> str:
        """The weight as text, ``W`` or ``Wᵀ``."""
        return self.name + ("ᵀ" if self.transposed else "")

    @property
    def latex(self) -> str:
        """The weight as LaTeX."""
        return self.name + ("^T" if self.transposed else "")

    def _matrix(self, variables: Variables) -> Any:
        value = variables[self.name]
        return value.T if self.transposed else value


@dataclass(frozen=True)
class Identity:
    """The identity matrix as a weight: the activations pass on unchanged.

    Examples
    --------
    >>> Identity().T
    Identity()
    """

    symbol = "I"
    latex = "I"

    @property
    def T(self) -> Identity:
        """The identity again."""
        return self
