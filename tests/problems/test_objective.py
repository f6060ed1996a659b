import numpy as np
import oracles
import pytest
from network.test_autoencoder import RECONSTRUCTION as RECONSTRUCTED
from network.test_autoencoder import SPARSITY as ACTIVE
from oracles import complex_step, relative_error
from penalties.registry import CASES

from sparsebp.network import Layer, Network, Parameter, Square, check_gradient
from sparsebp.penalties import L1, SmoothL1
from sparsebp.problems import (
    RECONSTRUCTION,
    WEIGHT_DECAY,
    Objective,
    Term,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
)
from sparsebp.samples import ArraySamples

DECAY = Objective({"A": (2, 3)}, [Term(1.0, WEIGHT_DECAY)])
EACH = pytest.mark.parametrize("case", CASES, ids=repr)


def matrices(n=3, k=5, m=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, m)), rng.normal(size=(n, k)), rng.normal(size=(k, m))


@EACH
def test_the_columns_values_sum_to_the_value(case):
    x, basis, codes = matrices()
    objective = sparse_coding(case.build(5), 0.4).objective("s", {"x": x, "A": basis}, scale=0.5)
    values, gradient = objective.values_and_gradient(codes)
    value, same = objective.value_and_gradient(codes)
    assert values.shape == (6,)
    assert values.sum() == pytest.approx(value, rel=1e-13)
    np.testing.assert_array_equal(gradient, same)


@EACH
def test_a_columns_value_and_gradient_are_those_of_the_sample_alone(case):
    x, basis, codes = matrices()
    penalty = case.build(5)
    values, gradient = (
        sparse_coding(penalty, 0.4)
        .objective("s", {"x": x, "A": basis}, scale=1)
        .values_and_gradient(codes)
    )
    for j in range(6):
        alone = sparse_coding(penalty, 0.4).objective("s", {"x": x[:, [j]], "A": basis}, scale=1)
        value, its_gradient = alone.value_and_gradient(codes[:, [j]])
        assert values[j] == pytest.approx(value, rel=1e-13)
        assert relative_error(gradient[:, [j]], its_gradient) < 1e-13


def test_columns_in_float32():
    x, basis, codes = (matrix.astype(np.float32) for matrix in matrices())
    objective = sparse_coding(SmoothL1(), 0.4).objective("s", {"x": x, "A": basis}, scale=1 / 6)
    values, gradient = objective.values_and_gradient(codes)
    assert values.dtype == gradient.dtype == np.float32


def test_terms_are_weighted_and_summed():
    decay = Network("A", [Layer(None, Square())])
    product = Network("x", [Layer(Parameter("A"), Square()), Layer(None, Square())])
    x, a = np.array([[1.0], [2.0]]), np.array([[3.0, -1.0]])
    objective = Objective("A", (Term(2.0, decay), Term(-0.5, product, {"x": x})))

    def closed_form(point):
        return 2 * (point**2).sum() - 0.5 * ((point @ x**2) ** 2).sum()

    value, gradient = objective.value_and_gradient(a)
    assert value == pytest.approx(closed_form(a), rel=1e-14)
    assert relative_error(gradient, complex_step(closed_form, a)) < 1e-14


def test_a_term_of_weight_zero_adds_nothing():
    x, basis, codes = matrices()
    objective = sparse_coding(SmoothL1(), 0.0).objective("s", {"x": x, "A": basis}, scale=1)
    value, gradient = objective.value_and_gradient(codes)
    assert value == pytest.approx(oracles.squared_distance(basis, codes, x))
    exact = oracles.squared_distance_in_codes(basis, codes, x)
    assert relative_error(gradient, exact) < 1e-14


def test_a_point_of_whole_numbers_is_a_point():
    objective = Objective("A", (Term(0.5, WEIGHT_DECAY),))
    point = np.array([[2, 0, -1]])
    value, gradient = objective.value_and_gradient(point)
    assert value == 2.5
    np.testing.assert_array_equal(gradient, [[2.0, 0.0, -1.0]])
    values, gradient = objective.values_and_gradient(point)
    np.testing.assert_array_equal(values, [2.0, 0.0, 0.5])
    np.testing.assert_array_equal(gradient, [[2.0, 0.0, -1.0]])


def test_a_float32_sum_over_many_samples_is_exact():
    x = np.full((1, 300_000), 0.1, dtype=np.float32)
    objective = orthonormal_ica(SmoothL1(1e-12)).objective("W", {"x": x}, scale=1)
    value, _ = objective.value_and_gradient(np.ones((1, 1), np.float32))
    assert value == pytest.approx(300_000 * float(x[0, 0]), rel=1e-6)


@pytest.mark.parametrize(
    "build",
    [
        lambda x, a, s, c: (
            sparse_coding(SmoothL1(), 0.4).objective("s", {"x": x, "A": a}, scale=c),
            s,
        ),
        lambda x, a, s, c: (
            sparse_coding(L1(), 0.0, 0.0).objective("A", {"x": x, "s": s}, scale=c),
            a,
        ),
        lambda x, a, s, c: (
            reconstruction_ica(SmoothL1(), 0.4).objective("W", {"x": x}, scale=c),
            a.T,
        ),
        lambda x, a, s, c: (orthonormal_ica(SmoothL1()).objective("W", {"x": x}, scale=c), a.T),
    ],
)
def test_scale_is_a_factor_and_the_plain_sum_is_the_default(build):
    objective, point = build(*matrices(), 0.25)
    plain, _ = build(*matrices(), 1.0)
    value, gradient = objective.value_and_gradient(point)
    plain_value, plain_gradient = plain.value_and_gradient(point)
    assert value == pytest.approx(plain_value / 4, rel=1e-14)
    assert relative_error(gradient, plain_gradient / 4) < 1e-14


