"""Random networks with variables that fit them, for tests of what must hold for any network."""

from __future__ import annotations

import numpy as np

from sparsebp.network import (
    Absolute,
    Add,
    Identity,
    Layer,
    Linear,
    Log1pSquare,
    Multiply,
    Network,
    OneMinusGaussian,
    Parameter,
    Root,
    ScaledLogCosh,
    Sigmoid,
    Square,
    Subtract,
    Tanh,
)

#: Endings that `simplified` knows, and one that it must leave alone.
TAILS = (
    (Square(), Add(0.3), Root()),
    (Square(), Root()),
    (Square(),),
    (ScaledLogCosh(),),
    (Log1pSquare(),),
    (Sigmoid(), Add(0.2), Root()),
    (Tanh(),),
    (),
)

_ANYWHERE = (
    Linear(),
    Add(-0.4),
    Square(),
    Sigmoid(),
    Tanh(),
    ScaledLogCosh(),
    Log1pSquare(),
    Absolute(),
    OneMinusGaussian(),
)


class Builder:
    """Grows a network layer by layer, and the variables with it."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.n_columns = int(self.rng.integers(1, 4))
        self.n_rows = int(self.rng.integers(1, 5))
        self.variables = {"x": self.matrix(self.n_rows, self.n_columns)}
        self.layers: list[Layer] = []
        self.n_squares = 0

    def matrix(self, *shape):
        return self.rng.normal(size=shape) / np.sqrt(shape[1])

    def named(self, letter: str, shape: tuple[int, int]) -> str:
        """Name a variable of a shape: one already there, the input included, or a new one."""
        known = [name for name, value in self.variables.items() if value.shape == shape]
        if known and self.rng.random() < 0.6:
            return str(self.rng.choice(known))
        name = f"{letter}{len(self.variables)}"
        self.variables[name] = self.matrix(*shape)
        return name

    def activation(self):
        """Choose an activation, a subtraction as often as not, not too many squares."""
        if self.rng.random() < 0.4:
            rows, columns = self.n_rows, self.n_columns
            shapes = [(rows, columns), (rows, 1), (1, columns), (1, 1)]
            kind = Multiply if self.rng.random() < 0.3 else Subtract
            return kind(self.named("b", shapes[self.rng.integers(4)]))
        chosen = _ANYWHERE[self.rng.integers(len(_ANYWHERE))]
        self.n_squares += isinstance(chosen, Square)
        return Tanh() if isinstance(chosen, Square) and self.n_squares > 2 else chosen

    def weight(self):
        """Choose the identity, or a matrix that fits, perhaps transposed, perhaps known."""
        if self.rng.random() < 0.4:
            return Identity()
        n_out, n_in = int(self.rng.integers(1, 5)), self.n_rows
        fits = [n for n, v in self.variables.items() if n_in in v.shape and self.rng.random() < 0.5]
        name = fits[0] if fits else self.named("W", (n_out, n_in))
        shape = self.variables[name].shape
        transposed = shape[1] != n_in or (shape[0] == n_in and self.rng.random() < 0.5)
        self.n_rows = shape[1] if transposed else shape[0]
        return Parameter(name, transposed)

    def network(self) -> Network:
        for _ in range(self.rng.integers(1, 6)):
            activation = self.activation()
            self.layers.append(Layer(self.weight(), activation))
        tail = TAILS[self.rng.integers(len(TAILS))]
        if tail == (Square(),) and self.rng.random() < 0.7:
            name = self.named("t", (self.n_rows, self.n_columns))
            tail = (Subtract(name), Square())
        self.layers += [Layer(Identity(), activation) for activation in tail]
        return Network("x", [*self.layers, Layer(None, Linear())])


def random_network(seed: int) -> tuple[Network, dict[str, np.ndarray]]:
    """Return a network of random layers and random variables for it."""
    builder = Builder(seed)
    network = builder.network()
    return network, {name: builder.variables[name] for name in network.names}
