"""Backpropagation: the value of a network, and its gradient in any of its variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

from sparsebp._namespaces import (
    is_floating,
    is_foreign,
    namespace,
    sum_all,
    to_numpy,
    widened,
)
from sparsebp.network.activations import Activation
from sparsebp.network.costs import Cost
from sparsebp.network.network import Network
from sparsebp.network.weights import Variables


def value_and_gradients(
    network: Network, variables: Mapping[str, Any], wrt: str | Iterable[str]
) -> tuple[float, dict[str, np.ndarray]]:
    """Compute F and its gradients in the named variables, forward once and backward once.

    δ⁽ˡ⁾ = (W⁽ˡ⁾ᵀ δ⁽ˡ⁺¹⁾) ∘ f'(z⁽ˡ⁾) down to layer 1; ∇W⁽ˡ⁾ = δ⁽ˡ⁺¹⁾ a⁽ˡ⁾ᵀ; the gradient in the
    input is δ⁽¹⁾. A variable that occurs several times (transposed, or as input and as target)
    gets the sum over its occurrences. The backward sweep ends at the first layer that is needed.

    Parameters
    ----------
    network : Network
        The function.
    variables : mapping of str to array
        The matrices by name, all two-dimensional, columns of the input being samples. Weights
        may be SciPy sparse arrays. Real, or complex for a complex step.
    wrt : str or iterable of str
        The names of the variables whose gradients are wanted.

    Returns
    -------
    value : float
        F (complex if a variable is).
    gradients : dict of str to ndarray
        The gradient in each variable of ``wrt``, of that variable's shape.

    Raises
    ------
    ValueError
        If a variable is missing, not two-dimensional or of a shape that does not fit, or if the
        network does not contain a name of ``wrt``.
    TypeError
        If a variable is not numeric, or sparse without being a weight only.

    Notes
    -----
    *Deriving gradients using the backpropagation idea*, steps 1–3, with the recursion carried
    down to layer 1 as its examples need.

    Examples
    --------
    >>> from sparsebp.network import Layer, Square
    >>> squares = Network("s", [Layer(None, Square())])
    >>> value, gradients = value_and_gradients(squares, {"s": np.array([[1.0, -3.0]])}, "s")
    >>> value, gradients["s"]
    (10.0, array([[ 2., -6.]]))
    """
    tree, wrt = Tree.of([(1.0, network)]), _names(wrt)
    unknown = [name for name in wrt if name not in network.names]
    if unknown:
        raise ValueError(
            f"The network has no variable {unknown[0]!r}; it has {', '.join(network.names)}."
        )
    variables = checked_variables(network, variables)
    values, gradients = backpropagate(tree, network.input, variables, wrt)
    return to_numpy(sum_all(values)).item(), gradients


class Tree(NamedTuple):
    """Networks with common leading layers, combined into one tree.

    Forward, common layers run once; backward, the branches' δ are added before they pass on.
    """

    ends: tuple[tuple[float, Cost], ...]
    forks: tuple[tuple[Any, Tree], ...]

    @classmethod
    def of(cls, terms: Iterable[tuple[float, Network]]) -> Tree:
        """Return F = Σ wᵢ Fᵢ as a tree.

        Parameters
        ----------
        terms : iterable of (float, Network)
            Weights wᵢ, and networks with the same input.

        Returns
        -------
        tree : Tree
            Of their steps.
        """
        return cls._behind([(weight, tuple(net.steps()), net.cost) for weight, net in terms])

    @classmethod
    def _behind(cls, branches: list[tuple[float, tuple[Any, ...], Cost]]) -> Tree:
        ends = tuple((weight, cost) for weight, steps, cost in branches if not steps)
        going_on = [branch for branch in branches if branch[1]]
        forks = []
        while going_on:
            step = going_on[0][1][0]
            alike = [
                (weight, steps[1:], cost) for weight, steps, cost in going_on if steps[0] == step
            ]
            forks.append((step, cls._behind(alike)))
            going_on = [branch for branch in going_on if branch[1][0] != step]
        return cls(ends, tuple(forks))


def backpropagate(
    tree: Tree, source: str, variables: Variables, wrt: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Compute each column's contribution to F, and the gradients of F, for checked variables.

    Parameters
    ----------
    tree : Tree
        The function.
    source : str
        Name of its input.
    variables : mapping of str to array
        Floating-point matrices as `checked_variables` returns them.
    wrt : tuple of str
        Names of the variables whose gradients are wanted; each occurs in the networks.

    Returns
    -------
    values : ndarray of shape (n_columns,)
        The columns' values, which sum to F; where networks end in different numbers of columns,
        those of all.
    gradients : dict of str to ndarray
        The gradient of F in each variable of ``wrt``.
    """
    gradients: dict[str, np.ndarray] = {}
    values, delta = _sweep(tree, variables[source], source in wrt, variables, wrt, gradients)
    if source in wrt:
        _add(gradients, source, delta)
    return values, gradients


