import numpy as np
import pytest
from oracles import seeds
from sklearn.decomposition import PCA
from thinning import first_fast

from sparsebp import SparseCoding, SparseFiltering
from sparsebp.coding import pursue
from sparsebp.images import denoise, inpaint
from sparsebp.images._smooth import filled_smoothly
from sparsebp.preprocessing import remove_mean, sample_patches

RNG = np.random.default_rng(0)
ROWS, COLUMNS = np.indices((40, 50))
CLEAN = np.where((ROWS // 7 + COLUMNS // 9) % 2, 0.8, 0.2) + 0.003 * COLUMNS
COLOR = np.stack([CLEAN, CLEAN[::-1], 1 - CLEAN], axis=2)


def model_of(image, side=5, **parameters):
    X = remove_mean(sample_patches([image], side, 600, random_state=0))
    options = {"penalty": "l1", "alpha": 0.03, "solver": "online", "batch_size": 100}
    options["max_iter"] = 20
    return SparseCoding(30, **{**options, **parameters}, random_state=0).fit(X)


MODEL = model_of(CLEAN)


def error(image, truth=CLEAN):
    return np.sqrt(np.square(image - truth).mean())


@pytest.mark.parametrize("penalty", first_fast(["l1", "smooth_l1"]))
@pytest.mark.parametrize("seed", seeds(2))
def test_missing_pixels_are_filled_and_known_ones_kept(penalty, seed):
    model = model_of(CLEAN, penalty=penalty)
    missing = np.random.default_rng(seed).random(CLEAN.shape) < 0.4
    filled = inpaint(np.where(missing, np.nan, CLEAN), model)
    np.testing.assert_array_equal(filled[~missing], CLEAN[~missing])
    by_mean = np.where(missing, CLEAN[~missing].mean(), CLEAN)
    assert error(filled) < 0.4 * error(by_mean)


def smooth_by_hand(image, missing):
    """Least squares of the whole Laplacian, written out."""
    height, width = image.shape
    laplacian = np.zeros((image.size, image.size))
    for r, c in np.ndindex(height, width):
        for i, j in ((r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)):
            if 0 <= i < height and 0 <= j < width:
                laplacian[r * width + c, [i * width + j, r * width + c]] += [1, -1]
    hole = missing.ravel()
    known = laplacian[:, ~hole] @ image.ravel()[~hole]
    filled = image.copy()
    filled[missing] = np.linalg.lstsq(laplacian[:, hole], -known, rcond=None)[0]
    return filled


@pytest.mark.parametrize("seed", seeds(3))
def test_the_first_filling_is_as_smooth_as_can_be(seed):
    rng = np.random.default_rng(seed)
    image, missing = rng.random((9, 11)), rng.random((9, 11)) < 0.5
    missing[2:6, 3:8] = True
    found = filled_smoothly(image[..., None], missing[..., None])[..., 0]
    np.testing.assert_allclose(found, smooth_by_hand(image, missing), atol=1e-9)


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_atoms_fill_in_better_than_the_smoothest_filling(share):
    missing = np.random.default_rng(1).random(CLEAN.shape) < share
    smooth = filled_smoothly(CLEAN[..., None], missing[..., None])[..., 0]
    assert error(inpaint(CLEAN, MODEL, missing)) < 0.9 * error(smooth)


def test_turns_improve_what_one_alone_fills_in(monkeypatch):
    missing = np.random.default_rng(1).random(CLEAN.shape) < 0.5
    found = error(inpaint(CLEAN, MODEL, missing))
    monkeypatch.setattr("sparsebp.images.inpainting._THRESHOLDS", np.array([1.7]))
    assert found < 0.8 * error(inpaint(CLEAN, MODEL, missing))


def test_only_patches_that_touch_a_hole_cost(monkeypatch):
    sizes = []

    def counted(x, *args, **options):
        sizes.append(x.shape[1])
        return pursue(x, *args, **options)

    monkeypatch.setattr("sparsebp.images._dictionaries.pursue", counted)
    missing = np.zeros(CLEAN.shape, dtype=bool)
    missing[20:24, 30:33] = True
    inpaint(CLEAN, MODEL, missing)
    assert set(sizes) == {(5 + 3) * (5 + 2)}
    sizes.clear()
    inpaint(CLEAN, MODEL, np.zeros(CLEAN.shape, dtype=bool))
    assert sizes == []


@pytest.mark.parametrize("scale", [2.0**-20, 2.0**16])
def test_the_scale_of_an_image_does_not_matter(scale):
    missing = np.random.default_rng(0).random(CLEAN.shape) < 0.5
    expected = scale * inpaint(CLEAN, MODEL, missing, stride=2)
    found = inpaint(scale * CLEAN, MODEL, missing, stride=2)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_what_is_smooth_is_filled_in_exactly():
    ramp = np.add.outer(np.arange(12.0), 2 * np.arange(14.0))
    missing = np.zeros(ramp.shape, dtype=bool)
    missing[4:8, 5:9] = True
    smooth = filled_smoothly(ramp[..., None], missing[..., None])[..., 0]
    np.testing.assert_allclose(smooth, ramp, atol=1e-9)
    np.testing.assert_allclose(inpaint(ramp, MODEL, missing), ramp, atol=1e-9)
    constant = np.full((12, 14), 0.1, dtype=np.float32)
    np.testing.assert_allclose(inpaint(constant, MODEL, missing), constant, rtol=1e-6)


def test_one_known_pixel_is_enough_and_none_is_refused():
    missing = np.ones((9, 9), dtype=bool)
    with pytest.raises(ValueError, match="has no known pixel"):
        inpaint(np.ones((9, 9)), MODEL, missing)
    missing[3, 3] = False
    np.testing.assert_allclose(inpaint(np.full((9, 9), 0.3), MODEL, missing), 0.3, rtol=1e-6)


def test_what_stands_at_missing_pixels_does_not_matter():
    missing = RNG.random(CLEAN.shape) < 0.3
    results = [
        inpaint(np.where(missing, value, CLEAN), MODEL, missing, stride=2)
        for value in (0.0, 1e6, np.nan)
    ]
    np.testing.assert_array_equal(results[1], results[0])
    np.testing.assert_array_equal(results[2], results[0])


@pytest.mark.slow
def test_colors():
    model = model_of(COLOR, alpha=0.05)
    missing = RNG.random(CLEAN.shape) < 0.3
    filled = inpaint(COLOR, model, missing, stride=2)
    by_mean = np.where(missing[..., None], COLOR.mean(axis=(0, 1)), COLOR)
    assert error(filled, COLOR) < 0.6 * error(by_mean, COLOR)
    one_channel = np.zeros(COLOR.shape, dtype=bool)
    one_channel[..., 1] = missing
    filled = inpaint(COLOR, model, one_channel, stride=2)
    np.testing.assert_array_equal(filled[..., 0], COLOR[..., 0])


def test_nothing_missing_changes_nothing_and_inputs_stay():
    image = CLEAN.copy()
    image.flags.writeable = False
    np.testing.assert_array_equal(inpaint(image, MODEL, stride=5), CLEAN)


def test_a_hole_larger_than_a_patch_is_filled_smoothly_within():
    missing = np.zeros(CLEAN.shape, dtype=bool)
    missing[10:22, 10:22] = True
    filled = inpaint(CLEAN, MODEL, missing)
    assert CLEAN.min() - 0.3 < filled.min() <= filled.max() < CLEAN.max() + 0.3
    np.testing.assert_array_equal(filled[~missing], CLEAN[~missing])


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((4, 40)), {}, "smaller than the model's patches of 5 × 5"),
        (np.zeros((40, 40, 3)), {}, "not square patches of 3 channel"),
        (np.zeros((40, 40, 2)), {}, "2 channels, the last of them perhaps opacity"),
        (np.zeros((40, 40, 4)), {}, "4 channels, the last of them perhaps opacity"),
        (np.zeros(40), {}, r"shape \(40,\)"),
        (np.zeros((0, 4)), {}, r"shape \(0, 4\)"),
        (np.array([["a"]]), {}, "real numbers"),
        (np.full((9, 9), np.inf), {}, "NaN or infinity"),
        (CLEAN, {"stride": 0}, "stride"),
    ],
)
@pytest.mark.parametrize("function", [denoise, inpaint])
def test_what_cannot_be_is_refused(function, image, options, message):
    with pytest.raises(ValueError, match=message):
        function(image, MODEL, **options)


