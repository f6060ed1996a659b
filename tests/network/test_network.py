import pickle

import pytest

from sparsebp.network import Chain, Identity, Layer, Linear, Network, Parameter, Square, Subtract

ICA = Network(
    "x",
    [
        Layer(Parameter("W"), Linear()),
        Layer(Parameter("W").T, Linear()),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)


def test_names_come_in_the_order_in_which_they_are_met_once_each():
    assert ICA.names == ("x", "W")
    bias = Network("s", [Layer(Parameter("A"), Subtract("b")), Layer(None, Subtract("x"))])
    assert bias.names == ("s", "b", "A", "x")


def test_steps_come_in_the_order_in_which_they_act():
    W = Parameter("W")
    expected = [Linear(), W, Linear(), W.T, Subtract("x"), Square()]
    assert list(ICA.steps()) == expected


def test_a_chain_is_taken_apart_into_its_steps():
    network = Network("x", [Layer(None, Chain((Subtract("x"), Square())))])
    assert list(network.steps()) == [Subtract("x"), Square()]


def test_a_network_is_a_value():
    again = pickle.loads(pickle.dumps(ICA))
    assert again == ICA
    assert hash(again) == hash(ICA)
    assert Network("y", ICA.layers) != ICA


def test_the_list_of_layers_is_copied():
    layers = [Layer(None, Square())]
    network = Network("x", layers)
    layers.clear()
    assert network.layers == (Layer(None, Square()),)


def test_a_network_cannot_be_changed():
    with pytest.raises(AttributeError):
        ICA.input = "y"  # type: ignore[misc]


def test_unweighted_layers():
    flags = [layer.is_unweighted for layer in ICA.layers]
    assert flags == [False, False, True, True]


def test_no_layer_is_refused():
    with pytest.raises(ValueError, match="at least one layer; got none"):
        Network("x", [])


def test_something_else_than_a_layer_is_refused():
    with pytest.raises(TypeError, match=r"Layer 2 is 'z²'; write Layer\(weight, activation\)"):
        Network("x", [Layer(Identity(), Linear()), "z²"])  # type: ignore[list-item]


@pytest.mark.parametrize("activation", [Square, "square", None])
def test_something_else_than_an_activation_is_refused(activation):
    with pytest.raises(TypeError, match=r"activation of a layer is .* must be an Activation"):
        Network("x", [Layer(None, activation)])


@pytest.mark.parametrize("weight", ["W", Parameter, 1.0])
def test_something_else_than_a_weight_is_refused(weight):
    with pytest.raises(TypeError, match=r"weight of a layer is .* must be Parameter\(name\)"):
        Network("x", [Layer(weight, Linear()), Layer(None, Linear())])


def test_an_inner_layer_without_a_weight_is_refused():
    with pytest.raises(ValueError, match="Layer 1 has no weight; only the last"):
        Network("x", [Layer(None, Linear()), Layer(None, Linear())])


def test_a_weight_that_leads_nowhere_is_refused():
    with pytest.raises(ValueError, match="last layer has the weight Wᵀ but no layer follows"):
        Network("x", [Layer(Parameter("W").T, Linear())])


def test_the_last_layer_may_have_the_identity():
    assert Network("x", [Layer(Identity(), Square())]).names == ("x",)
