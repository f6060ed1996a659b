"""Networks, penalties and problems on arrays of other libraries than NumPy, on any device."""

from itertools import cycle

import numpy as np
import pytest
from foreign import assert_same, everywhere, on_second_device, strict
from network.random_networks import random_network
from penalties.registry import CASES
from problems import problems

from sparsebp import network as net
from sparsebp._namespaces import (
    is_floating,
    is_foreign,
    like,
    namespace,
    sum_all,
    sum_along,
    to_numpy,
    widened,
)
from sparsebp.network import activations, normalizations, operations
from sparsebp.penalties import L1, Signed, SmoothL1, values_of_each
from sparsebp.problems import Objective, Term

ACTIVATIONS = (
    activations.Linear(),
    activations.Add(0.5),
    activations.Square(),
    activations.Root(),
    activations.Sigmoid(),
    activations.Tanh(),
    activations.ScaledLogCosh(2.0),
    activations.Log1pSquare(),
    activations.OneMinusGaussian(),
    activations.Absolute(),
    normalizations.NormalizeRows(),
    normalizations.NormalizeColumns(),
    operations.Subtract("b"),
    operations.Multiply("b"),
)
PRECISIONS = ((np.float64, 1e-12), (np.float32, 1e-5))


def matrices(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


def test_every_activation_is_tried():
    modules = (activations, normalizations, operations)
    kinds = {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, net.Activation) and "__call__" in vars(kind)
    }
    base = {net.Activation, activations.Chain, normalizations._Normalize}
    assert kinds - base <= {type(activation) for activation in ACTIVATIONS}


@everywhere
def test_every_activation_equals_numpy(foreign):
    z, b, delta = matrices(0, (3, 5), (3, 1), (3, 5))
    z[0, 0] = 0
    for activation in ACTIVATIONS:
        at = np.abs(z) + 0.1 if isinstance(activation, activations.Root) else z
        a = activation(at, {"b": b})
        back = activation.pull_back(delta.copy(), at, a, {"b": b})  # which it may overwrite
        there = foreign(at), {"b": foreign(b)}
        assert_same(activation(*there), a, foreign)
        found = activation.pull_back(foreign(delta), there[0], foreign(a), there[1])
        assert_same(found, back, foreign)
        if activation.names:
            slope = activation.gradient(foreign(delta), *there)
            assert_same(slope, activation.gradient(delta, at, {"b": b}), foreign)


@everywhere
def test_random_networks_equal_numpy(foreign):
    """With literal layers and simplified, in every variable, so with every cost."""
    for seed in range(10):
        network, variables = random_network(seed)
        there = {name: foreign(value) for name, value in variables.items()}
        for form in (network, net.simplified(network)):
            value, gradients = net.value_and_gradients(form, variables, network.names)
            if not np.isfinite(value):
                continue
            found, slopes = net.value_and_gradients(form, there, network.names)
            assert found == pytest.approx(value, rel=1e-11)
            for name, slope in slopes.items():
                assert_same(slope, gradients[name], foreign, rtol=1e-11)


@everywhere
@pytest.mark.parametrize("case", CASES, ids=repr)
def test_every_penalty_equals_numpy(foreign, case):
    (s,) = matrices(1, (6, 4))
    s[0, 0] = 0
    penalty = case.build(6)
    for dtype, rtol in PRECISIONS:
        codes = s.astype(dtype)
        there = foreign(codes)
        for found, expected in zip(
            penalty.values_and_gradient(there), penalty.values_and_gradient(codes), strict=True
        ):
            assert_same(found, expected, foreign, rtol=rtol)
        if penalty.is_smooth:
            assert_same(penalty.curvature(there), penalty.curvature(codes), foreign, rtol=rtol)
        if penalty.is_elementwise:
            each = values_of_each(penalty, codes)
            assert_same(values_of_each(penalty, there), each, foreign, rtol=rtol)


@everywhere
def test_signs_and_proximal_maps_equal_numpy(foreign):
    codes, slope = matrices(2, (3, 4), (3, 4))
    codes[1] = 0
    signed = Signed(SmoothL1(), (1, -1, 1))
    for found, expected in zip(
        signed.values_and_gradient(foreign(codes)), signed.values_and_gradient(codes), strict=True
    ):
        assert_same(found, expected, foreign)
    for penalty in (L1(), L1(positive=True)):
        assert_same(penalty.proximal(foreign(codes), 0.3), penalty.proximal(codes, 0.3), foreign)
        found = penalty.violation(foreign(codes), foreign(slope), 0.3)
        assert_same(found, penalty.violation(codes, slope, 0.3), foreign)


@everywhere
@pytest.mark.parametrize("build", problems.ALL, ids=lambda f: f.__name__)
def test_every_objective_equals_numpy(foreign, build):
    settings = zip(CASES, cycle(problems.SIZES[:3]), cycle(PRECISIONS), strict=False)
    for case, sizes, (dtype, rtol) in settings:
        data = problems.Data.of(sizes, seed=5).cast(dtype)
        ours = build(case, data)
        theirs = build(case, problems.Data(*map(foreign, vars(data).values())))
        value, gradient = ours.objective.value_and_gradient(ours.point)
        found, slope = theirs.objective.value_and_gradient(theirs.point)
        assert found == pytest.approx(value, rel=rtol)
        assert_same(slope, gradient, foreign, rtol=rtol)


@everywhere
def test_several_free_matrices_are_packed_where_they_are(foreign):
    x, w, b = matrices(3, (2, 5), (3, 2), (3, 1))
    layers = [
        net.Layer(net.Parameter("w"), net.Linear()),
        net.Layer(net.Identity(), net.Subtract("b", repeated=True)),
        net.Layer(None, net.Square()),
    ]

    def objective(x):
        return Objective(
            {"w": (3, 2), "b": (3, 1)}, [Term(1.0, net.Network("x", layers), {"x": x})]
        )

    ours, theirs = objective(x), objective(foreign(x))
    point = theirs.pack({"w": foreign(w), "b": foreign(b)})
    value, gradient = ours.value_and_gradient(ours.pack({"w": w, "b": b}))
    found, slope = theirs.value_and_gradient(point)
    assert found == pytest.approx(value, rel=1e-12)
    assert_same(slope, gradient, foreign)


@everywhere
def test_whole_numbers_become_floating(foreign):
    decay = net.Network("A", [net.Layer(None, net.Square())])
    value, gradients = net.value_and_gradients(decay, {"A": foreign(np.array([[1, 2]]))}, "A")
    assert value == 5
    assert_same(gradients["A"], np.array([[2.0, 4.0]]), foreign)


def test_numpy_stays_numpy_and_scipy_stays_on_the_host():
    x = np.ones((2, 2), np.float32)
    assert namespace(x) is namespace(x[0, 0]) is np
    assert like(x, x) is x
    assert widened(np.ones(2)).dtype == sum_all(x).dtype == np.float64
    assert not is_foreign(x)
    assert not is_foreign(3.0)
    assert is_floating(x, real=True)
    assert not is_floating(np.arange(3))
    assert is_floating(1j * x)
    assert not is_floating(1j * x, real=True)
    assert like(np.ones(2), strict(x)).dtype == strict(x).dtype
    assert isinstance(like(on_second_device(x), x), np.ndarray)


@everywhere
def test_sums_are_in_double_precision(foreign):
    x = np.full((3, 1000), 0.1, np.float32)
    assert_same(sum_all(foreign(x)), sum_all(x), foreign)
    assert_same(sum_along(foreign(x), 1), sum_along(x, 1), foreign, rtol=1e-5)
    np.testing.assert_array_equal(to_numpy(foreign(x)), x)
