import gc
import weakref

import numpy as np
import oracles
import pytest
from oracles import relative_error
from scipy import sparse

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
    Tree,
    backpropagate,
    simplified,
    value_and_gradients,
)

DISTANCE = Network(
    "s",
    [
        Layer(Parameter("A"), Linear()),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)
ICA = Network(
    "x",
    [
        Layer(Parameter("W"), Linear()),
        Layer(Parameter("W").T, Linear()),
        Layer(Identity(), Subtract("x")),
        Layer(None, Square()),
    ],
)
DEEP = Network("x", [Layer(Parameter(n), Sigmoid()) for n in "ABC"] + [Layer(None, Square())])
SIZES = [(3, 5, 4), (4, 4, 6), (6, 2, 5), (3, 5, 1), (1, 1, 1)]


def distance_variables(n=3, k=5, m=4, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "A": rng.normal(size=(n, k)),
        "s": rng.normal(size=(k, m)),
        "x": rng.normal(size=(n, m)),
    }


@pytest.mark.parametrize("form", [lambda network: network, simplified], ids=["literal", "fast"])
@pytest.mark.parametrize(("n", "k", "m"), SIZES)
def test_squared_distance_is_its_closed_form(form, n, k, m):
    v = distance_variables(n, k, m)
    arguments = v["A"], v["s"], v["x"]
    value, gradients = value_and_gradients(form(DISTANCE), v, ("A", "s", "x"))
    assert value == pytest.approx(oracles.squared_distance(*arguments), rel=1e-13)
    assert relative_error(gradients["A"], oracles.squared_distance_in_basis(*arguments)) < 1e-13
    assert relative_error(gradients["s"], oracles.squared_distance_in_codes(*arguments)) < 1e-13
    assert relative_error(gradients["x"], oracles.squared_distance_in_samples(*arguments)) < 1e-13


@pytest.mark.parametrize("form", [lambda network: network, simplified], ids=["literal", "fast"])
@pytest.mark.parametrize(("n", "k", "m"), SIZES)
def test_ica_reconstruction_is_its_closed_form(form, n, k, m):
    rng = np.random.default_rng(1)
    w, x = rng.normal(size=(k, n)), rng.normal(size=(n, m))
    value, gradients = value_and_gradients(form(ICA), {"W": w, "x": x}, ("W", "x"))
    assert value == pytest.approx(oracles.ica_reconstruction(w, x), rel=1e-13)
    assert relative_error(gradients["W"], oracles.ica_reconstruction_in_filters(w, x)) < 1e-13
    assert relative_error(gradients["x"], oracles.ica_reconstruction_in_samples(w, x)) < 1e-13


class Counted:
    """A weight that is not written out, and notes each product with it."""

    def __init__(self, name, matrix, products):
        self.name, self.matrix, self.products = name, matrix, products
        self.shape, self.ndim, self.dtype = matrix.shape, matrix.ndim, matrix.dtype

    def toarray(self):
        return self.matrix

    @property
    def T(self):
        name = self.name[:-1] if self.name.endswith("ᵀ") else f"{self.name}ᵀ"
        return Counted(name, self.matrix.T, self.products)

    def __matmul__(self, other):
        self.products.append(self.name)
        return self.matrix @ other


def products(network, wrt):
    """The products with weights that a value and gradients take, in their order."""
    taken = []
    variables = {name: np.full((2, 2), 0.5) for name in network.names}
    weights = {step.name for step in network.steps() if isinstance(step, Parameter)}
    variables |= {name: Counted(name, variables[name], taken) for name in weights}
    value_and_gradients(network, variables, wrt)
    return " ".join(taken)


@pytest.mark.parametrize(
    ("wrt", "backward"),
    [("x", " Cᵀ Bᵀ Aᵀ"), ("A", " Cᵀ Bᵀ"), ("B", " Cᵀ"), ("C", ""), ((), ""), ("CA", " Cᵀ Bᵀ")],
)
def test_the_backward_sweep_ends_at_the_first_layer_that_is_needed(wrt, backward):
    assert products(DEEP, tuple(wrt)) == "A B C" + backward


def test_a_target_alone_needs_no_sweep():
    assert products(DISTANCE, "x") == products(simplified(DISTANCE), "x") == "A"


def test_backpropagate_gives_a_value_for_each_column():
    v = distance_variables()
    values, _ = backpropagate(Tree.of([(1.0, DISTANCE)]), "s", v, ())
    np.testing.assert_allclose(values, ((v["A"] @ v["s"] - v["x"]) ** 2).sum(axis=0), rtol=1e-13)


@pytest.mark.parametrize("wrt", ["s", ["s"], ("s",), {"s"}, iter(["s"])])
def test_wrt_is_a_name_or_names(wrt):
    assert list(value_and_gradients(DISTANCE, distance_variables(), wrt)[1]) == ["s"]


def test_no_gradient_is_the_value_alone():
    value, gradients = value_and_gradients(DISTANCE, distance_variables(), ())
    assert isinstance(value, float)
    assert gradients == {}


def test_integers_bools_and_lists_are_taken_as_floats():
    v = {"A": [[1, 2]], "s": np.array([[3], [-1]], dtype=np.int8), "x": np.array([[True]])}
    value, gradients = value_and_gradients(DISTANCE, v, ("A", "s"))
    assert value == 0.0
    assert {g.dtype for g in gradients.values()} == {np.dtype(np.float64)}


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix, sparse.coo_array])
@pytest.mark.parametrize("network", [DISTANCE, simplified(DISTANCE)], ids=["literal", "fast"])
def test_a_weight_may_be_sparse(kind, network):
    v = distance_variables()
    v["A"] *= np.abs(v["A"]) > 0.7
    value, gradients = value_and_gradients(network, {**v, "A": kind(v["A"])}, ("A", "s", "x"))
    dense_value, dense_gradients = value_and_gradients(network, v, ("A", "s", "x"))
    assert value == pytest.approx(dense_value, rel=1e-14)
    for name, gradient in gradients.items():
        assert type(gradient) is np.ndarray
        assert relative_error(gradient, dense_gradients[name]) < 1e-14