def test_gamma_is_not_scaled():
    x, basis, codes = matrices()
    with_decay = (
        sparse_coding(L1(), 0.0, 0.3)
        .objective("A", {"x": x, "s": codes}, scale=0.1)
        .value_and_gradient(basis)[0]
    )
    without = (
        sparse_coding(L1(), 0.0, 0.0)
        .objective("A", {"x": x, "s": codes}, scale=0.1)
        .value_and_gradient(basis)[0]
    )
    assert with_decay - without == pytest.approx(0.3 * (basis**2).sum())


def test_alpha_is_scaled():
    x, basis, _ = matrices()
    some = (
        reconstruction_ica(SmoothL1(), 0.4)
        .objective("W", {"x": x}, scale=0.1)
        .value_and_gradient(basis.T)[0]
    )
    none = (
        reconstruction_ica(SmoothL1(), 0.0)
        .objective("W", {"x": x}, scale=0.1)
        .value_and_gradient(basis.T)[0]
    )
    sparsity = (
        orthonormal_ica(SmoothL1()).objective("W", {"x": x}, scale=1).value_and_gradient(basis.T)[0]
    )
    assert some - none == pytest.approx(0.04 * sparsity)


def autoencoder(x, n_hidden, weight=0.3, decay=0.1):
    """A sparse autoencoder's objective in W, b and c."""
    n_features = x.shape[0]
    free = {"W": (n_hidden, n_features), "b": (n_hidden, 1), "c": (n_features, 1)}
    return Objective(
        free,
        [
            Term(1.0, RECONSTRUCTED, {"x": x}),
            Term(weight, ACTIVE, {"x": x}),
            Term(decay, Network("W", [Layer(None, Square())])),
        ],
    )


@pytest.mark.parametrize(
    "wrap", [np.asarray, lambda x: ArraySamples(x, 1)], ids=["array", "samples"]
)
def test_several_free_matrices_are_one_flat_vector(wrap):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 2_500 if wrap is not np.asarray else 7))
    objective = autoencoder(wrap(x), 3)
    matrices = {n: rng.normal(size=shape) for n, shape in objective.free.items()}
    point = objective.pack(matrices)
    value, gradient = objective.value_and_gradient(point)
    arguments = matrices["W"], matrices["b"], matrices["c"], x, 0.3, 0.05
    decay = 0.1 * (matrices["W"] ** 2).sum()
    assert value == pytest.approx(oracles.autoencoder(*arguments) + decay, rel=1e-12)
    expected = oracles.autoencoder_gradients(*arguments)
    expected["W"] = expected["W"] + 0.2 * matrices["W"]
    found = objective.unpack(gradient)
    assert list(found) == ["W", "b", "c"]
    for name, slope in found.items():
        assert relative_error(slope, expected[name]) < 1e-12
        np.testing.assert_array_equal(objective.unpack(point)[name], matrices[name])


def test_a_flat_gradient_agrees_with_a_complex_step_and_has_the_points_precision():
    rng = np.random.default_rng(1)
    objective = autoencoder(rng.normal(size=(4, 6)), 3)
    point = rng.normal(size=3 * 4 + 3 + 4)
    assert check_gradient(objective.value_and_gradient, point) < 1e-12
    small = autoencoder(rng.normal(size=(4, 6)).astype(np.float32), 3)
    assert small.value_and_gradient(point.astype(np.float32))[1].dtype == np.float32


def test_one_free_matrix_with_its_shape_is_the_same_flattened():
    x, basis, codes = matrices()
    plain = sparse_coding(SmoothL1(), 0.4).objective("s", {"x": x, "A": basis}, scale=1)
    flat = Objective({"s": codes.shape}, plain.terms)
    value, gradient = plain.value_and_gradient(codes)
    flat_value, flat_gradient = flat.value_and_gradient(codes.ravel())
    assert flat_value == value
    np.testing.assert_array_equal(flat_gradient, gradient.ravel())
    assert plain.unpack(codes)["s"] is codes is plain.pack({"s": codes})


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Objective("A", ()), "at least one term"),
        (lambda: Objective({"A": (2, 2)}, [Term(1, RECONSTRUCTION)]), "'s' of a term is neither"),
        (
            lambda: Objective({"A": (2, 2), "b": (2, 1)}, [Term(1, WEIGHT_DECAY)]),
            "free variable 'b'",
        ),
        (lambda: Objective({"A": 3}, [Term(1, WEIGHT_DECAY)]), "2 integers ≥ 1"),
        (
            lambda: Objective("s", [Term(1, RECONSTRUCTION, {"A": [1], "x": [2]})]),
            "'A' of a term",
        ),
        (lambda: DECAY.unpack(np.ones(5)), "A 2×3 make a vector of 6 numbers"),
        (lambda: DECAY.pack({"A": np.ones(6)}), r"made for \(2, 3\)"),
        (lambda: DECAY.pack({"W": np.ones(6)}), "'A' is missing; give A 2×3"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_message(build, message):
    with pytest.raises((TypeError, ValueError), match=message):
        build()
