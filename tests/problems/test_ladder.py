"""The gradient ladder: every objective with every penalty, at every kind of size.

Complex step, closed form, literal against simplified, Taylor slope; each rung by itself.
"""

from itertools import product

import numpy as np
import pytest
from oracles import complex_step, relative_error, taylor_slope
from penalties.registry import CASES
from problems.problems import ALL, ANALYTIC, SIZES, Data, sparsity
from thinning import first_fast

from sparsebp.network import value_and_gradients
from sparsebp.problems import Objective

STEPS = np.logspace(-3, -4, 4)


def each(builders):
    return pytest.mark.parametrize("build", builders, ids=lambda build: build.__name__)


def cases(build):
    """Penalties of an objective; one for an objective that has none."""
    return CASES[1:2] if "basis" in build.__name__ else CASES


#: Every other pair of a penalty and a size, which has each of both, and the remaining pairs.
halves = pytest.mark.parametrize("half", first_fast([0, 1]))


def instances(build, half, all_sizes=SIZES):
    pairs = product(enumerate(cases(build)), enumerate(all_sizes))
    for seed, ((i, case), (j, sizes)) in enumerate(pairs):
        if (i + j) % 2 == half:
            yield (case, sizes, seed), build(case, Data.of(sizes, seed))


@each(ANALYTIC)
@halves
def test_gradient_is_the_complex_step_of_the_value(build, half):
    for where, problem in instances(build, half):
        _, gradient = problem.objective.value_and_gradient(problem.point)
        exact = complex_step(problem.engine_value, problem.point)
        assert relative_error(gradient, exact) < 1e-12, where


@each(ALL)
@halves
def test_value_and_gradient_are_the_closed_form(build, half):
    for where, problem in instances(build, half):
        value, gradient = problem.objective.value_and_gradient(problem.point)
        exact = (
            problem.gradient(problem.point)
            if problem.gradient
            else complex_step(problem.value, problem.point)
        )
        assert value == pytest.approx(problem.value(problem.point), rel=1e-12), where
        assert relative_error(gradient, exact) < 1e-12, where
        assert isinstance(value, float)


@each(ANALYTIC)
@halves
def test_simplified_is_literal(build, half):
    for where, problem in instances(build, half):
        objective = problem.objective
        if not isinstance(objective, Objective):
            objective = objective.objective
        for term in objective.terms:
            variables = {**term.fixed, objective.free: problem.point}
            literal = value_and_gradients(term.network, variables, term.network.names)
            fast = value_and_gradients(term.fast, variables, term.network.names)
            assert fast[0] == pytest.approx(literal[0], rel=1e-12), where
            for name, gradient in literal[1].items():
                assert relative_error(fast[1][name], gradient) < 1e-12, (where, name)


@each(ALL)
@halves
def test_the_remainder_is_of_second_order(build, half):
    for where, problem in instances(build, half, SIZES[::2]):
        if build is sparsity and where[0].name == "l1":
            continue  # piecewise linear: there is no remainder
        value, gradient = problem.objective.value_and_gradient(problem.point)
        direction = np.random.default_rng(9).normal(size=problem.point.shape) / value
        slope = taylor_slope(problem.engine_value, problem.point, gradient, direction, STEPS)
        assert 1.9 <= slope <= 2.1, where


@each(ALL)
@halves
def test_float32_stays_float32(build, half):
    for where, problem in instances(build, half, SIZES[::2]):
        case, sizes, seed = where
        single = build(case, Data.of(sizes, seed).cast(np.float32))
        value, gradient = single.objective.value_and_gradient(single.point)
        expected, exact = problem.objective.value_and_gradient(problem.point)
        assert gradient.dtype == np.float32
        assert isinstance(value, float)
        assert value == pytest.approx(expected, rel=1e-5), where
        assert relative_error(gradient, exact) < 2e-5, where


@each(ALL)
def test_nothing_given_is_changed(build):
    for case in cases(build):
        data, again = Data.of(SIZES[0], 0), Data.of(SIZES[0], 0)
        problem = build(case, data)
        point = problem.point.copy()
        for matrix in (data.x, data.basis, data.codes, data.filters, problem.point):
            matrix.flags.writeable = False
        problem.objective.value_and_gradient(problem.point)
        np.testing.assert_array_equal(problem.point, point)
        for name in ("x", "basis", "codes", "filters"):
            np.testing.assert_array_equal(getattr(data, name), getattr(again, name))
