"""Rewriting a network into one that computes the same in fewer passes over the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sparsebp.network import costs
from sparsebp.network.activations import (
    Activation,
    Add,
    Chain,
    Linear,
    Log1pSquare,
    Root,
    ScaledLogCosh,
    Square,
)
from sparsebp.network.network import Layer, Network
from sparsebp.network.operations import Subtract

# Longest first: the first that matches is taken.
_TAILS: tuple[tuple[tuple[type[Activation], ...], Callable[..., costs.Cost]], ...] = (
    ((Square, Add, Root), lambda _, add, __: costs.SumOfSmoothAbsolutes(add.constant)),
    ((Add, Root), lambda add, _: costs.SumOfRoots(add.constant)),
    ((Subtract, Square), lambda subtract, _: costs.SquaredDistance(subtract.name)),
    ((Square,), lambda _: costs.SumOfSquares()),
    ((ScaledLogCosh,), lambda log_cosh: costs.SumOfLogCosh(log_cosh.sharpness)),
    ((Log1pSquare,), lambda _: costs.SumOfLog1pSquares()),
)


@lru_cache(maxsize=256)
def simplified(network: Network) -> Network:
    """Rewrite a network without changing its value or any of its gradients.

    Three rules: layers joined by the identity become one; linear activations are dropped; a
    known tail of activations is absorbed into the cost.

    Parameters
    ----------
    network : Network
        Any network.

    Returns
    -------
    network : Network
        The same function, in the layers in which it is fastest.

    Examples
    --------
    >>> from sparsebp.network import Identity, Parameter
    >>> distance = Network("s", [
    ...     Layer(Parameter("A"), Linear()),
    ...     Layer(Identity(), Subtract("x")),
    ...     Layer(None, Square()),
    ... ])
    >>> len(simplified(distance).layers), simplified(distance).cost
    (2, SquaredDistance(name='x'))
    """
    return _tail_absorbed(_joined(network))


def _joined(network: Network) -> Network:
    joined: list[Layer] = []
    pending: tuple[Activation, ...] = ()
    for layer in network.layers:
        pending += layer.activation.steps
        if not layer.is_unweighted:
            joined.append(Layer(layer.weight, _chain(pending)))
            pending = ()
    return replace(network, layers=(*joined, Layer(None, _chain(pending))))


def _tail_absorbed(network: Network) -> Network:
    if not isinstance(network.cost, costs.Sum):
        return network
    steps = network.layers[-1].activation.steps
    for kinds, cost in _TAILS:
        tail = steps[-len(kinds) :]
        if tuple(type(step) for step in tail) == kinds:
            last = Layer(None, _chain(steps[: -len(kinds)]))
            return replace(network, layers=(*network.layers[:-1], last), cost=cost(*tail))
    return network


def _chain(steps: tuple[Any, ...]) -> Activation:
    kept = tuple(step for step in steps if not isinstance(step, Linear))
    if not kept:
        return Linear()
    return kept[0] if len(kept) == 1 else Chain(kept)
