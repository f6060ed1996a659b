"""Weights between the layers of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._checks import check_readable, mistake
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

    Raises
    ------
    TypeError
        If the name is not a string.

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

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise TypeError(mistake("name", "a string, the name of a variable", self.name))

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
        weight, a = self._matrix(variables), as_array("the input", a)
        require_product(self.symbol, weight.shape, a.shape)
        return weight @ a

    def pull_back(
        self, delta: np.ndarray, a: np.ndarray, out: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute Wᵀ δ, the gradient in the weight's input."""
        return self._matrix(variables).T @ as_array("delta", delta)

    def gradient(self, delta: np.ndarray, a: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute δ aᵀ, transposed back where the weight stands transposed."""
        delta, a = as_array("delta", delta), as_array("the input", a)
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
        value = self._variable(variables)
        return value.T if self.transposed else value

    def _variable(self, variables: Variables) -> Any:
        """Return the variable as an array, or raise an error if it is missing."""
        if self.name not in variables:
            raise ValueError(
                f"The variable {self.name!r} is missing: the weight {self.symbol} needs it and got "
                f"{', '.join(variables) or 'none'}."
            )
        return as_array(self.name, variables[self.name])


def as_array(name: str, value: Any) -> Any:
    """Return an array of any library, or an implicit matrix, as it is, and lists as an ndarray."""
    return value if hasattr(value, "shape") else check_readable(name, value)


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
