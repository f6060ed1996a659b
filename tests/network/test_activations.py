import numpy as np
import pytest
from oracles import STEP, relative_error

from sparsebp.network import (
    Absolute,
    Activation,
    Add,
    Chain,
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
    delta_table,
    value_and_gradients,
)

ON_THE_LINE = [
    Linear(),
    Add(0.7),
    Square(),
    Sigmoid(),
    Tanh(),
    ScaledLogCosh(),
    Log1pSquare(),
    Absolute(),
    OneMinusGaussian(),
]
FORMULAS = {
    Linear(): lambda z: z,
    Add(0.7): lambda z: z + 0.7,
    Square(): lambda z: z**2,
    Root(): lambda z: z**0.5,
    Sigmoid(): lambda z: 1 / (1 + np.exp(-z)),
    Tanh(): lambda z: (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z)),
    ScaledLogCosh(): lambda z: np.log((np.exp(z) + np.exp(-z)) / 2),
    Log1pSquare(): lambda z: np.log(1 + z**2),
    Absolute(): lambda z: np.sqrt(z**2),
    OneMinusGaussian(): lambda z: 1 - np.exp(-(z**2) / 2),
}


def points(activation):
    z = np.random.default_rng(0).normal(size=(4, 50))
    return z**2 + 0.1 if isinstance(activation, Root) else z


@pytest.mark.parametrize("activation", FORMULAS, ids=repr)
def test_value(activation):
    z = points(activation)
    assert relative_error(activation(z, {}), FORMULAS[activation](z)) < 1e-14


@pytest.mark.parametrize("activation", FORMULAS, ids=repr)
def test_derivative_is_the_complex_step(activation):
    z = points(activation)
    exact = activation(z + 1j * STEP, {}).imag / STEP
    assert relative_error(activation.derivative(z, activation(z, {})), exact) < 1e-14


@pytest.mark.parametrize("activation", FORMULAS, ids=repr)
def test_pull_back_multiplies_by_the_derivative(activation):
    z = points(activation)
    a, delta = activation(z, {}), np.random.default_rng(1).normal(size=z.shape)
    expected = delta * activation.derivative(z, a)
    np.testing.assert_array_equal(activation.pull_back(delta, z, a, {}), expected)


@pytest.mark.parametrize("activation", ON_THE_LINE, ids=repr)
def test_nothing_overflows_and_the_precision_stays(activation):
    for dtype in (np.float32, np.float64):
        z = np.array([[-1000.0, -50.0, 0.0, 50.0, 1000.0]], dtype=dtype)
        a = activation(z, {})
        slope = activation.derivative(z, a)
        assert np.isfinite(a).all()
        assert np.isfinite(slope).all()
        assert a.dtype == dtype
        assert slope.dtype == dtype


def test_limits_far_out():
    z = np.array([[-1000.0, 1000.0]])
    np.testing.assert_allclose(ScaledLogCosh()(z, {}), np.abs(z) - np.log(2), rtol=1e-15)
    np.testing.assert_array_equal(Sigmoid()(z, {}), [[0.0, 1.0]])
    np.testing.assert_array_equal(Absolute()(z, {}), [[1000.0, 1000.0]])


def test_the_absolute_value_is_flat_at_zero():
    assert Absolute().derivative(np.zeros((1, 1)), np.zeros((1, 1))) == 0


@pytest.mark.parametrize("shape", [(2, 3), (2, 1), (1, 3), (1, 1)])
def test_subtract_repeats_and_sums_back(shape):
    x, z = np.arange(1.0, 1 + np.prod(shape)).reshape(shape), np.ones((2, 3))
    delta = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(Subtract("x")(z, {"x": x}), z - x)
    gradient = Subtract("x").gradient(delta, z, {"x": x})
    assert gradient.shape == shape
    assert (gradient * x).sum() == pytest.approx(-(delta * np.broadcast_to(x, z.shape)).sum())


@pytest.mark.parametrize("shape", [(3, 3), (2, 2), (3, 2), (4, 1)])
def test_subtract_refuses_what_does_not_fit(shape):
    with pytest.raises(ValueError, match=r"x has shape .* subtracted from an array of shape"):
        Subtract("x")(np.ones((2, 3)), {"x": np.ones(shape)})


def test_subtract_does_not_repeat_what_it_is_taken_from():
    with pytest.raises(ValueError, match="each dimension must agree or be 1"):
        Subtract("x")(np.ones((2, 1)), {"x": np.ones((2, 3))})


def test_a_chain_is_its_elementary_steps():
    nested = Chain((Square(), Chain((Add(1.0), Root()))))
    assert nested.steps == (Square(), Add(1.0), Root())
    assert Square().steps == (Square(),)


def test_activations_compare_by_kind_and_parameter():
    assert Add(1.0) == Add(1.0) != Add(2.0)
    assert Subtract("x") == Subtract("x") != Subtract("b")
    assert Square() != Root()


def test_the_base_class_leaves_the_formula_open():
    with pytest.raises(NotImplementedError):
        Activation()(np.ones((1, 1)), {})
    with pytest.raises(NotImplementedError):
        Activation().derivative(np.ones((1, 1)), np.ones((1, 1)))


@pytest.mark.parametrize("shape", [(3, 4), (3, 1), (1, 4), (1, 1)])
def test_multiply_has_a_gradient_in_both_factors(shape):
    network = Network("x", [Layer(None, Multiply("M"))])
    rng = np.random.default_rng(0)
    x, m = rng.normal(size=(3, 4)), rng.normal(size=shape)
    value, gradients = value_and_gradients(network, {"x": x, "M": m}, ["x", "M"])
    assert value == pytest.approx((m * x).sum(), rel=1e-14)
    np.testing.assert_allclose(gradients["x"], np.broadcast_to(m, x.shape), rtol=1e-14)
    axes = tuple(axis for axis in (0, 1) if shape[axis] == 1)
    np.testing.assert_allclose(gradients["M"], x.sum(axis=axes, keepdims=True), rtol=1e-13)


def test_multiply_refuses_a_factor_of_another_shape():
    with pytest.raises(ValueError, match="M"):
        Multiply("M")(np.ones((3, 4)), {"M": np.ones((4, 3))})


def test_multiply_is_written():
    network = Network("s", [Layer(Parameter("A"), Multiply("M")), Layer(None, Square())])
    assert "M ∘ z" in delta_table(network)
    assert "M ∘ s" in delta_table(network)
    assert r"M \circ s" in delta_table(network, style="latex")
