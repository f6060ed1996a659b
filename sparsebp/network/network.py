"""A matrix function as data: an input, layers of (weight, activation), and a sum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sparsebp._cached import cached_property
from sparsebp.network.activations import Activation
from sparsebp.network.costs import Cost, Sum
from sparsebp.network.weights import Identity, Parameter


@dataclass(frozen=True)
class Layer:
    """One row of the tutorial's table: a⁽ˡ⁾ = f(z⁽ˡ⁾) and z⁽ˡ⁺¹⁾ = W⁽ˡ⁾ a⁽ˡ⁾.

    Parameters
    ----------
    weight : Parameter, Identity or None
        W⁽ˡ⁾, between this layer and the next; None (the table's N/A) in the last layer.
    activation : Activation
        f, applied to this layer's input, before the weight.

    Raises
    ------
    TypeError
        If the weight or the activation is of another kind.
    """

    weight: Parameter | Identity | None
    activation: Activation

    def __post_init__(self) -> None:
        if not isinstance(self.weight, Parameter | Identity | None):
            raise TypeError(
                f"The weight of a layer is {self.weight!r}; it must be Parameter(name), Identity() "
                "or, in the last layer, None. Write Layer(weight, activation)."
            )
        if not isinstance(self.activation, Activation):
            raise TypeError(
                f"The activation of a layer is {self.activation!r}; it must be an Activation such "
                "as Linear() or Square(). Write Layer(weight, activation)."
            )

    @property
    def is_unweighted(self) -> bool:
        """Whether the activations pass on unchanged."""
        return not isinstance(self.weight, Parameter)


@dataclass(frozen=True)
class Network:
    """A function F of matrices, written as a layered network.

    F is the sum of the last layer's activations, columns being samples. A network is immutable
    and holds names, no arrays; `value_and_gradients` runs it on given arrays.

    Parameters
    ----------
    input : str
        Name of z⁽¹⁾, an array of shape (n_inputs, n_samples).
    layers : sequence of Layer
        At least one; all but the last have a weight.
    cost : Cost
        The sum at the end. `simplified` absorbs activations into it; leave it alone otherwise.

    Raises
    ------
    TypeError
        If a layer is not a `Layer`.
    ValueError
        If there is no layer, or an inner layer has no weight.

    Examples
    --------
    The tutorial's first example, ‖As − x‖²:

    >>> from sparsebp.network import Identity, Linear, Square, Subtract
    >>> distance = Network("s", [
    ...     Layer(Parameter("A"), Linear()),
    ...     Layer(Identity(), Subtract("x")),
    ...     Layer(None, Square()),
    ... ])
    >>> distance.names
    ('s', 'A', 'x')
    """

    input: str
    layers: Sequence[Layer]
    cost: Cost = field(default_factory=Sum)

    def __post_init__(self) -> None:
        layers = (self.layers,) if isinstance(self.layers, Layer) else tuple(self.layers)
        object.__setattr__(self, "layers", layers)
        if not self.layers:
            raise ValueError("A network needs at least one layer; got none.")
        for number, layer in enumerate(self.layers, start=1):
            _check_layer(number, layer, last=number == len(self.layers))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all variables, in the order of their first use."""
        used = [self.input, *(name for step in self.steps() for name in step.names)]
        return tuple(dict.fromkeys([*used, *self.cost.names]))

    def steps(self) -> Iterator[Activation | Parameter]:
        """Yield the activations and the weights in the order in which they act."""
        for layer in self.layers:
            yield from layer.activation.steps
            if isinstance(layer.weight, Parameter):
                yield layer.weight


def _check_layer(number: int, layer: Layer, *, last: bool) -> None:
    if not isinstance(layer, Layer):
        raise TypeError(f"Layer {number} is {layer!r}; write Layer(weight, activation).")
    if layer.weight is None and not last:
        raise ValueError(f"Layer {number} has no weight; only the last layer may have None.")
    if last and isinstance(layer.weight, Parameter):
        raise ValueError(
            f"The last layer has the weight {layer.weight.symbol} but no layer follows; add "
            "Layer(None, Linear())."
        )
