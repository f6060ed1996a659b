import ast
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import sparsebp._checks as module
from sparsebp._checks import (
    check_count,
    check_matrix,
    check_number,
    check_pair,
    check_readable,
    check_shape,
    check_vector,
    is_one_of,
    random_source,
)


def test_nothing_but_numpy_is_imported():
    imports = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imports |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imports.add((node.module or ".").partition(".")[0])
    assert imports - sys.stdlib_module_names == {"numpy"}


@pytest.mark.parametrize("seed", [-1, 2**32, 10**30, 1.5, "x", [1.5], [1, 2], np.array([3])])
def test_bad_seeds_are_refused(seed):
    with pytest.raises(ValueError, match=r"is not a seed: give None, an integer"):
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
    with pytest.raises(TypeError, match=r"n=2\.0 is not an integer"):
        check_count("n", 2.0)
    with pytest.raises(TypeError, match="n=True is not an integer"):
        check_count("n", True)
    with pytest.raises(ValueError, match="n=0 is too small"):
        check_count("n", 0)
    assert check_count("n", np.int8(3)) == 3
    assert type(check_count("n", np.int8(3))) is int


@pytest.mark.parametrize("value", ["1", None, True, np.True_, 1j, [1.0]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match=r"x=.* is not a number: give a finite number$"):
        check_number("x", value)
    with pytest.raises(TypeError, match=r"x=.* is not a number: give a finite number >= 0$"):
        check_number("x", value, minimum=0)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 10**400, Fraction(10**400, 3)])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match=r"x=.* is out of range: give a finite number$"):
        check_number("x", value)
    with pytest.raises(ValueError, match=r"x=.* is out of range: give a finite number >= 0$"):
        check_number("x", value, minimum=0)


def test_numbers_have_a_minimum_where_asked():
    assert check_number("x", np.float32(-2)) == -2
    assert check_number("x", np.float32(0), minimum=0) == 0
    with pytest.raises(ValueError, match=r"x=-1e-09 is out of range: give a finite number >= 0"):
        check_number("x", -1e-9, minimum=0)


@pytest.mark.parametrize("value", [64, "88", None, (8,), (8, 8, 3), np.array([8, 8])])
def test_what_is_no_pair_is_refused(value):
    with pytest.raises(ValueError, match=r"s=.* is not a pair: give \(height, width\)$"):
        check_pair("s", value)
    with pytest.raises(ValueError, match=r"is not a pair: give one side$"):
        check_pair("s", value, "one side")


def test_pairs():
    assert check_pair("s", [np.int8(3), 4]) == (3, 4)
    with pytest.raises(ValueError, match="s=0 is too small"):
        check_pair("s", (8, 0))
    with pytest.raises(TypeError, match=r"s=6\.5 is not an integer"):
        check_pair("s", (6.5, 8))


@pytest.mark.parametrize("shape", [8, None, "88", (8,), (8, 8, 3), (8, 0), (8, -1), (8.0, 8)])
def test_bad_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"s=.*; expected 2 positive integers, such as \(8, 8\)"):
        check_shape("s", shape)


def test_shapes():
    assert check_shape("s", np.array([3, 4])) == (3, 4)
    assert check_shape("s", [3, 4, 3], (2, 3)) == (3, 4, 3)
    with pytest.raises(ValueError, match="expected 2 or 3 positive integers"):
        check_shape("s", (1, 1, 1, 1), (2, 3))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (3.0, r"A has shape \(\); expected two dimensions"),
        ([1.0, 2.0], r"A has shape \(2,\); expected two dimensions.*reshape\(1, -1\)"),
        (np.ones((0, 2)), r"A has shape \(0, 2\); expected at least one row and column"),
        (np.ones((2, 0)), r"A has shape \(2, 0\); expected at least one row and column"),
        ([[np.nan]], "A contains NaN or infinity"),
        ([[-np.inf]], "A contains NaN or infinity"),
        ([[1j]], "A has dtype complex128; expected real numbers"),
        ([["a"]], "A has dtype <U1; expected real numbers"),
        ([[None]], "A has dtype object; expected real numbers"),
        ([[1], [1, 2]], "A is ragged; expected rows of equal length"),
    ],
)
def test_bad_matrices_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        check_matrix("A", values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"v has shape \(0,\); expected a sequence of one number or more"),
        (3.0, r"v has shape \(\); expected a sequence"),
        ([[1.0, 2.0]], r"v has shape \(1, 2\); expected a sequence"),
        ([1.0, np.nan], "v contains NaN or infinity"),
        (["a"], "v has dtype <U1"),
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


@pytest.mark.parametrize("value", [None, 1, np.array(["each"]), np.array([1.0, 2.0])])
def test_only_words_are_words(value):
    assert is_one_of("each", ("each", "all"))
    assert not is_one_of(value, ("each", "all"))


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ([[1.0, 2.0], [3.0]], ValueError, "X is ragged; expected rows of equal length"),
        ([[{}]], TypeError, "X cannot be read as real numbers: .* not 'dict'"),
        (iter([1]), TypeError, "X cannot be read as real numbers: .* not 'list_iterator'"),
        ([[10**400]], ValueError, "X cannot be read as real numbers: int too large"),
        (np.zeros((2, 2), [("a", float), ("b", int)]), TypeError, "X cannot be read"),
    ],
)
def test_what_numpy_cannot_read_is_refused(values, error, message):
    with pytest.raises(error, match=message):
        check_readable("X", values)
