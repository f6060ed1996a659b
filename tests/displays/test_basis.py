import re
from base64 import b64decode
from io import BytesIO
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from displays.gratings import SIDE, gratings
from PIL import Image
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sparsebp.displays import BasisDisplay, filter_mosaic
from sparsebp.displays.mosaic import brightness
from sparsebp.penalties import Subspace


def components(n_components=6, n_features=16):
    return np.random.default_rng(0).standard_normal((n_components, n_features))


def on_white(image):
    """What is seen of a gray image on a white page."""
    return np.ma.filled(image.get_array(), 1.0)


def test_vector_files_hold_the_mosaic_pixel_by_pixel(tmp_path):
    display = BasisDisplay(components()).plot()
    display.figure_.savefig(tmp_path / "basis.svg")
    text = (tmp_path / "basis.svg").read_text("utf-8")
    (embedded,) = re.findall(r"data:image/png;base64,([^\"]+)", text)
    image = np.asarray(Image.open(BytesIO(b64decode(embedded))))
    assert image.shape[:2] == filter_mosaic(components()).shape
    assert "image-rendering:pixelated" in text


def test_plot_draws_the_mosaic_and_returns_itself():
    display = BasisDisplay(components())
    assert display.plot(title="Basis") is display
    (image,) = display.ax_.images
    np.testing.assert_array_equal(on_white(image), filter_mosaic(components()))
    assert image.get_clim() == (0, 1)
    assert image.get_cmap().name == "gray"
    assert image.get_interpolation() == "none"
    assert display.ax_.get_aspect() == 1
    assert not display.ax_.axison
    assert display.ax_.get_title() == "Basis"
    assert display.figure_ is display.ax_.figure


def test_plot_draws_into_given_axes():
    figure, (left, right) = plt.subplots(1, 2)
    display = BasisDisplay(components()).plot(right, scale="all", gap=3, cmap="viridis")
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.images
    expected = filter_mosaic(components(), scale="all", gap=3)
    np.testing.assert_array_equal(on_white(right.images[0]), expected)
    assert right.images[0].get_cmap().name == "viridis"


@pytest.mark.parametrize(("n_components", "side"), [(1, 3), (50, 8), (100, 12), (400, 16)])
def test_every_pixel_of_a_filter_covers_whole_pixels_of_the_screen(n_components, side):
    display = BasisDisplay(np.ones((n_components, side**2))).plot()
    display.figure_.canvas.draw()
    box = display.ax_.get_window_extent()
    height, width = display.ax_.images[0].get_array().shape
    zoom = box.width / width
    assert zoom >= 1
    assert zoom == pytest.approx(round(zoom), abs=1e-6)
    assert box.height / height == pytest.approx(zoom, abs=1e-6)
    assert box.x0 == pytest.approx(round(box.x0), abs=1e-6)


def test_color_is_drawn_in_color():
    display = BasisDisplay(components(4, 12)).plot()
    assert display.patch_shape == (2, 2, 3)
    drawn = display.ax_.images[0].get_array()
    np.testing.assert_array_equal(drawn[..., :3], filter_mosaic(components(4, 12)))


@pytest.mark.parametrize("n_features", [9, 27])
def test_the_background_is_seen_between_filters_and_in_empty_cells(n_features):
    figure, ax = plt.subplots(figsize=(1.3, 0.9), dpi=100, facecolor=(0.2, 0.4, 0.6))
    ax.set_position([0, 0, 1, 1])
    BasisDisplay(1 + np.zeros((5, n_features))).plot(ax)
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())[5::10, 5::10, :3]
    filters = (np.arange(9)[:, None] % 4 > 0) & (np.arange(13) % 4 > 0)
    filters[5:8, 9:12] = False
    assert (drawn[filters] == 255).all()
    assert (drawn[~filters] == [51, 102, 153]).all()


def test_from_estimator_takes_the_components_and_the_map():
    model = SimpleNamespace(
        components_=components(), penalty_=SimpleNamespace(grid_shape=(1, 6), epsilon=1)
    )
    display = BasisDisplay.from_estimator(model, patch_shape=(2, 8))
    assert (display.grid_shape, display.patch_shape) == ((1, 6), (2, 8))
    assert BasisDisplay.from_estimator(model, grid_shape=(6, 1)).grid_shape == (6, 1)


@pytest.mark.parametrize(
    "penalty", [None, SimpleNamespace(grid_shape=None), "l1", SimpleNamespace(grid_shape=(2, 2))]
)
def test_from_estimator_without_a_map_takes_the_squarest_grid(penalty):
    model = SimpleNamespace(components_=components(), penalty_=penalty)
    assert BasisDisplay.from_estimator(model).grid_shape == (2, 3)


