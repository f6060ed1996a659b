import numpy as np
import pytest

from sparsebp.displays import filter_mosaic


def test_cells_lie_in_row_major_order_between_white_gaps():
    filters = np.random.default_rng(0).standard_normal((6, 12))
    mosaic = filter_mosaic(filters, (3, 4), (2, 3), gap=2)
    assert mosaic.shape == (2 * 5 + 2, 3 * 6 + 2)
    for index, (row, column) in enumerate(np.ndindex(2, 3)):
        cell = mosaic[2 + 5 * row : 5 + 5 * row, 2 + 6 * column : 6 + 6 * column]
        expected = 0.5 + filters[index] / np.abs(filters[index]).max() / 2
        np.testing.assert_allclose(cell.ravel(), expected)
        mosaic[2 + 5 * row : 5 + 5 * row, 2 + 6 * column : 6 + 6 * column] = 1
    np.testing.assert_array_equal(mosaic, 1)


@pytest.mark.parametrize(
    ("n_components", "grid"), [(1, (1, 1)), (2, (1, 2)), (5, (2, 3)), (12, (3, 4)), (16, (4, 4))]
)
def test_default_grid_is_the_squarest(n_components, grid):
    mosaic = filter_mosaic(np.zeros((n_components, 4)), gap=0)
    assert mosaic.shape == (2 * grid[0], 2 * grid[1])
    cells = mosaic.reshape(grid[0], 2, grid[1], 2).transpose(0, 2, 1, 3).reshape(-1, 4)
    np.testing.assert_array_equal(cells[:n_components], 0.5)
    np.testing.assert_array_equal(cells[n_components:], 1.0)


def test_scale_for_each_filter_or_for_all():
    filters = np.array([[1.0, -1, 0, 0], [4.0, 0, 0, 0]])
    each, both = (filter_mosaic(filters, (2, 2), scale=scale, gap=0) for scale in ("each", "all"))
    np.testing.assert_allclose(each, [[1, 0, 1, 0.5], [0.5, 0.5, 0.5, 0.5]])
    np.testing.assert_allclose(both, [[0.625, 0.375, 1, 0.5], [0.5, 0.5, 0.5, 0.5]])


@pytest.mark.parametrize("unit", [1e-6, 1.0, 255.0])
def test_a_dead_filter_looks_dead(unit):
    rng = np.random.default_rng(0)
    filters = rng.standard_normal((4, 9)) * np.array([[1.0], [0.05], [1e-3], [1e-6]])
    strong, weak, faint, dead = filter_mosaic(unit * filters, (3, 3), (4, 1), gap=0).reshape(4, 9)
    for living in (strong, weak):
        assert np.abs(living - 0.5).max() == pytest.approx(0.5)
    assert np.abs(faint - 0.5).max() < 0.05
    assert np.abs(dead - 0.5).max() < 1e-4


def test_color_is_inferred_and_centered_on_gray():
    filters = np.zeros((1, 12))
    filters[0, :3] = 2, -2, 0
    mosaic = filter_mosaic(filters, gap=0)
    assert mosaic.shape == (2, 2, 3)
    np.testing.assert_array_equal(mosaic[0, 0], [1, 0, 0.5])
    np.testing.assert_array_equal(mosaic[1, 1], 0.5)


@pytest.mark.parametrize("scale", [1e-310, 1e308])
def test_brightness_stays_within_range(scale):
    mosaic = filter_mosaic(scale * np.array([[1, -1, 0.5, 0]]))
    assert mosaic.min() == 0
    assert mosaic.max() == 1


def test_input_stays_untouched():
    filters = np.asfortranarray(np.arange(8).reshape(2, 4))
    filters.setflags(write=False)
    assert filter_mosaic(filters).dtype == np.float64


@pytest.mark.parametrize(
    ("filters", "options", "match"),
    [
        (np.ones((2, 15)), {}, r"Components of 15 values .* give patch_shape=\(height, width\)"),
        (np.ones((2, 15)), {"patch_shape": (4, 4)}, r"patch_shape=\(4, 4\) has 16 values .* 15"),
        (np.ones((2, 16)), {"patch_shape": (2, 2, 2, 2)}, "counts the channels"),
        (np.ones((2, 16)), {"grid_shape": (1, 3)}, r"grid_shape=\(1, 3\) has 3 cells .* 2 comp"),
        (
            np.ones((2, 16)),
            {"grid_shape": (1, 0)},
            r"grid_shape must be 2 integers ≥ 1, such as \(8, 8\), got \(1, 0\)",
        ),
        (np.ones((2, 16)), {"gap": -1}, "gap must be an integer ≥ 0, got -1"),
        (np.ones((2, 16)), {"gap": 0.5}, r"gap must be an integer ≥ 0, got 0\.5"),
        (np.ones((2, 16)), {"scale": "some"}, "scale must be one of 'each', 'all', got 'some'"),
        (np.ones(16), {}, r"components must have two dimensions, got shape \(16,\)"),
        (np.full((2, 16), np.nan), {}, "components must be finite, got NaN or infinity"),
    ],
)
def test_refusals_say_what_came(filters, options, match):
    with pytest.raises((TypeError, ValueError), match=match):
        filter_mosaic(filters, **options)
