"""The errors of the tutorial that the package follows: each correct form, pinned.

docs/errata.md explains them under the same numbers.
"""

import re
from pathlib import Path

import numpy as np
import oracles
import pytest
from oracles import complex_step, relative_error

from sparsebp.coding import starting_codes
from sparsebp.minimizers import minimize_lbfgs, minimize_orthonormal
from sparsebp.network import delta_table, value_and_gradients
from sparsebp.penalties import L1, Cauchy, SmoothL1, Topographic
from sparsebp.preprocessing import Whitening
from sparsebp.problems import (
    ICA_RECONSTRUCTION,
    RECONSTRUCTION,
    OrthonormalRows,
    UnitColumns,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def in_variable(network, variables, name):
    """The engine's gradient in a variable, and the complex step's."""
    _, gradients = value_and_gradients(network, variables, name)

    def value(point):
        return value_and_gradients(network, {**variables, name: point}, ())[0]

    return gradients[name], complex_step(value, variables[name])


def test_erratum_01_the_gradient_in_the_basis_is_not_that_in_the_codes():
    a, s, x = normal(3, 5), normal(5, 4), normal(3, 4)
    printed = 2 * a.T @ (a @ s - x)
    variables = {"A": a, "s": s, "x": x}
    in_basis, exact = in_variable(RECONSTRUCTION, variables, "A")
    assert printed.shape == s.shape != a.shape
    assert relative_error(in_basis, exact) < 1e-12
    assert relative_error(in_basis, 2 * (a @ s - x) @ s.T) < 1e-12
    np.testing.assert_allclose(in_variable(RECONSTRUCTION, variables, "s")[0], printed)
    a, s, x = normal(4, 4), normal(4, 4, seed=1), normal(4, 4, seed=2)
    in_basis, _ = in_variable(RECONSTRUCTION, {"A": a, "s": s, "x": x}, "A")
    assert relative_error(2 * a.T @ (a @ s - x), in_basis) > 0.5


def test_erratum_01_the_weight_decay_stays_in_the_gradient():
    a, s, x = normal(3, 5), normal(5, 4), normal(3, 4)
    with_decay, without = (
        sparse_coding(L1(), 0.0, g)
        .objective("A", {"x": x, "s": s}, scale=1)
        .value_and_gradient(a)[1]
        for g in (0.3, 0.0)
    )
    np.testing.assert_allclose(with_decay - without, 2 * 0.3 * a)


def test_erratum_02_the_groups_gather_squares_not_an_outer_product():
    v, s = np.abs(normal(3, 5)), normal(5, 4)
    penalty = Topographic.from_groups(v, epsilon=0.01)
    values, gradient = penalty.values_and_gradient(s)
    printed = v @ s @ s.T
    assert printed.shape != (v @ (s * s)).shape
    assert (printed + 0.01 < 0).any()
    np.testing.assert_allclose(values, np.sqrt(v @ (s * s) + 0.01).sum(axis=0))
    exact = complex_step(lambda point: penalty.values_and_gradient(point)[0].sum(), s)
    assert relative_error(gradient, exact) < 1e-12


def test_erratum_02_the_transpose_acts_before_the_product_with_the_codes():
    v, s = np.abs(normal(5, 5)), normal(5, 4)
    roots = (v @ (s * s) + 0.01) ** -0.5
    _, gradient = Topographic.from_groups(v, epsilon=0.01).values_and_gradient(s)
    assert relative_error((v.T @ roots) * s, gradient) < 1e-12
    assert relative_error(v.T @ (roots * s), gradient) > 0.1


def test_erratum_03_the_first_term_of_the_gradient_in_the_filters_has_w():
    def printed(w, x):
        residual = w.T @ w @ x - x
        return 2 * w.T @ residual @ x.T + 2 * (w @ x) @ residual.T

    w, x = normal(5, 3), normal(3, 4)
    gradient, exact = in_variable(ICA_RECONSTRUCTION, {"W": w, "x": x}, "W")
    assert relative_error(gradient, exact) < 1e-12
    assert relative_error(gradient, oracles.ica_reconstruction_in_filters(w, x)) < 1e-12
    with pytest.raises(ValueError, match="matmul"):
        printed(w, x)
    square, x = normal(4, 4), normal(4, 6)
    gradient, _ = in_variable(ICA_RECONSTRUCTION, {"W": square, "x": x}, "W")
    assert relative_error(printed(square, x), gradient) > 0.1


def test_erratum_04_the_recursion_ends_at_layer_1():
    lines = delta_table(RECONSTRUCTION).splitlines()
    assert [line[0] for line in lines[4:7]] == ["3", "2", "1"]
    assert "∇s F = δ⁽¹⁾ = 2 Aᵀ (A s − x)" in lines
    a, s, x = normal(4, 4), normal(4, 4, seed=1), normal(4, 4, seed=2)
    gradient, exact = in_variable(RECONSTRUCTION, {"A": a, "s": s, "x": x}, "s")
    delta_2 = 2 * (a @ s - x)
    assert relative_error(gradient, exact) < 1e-12
    assert relative_error(delta_2, gradient) > 0.5


def test_erratum_04_the_value_is_the_sum_of_the_last_activations():
    a, s, x = normal(3, 5), normal(5, 4), normal(3, 4)
    z = a @ s - x
    value, _ = value_and_gradients(RECONSTRUCTION, {"A": a, "s": s, "x": x}, ())
    assert value == pytest.approx(sum(unit * unit for unit in z.flat))
    assert value != pytest.approx(z.sum())


def test_erratum_05_samples_that_are_input_and_target_sum_both_paths():
    w, x = normal(5, 3), normal(3, 4)
    gradient, exact = in_variable(ICA_RECONSTRUCTION, {"W": w, "x": x}, "x")
    through_the_input = 2 * w.T @ w @ (w.T @ w @ x - x)
    assert relative_error(gradient, exact) < 1e-12
    assert relative_error(gradient, oracles.ica_reconstruction_in_samples(w, x)) < 1e-12
    assert relative_error(through_the_input, gradient) > 0.01
    assert "∇x F = δ⁽¹⁾ − δ⁽³⁾" in delta_table(ICA_RECONSTRUCTION)


def test_erratum_06_a_group_of_3_by_3_has_nine_members():
    corner = [(r, c) for r in (1, 2, 3) for c in (1, 2, 3)]
    printed = [(3, 2) if cell == (2, 3) else cell for cell in corner]
    assert len(set(printed)) == 8
    for wrap in (True, False):
        grouping = Topographic((6, 6), 3, wrap).grouping.reshape(6, 6, 6, 6)
        members = {(int(r) + 1, int(c) + 1) for r, c in np.argwhere(grouping[1, 1])}
        assert members == set(corner)
        assert grouping[1, 1].max() == 1


def test_erratum_07_the_first_codes_are_products_with_the_atoms_by_their_lengths():
    basis, x = normal(3, 5), normal(3, 4)
    codes = starting_codes(x, basis)
    for r in range(5):
        atom = basis[:, r]
        np.testing.assert_allclose(codes[r], atom @ x / np.sqrt(atom @ atom))
    np.testing.assert_allclose(starting_codes(x, basis * [1, 10, 0.1, 3, 7]), codes)
    by_squares = (
        (basis * [1, 10, 0.1, 3, 7]).T
        @ x
        / ((basis * [1, 10, 0.1, 3, 7]) ** 2).sum(axis=0)[:, None]
    )
    assert relative_error(by_squares, codes) > 0.1


def test_erratum_08_the_smoothed_absolute_value_squares_its_argument_and_is_summed():
    s = np.array([[-2.0, 0.5], [1.0, 0.0]])
    value = SmoothL1(0.01).values_and_gradient(s)[0].sum()
    assert value == pytest.approx(sum((v * v + 0.01) ** 0.5 for v in s.flat))
    assert (s + 0.01 < 0).any()


class Spy:
    """An objective that remembers where it was evaluated, and with what value."""

    def __init__(self, objective):
        self.objective, self.points, self.values = objective, [], []

    def value_and_gradient(self, point):
        value, gradient = self.objective.value_and_gradient(point)
        self.points.append(point.copy())
        self.values.append(value)
        return value, gradient


def sources(n_sources=4, n_samples=800):
    """Whitened mixtures of independent Laplace sources."""
    rng = np.random.default_rng(0)
    mixed = rng.normal(size=(n_sources, n_sources)) @ rng.laplace(size=(n_sources, n_samples))
    roots, vectors = np.linalg.eigh(mixed @ mixed.T / n_samples)
    return (vectors / np.sqrt(roots)) @ vectors.T @ mixed


def test_erratum_09_there_may_be_as_many_filters_as_features_and_their_rows_are_the_basis():
    x = sources()
    result = minimize_orthonormal(orthonormal_ica(SmoothL1()).objective("W", {"x": x}), np.eye(4))
    w = result.point
    np.testing.assert_allclose(w @ w.T, np.eye(4), atol=1e-12)
    codes = w @ x
    np.testing.assert_allclose(sum(np.outer(w[r], codes[r]) for r in range(4)), x, atol=1e-12)
    by_columns = sum(np.outer(w[:, r], codes[r]) for r in range(4))
    assert relative_error(by_columns, x) > 0.1


def test_erratum_09_the_first_matrix_is_projected_too():
    spy = Spy(orthonormal_ica(SmoothL1()).objective("W", {"x": sources()}, scale=1))
    start = 3 * normal(3, 4)
    minimize_orthonormal(spy, start, max_iter=3)
    np.testing.assert_allclose(spy.points[0], OrthonormalRows.project(start), atol=1e-14)
    for point in spy.points:
        np.testing.assert_allclose(point @ point.T, np.eye(3), atol=1e-12)


class Ripples:
    """1 − cos 50θ of the direction (cos θ, sin θ): a first step of 0.1 jumps over the valley."""

    def value_and_gradient(self, point):
        (across, up) = point[0]
        angle = np.arctan2(up, across)
        slope = 50 * np.sin(50 * angle)
        return 1 - np.cos(50 * angle), slope * np.array([[-up, across]]) / (point**2).sum()


def test_erratum_09_the_line_search_shortens_the_step():
    spy = Spy(Ripples())
    result = minimize_orthonormal(spy, np.array([[np.cos(0.03), np.sin(0.03)]]))
    refused = [v for v in spy.values if v > spy.values[0]]
    assert spy.values[1] in refused, "the first step must be too long, or nothing is tested"
    steps = [np.linalg.norm(p - spy.points[0]) for p in spy.points[1:3]]
    assert steps[1] == pytest.approx(steps[0] / 2, rel=0.01)
    assert (np.diff(result.history) <= 0).all()
    assert result.value < 1e-12


def test_erratum_10_nothing_is_divided_by_the_eigenvalue_of_the_removed_mean():
    patches = normal(300, 16)
    patches -= patches.mean(axis=1, keepdims=True)
    whitening = Whitening("zca", regularization=0.0).fit(patches)
    whitened = whitening.transform(patches)
    assert whitening.rank_ == 15
    expected = np.eye(16) - np.full((16, 16), 1 / 16)
    np.testing.assert_allclose(whitened.T @ whitened / 300, expected, atol=1e-10)
    assert np.abs(whitening.whitening_matrix_).max() < 10
    centered = patches - patches.mean(axis=0)
    eigenvalues = np.linalg.eigvalsh(centered.T @ centered / 300)
    assert abs(eigenvalues[0]) < 1e-14, "the chapter divides by the root of this"


def test_erratum_11_reconstruction_ica_becomes_orthonormal_as_alpha_goes_to_zero():
    x = sources()
    constrained = minimize_orthonormal(
        orthonormal_ica(SmoothL1()).objective("W", {"x": x}), normal(4, 4), tol=1e-12
    ).point
    alphas, distances = (0.1, 0.01, 0.001), []
    for alpha in alphas:
        objective = reconstruction_ica(SmoothL1(), alpha).objective("W", {"x": x})
        w = minimize_lbfgs(objective, constrained, max_iter=500, tol=1e-14).point
        distances.append(np.linalg.norm(w - constrained))
    slope = np.polyfit(np.log(alphas), np.log(distances), 1)[0]
    assert slope == pytest.approx(1, abs=0.15)
    assert distances[-1] < 1e-2


def test_erratum_11_a_large_alpha_silences_the_filters():
    x = sources()
    objective = reconstruction_ica(SmoothL1(), 100.0).objective("W", {"x": x})
    w = minimize_lbfgs(
        objective, OrthonormalRows.project(normal(4, 4)), max_iter=500, tol=1e-14
    ).point
    assert np.linalg.norm(w) < 1e-2


@pytest.mark.parametrize("beta", [0.5, 1.0, 3.0])
def test_erratum_12_beta_is_an_exponent_of_the_cauchy_prior(beta):
    s, x, basis = normal(5, 4), np.zeros((3, 4)), np.zeros((3, 5))
    _, gradient = (
        sparse_coding(Cauchy(), beta)
        .objective("s", {"x": x, "A": basis}, scale=1)
        .value_and_gradient(s)
    )
    exponent = complex_step(lambda a: -np.log((1 + a * a) ** -beta).sum(), s)
    factor = complex_step(lambda a: -np.log(beta / (1 + a * a)).sum(), s)
    assert relative_error(gradient, exponent) < 1e-12
    assert (relative_error(gradient, factor) < 1e-12) == (beta == 1)


def test_erratum_12_the_penalty_is_inside_the_sum_over_samples():
    x, basis, s = normal(3, 4), normal(3, 5), normal(5, 4)
    value, _ = (
        sparse_coding(Cauchy(), 0.7)
        .objective("s", {"x": x, "A": basis}, scale=1)
        .value_and_gradient(s)
    )
    each = [
        sparse_coding(Cauchy(), 0.7)
        .objective("s", {"x": x[:, [j]], "A": basis}, scale=1)
        .value_and_gradient(s[:, [j]])[0]
        for j in range(4)
    ]
    assert value == pytest.approx(sum(each))
    outside = oracles.squared_distance(basis, s, x) + 0.7 * oracles.cauchy(s[:, [0]])
    assert value != pytest.approx(outside, rel=1e-3)


def test_erratum_13_weight_decay_rewards_an_atom_that_dies():
    x, gamma = normal(4, 30), 0.01
    atom = x[:, :1] / np.linalg.norm(x[:, 0])
    codes = atom.T @ x
    shared, alone = np.hstack([atom, atom]), np.hstack([atom, 0 * atom])
    halves, all_in_one = np.vstack([codes, codes]) / 2, np.vstack([codes, 0 * codes])

    def printed(basis, s):
        decayed = (
            sparse_coding(L1(), 0.0, gamma)
            .objective("A", {"x": x, "s": s}, scale=1)
            .value_and_gradient(basis)[0]
        )
        return decayed + 0.1 * np.abs(s).sum()

    gain = printed(shared, halves) - printed(alone, all_in_one)
    assert gain == pytest.approx(gamma)
    # Without the decay neither is better, so a constraint on the lengths lets both live.
    gamma = 0.0
    assert printed(shared, halves) == pytest.approx(printed(alone, all_in_one))


def test_erratum_14_the_printed_weight_leaves_sparsity_a_fortieth_of_the_objective():
    # Directions as the exercise has them: 81 pixels, less the mean; unit patches; 50 unit filters.
    x, w = UnitColumns.project(normal(80, 2000)), OrthonormalRows.project(normal(50, 80))

    def value(alpha):
        return (
            reconstruction_ica(SmoothL1(1e-2), alpha)
            .objective("W", {"x": x}, scale=1)
            .value_and_gradient(w)[0]
        )

    def share(weight):
        return 1 - value(0.0) / value(2 * weight)

    assert share(5e-4) < 1 / 40
    assert share(0.05) > 1 / 4


def test_the_page_and_these_tests_name_each_other():
    page = (Path(__file__).parents[1] / "docs" / "errata.md").read_text(encoding="utf-8")
    tests = {name for name in globals() if name.startswith("test_erratum_")}
    assert set(re.findall(r"test_erratum_\w+", page)) == tests
    numbers = re.findall(r"^## (\d+)\.", page, flags=re.MULTILINE)
    assert [f"{int(n):02}" for n in numbers] == sorted({name[13:15] for name in tests})
