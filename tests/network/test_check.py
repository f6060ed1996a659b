import numpy as np
import pytest

from sparsebp.network import check_gradient

POINT = np.random.default_rng(0).normal(size=(3, 4))


def quartic(s):
    return (s**4).sum(), 4 * s**3


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 2, 2)])
def test_a_right_gradient_is_exact_at_any_shape(shape):
    assert check_gradient(quartic, np.random.default_rng(0).normal(size=shape)) < 1e-14


@pytest.mark.parametrize(
    "wrong", [lambda g: 1.01 * g, lambda g: -g, lambda g: g.T.reshape(g.shape), lambda g: 0 * g]
)
def test_a_wrong_gradient_is_seen(wrong):
    assert check_gradient(lambda s: (quartic(s)[0], wrong(quartic(s)[1])), POINT) > 1e-3


def test_one_wrong_element_is_seen():
    def function(s):
        value, gradient = quartic(s)
        gradient[1, 2] += 0.1
        return value, gradient

    assert check_gradient(function, POINT) > 1e-4


def test_the_error_is_that_of_the_formula():
    error = check_gradient(lambda s: (quartic(s)[0], 3 * quartic(s)[1]), POINT)
    assert error == pytest.approx(0.5, abs=1e-6)


def test_what_is_not_analytic_is_checked_by_differences():
    error = check_gradient(lambda s: ((np.abs(s) ** 3).sum(), 3 * s * np.abs(s)), POINT)
    assert 1e-13 < error < 1e-7
    assert check_gradient(lambda s: ((np.abs(s) ** 3).sum(), s * np.abs(s)), POINT) > 0.1


@pytest.mark.parametrize("cast", [float, lambda v: np.asarray(v).astype(np.float64)])
def test_what_takes_no_complex_points_is_checked_by_differences(cast):
    assert check_gradient(lambda s: (cast((s**2).sum()), 2 * s), POINT) < 1e-8
    assert check_gradient(lambda s: (cast((s**2).sum()), s), POINT) > 0.1


def test_a_function_that_is_large_at_large_points():
    assert check_gradient(lambda s: (float((s**2).sum()), 2 * s), 1e4 * POINT) < 1e-8


def test_integers_are_taken_as_floats_and_left_alone():
    point = np.arange(4)
    assert check_gradient(quartic, point) < 1e-14
    assert point.dtype.kind == "i"


def test_a_function_that_changes_its_argument_does_no_harm():
    def rude(s):
        value, gradient = quartic(s)
        s += 1
        return value, gradient

    point = POINT.copy()
    check_gradient(rude, point)
    np.testing.assert_array_equal(point, POINT)


def test_zero_and_zero_agree():
    assert check_gradient(lambda s: (0.0 * s.sum(), 0 * s), POINT) == 0


@pytest.mark.parametrize(
    "bad",
    [
        lambda s: ((s**2).sum(), np.full(s.shape, np.nan)),
        lambda s: ((s**2).sum(), np.where(s == s.flat[0], np.inf, 2 * s)),
        lambda s: (np.nan, 2 * s),
    ],
)
def test_nan_is_never_right(bad):
    assert check_gradient(bad, POINT) == 1


@pytest.mark.parametrize("point", [np.array([]), np.array([np.nan]), np.array([1.0, np.inf])])
def test_a_point_without_finite_elements_is_refused(point):
    with pytest.raises(ValueError, match="at least one element, all of them finite"):
        check_gradient(quartic, point)


def test_a_gradient_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"gradient has shape \(4, 3\), the point \(3, 4\)"):
        check_gradient(lambda s: (s.sum(), np.ones((4, 3))), POINT)
