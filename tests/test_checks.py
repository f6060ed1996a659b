from fractions import Fraction

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from sparsebp import (
    OrthonormalICA,
    Recipe,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    load_basis,
)
from sparsebp._checks import (
    check_choice,
    check_flag,
    check_integer,
    check_matrix,
    check_number,
    check_readable,
    check_shape,
    check_vector,
    random_source,
)
from sparsebp.datasets import make_dictionary_signals, make_mixtures
from sparsebp.displays import SpectrumDisplay, filter_mosaic
from sparsebp.metrics import coefficient_kurtosis, duality_gap, gabor_fit, topography_index
from sparsebp.penalties import L1, SmoothL1, Topographic
from sparsebp.penalties.topographic import squarest_grid
from sparsebp.preprocessing import Whitening, remove_mean, sample_patches, whiten_images

X = np.random.default_rng(0).laplace(size=(4, 4))

#: What was wrong → its message and error; each through several functions of the package.
DOORS = {
    "no integer": (
        "n_components must be an integer ≥ 1",
        TypeError,
        [
            lambda: SparseCoding(2.0).fit(X),
            lambda: ReconstructionICA(2.0).fit(X),
            lambda: make_dictionary_signals(n_components=2.0),
            lambda: SpectrumDisplay([1.0], n_components=2.0),
            lambda: squarest_grid(2.0),
        ],
    ),
    "a number too small": (
        "epsilon must be a finite number > 0.*, got -1",
        ValueError,
        [
            lambda: OrthonormalICA(epsilon=-1).fit(X),
            lambda: SparseCoder(X, epsilon=-1).transform(X),
            lambda: SmoothL1(-1),
            lambda: Topographic((2, 2), epsilon=-1),
        ],
    ),
    "no flag": (
        "True or False, got 'no'",
        TypeError,
        [
            lambda: SparseCoding(positive_basis="no").fit(X),
            lambda: L1(positive="no"),
            lambda: whiten_images([X], unit_variance="no"),
            lambda: duality_gap(X, X, X, alpha=1.0, positive="no"),
            lambda: Recipe(color="no"),
        ],
    ),
    "another word": (
        "must be one of .*, got 'some'",
        ValueError,
        [
            lambda: SparseCoding(solver="some").fit(X),
            lambda: SparseCoding(penalty="some").fit(X),
            lambda: make_mixtures(distribution="some"),
            lambda: whiten_images([X], boundary="some"),
            lambda: Whitening("some").fit(X),
            lambda: filter_mosaic(X, (2, 2), scale="some"),
            lambda: load_basis("some"),
        ],
    ),
    "a bad shape": (
        r"grid_shape must be 2 integers ≥ 1, such as \(8, 8\), got \(0, 4\)",
        ValueError,
        [
            lambda: Topographic((0, 4)),
            lambda: filter_mosaic(X, (2, 2), grid_shape=(0, 4)),
            lambda: topography_index(gabor_fit(X, (2, 2)), (0, 4)),
        ],
    ),
    "a row": (
        r"must have two dimensions, got shape \(4,\)\. Reshape a single row with",
        ValueError,
        [
            lambda: coefficient_kurtosis(X[0]),
            lambda: SparseCoding(init=X[0]).fit(X),
            lambda: SparseCoder(X[0]).transform(X),
            lambda: remove_mean(X[0]),
            lambda: gabor_fit(X[0], (2, 2)),
        ],
    ),
    "a seed": (
        "random_state must be an integer from 0 to .*, a Generator or None, got -1",
        ValueError,
        [
            lambda: SparseFiltering(random_state=-1).fit(X),
            lambda: make_mixtures(random_state=-1),
            lambda: sample_patches([X], (2, 2), 3, random_state=-1),
        ],
    ),
}


@pytest.mark.parametrize("wrong", list(DOORS))
def test_the_same_mistake_gets_the_same_message_everywhere(wrong):
    message, error, doors = DOORS[wrong]
    for door in doors:
        with pytest.raises(error, match=message):
            door()


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30, 1.5, True, "x", [1.5], [1, 2], np.array([3])])
def test_bad_seeds_are_refused(seed):
    error = ValueError if type(seed) is int else TypeError
    with pytest.raises(error, match=r"random_state must be an integer from 0 to .*, got "):
        random_source(seed)


