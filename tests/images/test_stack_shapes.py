import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline

from sparsebp import ConvolutionalSparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.images import PooledFeatures
from sparsebp.images._stack_shapes import image_shape_of

PHOTOGRAPH = load_sample_photographs()[0]
STACK = np.random.default_rng(0).normal(size=(7, 9, 11)).cumsum(axis=1)


def pooled(estimator=None, **options):
    options = {"patch_shape": 3, "grid": 2, "n_patches": 100, "random_state": 0, **options}
    return PooledFeatures(PCA(2) if estimator is None else estimator, **options)


@pytest.mark.parametrize("shape", [(64, 64), (300, 400), (400, 300), (256, 144)])
def test_a_photograph_is_not_taken_for_flattened_images(shape):
    image = PHOTOGRAPH[: shape[0], : shape[1]]
    with pytest.raises(ValueError, match=r"like a single image.*give X\[np\.newaxis\], or"):
        image_shape_of(image)
    assert image_shape_of(image[np.newaxis]) == (*shape, 1)


def test_flattened_images_as_many_as_their_pixels_are_images():
    X, labels = load_digits(return_X_y=True)
    for digits in (X[:64], X[np.argsort(labels, kind="stable")][:300]):
        assert image_shape_of(digits) == (8, 8, 1)
    assert image_shape_of(PHOTOGRAPH[:64, :64], 8) == (8, 8, 1)


def test_an_image_whose_rows_are_no_squares_is_told_of_a_new_axis():
    with pytest.raises(ValueError, match=r"shape \(32, 40\): rows of 40 .* is X\[np\.newaxis\]"):
        image_shape_of(PHOTOGRAPH[:32, :40])


def test_a_stack_with_its_images_last_is_known_by_its_smooth_axes():
    places = np.random.default_rng(0).integers(0, 300, (10, 2))
    stack = np.stack([PHOTOGRAPH[y : y + 32, x : x + 40] for y, x in places])
    assert image_shape_of(stack) == (32, 40, 1)
    with pytest.raises(ValueError, match=r"images of 32 × 40 with their number last"):
        image_shape_of(np.moveaxis(stack, 0, -1))


@pytest.mark.parametrize(
    ("X", "words"),
    [
        ("photograph.png", r"got 'photograph.png'\. Load images .*\.load_photographs"),
        ([STACK[0], STACK[0, :5]], r"images of one shape, got shapes \(5, 11\) and \(9, 11\)"),
        (STACK[0, 0], r"\(n_images, height, width\).*1D array of shape \(11,\).*reshape\(1, -1\)"),
    ],
    ids=["a path", "shapes", "a row"],
)
def test_what_is_no_stack_says_what_is(X, words):
    with pytest.raises(ValueError, match=words):
        pooled().fit(X)


def test_one_of_the_images_of_fit_is_told_of_a_new_axis():
    model = pooled().fit(STACK)
    with pytest.raises(ValueError, match=r"shape \(9, 11\), that of a single image .*X\[np\.newax"):
        model.transform(STACK[0])
    colored = pooled().fit(np.stack([STACK] * 3, axis=-1))
    with pytest.raises(ValueError, match=r"shape \(9, 11, 3\), that of a single image"):
        colored.transform(np.stack([STACK[0]] * 3, axis=-1))
    assert colored.transform(STACK[:, :, :, np.newaxis].repeat(3, axis=3)).shape[0] == 7


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (ConvolutionalSparseCoding(4), r"It takes whole images\. Give SparseCoding, or atoms as"),
        (make_pipeline(PCA(2), ConvolutionalSparseCoding(4)), "It takes whole images"),
        (PCA, r"Give an instance, PCA\(…\)"),
        (np.eye(9), r"got an array of shape \(9, 9\)\. Give atoms as SparseCoder\(atoms\)"),
    ],
    ids=["whole images", "in a pipeline", "class", "atoms"],
)
def test_what_is_no_model_of_patches_says_what_to_give(estimator, words):
    with pytest.raises(TypeError, match=f"(?s)must be a transformer of patches.*{words}"):
        pooled(estimator).fit(STACK)