def _sweep(
    tree: Tree,
    z: np.ndarray,
    needed: bool,
    variables: Variables,
    wrt: tuple[str, ...],
    gradients: dict[str, np.ndarray],
) -> tuple[np.ndarray, Any]:
    """Go forward from z and come back; δ at z is None unless it is needed there.

    A function within `backpropagate` would refer to itself, and keep the arrays until Python looks
    for cycles.
    """
    values: Any = None
    delta: Any = None
    for weight, cost in tree.ends:
        more, other = cost(z, variables, weight)
        for name in cost.names:
            if name in wrt:
                _add(gradients, name, cost.gradient(other, z, variables))  # type: ignore[attr-defined]
        values, delta = _both(values, more), _joined(delta, other)
    for step, behind in tree.forks:
        a = step(z, variables)
        wanted = [name for name in step.names if name in wrt]
        going_on = needed or bool(wanted)
        more, other = _sweep(behind, a, going_on, variables, wrt, gradients)
        for name in wanted:
            _add(gradients, name, step.gradient(other, z, variables))
        values = _both(values, more)
        if needed:
            delta = _joined(delta, step.pull_back(other, z, a, variables))
    return values, delta


def _add(gradients: dict[str, np.ndarray], name: str, part: np.ndarray) -> None:
    gradients[name] = gradients[name] + part if name in gradients else part


def _joined(total: np.ndarray | None, part: np.ndarray) -> np.ndarray:
    """Add to a total in place; costs and backward steps return new arrays."""
    if total is None:
        return part
    if total.dtype != part.dtype:
        return total + part
    total += part
    return total


def _both(values: np.ndarray | None, more: np.ndarray) -> np.ndarray:
    """Add the columns' values; if a convolution changed the number of columns, keep both."""
    if values is None or values.shape == more.shape:
        return _joined(values, more)
    return namespace(values).concat([values, more])


def checked_variables(network: Network, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the network's variables as floating-point matrices, or raise an error."""
    missing = [name for name in network.names if name not in variables]
    if missing:
        raise ValueError(
            f"The variable {missing[0]!r} is missing: the network needs "
            f"{', '.join(network.names)} and got {', '.join(variables) or 'none'}."
        )
    dense = {network.input, *network.cost.names}
    dense.update(n for step in network.steps() if isinstance(step, Activation) for n in step.names)
    return {name: _as_matrix(name, variables[name], name in dense) for name in network.names}


def _as_matrix(name: str, value: Any, dense: bool) -> Any:
    is_sparse = hasattr(value, "toarray")  # or another implicit matrix
    if is_sparse and dense:
        raise TypeError(
            f"The variable {name!r} is sparse, but only a weight may be; pass its toarray()."
        )
    array = value if is_sparse or is_foreign(value) else np.asarray(value)
    if not (is_foreign(array) or array.dtype.kind in "fcbiu"):
        raise TypeError(f"The variable {name!r} has dtype {array.dtype}; it must be numeric.")
    if array.ndim != 2:
        raise ValueError(
            f"The variable {name!r} has shape {array.shape}; it must be two-dimensional, with "
            "samples in columns. Write x[:, None] for a single sample."
        )
    return array if is_floating(array) else widened(array)


def _names(wrt: str | Iterable[str]) -> tuple[str, ...]:
    return (wrt,) if isinstance(wrt, str) else tuple(wrt)
