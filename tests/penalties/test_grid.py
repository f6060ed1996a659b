from itertools import product

import numpy as np
import pytest

from sparsebp.network import Parameter, value_and_gradients
from sparsebp.penalties import Topographic
from sparsebp.penalties.grid import GridGrouping

SHAPES = [(1, 1), (1, 7), (5, 1), (3, 4), (6, 6), (2, 9)]
SIZES = [(1, 1), (3, 3), (2, 5), (4, 1), (9, 9)]


def dense(shape, size, wrap):
    """Written out cell by cell."""
    rows, columns = shape
    whole = np.zeros((rows, columns, rows, columns))
    for r, c in np.ndindex(*shape):
        for dr in range(-((size[0] - 1) // 2), size[0] // 2 + 1):
            for dc in range(-((size[1] - 1) // 2), size[1] // 2 + 1):
                if wrap or (0 <= r + dr < rows and 0 <= c + dc < columns):
                    whole[r, c, (r + dr) % rows, (c + dc) % columns] = 1
    return whole.reshape(rows * columns, rows * columns)


@pytest.mark.parametrize("wrap", [True, False])
def test_products_are_those_of_the_whole_matrix(wrap):
    for shape, size in product(SHAPES, SIZES):
        grouping, whole = GridGrouping.of(shape, size, wrap=wrap), dense(shape, size, wrap)
        np.testing.assert_array_equal(grouping.toarray(), whole)
        assert grouping.shape == whole.shape
        rng = np.random.default_rng(0)
        for n in (0, 1, 5):
            a = rng.normal(size=(len(whole), n))
            where = str((shape, size, n))
            np.testing.assert_allclose(grouping @ a, whole @ a, rtol=0, atol=1e-12, err_msg=where)
            np.testing.assert_allclose(
                grouping.T @ a, whole.T @ a, rtol=0, atol=1e-12, err_msg=where
            )


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, complex])
def test_products_keep_the_precision_in_any_order(dtype, order):
    grouping = GridGrouping.of((3, 5), (3, 2), wrap=False)
    a = np.random.default_rng(0).normal(size=(15, 4)).astype(dtype, order=order)
    real = np.float32 if dtype is np.float32 else np.float64
    got = grouping.astype(real, copy=False) @ a
    assert got.dtype == dtype
    np.testing.assert_allclose(got, grouping.toarray() @ a, rtol=1e-5)


def test_another_precision_is_a_copy_where_it_must_be():
    grouping = GridGrouping.of((2, 3), (3, 3), wrap=True)
    assert grouping.astype(np.float64, copy=False) is grouping
    assert grouping.astype(np.float64) is not grouping
    assert grouping.astype(np.float32, copy=False).dtype == np.float32


def test_a_network_takes_it_as_a_weight():
    penalty = Topographic((2, 3), epsilon=0.1)
    s = np.random.default_rng(0).normal(size=(6, 4))
    network, whole = penalty.network(), {"s": s, "V": penalty.grouping}
    value, gradients = value_and_gradients(network, {"s": s, **penalty.variables}, wrt=["s", "V"])
    expected, slopes = value_and_gradients(network, whole, wrt=["s", "V"])
    assert value == pytest.approx(expected, rel=1e-14)
    for name in ("s", "V"):
        np.testing.assert_allclose(gradients[name], slopes[name], rtol=1e-13)
    with pytest.raises(TypeError, match="'s' is sparse"):
        value_and_gradients(network, {**whole, "s": penalty.variables["V"]}, wrt="s")


def test_a_wrong_number_of_features_is_reported():
    weight = {"V": GridGrouping.of((2, 3), (3, 3), wrap=True)}
    with pytest.raises(ValueError, match="V"):
        Parameter("V")(np.ones((5, 2)), weight)
