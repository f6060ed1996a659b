"""Backpropagation: the value of a network, and its gradient in any of its variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sparsebp.network.activations import Activation
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
    values, gradients = backpropagate(network, checked_variables(network, variables), _names(wrt))
    total = values.sum(dtype=np.result_type(values.dtype, np.float64))
    return total.item(), gradients


def backpropagate(
    network: Network, variables: Variables, wrt: tuple[str, ...]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Compute each column's share of F, and the gradients of F; the variables are trusted.

    Parameters
    ----------
    network : Network
        The function.
    variables : mapping of str to array
        Floating-point matrices as `checked_variables` returns them.
    wrt : tuple of str
        Names of the variables whose gradients are wanted.

    Returns
    -------
    values : ndarray of shape (n_columns,)
        The columns' values, which sum to F.
    gradients : dict of str to ndarray
        The gradient of F in each variable of ``wrt``.

    Raises
    ------
    ValueError
        If a name of ``wrt`` does not occur in the network.
    """
    unknown = [name for name in wrt if name not in network.names]
    if unknown:
        raise ValueError(
            f"The network has no variable {unknown[0]!r}; it has {', '.join(network.names)}."
        )
    z = variables[network.input]
    tape: list[tuple[Any, np.ndarray, np.ndarray]] = []
    for step in network.steps():
        a = step(z, variables)
        tape.append((step, z, a))
        z = a
    values, delta = network.cost(z, variables)
    return values, _backward(network, tape, delta, variables, wrt)


def _backward(
    network: Network,
    tape: list[tuple[Any, np.ndarray, np.ndarray]],
    delta: np.ndarray,
    variables: Variables,
    wrt: tuple[str, ...],
) -> dict[str, np.ndarray]:
    gradients: dict[str, np.ndarray] = {}

    def add(name: str, part: np.ndarray) -> None:
        gradients[name] = gradients[name] + part if name in gradients else part

    for name in set(network.cost.names) & set(wrt):
        add(name, network.cost.gradient(delta, tape[-1][2], variables))  # type: ignore[attr-defined]
    first = _first_needed(network, tape, wrt)
    for index in range(len(tape) - 1, first - 1, -1):
        step, z, a = tape[index]
        for name in set(step.names) & set(wrt):
            add(name, step.gradient(delta, z, variables))
        if index > first or network.input in wrt:
            delta = step.pull_back(delta, z, a, variables)
    if network.input in wrt:
        add(network.input, delta)
    return gradients


def _first_needed(network: Network, tape: list, wrt: tuple[str, ...]) -> int:
    """Index of the first step through which a wanted gradient passes."""
    if network.input in wrt:
        return 0
    needed = (i for i, (step, _, _) in enumerate(tape) if set(step.names) & set(wrt))
    return next(needed, len(tape))


def checked_variables(network: Network, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Return the network's variables as floating-point matrices, or say what is wrong with them."""
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
    is_sparse = hasattr(value, "tocsr")
    if is_sparse and dense:
        raise TypeError(
            f"The variable {name!r} is sparse, but only a weight may be; pass its toarray()."
        )
    array = value if is_sparse else np.asarray(value)
    if array.dtype.kind not in "fcbiu":
        raise TypeError(f"The variable {name!r} has dtype {array.dtype}; it must be numeric.")
    if array.ndim != 2:
        raise ValueError(
            f"The variable {name!r} has shape {array.shape}; it must be two-dimensional, with "
            "samples in columns. Write x[:, None] for a single sample."
        )
    return array if array.dtype.kind in "fc" else array.astype(np.float64)


def _names(wrt: str | Iterable[str]) -> tuple[str, ...]:
    return (wrt,) if isinstance(wrt, str) else tuple(wrt)