@pytest.mark.parametrize("missing", [np.zeros((40, 50)), np.zeros((3, 3), dtype=bool)])
def test_a_mask_is_of_bools_and_of_the_images_shape(missing):
    with pytest.raises(ValueError, match="missing has shape"):
        inpaint(CLEAN, MODEL, missing)


def test_any_model_with_atoms_fills_in():
    model = PCA(12).fit(remove_mean(sample_patches([CLEAN], 5, 300, random_state=0)))
    missing = np.random.default_rng(0).random(CLEAN.shape) < 0.3
    smooth = filled_smoothly(CLEAN[..., None], missing[..., None])[..., 0]
    assert error(inpaint(CLEAN, model, missing)) < error(smooth)
    model = SparseFiltering(4, tol=1.0, random_state=0).fit(RNG.random((50, 9)))
    with pytest.raises(TypeError, match="SparseFiltering, which has no inverse_transform"):
        inpaint(CLEAN, model, missing)


@pytest.mark.parametrize("image", [CLEAN[:24, :30], COLOR[:24, :30]], ids=["gray", "color"])
def test_without_a_model_cosines_improve_the_smooth_fill(image):
    missing = np.random.default_rng(1).random(image.shape[:2]) < 0.4
    holed = image.copy()
    holed[missing] = np.nan
    filled = inpaint(holed, stride=2)
    known, holes = (a.reshape(*missing.shape, -1) for a in (np.nan_to_num(holed), np.isnan(holed)))
    smooth = filled_smoothly(known, holes).reshape(image.shape)
    np.testing.assert_array_equal(filled[~missing], image[~missing])
    assert np.square(filled - image).sum() < 0.9 * np.square(smooth - image).sum()


def test_a_tiny_image_needs_a_model():
    with pytest.raises(ValueError, match=r"2 × 9 pixels is too small for patches .* give a model"):
        inpaint(np.zeros((2, 9)))


def test_a_mask_in_the_place_of_the_model_is_refused():
    image = np.ones((12, 12))
    with pytest.raises(TypeError, match=r"model is a ndarray; give a fitted estimator.*missing="):
        inpaint(image, np.zeros((12, 12), dtype=bool))
