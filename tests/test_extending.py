"""The code of docs/extending.md: a penalty, a minimizer, a model and a place for samples."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from oracles import complex_step, relative_error
from scipy.linalg import subspace_angles
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
)
from sparsebp.coding import BasisState, OnlineLearning
from sparsebp.datasets import make_dictionary_signals, make_mixtures
from sparsebp.estimators._filter_learner import FilterLearner
from sparsebp.estimators._learner import Learner
from sparsebp.metrics import amari_distance
from sparsebp.minimizers import Result, Status, minimize_lbfgs
from sparsebp.network import Activation, Formula, Layer, check_gradient, delta_table
from sparsebp.penalties import L1, Penalty
from sparsebp.problems import (
    ICA_RECONSTRUCTION,
    OrthonormalRows,
    Part,
    Problem,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
)
from sparsebp.samples import BLOCK, ArraySamples, Samples, second_moment_factor
from sparsebp.saving import Numbers, Size, register, registry


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


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """S(s) = Σ |s| + s² / 2: a corner at zero, so coefficients are exactly zero."""

    is_smooth = False

    @property
    def layers(self):
        """One layer."""
        return (Layer(None, AbsoluteAndSquare()),)

    def proximal(self, codes, step):
        """Compute argmin over u of ½(u − s)² + step S(u)."""
        return L1().proximal(codes, step) / (1 + step)


@dataclass(frozen=True)
class AbsoluteAndSquare(Activation):
    """f(z) = |z| + z² / 2, where |z| is the root of z², so that complex steps go through it."""

    formula = Formula("|z| + z² / 2", "sign({z}) + {z}", "|{z}| + {z}² / 2", ("", "", ""))

    def __call__(self, z, variables):
        """Compute f(z)."""
        return np.sqrt(z * z) + z * z / 2

    def derivative(self, z, a):
        """Compute f'(z)."""
        return np.sign(z) + z


def principal_subspace():
    """Return F(W) = (1/m) Σⱼ ‖WᵀW xⱼ − xⱼ‖² subject to WWᵀ = I."""
    return Problem(
        free=("W",),
        parts=(Part(r"\sum_j \| W^T W x_j - x_j \|^2", ICA_RECONSTRUCTION, is_quadratic=True),),
        constraint=OrthonormalRows,
        meanings={"x_j": "sample number j of m, a column of x", "W": "the filters in rows"},
    )


