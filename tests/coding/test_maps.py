from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from thinning import first_fast

from sparsebp.coding import KnownImage, encode_maps
from sparsebp.coding.maps import largest_curvature
from sparsebp.network import Convolution
from sparsebp.penalties import L1, LogCosh, Penalty, Topographic

PATCH = (3, 2, 1)


def drawn(patch_shape=PATCH, missing=0.0, seed=0, dtype=np.float64):
    """An image of 7 × 6 pixels, and four atoms of unit norm."""
    rng = np.random.default_rng(seed)
    pixels = rng.normal(size=(7, 6, patch_shape[2])).astype(dtype)
    pixels[rng.random(pixels.shape[:2]) < missing] = np.nan
    basis = rng.normal(size=(np.prod(patch_shape), 4)).astype(dtype)
    return KnownImage.of(pixels, patch_shape), basis / np.linalg.norm(basis, axis=0)


def toeplitz(image, basis):
    """The matrix of the convolution, a column for each coefficient, of known pixels only."""
    n_components, n_places = basis.shape[1], np.prod(image.weight.map_shape)
    units = np.eye(n_components * n_places).reshape(-1, n_components, n_places)
    columns = np.array([image.weight(unit, {"A": basis}).ravel() for unit in units]).T
    known = image.variables.get("M", np.ones_like(image.variables["x"])).ravel() > 0
    return columns[known], image.variables["x"].ravel()[known]


@dataclass(frozen=True)
class Own(Penalty):
    """The L1 norm as a user's penalty: minimized by its proximal map, not by descent."""

    is_smooth = False

    @property
    def layers(self):
        return L1().layers

    def proximal(self, codes, step):
        return L1().proximal(codes, step)


@pytest.mark.parametrize("patch_shape", first_fast([PATCH, (2, 2, 3)]), ids=str)
@pytest.mark.parametrize("missing", [0.0, 0.3])
@pytest.mark.parametrize("penalty", [L1(), L1(positive=True), Own()], ids=repr)
def test_maps_are_those_of_a_dense_lasso(penalty, missing, patch_shape):
    image, basis = drawn(patch_shape, missing)
    matrix, target = toeplitz(image, basis)
    alpha = 0.8
    positive = getattr(penalty, "positive", False)
    lasso = Lasso(
        alpha / (2 * len(target)), fit_intercept=False, positive=positive, tol=1e-12, max_iter=10**6
    ).fit(matrix, target)
    found = encode_maps(image, basis, penalty, alpha, tol=1e-7, max_iter=2000)
    assert found.has_converged

    def objective(codes):
        return np.sum((matrix @ codes - target) ** 2) + alpha * np.abs(codes).sum()

    # Lasso's duality gap, of ½ error + α/2 |s|, as a bound on how far its objective is off.
    gap = 2 * len(target) * abs(lasso.dual_gap_) + 1e-12
    value = image.problem(penalty, alpha).value(
        {**image.variables, "A": basis, "s": found.points}, scale=1
    )
    assert value == pytest.approx(objective(found.points.ravel()))
    assert value <= objective(lasso.coef_) + 1e-7
    assert objective(lasso.coef_) <= value + gap + 1e-9
    np.testing.assert_allclose(matrix @ found.points.ravel(), matrix @ lasso.coef_, atol=1e-4)


@pytest.mark.parametrize("penalty", [LogCosh(), Topographic((2, 2), epsilon=0.1)], ids=repr)
def test_the_gradient_is_zero_at_maps_of_a_smooth_penalty(penalty):
    image, basis = drawn(missing=0.2)
    found = encode_maps(image, basis, penalty, 0.5, tol=1e-10, max_iter=2000)
    objective = image.problem(penalty, 0.5).objective("s", {**image.variables, "A": basis}, scale=1)
    at_zero = objective.value_and_gradient(np.zeros_like(found.points))[1]
    assert found.has_converged
    gradient = objective.value_and_gradient(found.points)[1]
    assert np.abs(gradient).max() < 1e-4 * np.abs(at_zero).max()


@pytest.mark.slow  # it is compiled by itself
def test_single_precision_comes_close():
    image, basis = drawn()
    expected = encode_maps(image, basis, L1(), 0.8, tol=1e-8).points
    image, basis = drawn(dtype=np.float32)
    found = encode_maps(image, basis, L1(), 0.8, tol=1e-8)
    assert found.points.dtype == np.float32
    np.testing.assert_allclose(found.points, expected, atol=1e-3)


def test_a_good_start_is_kept_and_a_bad_one_is_left():
    image, basis = drawn()
    expected = encode_maps(image, basis, L1(), 0.8, tol=1e-8).points
    again = encode_maps(image, basis, L1(), 0.8, start=expected, tol=1e-6, max_iter=0)
    assert again.has_converged
    np.testing.assert_array_equal(again.points, expected)
    bad = np.random.default_rng(1).normal(size=expected.shape)
    found = encode_maps(image, basis, L1(), 0.8, start=bad, tol=1e-8)
    np.testing.assert_allclose(found.points, expected, atol=1e-6)


@pytest.mark.parametrize("penalty", [L1(), Own(), LogCosh()], ids=repr)
def test_the_iteration_limit_is_reported(penalty):
    image, basis = drawn()
    assert not encode_maps(image, basis, penalty, 0.01, tol=1e-12, max_iter=1).has_converged


def test_a_large_alpha_leaves_nothing():
    image, basis = drawn(missing=0.2)
    for penalty in (L1(), Own()):
        assert not encode_maps(image, basis, penalty, 100.0).points.any()


def test_the_bound_on_the_curvature_is_one_and_is_close():
    wide = KnownImage.of(np.zeros((9, 9, 1)), PATCH)
    for seed in range(3):
        _, basis = drawn(seed=seed)
        exact = 2 * np.linalg.norm(toeplitz(wide, basis)[0], 2) ** 2
        assert exact <= largest_curvature(basis, PATCH) <= 1.8 * exact


def test_windows_cover_an_image():
    pixels = np.arange(7 * 6.0).reshape(7, 6, 1)
    image = KnownImage.of(np.where(pixels == 8, np.nan, pixels), PATCH)
    for side in (1, 3, 6, 9):
        parts = image.windows(side)
        assert {part.shape for part in parts} == {(min(side, 7), min(side, 6))}
        assert len(np.unique(np.concatenate([p.pixels.ravel() for p in parts]))) == 41  # and NaN
    assert image.windows(None) == [image]
    np.testing.assert_array_equal(
        image.some_pixels(99), np.where(pixels == 8, np.nan, pixels).reshape(1, -1)
    )
    assert image.some_pixels(5).shape == (1, 5)


def test_a_window_is_a_part_with_its_mask():
    image, _ = drawn(missing=0.3)
    part = image.window((2, 4), 3)
    assert part.shape == (3, 2)
    np.testing.assert_array_equal(part.pixels, image.pixels[2:5, 4:])
    np.testing.assert_array_equal(part.known, image.known[2:5, 4:])
    assert isinstance(part.weight, Convolution)
