import numpy as np
import pytest
from thinning import first_fast

from sparsebp.samples import filled, product, taken


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 40])
def test_columns_are_filled_with_the_last(n):
    columns = filled(3 * np.arange(n))
    assert len(columns) % 16 == 0
    assert len(columns) - n < 16
    np.testing.assert_array_equal(columns[:n], 3 * np.arange(n))
    assert set(columns[n:]) <= {3 * (n - 1)}


@pytest.mark.parametrize("which", [np.array([4, 0, 0]), np.arange(5) > 2], ids=["int", "bool"])
def test_taken_columns_are_in_c_order(which):
    array = np.arange(15.0).reshape(3, 5)
    for given in (array, np.asfortranarray(array)):
        columns = taken(given, which)
        assert columns.flags.c_contiguous
        np.testing.assert_array_equal(columns, array[:, which])
    np.testing.assert_array_equal(taken(array[0], which), array[0][which])


@pytest.mark.parametrize("shape", [(8, 1), (8, 7), (64, 64), (120, 192), (304, 70)])
@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
def test_a_column_of_a_product_is_rounded_alike_wherever_it_stands(shape, dtype):
    rng = np.random.default_rng(sum(shape))
    matrix, x = rng.normal(size=shape), rng.normal(size=(shape[1], 1500)).astype(dtype)
    whole = product(matrix, x)
    np.testing.assert_allclose(whole, matrix @ x, rtol=1e-10, atol=1e-10)
    assert product(matrix, x[:, :0]).shape == (shape[0], 0)
    for order in ([5], [1499], [1023], np.arange(1020, 1030), rng.permutation(1500)):
        for layout in ("C", "F"):
            part = product(matrix, np.array(x[:, order], order=layout))
            np.testing.assert_array_equal(part, whole[:, order])
