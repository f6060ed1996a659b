"""Objectives: weighted sums of networks in one or several free matrices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import Any, Protocol

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._checks import check_shape
from sparsebp._namespaces import (
    is_floating,
    is_foreign,
    like,
    namespace,
    sum_all,
    to_numpy,
    widened,
)
from sparsebp.network import Network, Tree, backpropagate, simplified
from sparsebp.samples import Samples


class Differentiable(Protocol):
    """The interface of objectives for minimizers and constraints."""

    def value_and_gradient(self, point: np.ndarray, /) -> tuple[Any, np.ndarray]:
        """Compute the value and the gradient at a point."""
        ...


@dataclass(frozen=True)
class Term:
    """One network of an objective, with its weight and its fixed matrices.

    Parameters
    ----------
    weight : float
        Factor of the network's value.
    network : Network
        In its literal layers; `fast` is the simplified form that runs.
    fixed : mapping of str to ndarray
        All the network's variables except the free ones. One of them may be `Samples`: the network
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
    """F = Σ wᵢ Fᵢ, a weighted sum of networks in one free matrix, or in several.

    Parameters
    ----------
    free : str, or mapping of str to (int, int)
        Name of the free matrix: points and gradients are matrices. Or the names and shapes of
        several: points and gradients are flat vectors that hold them one after the other, as
        SciPy's optimizers want them; `pack` and `unpack` translate.
    terms : sequence of Term
        At least one.

    Raises
    ------
    ValueError
        If a variable of a network is neither free nor fixed, a free one is in no network, or a
        shape is no pair of positive integers.

    Examples
    --------
    >>> from sparsebp.network import Layer, Square
    >>> decay = Objective("A", (Term(0.5, Network("A", [Layer(None, Square())])),))
    >>> decay.value_and_gradient(np.array([[2.0, 0.0]]))
    (2.0, array([[2., 0.]]))

    A straight line, y = w x − b, fitted by SciPy:

    >>> from scipy.optimize import minimize
    >>> from sparsebp.network import Identity, Linear, Parameter, Subtract
    >>> distance = Network("x", [
    ...     Layer(Parameter("w"), Linear()),
    ...     Layer(Identity(), Subtract("b")),
    ...     Layer(Identity(), Subtract("y")),
    ...     Layer(None, Square()),
    ... ])
    >>> data = {"x": np.array([[0.0, 1.0, 2.0]]), "y": np.array([[1.0, 3.0, 5.0]])}
    >>> line = Objective({"w": (1, 1), "b": (1, 1)}, [Term(1.0, distance, data)])
    >>> start = line.pack({"w": [[0.0]], "b": [[0.0]]})
    >>> found = line.unpack(minimize(line.value_and_gradient, start, jac=True).x)
    >>> float(found["w"].round(3)[0, 0]), float(found["b"].round(3)[0, 0])
    (2.0, -1.0)
    """

    free: str | Mapping[str, tuple[int, int]]
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "terms", tuple(self.terms))
        if not self.terms:
            raise ValueError("An objective needs at least one term; got none.")
        if not isinstance(self.free, str):
            shapes = {n: check_shape(f"free[{n!r}]", shape) for n, shape in self.free.items()}
            object.__setattr__(self, "free", shapes)
        unused = set(self._names)
        for term in self.terms:
            unused -= set(term.network.names)
            flat = [n for n, m in term.fixed.items() if len(getattr(m, "shape", ())) != 2]
            if flat:
                raise ValueError(
                    f"The fixed variable {flat[0]!r} of a term is not a two-dimensional array; "
                    "give samples in columns, and a bias as a column."
                )
            unknown = [n for n in term.network.names if n not in {*term.fixed, *self._names}]
            if unknown:
                raise ValueError(
                    f"The variable {unknown[0]!r} of a term is neither free nor fixed: add it to "
                    "free, with its shape, or to the term's fixed variables."
                )
        if unused:
            raise ValueError(f"No term has the free variable {min(unused)!r}; remove it.")

    @property
    def _names(self) -> tuple[str, ...]:
        return (self.free,) if isinstance(self.free, str) else tuple(self.free)

    def pack(self, matrices: Mapping[str, Any]) -> np.ndarray:
        """Return the point at which the free matrices have these values.

        Parameters
        ----------
        matrices : mapping of str to array-like
            Each free matrix by its name.

        Returns
        -------
        point : ndarray
            A flat vector of them all; where there is but one free matrix, that matrix.

        Raises
        ------
        ValueError
            If one is missing or of another shape.
        """
        if isinstance(self.free, str):
            return _as_array(matrices[self.free])
        missing = [name for name in self.free if name not in matrices]
        if missing:
            raise ValueError(f"The free matrix {missing[0]!r} is missing; give {self._described}.")
        arrays = {name: _as_array(matrices[name]) for name in self.free}
        for name, shape in self.free.items():
            if arrays[name].shape != shape:
                raise ValueError(
                    f"{name} has shape {arrays[name].shape}; the objective was made for {shape}."
                )
        xp = namespace(next(iter(arrays.values())))
        return xp.concat([xp.reshape(array, (-1,)) for array in arrays.values()])

    def unpack(self, point: np.ndarray) -> dict[str, np.ndarray]:
        """Return the free matrices at a point, by name.

        Parameters
        ----------
        point : ndarray
            As `pack` returns it.

        Returns
        -------
        matrices : dict of str to ndarray
            Views of the point.

        Raises
        ------
        ValueError
            If the vector has another length.
        """
        if isinstance(self.free, str):
            return {self.free: point}
        sizes = [rows * columns for rows, columns in self.free.values()]
        if point.shape != (sum(sizes),):
            raise ValueError(
                f"The point has shape {point.shape}; {self._described} make a vector of "
                f"{sum(sizes)} numbers."
            )
        xp, first, matrices = namespace(point), 0, {}
        for (name, shape), size in zip(self.free.items(), sizes, strict=True):
            matrices[name] = xp.reshape(point[first : first + size], shape)
            first += size
        return matrices

    @property
    def _described(self) -> str:
        shapes = {} if isinstance(self.free, str) else self.free
        return ", ".join(f"{name} {rows}×{columns}" for name, (rows, columns) in shapes.items())

    def value_and_gradient(self, point: np.ndarray) -> tuple[Any, np.ndarray]:
        """Compute F and ∇F at a point.

        Parameters
        ----------
        point : ndarray of shape (n_rows, n_columns), or (n_numbers,)
            The free matrix, or all of them packed; complex for a complex step.

        Returns
        -------
        value : float
            F, summed in float64.
        gradient : ndarray of the point's shape and precision
            ∇F.
        """
        point = _floating(point)
        free = self.unpack(point)
        value: Any = 0
        gradients: dict[str, np.ndarray] = {}
        for group in self._groups:
            added, parts = group.sum(free)
            value += added
            for name, part in parts.items():
                if name in gradients:
                    gradients[name] += part
                else:
                    gradients[name] = part
        return value, like(self.pack(gradients), point)

    def values_and_gradient(
        self, point: np.ndarray, known: Mapping[str, np.ndarray] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute each column's contribution to F, and ∇F, with one column per sample.

        Parameters
        ----------
        point : ndarray of shape (n_components, n_samples)
            Coefficients in columns, in every term the columns of the network's end.
        known : mapping of str to ndarray, optional
            Matrices in place of fixed ones, such as those of fewer samples.

        Returns
        -------
        values : ndarray of shape (n_samples,)
            They sum to F.
        gradient : ndarray of shape (n_components, n_samples)
            ∇F, whose columns are the gradients of their own values.
        """
        free = self.unpack(_floating(point))
        (name,) = free
        parts = [group.run({**group.fixed, **(known or {})}, free) for group in self._groups]
        values = reduce(add, (values for values, _ in parts))
        return values, reduce(add, (gradients[name] for _, gradients in parts))

    @cached_property
    def _groups(self) -> list[_Group]:
        return _grouped(self.terms)


def total(terms: Iterable[Term]) -> Any:
    """Compute Σ wᵢ Fᵢ, in float64, of terms with all variables of their networks."""
    return sum(group.sum({})[0] for group in _grouped(terms))


def _grouped(terms: Iterable[Term]) -> list[_Group]:
    groups: list[_Group] = []
    for term in terms:
        found = next((group for group in groups if group.takes(term)), None)
        if found is None:
            groups.append(_Group([term], dict(term.fixed)))
        else:
            found.terms.append(term)
            found.fixed.update(term.fixed)
    return groups


@dataclass(frozen=True)
class _Group:
    """Terms with the same matrices, so that common layers run once."""

    terms: list[Term]
    fixed: dict[str, Any]

    @property
    def input(self) -> str:
        return self.terms[0].network.input

    @cached_property
    def tree(self) -> Tree:
        return Tree.of([(term.weight, term.fast) for term in self.terms])

    def takes(self, term: Term) -> bool:
        """Whether a term has this input, and the same matrices by the same names."""
        same = (self.fixed[n] is m for n, m in term.fixed.items() if n in self.fixed)
        return term.network.input == self.input and all(same)

    def sum(self, free: Mapping[str, np.ndarray]) -> tuple[Any, dict[str, np.ndarray]]:
        """Return the value, summed over the columns, and the gradients in the free matrices."""
        name = next((n for n, m in self.fixed.items() if isinstance(m, Samples)), self.input)
        names, known = self._names(free), {**self.fixed, **free}
        x = known.pop(name)
        if isinstance(x, Samples):
            here = {n: x.place(m) for n, m in known.items()}
            value, *parts = x.sum(_OnBlock(self.tree, self.input, name, here, names))
        else:
            value, *parts = _OnBlock(self.tree, self.input, name, known, names)(x)
        return to_numpy(value).item(), dict(zip(names, parts, strict=True))

    def run(
        self, fixed: Mapping[str, Any], free: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the columns' values, and the gradients in the free matrices."""
        return backpropagate(self.tree, self.input, {**fixed, **free}, self._names(free))

    @cached_property
    def _met(self) -> frozenset[str]:
        return frozenset(name for term in self.terms for name in term.network.names)

    def _names(self, free: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(name for name in free if name in self._met)


@dataclass(frozen=True)
class _OnBlock:
    """Value and gradients for a block of samples; it holds no samples, so that it can be sent."""

    tree: Tree
    input: str
    samples: str
    known: Mapping[str, np.ndarray]
    names: tuple[str, ...]

    def __call__(self, block: np.ndarray) -> list[Any]:
        matrices = {**self.known, self.samples: block}
        values, gradients = backpropagate(self.tree, self.input, matrices, self.names)
        return [sum_all(values), *(gradients[name] for name in self.names)]


def _floating(point: np.ndarray) -> np.ndarray:
    """Return an integer point in float64, any other unchanged."""
    return point if is_floating(point) else widened(point)


def _as_array(matrix: Any) -> Any:
    return matrix if is_foreign(matrix) else np.asarray(matrix)
