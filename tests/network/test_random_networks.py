import numpy as np
import pytest
from network.random_networks import random_network
from oracles import complex_step
from thinning import first_fast

from sparsebp.network import (
    Identity,
    Parameter,
    Root,
    Square,
    Subtract,
    simplified,
    value_and_gradients,
)
from sparsebp.network.costs import Sum

SEEDS = range(200)


def norm_over(gradients):
    """Length of all gradients together; at least 1e-2, as 1 − tanh² rounds where tanh saturates.

    The slopes of the layers before it multiply that rounding.
    """
    return max(np.sqrt(sum(np.linalg.norm(g) ** 2 for g in gradients.values())), 1e-2)


@pytest.mark.parametrize("seeds", first_fast([SEEDS[:80], SEEDS[80:]]))
def test_every_gradient_is_the_complex_step(seeds):
    for seed in seeds:
        network, variables = random_network(seed)
        _, gradients = value_and_gradients(network, variables, network.names)
        scale = norm_over(gradients)
        for name in network.names:

            def value(point, name=name, network=network, variables=variables):
                return value_and_gradients(network, {**variables, name: point}, ())[0]

            exact = complex_step(value, variables[name])
            assert gradients[name].shape == exact.shape
            assert np.linalg.norm(gradients[name] - exact) <= 1e-12 * scale, (seed, name)


def test_simplified_has_the_same_value_and_gradients():
    for seed in SEEDS:
        network, variables = random_network(seed)
        value, gradients = value_and_gradients(network, variables, network.names)
        fast = simplified(network)
        fast_value, fast_gradients = value_and_gradients(fast, variables, network.names)
        assert set(fast.names) == set(network.names)
        assert fast_value == pytest.approx(value, rel=1e-12, abs=1e-12)
        for name, gradient in gradients.items():
            difference = np.linalg.norm(fast_gradients[name] - gradient)
            assert difference <= 1e-12 * norm_over(gradients), (seed, name)


def test_simplified_twice_is_simplified_once():
    for seed in SEEDS:
        fast = simplified(random_network(seed)[0])
        assert simplified(fast) == fast


def test_simplified_leaves_no_identity_and_no_linear_step_between_others():
    for seed in SEEDS:
        fast = simplified(random_network(seed)[0])
        assert not any(isinstance(layer.weight, Identity) for layer in fast.layers)
        assert len(fast.layers) == 1 + sum(isinstance(s, Parameter) for s in fast.steps())


def test_asking_for_one_gradient_gives_what_asking_for_all_gives():
    for seed in SEEDS:
        network, variables = random_network(seed)
        _, gradients = value_and_gradients(simplified(network), variables, network.names)
        for name in network.names:
            _, alone = value_and_gradients(simplified(network), variables, name)
            assert list(alone) == [name]
            np.testing.assert_array_equal(alone[name], gradients[name])


def test_float32_stays_float32_and_inputs_stay_untouched():
    for seed in SEEDS:
        network, variables = random_network(seed)
        single = {name: value.astype(np.float32) for name, value in variables.items()}
        before = {name: value.copy() for name, value in single.items()}
        value, gradients = value_and_gradients(network, variables, network.names)
        single_value, single_gradients = value_and_gradients(network, single, network.names)
        assert single_value == pytest.approx(value, rel=1e-3, abs=1e-4)
        for name, gradient in single_gradients.items():
            assert gradient.dtype == np.float32
            difference = np.linalg.norm(gradient - gradients[name])
            assert difference <= 1e-4 * norm_over(gradients) + 1e-5, (seed, name)
            np.testing.assert_array_equal(single[name], before[name])


def test_the_generator_reaches_what_it_is_there_for():
    networks = [random_network(seed)[0] for seed in SEEDS]
    steps = [list(network.steps()) for network in networks]
    parameters = [[s for s in some if isinstance(s, Parameter)] for some in steps]
    assert sum(any(p.transposed for p in some) for some in parameters) > 20
    assert sum(len({p.name for p in some}) < len(some) for some in parameters) > 20
    assert sum(any(p.name == "x" for p in some) for some in parameters) > 5
    assert sum(any(s == Subtract("x") for s in some) for some in steps) > 5
    assert sum(Root() in some for some in steps) > 20
    assert sum(Square() in some for some in steps) > 20
    costs = {type(simplified(network).cost) for network in networks}
    assert len(costs - {Sum}) == 6
