"""What a penalty is: a few layers, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from numbers import Real

import numpy as np

from sparsebp.network import Layer, Network, Parameter, backpropagate, simplified


class Penalty:
    """A sparsity penalty S(s): a chain of layers applied to coefficients, summed.

    A subclass is a frozen dataclass that gives `layers`; one with matrices of its own gives
    `variables` too, one with a closed proximal step gives `proximal`.
    """

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in the tutorial's literal form."""
        raise NotImplementedError

    @property
    def variables(self) -> Mapping[str, np.ndarray]:
        """The penalty's own matrices by name."""
        return {}

    @cached_property
    def _fast(self) -> Network:
        return simplified(self.network())

    def network(self, *, behind: tuple[Layer, ...] = (), input: str = "s") -> Network:
        """Return the penalty as a network, behind other layers where the coefficients are made.

        Parameters
        ----------
        behind : tuple of Layer
            Layers that compute the coefficients, such as (W, z) in ICA; none in sparse coding.
        input : str
            Name of the network's input.

        Returns
        -------
        network : Network
            S of the coefficients.
        """
        return Network(input, (*behind, *self.layers))

    def values_and_gradient(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute S of each column, and its gradient.

        Parameters
        ----------
        codes : ndarray of shape (n_components, n_samples)
            Coefficients in columns.

        Returns
        -------
        values : ndarray of shape (n_samples,)
            S of each column.
        gradient : ndarray of shape (n_components, n_samples)
            ∂S/∂s.
        """
        own = {name: cast_like(matrix, codes) for name, matrix in self.variables.items()}
        values, gradients = backpropagate(self._fast, {**own, "s": codes}, ("s",))
        return values, gradients["s"]

    def check_components(self, n_components: int) -> None:
        """Refuse a number of components that the penalty cannot take.

        Parameters
        ----------
        n_components : int
            Number of coefficients of a sample.

        Raises
        ------
        ValueError
            If the penalty has a grid or groups for another number.
        """


def cast_like(matrix: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return a matrix in the precision of another array, complex arrays keeping it as it is."""
    return matrix.astype(like.dtype, copy=False) if like.dtype.kind == "f" else matrix


def require_positive(name: str, value: float) -> None:
    """Refuse a parameter that is not a positive finite number."""
    if not (isinstance(value, Real) and np.isfinite(value) and value > 0):
        raise ValueError(f"{name} is {value!r}; it must be a positive number.")


GROUPING = Parameter("V")