def test_a_sparse_weight_may_stand_transposed_and_hold_integers():
    w = np.array([[1, 0, 2], [0, 3, 0]])
    variables = {"x": np.arange(6.0).reshape(3, 2)}
    dense = value_and_gradients(ICA, {**variables, "W": w}, "W")
    loose = value_and_gradients(ICA, {**variables, "W": sparse.csr_array(w)}, "W")
    assert loose[0] == dense[0]
    np.testing.assert_array_equal(loose[1]["W"], dense[1]["W"])


@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.csr_matrix])
@pytest.mark.parametrize("name", ["s", "x"])
@pytest.mark.parametrize("network", [DISTANCE, simplified(DISTANCE)], ids=["literal", "fast"])
def test_only_a_weight_may_be_sparse(kind, name, network):
    v = distance_variables(3, 3, 3)
    with pytest.raises(TypeError, match=rf"'{name}' is sparse, but only a weight may be"):
        value_and_gradients(network, {**v, name: kind(v[name])}, "s")


def test_read_only_and_fortran_ordered_variables_work_and_stay_as_they_are():
    v = distance_variables()
    expected = value_and_gradients(DISTANCE, v, ("A", "s", "x"))
    turned = {name: np.asfortranarray(value) for name, value in v.items()}
    for value in turned.values():
        value.flags.writeable = False
    value, gradients = value_and_gradients(simplified(DISTANCE), turned, ("A", "s", "x"))
    assert value == pytest.approx(expected[0], rel=1e-14)
    for name, gradient in gradients.items():
        assert relative_error(gradient, expected[1][name]) < 1e-14
        np.testing.assert_array_equal(turned[name], v[name])


def test_gradients_share_no_memory_with_the_variables():
    network = Network("x", [Layer(Identity(), Linear()), Layer(None, Subtract("x"))])
    x = np.ones((2, 2))
    gradient = value_and_gradients(network, {"x": x}, "x")[1]["x"]
    assert not np.shares_memory(gradient, x)
    np.testing.assert_array_equal(gradient, np.zeros((2, 2)))


def test_float32_values_are_summed_in_float64():
    x = np.full((1, 200_000), 0.1, dtype=np.float32)
    value, gradients = value_and_gradients(Network("x", [Layer(None, Linear())]), {"x": x}, "x")
    assert value == pytest.approx(200_000 * float(np.float32(0.1)), rel=1e-12)
    assert gradients["x"].dtype == np.float32


