import numpy as np
import pytest
from oracles import seeds
from sklearn.decomposition import PCA, MiniBatchDictionaryLearning
from sklearn.pipeline import make_pipeline
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.datasets import load_sample_photographs
from sparsebp.images import denoise, estimate_sigma
from sparsebp.images._dictionaries import cosines
from sparsebp.preprocessing import Whitening, remove_mean, sample_patches

RNG = np.random.default_rng(0)
ROWS, COLUMNS = np.indices((40, 50))
CLEAN = np.where((ROWS // 7 + COLUMNS // 9) % 2, 0.8, 0.2) + 0.003 * COLUMNS
NOISY = CLEAN + 0.1 * RNG.normal(size=CLEAN.shape)
COLOR = CLEAN[..., None] * [1.0, 0.8, 0.6] + [0.0, 0.1, 0.3]
PATCHES = remove_mean(sample_patches([NOISY], 5, 600, random_state=0))
MODEL = SparseCoding(
    30, penalty="l1", alpha=0.3, solver="online", batch_size=100, max_iter=20, random_state=0
).fit(PATCHES)


def error(image, truth=CLEAN):
    return np.sqrt(np.square(image - truth).mean())


def chosen(patch, atoms, gain):
    """What atoms make of a patch, and how many: least squares in a loop."""
    used, left = [], patch
    while True:
        best = int(np.argmax(np.abs(atoms @ left)))
        solution = np.linalg.lstsq(atoms[[*used, best]].T, patch, rcond=None)[0]
        new = patch - solution @ atoms[[*used, best]]
        if left @ left - new @ new < gain:
            return patch - left, len(used)
        used, left = [*used, best], new


def by_hand(image, atoms, side, stride, sigma):
    """Every patch by itself, in two loops."""
    atoms = atoms / np.linalg.norm(atoms, axis=1, keepdims=True)
    gain = (0.93 * sigma * np.sqrt(2 * np.log(len(atoms)))) ** 2
    total, weight = np.zeros_like(image), np.zeros_like(image)
    corners = [sorted({*range(0, n - side + 1, stride), n - side}) for n in image.shape[:2]]
    for r in corners[0]:
        for c in corners[1]:
            patch = image[r : r + side, c : c + side]
            mean = patch.mean(axis=(0, 1))
            made, n_atoms = chosen((patch - mean).ravel(), atoms, gain)
            total[r : r + side, c : c + side] += (made.reshape(patch.shape) + mean) / (1 + n_atoms)
            weight[r : r + side, c : c + side] += 1 / (1 + n_atoms)
    return total / weight


@pytest.mark.parametrize("stride", [1, 3, 4])
def test_atoms_that_stand_out_of_the_noise_describe_a_patch(stride):
    image = NOISY[:14, :17]
    expected = by_hand(image, MODEL.components_, 5, stride, 0.1)
    found = denoise(image, MODEL, sigma=0.1, stride=stride)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert error(expected, image) > 0.05


@pytest.mark.parametrize(
    "model",
    [
        ReconstructionICA(12, alpha=0.01, whiten=True, random_state=0, tol=1e-2),
        OrthonormalICA(12, random_state=0, tol=1e-2),
        PCA(12),
        pytest.param(
            MiniBatchDictionaryLearning(12, random_state=0, max_iter=3), marks=pytest.mark.slow
        ),
        make_pipeline(Whitening("pca", n_components=12), OrthonormalICA(random_state=0, tol=1e-2)),
    ],
    ids=lambda model: type(model).__name__,
)
def test_any_model_with_atoms_denoises(model):
    if not hasattr(model, "inverse_transform"):
        pytest.skip("scikit-learn's dictionaries invert from 1.7 on")
    model.fit(PATCHES)
    size = len(model[-1].components_) if hasattr(model, "steps") else 12
    atoms = model.inverse_transform(np.eye(size)) - model.inverse_transform(np.zeros((1, size)))
    expected = by_hand(NOISY[:12, :11], atoms, 5, 1, 0.1)
    found = denoise(NOISY[:12, :11], model, sigma=0.1)
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("seed", seeds(3))
def test_noise_is_removed_with_a_model_or_without(seed):
    noisy = CLEAN + 0.1 * np.random.default_rng(seed).normal(size=CLEAN.shape)
    assert error(denoise(noisy, MODEL)) < 0.45 * error(noisy)
    assert error(denoise(noisy)) < 0.4 * error(noisy)


@pytest.mark.slow
def test_an_image_is_its_own_source_of_atoms():
    image = 255 * load_sample_photographs()[1][144:192, 264:312]
    noisy = image + 25 * np.random.default_rng(0).normal(size=image.shape)
    psnr = [20 * np.log10(255 / error(i, image)) for i in (noisy, denoise(noisy, sigma=25))]
    assert psnr[1] - psnr[0] > 5


def test_the_noise_is_estimated_where_it_is_not_given():
    given = denoise(NOISY, MODEL, sigma=estimate_sigma(NOISY), stride=3)
    np.testing.assert_array_equal(denoise(NOISY, MODEL, stride=3), given)


@pytest.mark.parametrize("model", [None, MODEL])
def test_no_noise_changes_nothing(model):
    found = denoise(NOISY, model, sigma=0)
    np.testing.assert_array_equal(found, NOISY)
    assert not np.shares_memory(found, NOISY)
    constant = np.full((12, 9), 0.1)
    np.testing.assert_allclose(denoise(constant, model), constant, rtol=1e-12)


@pytest.mark.parametrize("scale", first_fast([2.0**-20, 2.0**16]))
def test_the_scale_of_an_image_does_not_matter(scale):
    # Powers of two, so that not even ties between atoms are broken by rounding.
    for model in (None, MODEL):
        expected = scale * denoise(NOISY[:16, :16], model, sigma=0.1)
        found = denoise(scale * NOISY[:16, :16], model, sigma=scale * 0.1)
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_kinds_of_numbers():
    deep = np.round(40_000 * np.clip(NOISY, 0, 1)).astype(np.uint16)
    found = denoise(deep, MODEL, stride=3)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, denoise(deep.astype(float), MODEL, stride=3))
    single = NOISY.astype(np.float32)
    single.flags.writeable = False
    found = denoise(np.asfortranarray(single), MODEL, stride=3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, denoise(NOISY, MODEL, stride=3), atol=1e-5)
    assert denoise(single, stride=3).dtype == np.float32


@pytest.mark.slow
def test_colors():
    noisy = COLOR + 0.1 * RNG.normal(size=COLOR.shape)
    X = remove_mean(sample_patches([noisy], 5, 300, random_state=0))
    model = PCA(20).fit(X)
    found = denoise(noisy[:9, :9], model, sigma=0.1)
    expected = by_hand(noisy[:9, :9], model.components_, 5, 1, 0.1)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    noisy, truth = noisy[:32, :32], COLOR[:32, :32]
    assert error(denoise(noisy, sigma=0.1), truth) < 0.5 * error(noisy, truth)


def test_blocks_do_not_show():
    large = np.tile(NOISY, (2, 2))  # of 76 × 96 patches, two blocks
    middle = denoise(large[20:60], MODEL, sigma=0.1)  # one
    np.testing.assert_allclose(denoise(large, MODEL, sigma=0.1)[24:56], middle[4:-4], atol=1e-10)


def test_small_images_have_small_patches():
    for shape in [(5, 30), (3, 4), (8, 8)]:
        noisy = RNG.normal(size=shape)
        assert np.isfinite(denoise(noisy, sigma=0.5)).all()
    with pytest.raises(ValueError, match="2 × 30 pixels is too small for patches"):
        denoise(np.ones((2, 30)), sigma=0.1)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_cosines_are_unit_vectors_without_a_mean(n_channels):
    atoms = cosines((8, 8), n_channels)
    assert atoms.shape == (64 * n_channels, 255 + 63 * (n_channels - 1))
    np.testing.assert_allclose(np.linalg.norm(atoms, axis=0), 1)
    np.testing.assert_allclose(atoms.reshape(64, n_channels, -1).sum(axis=0), 0, atol=1e-12)
    assert np.linalg.matrix_rank(atoms) == 63 * n_channels


def test_progress_shows_a_bar(capsys):
    denoise(NOISY, MODEL, stride=5, progress=True)
    assert "patches" in capsys.readouterr().out
    denoise(NOISY, MODEL, stride=5)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("sigma", "error", "message"),
    [
        (-1, ValueError, "sigma must be a finite number ≥ 0, got -1"),
        (np.nan, ValueError, "sigma must be a finite number ≥ 0, got nan"),
        ("a", TypeError, "sigma must be a finite number ≥ 0, got 'a'"),
    ],
)
def test_sigma_is_a_number(sigma, error, message):
    with pytest.raises(error, match=message):
        denoise(NOISY, MODEL, sigma=sigma)


def test_more_noise_than_an_image_can_contain_is_reported():
    noise = np.clip(np.random.default_rng(0).normal(scale=25, size=(16, 16)), 0, None)
    denoise(noise, sigma=25)  # clipped at black
    denoise(np.full((9, 9), 0.5), sigma=25)
    with pytest.warns(UserWarning, match="sigma is 25, but the standard .* only 0.0") as caught:
        denoise(noise / 255, sigma=25)
    assert caught[0].filename == __file__


def test_what_cannot_go_back_cannot_denoise():
    model = SparseFiltering(4, tol=1.0, random_state=0).fit(RNG.random((50, 9)))
    with pytest.raises(TypeError, match="SparseFiltering, which has no inverse_transform"):
        denoise(RNG.random((9, 9)), model)


def test_what_has_no_atoms_cannot_denoise():
    with pytest.raises(TypeError, match="model is a Whitening, which has no components_"):
        denoise(NOISY, Whitening().fit(np.random.default_rng(0).random((20, 64))))