def test_generators_are_used_as_they_are():
    generator, legacy = np.random.default_rng(0), np.random.RandomState(0)
    assert random_source(generator) is generator
    assert random_source(legacy) is legacy


@pytest.mark.parametrize("seed", [0, 3, np.int64(3), 2**32 - 1])
def test_a_seed_gives_the_stream_of_a_random_state(seed):
    expected = np.random.RandomState(seed).standard_normal(5)
    np.testing.assert_array_equal(random_source(seed).standard_normal(5), expected)


def test_no_seed_draws_from_the_global_stream():
    before = np.random.get_state()  # noqa: NPY002
    try:
        np.random.seed(7)  # noqa: NPY002
        drawn = [random_source(None).random() for _ in range(2)]
        following = np.random.random()  # noqa: NPY002
    finally:
        np.random.set_state(before)  # noqa: NPY002
    np.testing.assert_array_equal([*drawn, following], np.random.RandomState(7).random(3))


def test_counts():
    with pytest.raises(TypeError, match=r"n must be an integer ≥ 1, got 2\.0"):
        check_integer("n", 2.0)
    with pytest.raises(TypeError, match="n must be an integer ≥ 1, got True"):
        check_integer("n", True)
    with pytest.raises(ValueError, match="n must be an integer ≥ 1, got 0"):
        check_integer("n", 0)
    assert check_integer("n", np.int8(3)) == 3
    assert type(check_integer("n", np.int8(3))) is int


@pytest.mark.parametrize("value", ["1", None, True, np.True_, 1j, [1.0]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=r"x must be a finite number, got "):
        check_number("x", value)
    with pytest.raises(TypeError, match=r"x must be a finite number ≥ 0, got "):
        check_number("x", value, minimum=0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 10**400, Fraction(10**400, 3)])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match=r"x must be a finite number, got "):
        check_number("x", value)
    with pytest.raises(ValueError, match=r"x must be a finite number ≥ 0, got "):
        check_number("x", value, minimum=0)


def test_numbers_have_a_minimum_where_asked():
    assert check_number("x", np.float32(-2)) == -2
    assert check_number("x", np.float32(0), minimum=0) == 0
    with pytest.raises(ValueError, match=r"x must be a finite number ≥ 0, got -1e-09"):
        check_number("x", -1e-9, minimum=0)


@pytest.mark.parametrize("shape", [8, None, "88", (8.0, 8), (True, 8)])
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(TypeError, match=r"s must be 2 integers ≥ 1, such as \(8, 8\), got "):
        check_shape("s", shape)


@pytest.mark.parametrize("shape", [(8,), (8, 8, 3), (8, 0), (8, -1)])
def test_wrong_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"s must be 2 integers ≥ 1, such as \(8, 8\), got "):
        check_shape("s", shape)


def test_shapes():
    assert check_shape("s", np.array([3, 4])) == (3, 4)
    assert check_shape("s", [3, 4, 3], (2, 3)) == (3, 4, 3)
    with pytest.raises(ValueError, match="must be 2 or 3 integers ≥ 1"):
        check_shape("s", (1, 1, 1, 1), (2, 3))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (3.0, r"A must have two dimensions, got shape \(\)"),
        ([1.0, 2.0], r"A must have two dimensions, got shape \(2,\).*reshape\(1, -1\)"),
        (np.ones((0, 2)), r"A must have at least one row and column, got shape \(0, 2\)"),
        (np.ones((2, 0)), r"A must have at least one row and column, got shape \(2, 0\)"),
        ([[np.nan]], "A must be finite, got NaN or infinity"),
        ([[-np.inf]], "A must be finite, got NaN or infinity"),
        ([[1j]], "A must be real numbers, got dtype complex128"),
        ([["a"]], "A must be real numbers, got dtype <U1"),
        ([[None]], "A must be finite, got NaN"),
        ([[1], [1, 2]], "A must have rows of equal length"),
    ],
)
def test_bad_matrices_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        check_matrix("A", values)


