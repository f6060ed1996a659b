from dataclasses import dataclass

import numpy as np
import pytest
from thinning import first_fast

from sparsebp.coding import encode
from sparsebp.coding.smooth import SmoothCodes, starting_codes
from sparsebp.minimizers import minimize_lbfgs
from sparsebp.network import Add, Identity, Layer
from sparsebp.penalties import Cauchy, LogCosh, Penalty, SmoothL1, Topographic, Welsch
from sparsebp.problems import sparse_coding

PENALTIES = [SmoothL1(1e-3), LogCosh(), Cauchy(), Welsch(), Topographic((4, 4), epsilon=1e-3)]


@dataclass(frozen=True)
class AroundOne(Penalty):
    """A user's penalty whose minimum is not at 0: between 0 and 1 its S'(s) / s is negative."""

    @property
    def layers(self):
        return (Layer(Identity(), Add(-1.0)), *LogCosh().layers)


def planted(seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(9, 16)).astype(dtype)
    basis /= np.linalg.norm(basis, axis=0)
    return rng.laplace(size=(9, 50)).astype(dtype), basis


@pytest.mark.parametrize("penalty", [*PENALTIES, AroundOne()], ids=lambda p: type(p).__name__)
def test_evaluations_are_those_of_the_problem(penalty):
    x, basis = planted()
    codes = np.random.default_rng(1).normal(size=(16, 3))
    codes[::5] = 0
    at = SmoothCodes({"x": x}, basis, penalty, 0.5).of(np.array([4, 4, 7]), 2.0)(codes)
    known = {"x": x[:, [4, 4, 7]], "A": basis}
    objective = sparse_coding(penalty, 0.5).objective("s", known, scale=1)
    values, gradient = objective.values_and_gradient(codes)
    np.testing.assert_allclose(at.values, values)
    np.testing.assert_allclose(at.gradient, gradient)
    np.testing.assert_allclose(at.curvature, 2 + 0.5 * penalty.curvature(codes))


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weakest", [1, 0.1])
@pytest.mark.parametrize("seeds", first_fast([range(1), range(1, 3)]), ids=str)
def test_accelerated_steps_and_few_of_lbfgs_come_as_near_as_twenty_of_it(
    penalty, dtype, weakest, seeds
):
    for seed in seeds:
        x, basis = planted(seed, dtype)
        basis *= np.geomspace(weakest, 1, 16, dtype=dtype)  # weight decay makes weak atoms
        objective = sparse_coding(penalty, 0.5).objective("s", {"x": x, "A": basis}, scale=1)
        start = starting_codes(x, basis)
        found = SmoothCodes({"x": x}, basis, penalty, 0.5).approached(start, 20, single=True)
        assert found.dtype == dtype
        found = minimize_lbfgs(objective, found, memory=5, max_iter=5, tol=0).value
        assert found <= minimize_lbfgs(objective, start, memory=5, max_iter=20, tol=0).value * 1.002


@pytest.mark.parametrize("penalty", PENALTIES, ids=lambda p: type(p).__name__)
def test_no_sample_is_worse_than_at_the_start_and_each_is_alone(penalty):
    x, basis = planted()
    codes = SmoothCodes({"x": x}, basis, penalty, 0.5)
    start = np.random.default_rng(2).normal(size=(16, 50))
    every = np.arange(50)
    before = codes.of(every, 1)(start).values
    for n_steps in (0, 1, 3, 9):
        found = codes.approached(start, n_steps)
        assert (codes.of(every, 1)(found).values <= before).all()
        alone = SmoothCodes({"x": x[:, 17:18]}, basis, penalty, 0.5)
        one = alone.approached(start[:, 17:18], n_steps)
        np.testing.assert_array_equal(one[:, 0], found[:, 17])


@pytest.mark.parametrize("penalty", first_fast(PENALTIES, 2), ids=lambda p: type(p).__name__)
def test_rounding_in_single_precision_is_no_descent(penalty):
    x, basis = np.random.default_rng(1).normal(size=(9, 1000)), planted()[1]
    codes = SmoothCodes({"x": x}, basis, penalty, 0.5)
    every = codes.of(np.arange(1000), 1)
    minimum = encode(x, basis, penalty, 0.5, tol=1e-6).points
    found = codes.approached(minimum, 9, single=True)
    assert (every(found).values <= every(minimum).values).all()


@pytest.mark.parametrize("unit", [1e-25, 1e-10, 1e10, 1e25])
@pytest.mark.parametrize("single", [False, True])
def test_accelerated_steps_do_not_depend_on_units(unit, single):
    x, basis = planted()
    start = starting_codes(x, basis)
    expected = SmoothCodes({"x": x}, basis, SmoothL1(1e-3), 0.5).approached(start, 9)
    codes = SmoothCodes({"x": x * unit}, basis, SmoothL1(1e-3 * unit**2), 0.5 * unit)
    found = codes.approached(start * unit, 9, single=single) / unit
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_accelerated_steps_save_iterations_of_lbfgs():
    """The same limit leaves fewer samples unfinished than from the tutorial's start."""
    for penalty in (SmoothL1(1e-3), LogCosh()):
        x, basis = planted()
        start = starting_codes(x, basis)
        limit = {"tol": 1e-3, "max_iter": 15}
        ours = encode(x, basis, penalty, 0.5, **limit).n_unfinished
        plain = encode(x, basis, penalty, 0.5, start=start, **limit).n_unfinished
        assert ours < plain
