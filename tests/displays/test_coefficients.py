import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError

from sparsebp import OrthonormalICA
from sparsebp.displays import CoefficientsDisplay


def laplacian(scale=1.0, shape=(400, 25)):
    return scale * np.random.default_rng(0).laplace(size=shape)


def drawn(codes, **options):
    display = CoefficientsDisplay(codes).plot(**options)
    density, edges, _ = display.histogram_.get_data()
    return display, density, edges


@pytest.mark.parametrize("scale", [1.0, 7.0, 1e-160, 1e160])
def test_the_density_is_of_coefficients_with_standard_deviation_one(scale):
    codes = laplacian(scale)
    _, density, edges = drawn(codes)
    z = np.sort((laplacian() / laplacian().std()).ravel())
    inside = np.searchsorted(z, edges[-1]) - np.searchsorted(z, edges[0])
    assert (density * np.diff(edges)).sum() == pytest.approx(inside / z.size)
    assert inside / z.size >= 1 - 2e-4
    middle = len(density) // 3
    share = ((z >= edges[middle]) & (z < edges[middle + 1])).mean()
    assert density[middle] == pytest.approx(share / (edges[1] - edges[0]), rel=0.05)


@pytest.mark.parametrize("rectify", [False, True])
def test_zero_is_in_the_middle_of_a_bin(rectify):
    codes = np.where(np.abs(laplacian()) < 1, 0, laplacian())
    _, density, edges = drawn(np.maximum(codes, 0) if rectify else codes)
    zero = int(np.argmax(density))
    assert edges[zero] + edges[zero + 1] == pytest.approx(0, abs=1e-9)
    assert density[zero] * (edges[1] - edges[0]) > 0.6


def test_the_gaussian_has_the_same_mean_and_variance():
    codes = np.maximum(laplacian(), 0)
    display = CoefficientsDisplay(codes).plot()
    x, y = display.gaussian_.get_data()
    np.testing.assert_allclose(y, stats.norm(codes.mean() / codes.std(), 1).pdf(x))
    low, high = display.ax_.get_xlim()
    mean = codes.mean() / codes.std()
    assert low <= mean - 4
    assert high >= mean + 4
    assert low > -4  # positive codes get no empty half


def test_the_axes_show_every_bin_that_is_not_empty_and_room_for_the_legend():
    display, density, _ = drawn(laplacian())
    low, high = display.ax_.get_ylim()
    assert display.ax_.get_yscale() == "log"
    assert low < density[density > 0].min()
    assert high > 5 * density.max()
    display.figure_.draw_without_rendering()
    legend = display.ax_.get_legend().get_window_extent()
    top = display.ax_.transData.transform((0, density.max()))[1]
    assert legend.y0 > top


def test_the_legend_gives_the_kurtosis():
    codes = laplacian()
    expected = stats.kurtosis(codes.ravel(), fisher=False)
    display = CoefficientsDisplay(codes, label="learned").plot()
    assert display.kurtosis == pytest.approx(expected)
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == [f"learned, kurtosis {expected:.3g}", "Gaussian, kurtosis 3"]


def test_lines_take_the_color_of_text():
    with plt.style.context("dark_background"):
        display = CoefficientsDisplay(laplacian()).plot()
        assert display.gaussian_.get_color() == "white"
    assert display.gaussian_.get_linestyle() == "--"


def test_plot_draws_into_given_axes_and_passes_options_on():
    figure, (left, right) = plt.subplots(1, 2)
    display, _, _ = drawn(laplacian(), ax=right, color="red", label="mine")
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.patches
    assert display.histogram_.get_facecolor()[:3] == (1, 0, 0)
    assert display.histogram_.get_label() == "mine"


def test_two_values_can_be_drawn():
    _, density, _ = drawn([[0.0, 1.0]])
    assert (density > 0).sum() == 2


def test_from_estimator_encodes_the_samples():
    X = laplacian()
    pca = PCA(3).fit(X)
    display = CoefficientsDisplay.from_estimator(pca, X, label="PCA")
    np.testing.assert_array_equal(display.codes, pca.transform(X))
    assert display.label == "PCA"
    with pytest.raises(NotFittedError):
        CoefficientsDisplay.from_estimator(OrthonormalICA(3), X)
    with pytest.raises(AttributeError, match="int has no transform; give CoefficientsDisplay the"):
        CoefficientsDisplay.from_estimator(3, X)


@pytest.mark.parametrize(
    ("codes", "match"),
    [
        ([1.0, 2.0], r"codes must have two dimensions, got shape \(2,\)"),
        ([[np.nan, 1.0]], "codes must be finite, got NaN or infinity"),
        ([["a"]], "codes must be real numbers, got dtype <U1"),
        (np.zeros((3, 2)), r"All 6 codes are equal \(0\)"),
        (np.full((3, 2), 0.1), r"All 6 codes are equal \(0.1\)"),
    ],
)
def test_refusals_say_what_came(codes, match):
    with pytest.raises(ValueError, match=match):
        CoefficientsDisplay(codes)


def test_axes_that_are_none_are_refused():
    with pytest.raises(ValueError, match=r"ax must be one matplotlib Axes, or None .*, got 3"):
        CoefficientsDisplay(laplacian()).plot(3)
    with pytest.raises(ValueError, match="ax must be one matplotlib Axes"):
        CoefficientsDisplay(laplacian()).plot(plt.subplots(1, 2)[1])
