"""Patches of any shape, from the images to the pictures of what was learned."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
)
from sparsebp._shapes import image_number_axis, resolved_patch_shape
from sparsebp.displays import BasisDisplay, ReconstructionDisplay, filter_mosaic
from sparsebp.metrics import gabor_fit
from sparsebp.preprocessing import Whitening
from sparsebp.report import write_report

X = np.random.default_rng(0).laplace(size=(100, 64))
SHAPES = [(4, 16), (4, 4, 4), (2, 8, 4, 1)]
ESTIMATORS = [
    SparseCoding(6, max_iter=2, random_state=0),
    ReconstructionICA(6, tol=1e-2, random_state=0),
    OrthonormalICA(6, tol=1e-2, random_state=0),
    SparseFiltering(6, tol=1e-2, random_state=0),
]


@pytest.mark.parametrize(
    ("n_features", "given", "expected"),
    [
        (64, None, (8, 8)),
        (192, None, (8, 8, 3)),
        (64, 8, (8, 8)),
        (192, 8, (8, 8, 3)),
        (64, [4, np.int64(16)], (4, 16)),
        (320, (5, 8, 8), (5, 8, 8)),
        (960, (5, 8, 8, 3), (5, 8, 8, 3)),
    ],
)
def test_shapes_that_are_clear(n_features, given, expected):
    assert resolved_patch_shape(n_features, given) == expected


@pytest.mark.parametrize(
    ("n_features", "given", "match"),
    [
        (320, None, r"320 values are neither .* \(frames, height, width\), here or to the estim"),
        (64, 7, r"patch_shape=\(7, 7\) has 49 values but each component has 64"),
        (64, (64,), r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got "),
        (64, "88", r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got "),
        (64, (2, 4, 4, 2), "1 or 3"),
        (64, (-4, -16), r"patch_shape must be .*, got \(-4, -16\)"),
        (64, True, r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got "),
    ],
)
def test_shapes_that_are_not_are_refused(n_features, given, match):
    with pytest.raises((TypeError, ValueError), match=match):
        resolved_patch_shape(n_features, given)


def test_which_axis_counts_images_is_never_guessed():
    assert image_number_axis((10, 512, 640)) == image_number_axis((500, 28, 28)) == 0
    assert image_number_axis((10, 20, 20)) == 0
    assert image_number_axis((20, 20, 10)) == 2
    assert image_number_axis((512, 640, 10)) == image_number_axis((28, 28, 500)) == 2
    assert image_number_axis((30, 40, 50)) is image_number_axis((9, 9, 9)) is None


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("shape", first_fast(SHAPES[::-1]))
@pytest.mark.parametrize(
    "estimator", first_fast(ESTIMATORS[::-1], 2), ids=lambda e: type(e).__name__
)
def test_the_shape_stays_with_the_model(tmp_path, estimator, shape):
    model = clone(estimator).set_params(patch_shape=shape).fit(X)
    save_model(model, tmp_path / "model.npz")
    for kept in (model, clone(model).fit(X), load_model(tmp_path / "model.npz")):
        assert kept.patch_shape == shape
        assert BasisDisplay.from_estimator(kept).patch_shape == shape
    assert BasisDisplay.from_estimator(model, patch_shape=8).patch_shape == (8, 8)
    in_a_pipeline = make_pipeline(Whitening("zca"), clone(model)).fit(X)
    assert BasisDisplay.from_estimator(in_a_pipeline).patch_shape == shape


def test_a_coder_has_a_shape_too(tmp_path):
    coder = SparseCoder(X[:5], patch_shape=(4, 16))
    save_model(coder, tmp_path / "model.npz")
    assert BasisDisplay.from_estimator(load_model(tmp_path / "model.npz")).patch_shape == (4, 16)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_a_shape_that_samples_do_not_have_is_refused_in_fit(estimator):
    with pytest.raises(ValueError, match=r"\(5, 16\) has 80 values but each sample has 64"):
        clone(estimator).set_params(patch_shape=(5, 16)).fit(X)


def test_frames_stand_side_by_side_and_volumes_further_apart():
    volumes = np.arange(1.0, 25.0).reshape(2, 12) / 24
    mosaic = filter_mosaic(volumes, (3, 2, 2), (1, 2), gap=1, scale="all")
    assert mosaic.shape == (3 + 2 + 3, 3 + 8 + 3 + 8 + 3)
    for index, volume in enumerate(volumes.reshape(2, 3, 2, 2)):
        left = 3 + 11 * index
        strip = mosaic[3:5, left : left + 8]
        for frame, image in enumerate(volume):
            np.testing.assert_allclose(strip[:, 3 * frame : 3 * frame + 2], 0.5 + image / 2)
        assert (strip[:, [2, 5]] == 1).all()


@pytest.mark.parametrize("shape", [(4, 16), (16, 4), (5, 8, 8)])
def test_the_mosaic_is_about_square(shape):
    height, width = filter_mosaic(np.ones((64, np.prod(shape))), shape).shape
    assert 0.4 < height / width < 2.5


def test_patches_of_volumes_are_reconstructed_in_pictures():
    display = ReconstructionDisplay(X[:3], X[:3], (4, 4, 4)).plot()
    assert display.ax_.images[0].get_array().shape[0] == 3 * (4 + 3) + 1 + 2 * 1
    plt.close(display.figure_)


@pytest.mark.parametrize("shape", first_fast([(4, 16), (16, 4), (6, 12)]))
def test_gabors_of_patches_that_are_no_squares(shape):
    row, column = np.indices(shape)
    down, right = row - shape[0] / 2 + 0.3, column - shape[1] / 2 - 0.7
    wave = np.cos(2 * np.pi * 0.2 * (0.8 * right + 0.6 * down) + 0.4)
    image = np.exp(-(down**2 + right**2) / (2 * 2.0**2)) * wave
    fit = gabor_fit(image.reshape(1, -1), shape)
    assert fit.r_squared > 0.999
    np.testing.assert_allclose(fit.orientation, np.arctan2(0.6, 0.8), atol=0.02)
    np.testing.assert_allclose(fit.center, [[shape[0] / 2 - 0.3, shape[1] / 2 + 0.7]], atol=0.2)


def test_a_volume_is_fitted_by_its_strongest_image():
    row, column = np.indices((10, 10)) - 4.5
    image = np.exp(-(row**2 + column**2) / 10) * np.cos(1.4 * column)
    volume = np.multiply.outer([0.1, 0.9, -0.5], image)
    fit, expected = (
        gabor_fit(volume.reshape(1, -1), (3, 10, 10)),
        gabor_fit(image.reshape(1, -1), (10, 10)),
    )
    assert fit.patch_shape == (10, 10)
    np.testing.assert_allclose(fit.orientation, expected.orientation, atol=1e-6)
    np.testing.assert_allclose(fit.r_squared, 1, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(4, 16), (4, 4, 4)])
def test_a_report_about_other_patches(tmp_path, shape):
    model = OrthonormalICA(6, tol=1e-2, random_state=0, patch_shape=shape).fit(X)
    write_report(tmp_path / "page.html", model, X)
    assert (tmp_path / "page.html").stat().st_size > 10_000