def test_variables_that_the_network_does_not_know_are_ignored():
    assert value_and_gradients(DISTANCE, {**distance_variables(), "unused": "y"}, ())[0] > 0


def test_a_missing_variable_is_named():
    v = distance_variables()
    del v["x"]
    with pytest.raises(ValueError, match="'x' is missing: the network needs s, A, x and got A, s"):
        value_and_gradients(DISTANCE, v, "s")
    with pytest.raises(ValueError, match="got none"):
        value_and_gradients(DISTANCE, {}, "s")


@pytest.mark.parametrize("wrt", ["W", ("s", "W")])
def test_a_variable_that_is_not_there_has_no_gradient(wrt):
    with pytest.raises(ValueError, match="no variable 'W'; it has s, A, x"):
        value_and_gradients(DISTANCE, distance_variables(), wrt)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"A": np.ones((3, 4))}, r"weight A has shape \(3, 4\) but its input has shape \(5, 4\)"),
        ({"x": np.ones((2, 4))}, r"x has shape \(2, 4\) but is subtracted .* \(3, 4\)"),
        ({"s": np.ones(5)}, r"'s' has shape \(5,\); it must be two-dimensional.*x\[:, None\]"),
        ({"x": 1.0}, r"'x' has shape \(\); it must be two-dimensional"),
        ({"x": np.ones((1, 1, 1))}, r"'x' has shape \(1, 1, 1\)"),
    ],
)
@pytest.mark.parametrize("network", [DISTANCE, simplified(DISTANCE)], ids=["literal", "fast"])
def test_shapes_that_do_not_fit_are_named(network, changed, message):
    with pytest.raises(ValueError, match=message):
        value_and_gradients(network, {**distance_variables(), **changed}, "s")


@pytest.mark.parametrize("value", [np.full((3, 4), None), np.full((3, 4), "1"), [["a"]]])
def test_what_is_not_numeric_is_refused(value):
    with pytest.raises(TypeError, match=r"'x' has dtype .*; it must be numeric"):
        value_and_gradients(DISTANCE, {**distance_variables(), "x": value}, "s")


def test_no_columns_sum_to_zero():
    v = {"A": np.ones((3, 5)), "s": np.ones((5, 0)), "x": np.ones((3, 0))}
    value, gradients = value_and_gradients(DISTANCE, v, ("A", "s"))
    assert value == 0
    np.testing.assert_array_equal(gradients["A"], np.zeros((3, 5)))
    assert gradients["s"].shape == (5, 0)


def test_complex_variables_give_a_complex_value():
    network = Network(
        "x", [Layer(Identity(), Square()), Layer(Identity(), Add(1.0)), Layer(None, Root())]
    )
    value, _ = value_and_gradients(network, {"x": np.array([[1j]])}, ())
    assert value == 0
    assert isinstance(value, complex)


def test_networks_that_begin_alike_run_their_beginning_once():
    taken = []
    rng = np.random.default_rng(0)
    variables = {"A": rng.standard_normal((3, 2)), "s": rng.standard_normal((2, 5))}
    squares = Network("s", [Layer(Parameter("A"), Linear()), Layer(None, Square())])
    back = Layer(Parameter("A").T, Linear())
    deeper = Network("s", [Layer(Parameter("A"), Linear()), back, Layer(None, Square())])
    terms = [(2.0, squares), (0.5, deeper), (3.0, Network("s", [Layer(None, Square())]))]
    counted = {**variables, "A": Counted("A", variables["A"], taken)}
    values, gradients = backpropagate(Tree.of(terms), "s", counted, ("A", "s"))
    assert taken == ["A", "Aᵀ", "A", "Aᵀ"]  # forward, and back again
    apart = [(w, *value_and_gradients(net, variables, set(net.names))) for w, net in terms]
    np.testing.assert_allclose(values.sum(), sum(w * value for w, value, _ in apart), rtol=1e-13)
    for name in ("A", "s"):
        expected = sum(w * g[name] for w, _, g in apart if name in g)
        np.testing.assert_allclose(gradients[name], expected, rtol=1e-12)


def test_arrays_are_freed_at_once_and_not_when_python_looks_for_cycles():
    variables = distance_variables()
    samples = weakref.ref(variables["x"])
    gc.disable()
    try:
        value_and_gradients(DISTANCE, variables, ("A", "s"))
        del variables
        assert samples() is None
    finally:
        gc.enable()
