"""A sparse autoencoder with tied weights: two networks that share W and a bias."""

import numpy as np
import oracles
import pytest
from oracles import complex_step, relative_error

from sparsebp.network import (
    Add,
    Identity,
    Layer,
    Linear,
    Network,
    Parameter,
    Root,
    Sigmoid,
    Square,
    Subtract,
    simplified,
    value_and_gradients,
)

WEIGHT, EPSILON = 0.3, 0.05
ENCODER = (
    Layer(Parameter("W"), Linear()),
    Layer(Identity(), Subtract("b")),
)
RECONSTRUCTION = Network(
    "x",
    [
        *ENCODER,
        Layer(Parameter("W").T, Sigmoid()),
        Layer(Identity(), Subtract("c")),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)
SPARSITY = Network(
    "x",
    [
        *ENCODER,
        Layer(Identity(), Sigmoid()),
        Layer(Identity(), Square()),
        Layer(Identity(), Add(EPSILON)),
        Layer(None, Root()),
    ],
)


def value_and_sums(variables, form):
    """The weighted sum of the two networks, and of their gradients where they have one."""
    terms = []
    for weight, network in ((1.0, form(RECONSTRUCTION)), (WEIGHT, form(SPARSITY))):
        wrt = [name for name in ("W", "b", "c") if name in network.names]
        value, gradients = value_and_gradients(network, variables, wrt)
        terms.append((weight * value, {n: weight * g for n, g in gradients.items()}))
    (first, gradients), (second, others) = terms
    return first + second, {n: g + others.get(n, 0) for n, g in gradients.items()}


def variables(n, k, m, seed=0):
    rng = np.random.default_rng(seed)
    shapes = {"W": (k, n), "b": (k, 1), "c": (n, 1), "x": (n, m)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize("form", [lambda network: network, simplified], ids=["literal", "fast"])
@pytest.mark.parametrize(("n", "k", "m"), [(4, 3, 5), (3, 3, 2), (3, 6, 1)])
def test_value_and_gradients(form, n, k, m):
    given = variables(n, k, m)
    value, gradients = value_and_sums(given, form)
    arguments = given["W"], given["b"], given["c"], given["x"], WEIGHT, EPSILON
    assert value == pytest.approx(oracles.autoencoder(*arguments), rel=1e-13)
    expected = oracles.autoencoder_gradients(*arguments)
    for name, gradient in gradients.items():

        def at(point, name=name):
            return value_and_sums({**given, name: point}, form)[0]

        assert gradient.shape == given[name].shape
        assert relative_error(gradient, complex_step(at, given[name])) < 1e-12
        assert relative_error(gradient, expected[name]) < 1e-12