class PrincipalSubspace(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Orthonormal filters from which samples are reconstructed with the least error."""

    def __init__(self, n_components=2, *, max_iter=200, tol=1e-12, random_state=None):
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn the filters from centered samples in rows."""
        X = validate_data(self, X, dtype=np.float64)
        problem = self.problem_
        objective = problem.objective("W", {"x": ArraySamples(X.T)}, compressed=True)
        rng = check_random_state(self.random_state)
        start = problem.project(rng.standard_normal((self.n_components, X.shape[1])))
        result = minimize_lbfgs(
            problem.constrained(objective), start, max_iter=self.max_iter, tol=self.tol
        )
        self.components_ = problem.project(result.point)
        self.objective_ = result.value
        return self

    def transform(self, X):
        """Compute the filters' responses."""
        check_is_fitted(self)
        return validate_data(self, X, reset=False, dtype=np.float64) @ self.components_.T

    @property
    def problem_(self):
        """What was minimized."""
        return principal_subspace()

    @property
    def _n_features_out(self):
        return len(self.components_)


@dataclass(frozen=True, eq=False)
class FileSamples(Samples):
    """Samples in the rows of ``.npy`` files of equal sizes, read a block at a time."""

    paths: tuple

    @property
    def _first(self):
        return np.load(self.paths[0], mmap_mode="r")

    @property
    def shape(self):
        """Numbers of features and of samples."""
        in_each, n_features = self._first.shape
        return n_features, in_each * len(self.paths)

    @property
    def dtype(self):
        """Precision of the files."""
        return self._first.dtype

    def block(self, first, size=BLOCK):
        """Read the rows of a block, file by file."""
        rows = np.arange(first, min(first + size, self.shape[1]))
        file, row = np.divmod(rows, len(self._first))
        samples = np.empty((len(rows), self.shape[0]), self.dtype)
        for number in np.unique(file):
            here = file == number
            samples[here] = np.load(self.paths[number], mmap_mode="r")[row[here]]
        return samples.T


def minimize_by_descent(objective, start, *, max_iter=100, tol=1e-6, callback=None):
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
        if callback is not None and callback(len(history) - 1, history[-1], point):
            status = Status.STOPPED
            break
        if gained <= tol * max(abs(value), 1.0):
            status = Status.CONVERGED
            break
    return Result(point, float(value), len(history) - 1, status, tuple(history))


class DescentICA(OrthonormalICA):
    """Orthonormal ICA by steps along the gradient."""

    def _minimize(self, checkpoint, samples, penalty, start, *, near, **limits):
        problem = self._problem_of(penalty, start.shape)
        objective = problem.constrained(problem.objective("W", {"x": samples}))
        objective = checkpoint.taped(objective)  # so that a killed fit resumes
        return minimize_by_descent(objective, problem.project(start), tol=self.tol, **limits)


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
    assert ReconstructionICA(4, penalty=GemanMcClure(), whiten=True, tol=1e-3).fit(X).n_iter_ > 1


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


def test_an_estimator_takes_the_solver(tmp_path):
    mixtures = make_mixtures(1_000, 3, random_state=0)
    model = DescentICA(random_state=0, checkpoint=tmp_path / "fit").fit(mixtures.X)
    theirs = OrthonormalICA(random_state=0).fit(mixtures.X)
    assert amari_distance(model.components_, mixtures.mixing) < 0.1
    assert model.objective_ == pytest.approx(theirs.objective_, rel=1e-4)
    seen = []
    model.set_params(callback=lambda iteration, value: seen.append(value) or iteration == 2)
    assert (model.fit(mixtures.X).status_, len(seen)) == ("stopped", 2)


@pytest.mark.parametrize("kind", [Learner, FilterLearner])
def test_all_hooks_that_a_learner_must_define_are_documented(kind):
    page = (Path(__file__).parents[1] / "docs" / "extending.md").read_text("utf-8")
    rows = [row for row in page.splitlines() if f"| `{kind.__name__}` |" in row]
    hooks = {hook for row in rows for hook in re.findall(r"^\| `(_\w+)\(", row)}
    codes = {name: getattr(getattr(kind, name), "__code__", None) for name in dir(kind)}
    required = {n for n, code in codes.items() if code and "NotImplementedError" in code.co_names}
    assert required
    assert required <= hooks <= set(codes)


def test_a_penalty_with_a_corner_gives_codes_that_are_zero():
    X = make_dictionary_signals(300, 8, 12, n_nonzero=2, random_state=0).X
    options = {"alpha": 0.5, "batch_size": 100, "max_iter": 3, "random_state": 0}
    model = SparseCoding(12, penalty=ElasticNet(), **options).fit(X)
    codes = model.transform(X).T
    assert (codes == 0).mean() > 0.3
    basis = model.components_.T
    gradient = 2 * basis.T @ (basis @ codes - X.T)  # of the distance
    used = codes != 0
    slope = gradient + 0.5 * (np.sign(codes) + codes)
    assert np.abs(slope[used]).max() < 1e-4
    assert np.abs(gradient[~used]).max() < 0.5 + 1e-4


def centered_samples():
    X = np.random.default_rng(0).normal(size=(500, 6)) * [5, 4, 3, 1, 0.5, 0.1]
    return X - X.mean(axis=0)


def test_the_model_finds_what_principal_components_span():
    X = centered_samples()
    model = PrincipalSubspace(3, random_state=0).fit(X)
    expected = PCA(3).fit(X)
    assert subspace_angles(model.components_.T, expected.components_.T).max() < 1e-5
    lost = 1 - expected.explained_variance_ratio_.sum()
    assert model.objective_ == pytest.approx(lost * (X**2).sum(axis=1).mean())


def test_the_model_can_be_saved(tmp_path, monkeypatch):
    attributes = {
        "n_features_in_": Size("features"),
        "components_": Numbers(("components", "features")),
        "objective_": Numbers(),
    }
    monkeypatch.delitem(registry.ESTIMATORS, "PrincipalSubspace", raising=False)  # and after it
    register(PrincipalSubspace, attributes)
    X = centered_samples()
    model = PrincipalSubspace(3, random_state=0).fit(X)
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))


@pytest.mark.slow
def test_samples_in_files_are_learned_from_like_those_in_memory(tmp_path):
    X = make_dictionary_signals(3 * 900, 8, 12, n_nonzero=2, random_state=0).X
    paths = tuple(tmp_path / f"{number}.npy" for number in range(3))
    for path, rows in zip(paths, np.split(X, 3), strict=True):
        np.save(path, rows)
    files, memory = FileSamples(paths), ArraySamples(X.T)
    some = np.array([2000, 5, 1700])
    twice = [samples.select(some).select(np.array([2, 0])).block(0) for samples in (files, memory)]
    np.testing.assert_array_equal(twice[0], X[[1700, 2000]].T)
    np.testing.assert_array_equal(*twice)
    factors = [second_moment_factor(samples) for samples in (files, memory)]
    np.testing.assert_array_equal(*factors)
    filters = np.random.default_rng(0).normal(size=(8, 8))
    objectives = [
        reconstruction_ica(GemanMcClure(), 0.3).objective("W", {"x": samples})
        for samples in (files, memory)
    ]
    values = [objective.value_and_gradient(filters)[0] for objective in objectives]
    assert values[0] == pytest.approx(values[1], rel=1e-14)
    models = [SparseFiltering(6, tol=1e-2, random_state=0).fit(X) for X in (files, memory)]
    np.testing.assert_allclose(models[0].components_, models[1].components_, atol=1e-9)
    np.testing.assert_array_equal(models[1].transform(files), models[1].transform(X))
    search = OnlineLearning(L1(), 0.3, None, batch_size=200, max_iter=5)
    start = BasisState.empty(np.random.default_rng(1).normal(size=(8, 12)))
    found = [search.run(samples, start, 0) for samples in (files, memory)]
    np.testing.assert_allclose(found[0].point, found[1].point, atol=1e-12)
