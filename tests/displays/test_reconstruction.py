import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsebp.displays import ReconstructionDisplay

PATCHES = np.array([[4.0, 2, 2, 0], [1, 1, 1, 1], [0, 0, 1, -1]])
MADE = np.array([[3.0, 2, 2, 0], [1, 1, 1, 2], [0, 0, 1, -1]])


def samples(n_samples=30, n_features=16):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_samples, n_features)) @ rng.normal(size=(n_features, n_features)) + 5


def image(display):
    (drawn,) = display.ax_.images
    return drawn.get_array()


def tick_texts(display):
    ax = display.ax_
    return [
        [t.get_text() for t in labels] for labels in (ax.get_xticklabels(), ax.get_yticklabels())
    ]


@pytest.mark.parametrize("scale", [1.0, 1e-170, 1e170])
def test_errors_are_shares_of_the_variance(scale):
    display = ReconstructionDisplay(scale * PATCHES, scale * MADE)
    np.testing.assert_allclose(display.errors, [1 / 8, np.nan, 0])
    assert display.error == pytest.approx(2 / 10)


def test_errors_are_those_of_the_coefficient_of_determination():
    X = samples()
    pca = PCA(5).fit(X)
    display = ReconstructionDisplay.from_estimator(pca, X)
    made = pca.inverse_transform(pca.transform(X))
    expected = ((X - made) ** 2).mean(axis=1) / X.var(axis=1)
    np.testing.assert_allclose(display.errors, expected)
    assert display.error == pytest.approx(((X - made) ** 2).sum() / (X.var(axis=1) * 16).sum())


def test_three_rows_show_patches_reconstructions_and_residuals_in_one_contrast():
    display = ReconstructionDisplay(PATCHES, MADE, (2, 2))
    assert display.plot() is display
    mosaic = image(display)
    assert mosaic.shape == (10, 10)
    # The first patch has mean 2 and a largest deviation of 2.
    np.testing.assert_allclose(mosaic[1:3, 1:3], [[1, 0.5], [0.5, 0]])
    np.testing.assert_allclose(mosaic[4:6, 1:3], [[0.75, 0.5], [0.5, 0]])
    np.testing.assert_allclose(mosaic[7:9, 1:3], [[0.75, 0.5], [0.5, 0.5]])
    # The second is constant: all that is seen is the error.
    np.testing.assert_allclose(mosaic[1:3, 4:6], 0.5)
    np.testing.assert_allclose(mosaic[4:6, 4:6], [[0.5, 0.5], [0.5, 1]])
    np.testing.assert_allclose(mosaic[7:9, 4:6], [[0.5, 0.5], [0.5, 0]])
    assert display.ax_.images[0].get_clim() == (0, 1)
    assert display.figure_ is display.ax_.figure


def test_one_scale_for_all_leaves_weak_patches_weak():
    mosaic = image(ReconstructionDisplay(PATCHES, MADE, (2, 2)).plot(scale="all"))
    np.testing.assert_allclose(mosaic[1:3, 7:9], [[0.5, 0.5], [0.75, 0.25]])


def test_errors_stand_below_their_patches_and_names_beside_their_rows():
    display = ReconstructionDisplay(PATCHES, MADE, (2, 2)).plot()
    assert tick_texts(display) == [
        ["12", "–", "0"],
        ["patch", "reconstruction", "residual"],
    ]
    np.testing.assert_array_equal(display.ax_.get_xticks(), [1.5, 4.5, 7.5])
    assert display.ax_.get_xlabel() == "error, % of variance; 20 in all"
    small = ReconstructionDisplay([[3.0, 1, 0, 0]], [[3.0, 1, 0, 0.3]]).plot()
    assert tick_texts(small)[0] == ["1.5"]


def test_ticks_are_at_the_middle_of_what_they_name():
    display = ReconstructionDisplay(PATCHES, MADE, (1, 4)).plot()
    # Pixels of the mosaic: a gap, a patch of 1 row, a gap and so on.
    np.testing.assert_array_equal(display.ax_.get_yticks(), [1, 3, 5])
    np.testing.assert_array_equal(display.ax_.get_xticks(), [2.5, 7.5, 12.5])


