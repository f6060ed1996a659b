"""A weighted sum of networks in one free matrix: what the solvers minimise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from sparsebp.blocks import Samples
from sparsebp.network import Network, Tree, backpropagate, simplified


class Differentiable(Protocol):
    """All that solvers and reparametrisations ask of an objective."""

    def value_and_gradient(self, point: np.ndarray, /) -> tuple[Any, np.ndarray]:
        """Compute the value and the gradient at a point."""
        ...


@dataclass(frozen=True)
class Term:
    """One network of an objective, with its weight and the matrices it holds fixed.

    Parameters
    ----------
    weight : float
        Factor of the network's value.
    network : Network
        In its literal layers; `fast` is the simplified form that runs.
    fixed : mapping of str to ndarray
        All the network's variables except the free one. One of them may be `Samples`: the network
        is then run on a block of them at a time, and summed.
    """

    weight: float
    network: Network
    fixed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    fast: Network = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weight", float(self.weight))
        object.__setattr__(self, "fast", simplified(self.network))


@dataclass(frozen=True)
class Objective:
    """F(P) = Σ wᵢ Fᵢ(P), a weighted sum of networks in one free matrix P.

    Parameters
    ----------
    free : str
        Name of the free matrix in the networks.
    terms : tuple of Term
        At least one.

    Examples
    --------
    >>> from sparsebp.network import Layer, Square
    >>> decay = Objective("A", (Term(0.5, Network("A", [Layer(None, Square())])),))
    >>> decay.value_and_gradient(np.array([[2.0, 0.0]]))
    (2.0, array([[2., 0.]]))
    """

    free: str
    terms: tuple[Term, ...]

    def value_and_gradient(self, point: np.ndarray) -> tuple[Any, np.ndarray]:
        """Compute F and ∇F at a point.

        Parameters
        ----------
        point : ndarray of shape (n_rows, n_columns)
            The free matrix; complex for a complex step.

        Returns
        -------
        value : float
            F, summed in float64.
        gradient : ndarray of the point's shape and precision
            ∇F.
        """
        point = _floating(point)
        sums = [self._sum(group, point) for group in self._groups]
        gradient = sums[0][1]
        for _, part in sums[1:]:
            gradient = np.add(gradient, part, out=gradient)
        return sum(value for value, _ in sums), gradient

    def values_and_gradient(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute each column's share of F, and ∇F, where the free matrix holds samples.

        Parameters
        ----------
        point : ndarray of shape (n_components, n_samples)
            Coefficients in columns, in every term the columns of the network's end.

        Returns
        -------
        values : ndarray of shape (n_samples,)
            They sum to F.
        gradient : ndarray of shape (n_components, n_samples)
            ∇F, whose columns are the gradients of their own values.
        """
        point = _floating(point)
        parts = [self._run(group, group.fixed, point) for group in self._groups]
        return sum(values for values, _ in parts), sum(gradient for _, gradient in parts)  # type: ignore[return-value]

    @cached_property
    def _groups(self) -> list[_Group]:
        groups: list[_Group] = []
        for term in self.terms:
            found = next((group for group in groups if group.takes(term)), None)
            if found is None:
                groups.append(_Group([term], dict(term.fixed)))
            else:
                found.terms.append(term)
                found.fixed.update(term.fixed)
        return groups

    def _sum(self, group: _Group, point: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return the value of a group, summed over its columns, and its gradient."""

        def run(fixed: Mapping[str, Any]) -> tuple[Any, np.ndarray]:
            values, gradient = self._run(group, fixed, point)
            return values.sum(dtype=np.result_type(values, np.float64)), gradient

        samples = next((n for n, m in group.fixed.items() if isinstance(m, Samples)), None)
        if samples is None:
            value, gradient = run(group.fixed)
        else:
            value, gradient = group.fixed[samples].sum(lambda x: run({**group.fixed, samples: x}))
        return value.item(), gradient.astype(point.dtype, copy=False)

    def _run(
        self, group: _Group, fixed: Mapping[str, Any], point: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        variables = {**fixed, self.free: point}
        values, gradients = backpropagate(group.tree, group.input, variables, (self.free,))
        return values, gradients[self.free]


@dataclass(frozen=True)
class _Group:
    """Terms that see the same matrices, so that what their networks have in common runs once."""

    terms: list[Term]
    fixed: dict[str, Any]

    @property
    def input(self) -> str:
        return self.terms[0].network.input

    @cached_property
    def tree(self) -> Tree:
        return Tree.of([(term.weight, term.fast) for term in self.terms])

    def takes(self, term: Term) -> bool:
        """Whether a term has this input, and means the same matrices by the same names."""
        same = (self.fixed[n] is m for n, m in term.fixed.items() if n in self.fixed)
        return term.network.input == self.input and all(same)


def _floating(point: np.ndarray) -> np.ndarray:
    """Return a point of whole numbers in float64, any other as it is."""
    return point if point.dtype.kind in "fc" else point.astype(np.float64)
