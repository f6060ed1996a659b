"""Activations that bring in another variable: z − x and M ∘ z."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsebp.network._shapes import require_same, unbroadcast
from sparsebp.network.activations import Activation, Shift
from sparsebp.network.notation import Formula
from sparsebp.network.weights import Variables


@dataclass(frozen=True)
class _Operation(Activation):
    """An activation that brings in a variable."""

    name: str

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Variables whose gradient passes through this activation."""
        return (self.name,)

    def _operand(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        require_same(self.name, variables[self.name].shape, z.shape)
        return variables[self.name]


@dataclass(frozen=True)
class Subtract(_Operation, Shift):  # type: ignore[misc]
    """f(z) = z − x, x being a variable: a target, or a bias with its sign changed.

    Parameters
    ----------
    name : str
        Name of the variable, of the shape of z or with a dimension of 1 where it is repeated.
    repeated : bool
        Whether it is a column that is repeated for every sample, as a bias is. Its gradient is
        then −δ summed over the samples, and delta tables say so.

    Examples
    --------
    >>> Subtract("x")(np.ones((2, 3)), {"x": np.ones((2, 1))}).sum()
    np.float64(0.0)
    """

    repeated: bool = False

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute z − x."""
        columns = variables[self.name].shape[1]
        if self.repeated and columns != 1:
            raise ValueError(
                f"{self.name} has {columns} columns; what Subtract({self.name!r}, repeated=True) "
                "repeats for every sample is one column."
            )
        return z - self._operand(z, variables)

    def gradient(self, delta: np.ndarray, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute −δ, the gradient in what is subtracted."""
        return -unbroadcast(delta, variables[self.name].shape)

    @property
    def formula(self) -> Formula:  # type: ignore[override]
        """How it is written."""
        n = self.name.replace("{", "{{").replace("}", "}}")
        indexed = f"{{{{{n}}}}}_i" if "_" in n else f"{n}_i"
        latex = (f"z_i - {indexed}", "1", f"{{z}} - {n}")
        return Formula(f"z − {self.name}", "1", f"{{z}} − {n}", latex)


@dataclass(frozen=True)
class Multiply(_Operation):
    """f(z) = M ∘ z, M being a variable: a mask of ones and zeros, or weights.

    Parameters
    ----------
    name : str
        Name of the variable, of the shape of z or with a dimension of 1 where it is repeated.

    Examples
    --------
    >>> Multiply("M")(np.ones((2, 3)), {"M": np.array([[1.0], [0.0]])}).sum()
    np.float64(3.0)
    """

    def __call__(self, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute M ∘ z."""
        return z * self._operand(z, variables)

    def pull_back(
        self, delta: np.ndarray, z: np.ndarray, a: np.ndarray, variables: Variables
    ) -> np.ndarray:
        """Compute δ ∘ M."""
        return delta * variables[self.name]

    def gradient(self, delta: np.ndarray, z: np.ndarray, variables: Variables) -> np.ndarray:
        """Compute δ ∘ z, the gradient in what multiplies."""
        return unbroadcast(delta * z, variables[self.name].shape)

    @property
    def formula(self) -> Formula:  # type: ignore[override]
        """How it is written."""
        n = self.name.replace("{", "{{").replace("}", "}}")
        latex = (f"({n} \\circ z)_i", n, f"{n} \\circ {{z}}")
        return Formula(f"{self.name} ∘ z", n, f"{n} ∘ {{z}}", latex, wrap=True, slope_binding=3)
