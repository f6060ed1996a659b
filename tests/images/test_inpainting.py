import numpy as np
import pytest
from oracles import seeds
from sklearn.exceptions import ConvergenceWarning

from sparsebp import ReconstructionICA, SparseCoding
from sparsebp.images import denoise, inpaint
from sparsebp.preprocessing import remove_mean, sample_patches
from sparsebp.solvers import encode

RNG = np.random.default_rng(0)
ROWS, COLUMNS = np.indices((40, 50))
CLEAN = np.where((ROWS // 7 + COLUMNS // 9) % 2, 0.8, 0.2) + 0.003 * COLUMNS
COLOR = np.stack([CLEAN, CLEAN[::-1], 1 - CLEAN], axis=2)


def model_of(image, side=5, **parameters):
    X = remove_mean(sample_patches([image], side, 600, random_state=0))
    options = {"penalty": "l1", "alpha": 0.03, "solver": "online", "batch_size": 100}
    return SparseCoding(30, **{**options, **parameters}, random_state=0).fit(X)


MODEL = model_of(CLEAN)


def error(image, truth=CLEAN):
    return np.sqrt(np.square(image - truth).mean())


@pytest.mark.parametrize("penalty", ["l1", "smooth_l1"])
@pytest.mark.parametrize("seed", seeds(2))
def test_missing_pixels_are_filled_and_known_ones_kept(penalty, seed):
    model = model_of(CLEAN, penalty=penalty)
    missing = np.random.default_rng(seed).random(CLEAN.shape) < 0.4
    filled = inpaint(np.where(missing, np.nan, CLEAN), model)
    np.testing.assert_array_equal(filled[~missing], CLEAN[~missing])
    by_mean = np.where(missing, CLEAN[~missing].mean(), CLEAN)
    assert error(filled) < 0.4 * error(by_mean)


def filled_by_hand(image, missing, model, side):
    """Every patch by itself, its codes from the rows of the basis that it knows."""
    total, weight = np.zeros_like(image), np.zeros_like(image)
    for r, c in np.ndindex(image.shape[0] - side + 1, image.shape[1] - side + 1):
        known = ~missing[r : r + side, c : c + side].ravel()
        if known.any():
            patch = image[r : r + side, c : c + side].ravel()[known]
            atoms = model.components_.T
            x = (patch - patch.mean())[:, None]
            codes = encode(x, atoms[known], model.penalty_, model.alpha_, tol=1e-4).codes
            made = (atoms @ codes).reshape(side, side) + patch.mean()
            total[r : r + side, c : c + side] += known.mean() ** 2 * made
            weight[r : r + side, c : c + side] += known.mean() ** 2
    return np.where(missing, total / weight, image)


@pytest.mark.parametrize("seed", seeds(3))
def test_a_patch_that_knows_more_counts_for_more(seed):
    image, model = CLEAN[:13, :12], model_of(CLEAN, penalty="log_cosh", alpha=0.3)
    missing = np.random.default_rng(seed).random(image.shape) < 0.5
    missing[:4, :4] = True
    expected = filled_by_hand(image, missing, model, 5)
    # Codes are found to 1e-4; with equal weights pixels differ by 0.03 to 0.07.
    np.testing.assert_allclose(inpaint(image, model, missing), expected, atol=1e-3)


def test_what_stands_at_missing_pixels_does_not_matter():
    missing = RNG.random(CLEAN.shape) < 0.3
    results = [
        inpaint(np.where(missing, value, CLEAN), MODEL, missing, stride=2)
        for value in (0.0, 1e6, np.nan)
    ]
    np.testing.assert_allclose(results[1], results[0], atol=1e-9)
    np.testing.assert_allclose(results[2], results[0], atol=1e-9)


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


def test_a_hole_larger_than_a_patch_is_refused():
    missing = np.zeros(CLEAN.shape, dtype=bool)
    missing[10:22, 10:22] = True
    with pytest.raises(ValueError, match="lie in no patch with a known pixel"):
        inpaint(CLEAN, MODEL, missing)


@pytest.mark.parametrize(
    ("image", "options", "message"),
    [
        (np.zeros((4, 40)), {}, "smaller than the model's patches of 5 × 5"),
        (np.zeros((40, 40, 3)), {}, "no square patches of 3 channel"),
        (np.zeros((40, 40, 2)), {}, "2 channels, the last of them perhaps how opaque"),
        (np.zeros((40, 40, 4)), {}, "4 channels, the last of them perhaps how opaque"),
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


def test_filling_in_needs_sparse_coding():
    model = ReconstructionICA(4, tol=1e-2).fit(RNG.normal(size=(50, 25)))
    with pytest.raises(TypeError, match="ReconstructionICA; filling in needs"):
        inpaint(CLEAN, model)


def test_coefficients_that_have_not_converged_are_said(monkeypatch):
    def hasty(*args, **options):
        return encode(*args, **options, max_iter=1)

    monkeypatch.setattr("sparsebp.images.inpainting.encode", hasty)
    model = SparseCoding(9, penalty="l1", max_iter=1, batch_size=100, random_state=0)
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(200, 9)))
    image = np.where(rng.random((6, 6)) < 0.3, np.nan, rng.normal(size=(6, 6)))
    said = []
    for block in (100, 4):
        monkeypatch.setattr("sparsebp.images._patches._BLOCK", block)
        with pytest.warns(ConvergenceWarning, match=r"of [1-9]\d* patches have not") as warned:
            inpaint(image, model)
        said.append(str(warned[0].message))
    assert said[0] == said[1]  # of all blocks together