def test_pipeline_components_are_carried_back_without_the_means():
    rng = np.random.default_rng(0)
    X = rng.laplace(size=(300, 9)) * rng.uniform(1, 3, 9) + 100
    model = make_pipeline(
        StandardScaler(), "passthrough", PCA(5), FastICA(4, random_state=0, tol=0.1)
    ).fit(X)
    scaler, _, pca, ica = (step for _, step in model.steps)
    expected = (ica.components_ @ pca.components_) * scaler.scale_
    display = BasisDisplay.from_estimator(model)
    np.testing.assert_allclose(display.components, expected, atol=1e-9)
    assert display.patch_shape == (3, 3)


def test_pipeline_steps_without_inverse_are_refused():
    class Forward(FunctionTransformer):
        inverse_transform = property()

    model = make_pipeline(Forward(), PCA(2)).fit(components())
    with pytest.raises(AttributeError, match=r"Step 'forward' of the pipeline \(Forward\)"):
        BasisDisplay.from_estimator(model)


def test_unfitted_estimators_are_refused():
    with pytest.raises(NotFittedError, match="PCA is not fitted"):
        BasisDisplay.from_estimator(PCA(2))
    with pytest.raises(NotFittedError, match="fit"):
        BasisDisplay.from_estimator(make_pipeline(StandardScaler(), PCA(2)))


def test_shapes_that_do_not_fit_are_refused_at_once():
    with pytest.raises(ValueError, match="Components of 15 values"):
        BasisDisplay(components(2, 15))
    with pytest.raises(ValueError, match=r"grid_shape=\(2, 2\) has 4 cells"):
        BasisDisplay(components(), grid_shape=(2, 2))
    with pytest.raises(ValueError, match="components must be finite, got NaN or infinity"):
        BasisDisplay([[None]])


def test_features_are_drawn_rather_than_the_filters_that_detect_them():
    class Filters:
        components_ = np.eye(4)
        features_ = np.arange(16.0).reshape(4, 4)

    display = BasisDisplay.from_estimator(Filters())
    np.testing.assert_array_equal(display.components, Filters.features_)


def test_silent_filters_are_gray():
    filters, shares = components(), np.array([0.3, 1e-5, 0.2, 0.2, 0.3, 0.0])
    estimator = SimpleNamespace(components_=filters, contributions_=shares)
    display = BasisDisplay.from_estimator(estimator)
    np.testing.assert_array_equal(display.silent, [1, 5])
    np.testing.assert_array_equal(display.components, filters)
    shown = filters.copy()
    shown[[1, 5]] = 0
    drawn, expected = display.plot(), BasisDisplay(shown).plot()
    images = [d.ax_.images[0].get_array() for d in (drawn, expected)]
    np.testing.assert_array_equal(*images)
    estimator.contributions_ = shares[:5]  # of other components
    assert BasisDisplay.from_estimator(estimator).silent.size == 0


def test_groups_are_drawn_side_by_side():
    filters = gratings()
    grouped = BasisDisplay(filters, group_size=2, grid_shape=(3, 1)).plot()
    pixels = np.asarray(grouped.ax_.images[0].get_array())
    assert pixels.shape == (3 * 13 + 3, 2 * 11 - 1 + 6)
    for number, image in enumerate(brightness(filters, "each").reshape(-1, SIDE, SIDE)):
        row, column = divmod(number, 2)
        top, left = 3 + 13 * row, 3 + 11 * column
        np.testing.assert_allclose(pixels[top : top + SIDE, left : left + SIDE], image)


def test_subspaces_of_an_estimator_are_drawn_as_groups():
    model = SimpleNamespace(components_=gratings(), penalty_=Subspace(3, 2))
    display = BasisDisplay.from_estimator(model)
    assert display.group_size == 2
    assert np.prod(display.grid_shape) >= 3
    assert BasisDisplay.from_estimator(model, grid_shape=(2, 3)).group_size == 1


def test_groups_of_any_patches_can_be_drawn():
    color = BasisDisplay(np.ones((4, 27)), (3, 3, 3), group_size=2, grid_shape=(2, 1)).plot()
    assert color.ax_.images[0].get_array().shape[:2] == (2 * 6 + 3, 7 + 6)
    assert BasisDisplay(np.ones((4, 27)), (3, 9), group_size=4).plot().grid_shape == (1, 1)
    moving = BasisDisplay(np.ones((4, 50)), (2, 5, 5), group_size=2, grid_shape=(2, 1)).plot()
    assert moving.ax_.images[0].get_array().shape == (2 * 8 + 3, 4 * 6 - 1 + 6)


def test_groups_of_filters_must_be_full():
    with pytest.raises(ValueError, match="group_size is 4 but there are 6 components"):
        BasisDisplay(gratings(), group_size=4)
