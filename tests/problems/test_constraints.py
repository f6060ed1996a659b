import numpy as np
import oracles
import pytest
from oracles import relative_error

from sparsebp.penalties import SmoothL1
from sparsebp.problems import (
    OrthonormalRows,
    UnitColumns,
    UnitRows,
    orthonormal_ica,
)


def objective(n=4, m=6, seed=0):
    return orthonormal_ica(SmoothL1(0.1)).objective(
        "W", {"x": np.random.default_rng(seed).normal(size=(n, m))}, scale=1
    )


def point(k, n=4, seed=1):
    return np.random.default_rng(seed).normal(size=(k, n))


@pytest.mark.parametrize(("wrap", "axis"), [(UnitRows, 1), (UnitColumns, 0)])
def test_vectors_have_length_one_and_their_direction(wrap, axis):
    free = point(3)
    unit = wrap(objective()).project(free)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=axis), 1, rtol=1e-14)
    np.testing.assert_allclose(unit * np.linalg.norm(free, axis=axis, keepdims=True), free)


@pytest.mark.parametrize("wrap", [UnitRows, UnitColumns, OrthonormalRows])
def test_the_value_is_that_of_the_constrained_point(wrap):
    wrapped, free = wrap(objective()), point(3)
    value, _ = objective().value_and_gradient(wrapped.project(free))
    assert wrapped.value_and_gradient(free)[0] == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(("wrap", "axis"), [(UnitRows, 1), (UnitColumns, 0)])
def test_lengths_do_not_matter(wrap, axis):
    wrapped, free = wrap(objective()), point(3)
    factors = np.expand_dims(np.arange(1.0, 1 + free.shape[1 - axis]), axis)
    value, gradient = wrapped.value_and_gradient(free)
    longer_value, longer_gradient = wrapped.value_and_gradient(factors * free)
    assert longer_value == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(longer_gradient * factors, gradient, rtol=1e-12)
    np.testing.assert_allclose((gradient * free).sum(axis=axis), 0, atol=1e-13)


@pytest.mark.parametrize("wrap", [UnitRows, UnitColumns])
def test_a_vector_of_zeros_stays_zero(wrap):
    free = point(3)
    free[1], free[:, 2] = 0, 0
    value, gradient = wrap(objective()).value_and_gradient(free)
    assert np.isfinite(value)
    assert np.isfinite(gradient).all()
    assert (wrap(objective()).project(free)[1] == 0).all()


@pytest.mark.parametrize(("k", "n"), [(1, 1), (1, 4), (3, 4), (4, 4)])
def test_orthonormal_rows_is_the_closed_form(k, n):
    for seed in range(5):
        free = point(k, n, seed)
        w = OrthonormalRows.project(free)
        np.testing.assert_allclose(w @ w.T, np.eye(k), atol=1e-14)
        assert relative_error(w, oracles.orthonormal_rows(free)) < 1e-9
        np.testing.assert_allclose(OrthonormalRows(objective()).project(free), w)


def test_orthonormal_rows_is_the_nearest():
    free, rng = point(3), np.random.default_rng(7)
    nearest = np.linalg.norm(OrthonormalRows.project(free) - free)
    for _ in range(50):
        other, _ = np.linalg.qr(rng.normal(size=(4, 3)))
        assert np.linalg.norm(other.T - free) > nearest


def test_an_orthonormal_matrix_and_its_multiples_are_left_where_they_are():
    w = OrthonormalRows.project(point(3))
    np.testing.assert_allclose(OrthonormalRows.project(w), w, atol=1e-14)
    np.testing.assert_allclose(OrthonormalRows.project(5 * w), w, atol=1e-14)


def test_the_orthonormal_gradient_has_no_part_that_keeps_the_rows_space():
    """M → TM with T symmetric positive near I changes the value only to second order at W."""
    w = OrthonormalRows.project(point(3))
    _, gradient = OrthonormalRows(objective()).value_and_gradient(w)
    inner = gradient @ w.T
    np.testing.assert_allclose(inner, -inner.T, atol=1e-13)


@pytest.mark.parametrize(
    "use",
    [
        OrthonormalRows.project,
        lambda m: OrthonormalRows(objective(2)).value_and_gradient(m),
    ],
)
def test_more_rows_than_columns_are_refused(use):
    with pytest.raises(ValueError, match="3 rows of 2 elements cannot be orthonormal"):
        use(np.ones((3, 2)))


def test_orthonormal_rows_keeps_the_precision():
    assert OrthonormalRows.project(point(3).astype(np.float32)).dtype == np.float32
