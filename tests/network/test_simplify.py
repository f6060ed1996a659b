import pytest

from sparsebp.network import (
    Absolute,
    Add,
    Chain,
    Identity,
    Layer,
    Linear,
    Log1pSquare,
    Network,
    Parameter,
    Root,
    ScaledLogCosh,
    Sigmoid,
    Square,
    Subtract,
    costs,
    simplified,
)

W = Parameter("W")


def in_layers(*activations):
    *inner, last = activations
    return Network("x", [*(Layer(Identity(), f) for f in inner), Layer(None, last)])


@pytest.mark.parametrize(
    ("activations", "left", "cost"),
    [
        ([Square()], Linear(), costs.SumOfSquares()),
        ([Subtract("t"), Square()], Linear(), costs.SquaredDistance("t")),
        ([Square(), Add(0.5), Root()], Linear(), costs.SumOfSmoothAbsolutes(0.5)),
        ([Sigmoid(), Add(0.5), Root()], Sigmoid(), costs.SumOfRoots(0.5)),
        ([ScaledLogCosh()], Linear(), costs.SumOfLogCosh()),
        ([Log1pSquare()], Linear(), costs.SumOfLog1pSquares()),
        ([Absolute()], Absolute(), costs.Sum()),
        ([Root()], Root(), costs.Sum()),
        ([Add(0.5), Square()], Add(0.5), costs.SumOfSquares()),
        (
            [Square(), Linear(), Add(0.5), Linear(), Root()],
            Linear(),
            costs.SumOfSmoothAbsolutes(0.5),
        ),
        ([Square(), Sigmoid()], Chain((Square(), Sigmoid())), costs.Sum()),
        ([Square(), Square()], Square(), costs.SumOfSquares()),
        ([Linear(), Linear()], Linear(), costs.Sum()),
    ],
)
def test_layers_are_joined_and_the_tail_absorbed(activations, left, cost):
    fast = simplified(in_layers(*activations))
    assert fast.layers == (Layer(None, left),)
    assert fast.cost == cost


def test_a_tail_is_not_absorbed_across_a_weight():
    network = Network("x", [Layer(W, Square()), Layer(Identity(), Add(0.5)), Layer(None, Root())])
    fast = simplified(network)
    assert fast.layers == (Layer(W, Square()), Layer(None, Linear()))
    assert fast.cost == costs.SumOfRoots(0.5)


def test_only_an_activation_of_the_very_kind_is_absorbed():
    class Scaled(Square):
        def __call__(self, z, variables):
            return 3 * z * z

    assert simplified(in_layers(Scaled())).cost == costs.Sum()


def test_the_identity_behind_the_last_activation_goes_too():
    network = Network("x", [Layer(Identity(), Square())])
    assert simplified(network) == simplified(in_layers(Square()))


def test_the_network_itself_stays_as_it_is():
    network = in_layers(Subtract("t"), Square())
    simplified(network)
    assert network == in_layers(Subtract("t"), Square())
