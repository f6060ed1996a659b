"""What docs/extending.md shows: a penalty and a solver of one's own, at work and checked."""

from dataclasses import dataclass

import numpy as np
import pytest
from oracles import complex_step, relative_error

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding
from sparsebp.datasets import make_dictionary_signals, make_mixtures
from sparsebp.metrics import amari_distance
from sparsebp.minimizers import Result, Status, minimize_lbfgs
from sparsebp.network import Activation, Layer, check_gradient, delta_table
from sparsebp.network.notation import Formula
from sparsebp.penalties import Penalty
from sparsebp.problems import (
    OrthonormalRows,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
)


@dataclass(frozen=True)
class Saturation(Activation):
    """f(z) = z² / (1 + z²): quadratic near zero, 1 far from it."""

    formula = Formula(
        "z² / (1 + z²)",
        "2{z} / (1 + {z}²)²",
        "{z}² / (1 + {z}²)",
        (r"z_i^2 / (1 + z_i^2)", r"2 {z} / (1 + {z}^2)^2", r"{z}^2 / (1 + {z}^2)"),
        wrap=True,
    )

    def __call__(self, z, variables):
        """Compute f(z) so that it neither overflows nor loses small z."""
        return -np.expm1(-np.log1p(z * z))

    def derivative(self, z, a):
        """Compute f'(z)."""
        return 2 * z * (1 - a) ** 2


@dataclass(frozen=True)
class GemanMcClure(Penalty):
    """S(s) = Σ s² / (1 + s²)."""

    @property
    def layers(self):
        """One layer."""
        return (Layer(None, Saturation()),)


def minimize_by_descent(objective, start, *, max_iter=100, tol=1e-6):
    """Minimize by steps along the gradient, each half as long until it lowers F by enough."""
    point, step = start, 1.0
    value, gradient = objective.value_and_gradient(point)
    history, status = [float(value)], Status.ITERATION_LIMIT
    for _ in range(max_iter):
        slope = float((gradient**2).sum())
        while True:
            trial = point - step * gradient
            lower, next_gradient = objective.value_and_gradient(trial)
            if lower <= value - 1e-4 * step * slope or step * slope < 1e-15 * max(abs(value), 1.0):
                break
            step /= 2
        gained = float(value - lower)
        if gained < 0:
            status = Status.CONVERGED  # rounding hides any descent that is left
            break
        point, value, gradient, step = trial, lower, next_gradient, 2 * step
        history.append(float(value))
        if gained <= tol * max(abs(value), 1.0):
            status = Status.CONVERGED
            break
    return Result(point, float(value), len(history) - 1, status, tuple(history))


def test_the_penalty_has_its_closed_form_and_gradient():
    s = np.random.default_rng(0).normal(size=(5, 7)) * 3
    values, gradient = GemanMcClure().values_and_gradient(s)
    np.testing.assert_allclose(values, (s**2 / (1 + s**2)).sum(axis=0), rtol=1e-12)
    exact = complex_step(lambda point: GemanMcClure().values_and_gradient(point)[0].sum(), s)
    assert relative_error(gradient, exact) < 1e-12


def test_its_derivation_is_written_out():
    assert "∇s F = δ⁽¹⁾ = 2s / (1 + s²)²" in delta_table(GemanMcClure().network())


def test_its_gradient_in_an_objective_is_right():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 9)), rng.normal(size=(6, 4))
    objective = reconstruction_ica(GemanMcClure(), 0.3).objective("W", {"x": x}, scale=1)
    assert check_gradient(objective.value_and_gradient, w) < 1e-12


def test_estimators_take_it():
    mixtures = make_mixtures(3_000, 4, random_state=0)
    model = OrthonormalICA(penalty=GemanMcClure(), random_state=0).fit(mixtures.X)
    assert amari_distance(model.components_, mixtures.mixing) < 0.1
    X = make_dictionary_signals(300, 8, 12, n_nonzero=2, random_state=0).X
    coding = SparseCoding(12, penalty=GemanMcClure(), batch_size=100, max_iter=2, random_state=0)
    codes = coding.fit(X).transform(X)
    objective = sparse_coding(coding.penalty_, coding.alpha_).objective(
        "s", {"x": X.T, "A": coding.components_.T}, scale=1
    )
    assert np.abs(objective.value_and_gradient(codes.T)[1]).max() < 1e-3  # a minimum of each
    assert ReconstructionICA(4, penalty=GemanMcClure(), tol=1e-3).fit(X).n_iter_ > 1


def bowl(seed=0):
    """A quadratic and its minimum."""
    rng = np.random.default_rng(seed)
    target, weights = rng.normal(size=(3, 2)), rng.uniform(0.5, 5, (3, 2))

    class Bowl:
        def value_and_gradient(self, point):
            off = point - target
            return float((weights * off**2).sum()), 2 * weights * off

    return Bowl(), target


def test_the_solver_finds_the_minimum_of_a_quadratic():
    objective, target = bowl()
    result = minimize_by_descent(objective, np.zeros((3, 2)), max_iter=500, tol=1e-14)
    assert result.status is Status.CONVERGED
    np.testing.assert_allclose(result.point, target, atol=1e-5)
    assert (np.diff(result.history) <= 0).all()
    assert result.n_iter == len(result.history) - 1


def test_the_solver_says_that_it_reached_its_limit():
    objective, _ = bowl()
    assert minimize_by_descent(objective, np.zeros((3, 2)), max_iter=2).status is (
        Status.ITERATION_LIMIT
    )


def test_the_solver_agrees_with_lbfgs_on_a_constrained_objective():
    x = make_mixtures(800, 3, random_state=0).X
    x = (x - x.mean(axis=0)).T
    roots, vectors = np.linalg.eigh(x @ x.T / x.shape[1])
    x = (vectors / np.sqrt(roots)) @ vectors.T @ x
    objective = OrthonormalRows(orthonormal_ica(GemanMcClure()).objective("W", {"x": x}))
    start = np.eye(3)
    mine = minimize_by_descent(objective, start, max_iter=300, tol=1e-12)
    theirs = minimize_lbfgs(objective, start, max_iter=300, tol=1e-12)
    assert mine.value == pytest.approx(theirs.value, rel=1e-6)