def test_residuals_can_be_left_out_and_patches_chosen():
    display = ReconstructionDisplay(samples(), samples() + 1).plot(n_patches=3, residual=False)
    assert image(display).shape == (11, 16)
    assert [len(texts) for texts in tick_texts(display)] == [3, 2]
    assert image(ReconstructionDisplay(PATCHES, MADE).plot(n_patches=50)).shape == (10, 10)


def test_color_patches_keep_their_colors():
    X = samples(4, 12)
    mosaic = image(ReconstructionDisplay(X, X).plot())
    assert mosaic.shape[:2] == (10, 13)
    deviation = X[0] - X[0].mean()
    expected = 0.5 + deviation / np.abs(deviation).max() / 2
    np.testing.assert_allclose(mosaic[1:3, 1:3, :3], expected.reshape(2, 2, 3))


@pytest.mark.parametrize("n_patches", [1, 10])
def test_labels_do_not_overlap_nor_leave_the_figure(n_patches):
    display = ReconstructionDisplay(samples(), 0.5 * samples()).plot(n_patches=n_patches)
    display.figure_.draw_without_rendering()
    ax = display.ax_
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label]
    boxes = [text.get_window_extent() for text in labels]
    assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    whole = display.figure_.bbox
    assert all(b.x0 >= 0 and b.y0 >= 0 and b.x1 <= whole.x1 and b.y1 <= whole.y1 for b in boxes)


def test_plot_draws_into_given_axes():
    figure, (left, right) = plt.subplots(1, 2)
    display = ReconstructionDisplay(PATCHES, MADE).plot(right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.images


def test_pipelines_reconstruct_their_input():
    X = samples(300)
    model = make_pipeline(StandardScaler(), PCA(16)).fit(X)
    display = ReconstructionDisplay.from_estimator(model, X, patch_shape=(2, 8))
    assert display.patch_shape == (2, 8)
    assert display.error < 1e-10
    np.testing.assert_array_equal(display.patches, X)


def test_estimators_without_inverse_are_refused():
    class Forward(SelectKBest):
        inverse_transform = property()

    with pytest.raises(AttributeError, match="Forward has no inverse_transform; give Recon"):
        ReconstructionDisplay.from_estimator(Forward(), samples())


def test_refusals_say_what_came():
    with pytest.raises(ValueError, match=r"patches have shape \(3, 4\) but reconstructions \(2, 4"):
        ReconstructionDisplay(PATCHES, MADE[:2])
    with pytest.raises(ValueError, match="reconstructions must be finite, got NaN or infinity"):
        ReconstructionDisplay(PATCHES, np.full((3, 4), np.nan))
    with pytest.raises(ValueError, match=r"patch_shape=\(3, 3\) has 9 values"):
        ReconstructionDisplay(PATCHES, MADE, (3, 3))
    display = ReconstructionDisplay(PATCHES, MADE)
    with pytest.raises(ValueError, match="n_patches must be an integer ≥ 1, got 0"):
        display.plot(n_patches=0)
    with pytest.raises(TypeError, match=r"n_patches must be an integer ≥ 1, got 1.5"):
        display.plot(n_patches=1.5)
    with pytest.raises(ValueError, match="scale must be one of 'each', 'all', got 'some'"):
        display.plot(scale="some")
    with pytest.raises(ValueError, match=r"ax must be one matplotlib Axes, or None .*, got 'a'"):
        display.plot("a")
    assert not plt.get_fignums()


def test_constant_patches_have_no_error_whatever_their_value():
    # Most of these means are rounded, and differ from the values they are the mean of.
    patches = np.tile(np.linspace(0.1, 0.9, 20)[:, None], 49)
    display = ReconstructionDisplay(patches, 0 * patches)
    assert np.isnan(display.errors).all()
    assert np.isnan(display.error)


def test_absurd_errors_stay_short():
    display = ReconstructionDisplay([[1.0, -1, 0, 0]], [[1e4, -1, 0, 0]]).plot()
    assert tick_texts(display)[0] == ["> 999"]
