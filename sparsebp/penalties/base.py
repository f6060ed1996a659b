"""The base class of penalties: a few layers, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from sparsebp import _namespaces
from sparsebp._cached import cached_property
from sparsebp._namespaces import constant, namespace
from sparsebp.network import Layer, Network, Tree, backpropagate, simplified


class Penalty:
    """A sparsity penalty S(s): a chain of layers applied to coefficients, summed.

    A subclass is a frozen dataclass that defines `layers`, and `variables` if it has its own
    matrices. The rest follows: gradients, encoding, delta tables. A non-smooth penalty declares
    ``is_smooth = False`` and defines `proximal`.

    Attributes
    ----------
    is_smooth : bool
        Whether S is differentiable everywhere: such penalties are minimized by L-BFGS, the others
        by their proximal map.
    """

    is_smooth: ClassVar[bool] = True

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, in the tutorial's literal form."""
        raise NotImplementedError

    @property
    def variables(self) -> Mapping[str, Any]:
        """The penalty's own matrices by name: arrays, or linear operators like them."""
        return {}

    @property
    def is_elementwise(self) -> bool:
        """Whether S is a sum over single coefficients: no matrix couples them."""
        return not self.variables

    @property
    def unsigned(self) -> Penalty:
        """The penalty itself; of `Signed` the one whose sign is changed."""
        return self

    @cached_property
    def _tree(self) -> Tree:
        return Tree.of([(1.0, simplified(self.network()))])

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for copies and comparisons, without cached properties."""
        kind = type(self)
        cached = {n for n in vars(self) if isinstance(getattr(kind, n, None), cached_property)}
        return {n: v for n, v in vars(self).items() if n not in cached}

    def network(self, *, behind: tuple[Layer, ...] = (), input: str = "s") -> Network:
        """Return the penalty as a network, after layers that compute the coefficients, if any.

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
        variables = {**self.variables_like(codes), "s": codes}
        values, gradients = backpropagate(self._tree, "s", variables, ("s",))
        return values, gradients["s"]

    def curvature(self, codes: np.ndarray) -> np.ndarray:
        """Compute ∂S/∂s / s: the curvature of the parabola that touches S at ±s and lies above it.

        Parameters
        ----------
        codes : ndarray of shape (n_components, n_samples)
            Coefficients in columns.

        Returns
        -------
        curvature : ndarray of shape (n_components, n_samples)
            At least 0; where s is 0, the limit.
        """
        xp = namespace(codes)
        eps = constant(float(xp.finfo(codes.dtype).eps), codes)
        nowhere_zero = xp.where(codes == 0, eps, codes)
        return xp.clip(self.values_and_gradient(nowhere_zero)[1] / nowhere_zero, 0, None)

    def proximal(self, codes: np.ndarray, step: np.ndarray | float) -> np.ndarray:
        """Compute argmin over u of ½‖u − s‖² + step S(u); defined by non-smooth penalties.

        Parameters
        ----------
        codes : ndarray of shape (n_components, n_samples)
            s, in columns.
        step : float or ndarray that broadcasts
            At least 0.

        Returns
        -------
        codes : ndarray of shape (n_components, n_samples)
            The minimum for each column.
        """
        raise NotImplementedError

    def variables_like(self, like: Any) -> dict[str, Any]:
        """Return the penalty's own matrices in the library and precision of another array.

        Parameters
        ----------
        like : ndarray or anything else with a dtype
            Samples or coefficients; for complex ones the matrices are not converted.

        Returns
        -------
        variables : dict of str to matrix
            By name.
        """
        return {name: _namespaces.like(matrix, like) for name, matrix in self.variables.items()}

    def check_components(self, n_components: int) -> None:
        """Raise an error for a number of components that does not fit the penalty.

        Parameters
        ----------
        n_components : int
            Number of coefficients of a sample.

        Raises
        ------
        ValueError
            If the penalty has a grid or groups for another number.
        """