def test_a_model_in_place_of_its_atoms_is_named():
    with pytest.raises(TypeError, match=r"got the estimator PCA\. Give .* such as A\.components_"):
        check_matrix("A", PCA())
    with pytest.raises(TypeError, match=r"got the class PCA\. Give .* of a fitted one"):
        check_matrix("A", PCA)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("codes", r"transform\(X\)"),
        ("X", "samples"),
        ("first", r"components_ or, of an ICA, its features_.* ComparisonDisplay\.from_estimators"),
        ("respond", r"components_ or its transform, or take TuningDisplay\.from_estimator"),
        ("reconstruction", r"inverse_transform\(codes\)"),
    ],
)
def test_a_model_in_place_of_another_array_gets_what_is_given_there(name, instead):
    with pytest.raises(TypeError, match=f"{name} must be an array.*Give .*{instead}"):
        check_matrix(name, PCA())


def test_sparse_matrices_are_told_of_toarray():
    with pytest.raises(TypeError, match=r"got a csr_array\. Give codes\.toarray\(\)"):
        check_matrix("codes", sparse.csr_array(np.eye(3)))


def test_what_is_no_array_at_all_is_named():
    with pytest.raises(TypeError, match=r"A must be real numbers: an array is required, not 'dict"):
        check_matrix("A", {}.keys())
    with pytest.raises(ValueError, match="A must be real numbers, got None"):
        check_matrix("A", None)
    with pytest.raises(ValueError, match=r"got shape \(3, 2, 2\)\. Flatten .*reshape\(3, -1\)"):
        check_matrix("A", np.ones((3, 2, 2)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"v must be a sequence of at least one number, got shape \(0,\)"),
        (3.0, r"v must be a sequence of at least one number, got shape \(\)"),
        ([[1.0, 2.0]], r"v must be a sequence of at least one number, got shape \(1, 2\)"),
        ([1.0, np.nan], "v must be finite, got NaN or infinity"),
        (["a"], "v must be real numbers, got dtype <U1"),
    ],
)
def test_bad_vectors_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        check_vector("v", values)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_keep_their_type_and_are_not_copied(dtype):
    values = np.asfortranarray(np.ones((3, 2), dtype))
    values.setflags(write=False)
    assert check_matrix("A", values) is values
    column = check_vector("v", values[:, 0])
    assert column.dtype == dtype
    assert np.shares_memory(column, values)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float16])
def test_other_numbers_become_float64(dtype):
    assert check_matrix("A", np.ones((3, 2), dtype)).dtype == np.float64
    assert check_vector("v", np.ones(3, dtype)).dtype == np.float64


def test_choices():
    check_choice("scale", "each", ("each", "all"))
    for value in (None, 1, np.array(["each"]), np.array([1.0, 2.0])):
        with pytest.raises(TypeError, match="scale must be one of 'each', 'all', got"):
            check_choice("scale", value, ("each", "all"))
    with pytest.raises(ValueError, match=r"got 'Each'\. For 'Each' write 'each'"):
        check_choice("scale", "Each", ("each", "all"))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.0, 2.0], [3.0]], ValueError, "X must have rows of equal length"),
        ([[{}]], TypeError, "X must be real numbers: .* not 'dict'"),
        (iter([1]), TypeError, "X must be real numbers: .* not 'list_iterator'"),
        ([[10**400]], ValueError, "X must be real numbers: int too large"),
        (np.zeros((2, 2), [("a", float), ("b", int)]), TypeError, "X must be real numbers"),
    ],
)
def test_what_numpy_cannot_read_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        check_readable("X", values)


def test_bounds_and_flags():
    assert check_number("x", 1, above=0, maximum=1) == 1
    for value in (0, 2, -1):
        with pytest.raises(ValueError, match=f"x must be a finite number > 0 and ≤ 1, got {value}"):
            check_number("x", value, above=0, maximum=1)
    for value in (True, np.False_):
        check_flag("x", value)
    for value in (0, "yes", None):
        with pytest.raises(TypeError, match=f"x must be True or False, got {value!r}"):
            check_flag("x", value)
