import re

import numpy as np
import pytest

from sparsebp.network import Convolution, Identity, Parameter

W = Parameter("W")
MATRIX = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


def test_a_parameter_multiplies_by_its_matrix_or_its_transpose():
    a = np.array([[1.0], [-1.0], [2.0]])
    np.testing.assert_array_equal(W(a, {"W": MATRIX}), [[5.0], [11.0]])
    np.testing.assert_array_equal(W.T(a[:2], {"W": MATRIX}), [[-3.0], [-3.0], [-3.0]])


def test_transposing_twice_is_no_transposing():
    assert W.T.T == W
    assert W.T != W
    assert Identity() == Identity().T


def test_the_gradient_of_a_transposed_weight_is_transposed_back():
    a, delta = np.ones((2, 4)), np.arange(12.0).reshape(3, 4)
    assert W.T.gradient(delta, a, {"W": MATRIX}).shape == MATRIX.shape
    np.testing.assert_array_equal(W.T.gradient(delta, a, {}), W.gradient(delta, a, {}).T)


@pytest.mark.parametrize("weight", [W, W.T])
def test_pull_back_is_the_adjoint_of_the_call(weight):
    rng = np.random.default_rng(0)
    variables = {"W": MATRIX}
    n_in = 2 if weight.transposed else 3
    a, delta = rng.normal(size=(n_in, 4)), rng.normal(size=(5 - n_in, 4))
    forward = (weight(a, variables) * delta).sum()
    assert (weight.pull_back(delta, a, delta, variables) * a).sum() == pytest.approx(forward)
    assert (weight.gradient(delta, a, variables) * MATRIX).sum() == pytest.approx(forward)


def test_weights_compare_and_hash_by_what_they_say():
    assert len({W, Parameter("W"), W.T, Parameter("V"), Identity(), Identity()}) == 4


def test_symbols():
    assert [W.symbol, W.T.symbol, W.T.latex, Identity().symbol] == ["W", "Wᵀ", "W^T", "I"]


@pytest.mark.parametrize(("weight", "shape"), [(W, (2, 1)), (W.T, (3, 1))])
def test_a_product_that_does_not_fit_is_refused(weight, shape):
    with pytest.raises(
        ValueError, match=rf"The weight {weight.symbol} has shape .* {shape[0]} col"
    ):
        weight(np.ones(shape), {"W": MATRIX})


@pytest.mark.parametrize("weight", [W, Convolution("W", patch_shape=(2, 1), image_shape=(2, 1))])
def test_lists_are_arrays_and_a_missing_variable_is_named(weight):
    matrix, a = [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0, 0.0], [0.0, 1.0, 3.0]]
    arrays, out = {"W": np.array(matrix)}, weight(a, {"W": matrix})
    np.testing.assert_array_equal(out, weight(np.array(a), arrays))
    delta = out.tolist()
    np.testing.assert_array_equal(
        weight.pull_back(delta, a, delta, {"W": matrix}), weight.pull_back(out, a, out, arrays)
    )
    np.testing.assert_array_equal(
        weight.gradient(delta, a, {}), weight.gradient(out, np.array(a), {})
    )
    said = f"The variable 'W' is missing: the weight {weight.symbol} needs it and got V."
    with pytest.raises(ValueError, match=re.escape(said)):
        weight(a, {"V": matrix})


def test_a_name_is_a_string():
    for make in (Parameter, lambda n: Convolution(n, patch_shape=(1, 1), image_shape=(1, 1))):
        with pytest.raises(TypeError, match=r"name must be a string, .* got 3"):
            make(3)
