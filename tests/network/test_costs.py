from itertools import product

import numpy as np
import pytest
from oracles import complex_step, relative_error

from sparsebp.network import Add, Log1pSquare, Root, ScaledLogCosh, Square, Subtract
from sparsebp.network.costs import (
    Cost,
    SquaredDistance,
    Sum,
    SumOfLog1pSquares,
    SumOfLogCosh,
    SumOfRoots,
    SumOfSmoothAbsolutes,
    SumOfSquares,
)

#: Each absorbed cost and the activations that it stands for.
TAILS = {
    Sum(): (),
    SumOfSquares(): (Square(),),
    SquaredDistance("t"): (Subtract("t"), Square()),
    SumOfRoots(0.2): (Add(0.2), Root()),
    SumOfSmoothAbsolutes(0.2): (Square(), Add(0.2), Root()),
    SumOfLogCosh(): (ScaledLogCosh(),),
    SumOfLog1pSquares(): (Log1pSquare(),),
}
COSTS = pytest.mark.parametrize("cost", TAILS, ids=repr)


def case(cost, shape=(3, 5), seed=0):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=shape)
    target = rng.normal(size=(shape[0], 1) if seed % 2 else shape)
    return (z**2 if isinstance(cost, SumOfRoots) else z), {"t": target}


@COSTS
def test_an_absorbed_cost_is_its_literal_tail(cost):
    for shape, seed in product([(3, 5), (1, 1), (4, 1), (1, 4)], range(4)):
        z, variables = case(cost, shape, seed)
        values, delta = cost(z, variables)
        tape = [z]
        for step in TAILS[cost]:
            tape.append(step(tape[-1], variables))
        expected = np.ones(shape)
        for step, before, after in reversed(list(zip(TAILS[cost], tape, tape[1:], strict=False))):
            expected = step.pull_back(expected, before, after, variables)
        assert relative_error(values, tape[-1].sum(axis=0)) < 1e-14
        assert relative_error(delta, expected) < 1e-14


@COSTS
def test_delta_is_the_complex_step(cost):
    z, variables = case(cost)
    exact = complex_step(lambda point: cost(point, variables)[0].sum(), z)
    assert relative_error(cost(z, variables)[1], exact) < 1e-14


@COSTS
def test_a_weight_multiplies_values_and_delta(cost):
    z, variables = case(cost)
    values, delta = cost(z, variables)
    for dtype in (np.float64, np.float32):
        narrow = {"t": variables["t"].astype(dtype)}
        weighted, weighted_delta = cost(z.astype(dtype), narrow, -0.3)
        assert weighted.dtype == weighted_delta.dtype == dtype
        assert relative_error(weighted, -0.3 * values) < 4 * np.finfo(dtype).eps
        assert relative_error(weighted_delta, -0.3 * delta) < 4 * np.finfo(dtype).eps


@COSTS
def test_float32_stays_float32(cost):
    z, variables = case(cost)
    variables = {"t": variables["t"].astype(np.float32)}
    values, delta = cost(z.astype(np.float32), variables)
    assert values.dtype == delta.dtype == np.float32


@pytest.mark.parametrize("cost", [c for c in TAILS if not isinstance(c, SumOfRoots)], ids=repr)
def test_nothing_overflows(cost):
    z = np.array([[-1000.0, 0.0, 1000.0]])
    values, delta = cost(z, {"t": np.zeros((1, 1))})
    assert np.isfinite(values).all()
    assert np.isfinite(delta).all()


@pytest.mark.parametrize("shape", [(3, 5), (3, 1), (1, 5), (1, 1)])
def test_the_gradient_in_a_target_is_summed_where_it_is_repeated(shape):
    rng = np.random.default_rng(0)
    z, target, cost = rng.normal(size=(3, 5)), rng.normal(size=shape), SquaredDistance("t")
    exact = complex_step(lambda t: cost(z, {"t": t})[0].sum(), target)
    variables = {"t": target}
    assert relative_error(cost.gradient(cost(z, variables)[1], z, variables), exact) < 1e-14


def test_a_target_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"t has shape \(2, 5\)"):
        SquaredDistance("t")(np.ones((3, 5)), {"t": np.ones((2, 5))})


def test_the_base_class_leaves_the_formula_open():
    with pytest.raises(NotImplementedError):
        Cost()(np.ones((1, 1)), {})
