"""Patches of any shape on whole images and volumes; what can be read in two ways is refused."""

from functools import cache

import numpy as np
import pytest
from sklearn.base import clone
from thinning import first_fast

from sparsebp import OrthonormalICA, SparseCoding
from sparsebp.images import denoise, encode_image, inpaint
from sparsebp.preprocessing import remove_mean

RNG = np.random.default_rng(0)
IMAGES = {
    (4, 16): RNG.random((9, 20)),
    (4, 4, 3): RNG.random((9, 10, 3)),
    (5, 4, 4): RNG.random((7, 9, 10)),
    (2, 4, 4, 3): RNG.random((3, 6, 7, 3)),
    (4, 4, 5): RNG.random((9, 10, 5)),
}


@cache
def all_of(shape):
    """A model that keeps all of a patch, with atoms in another order."""
    rng = np.random.default_rng(1)
    X = remove_mean(rng.laplace(size=(300, int(np.prod(shape)))))
    model = OrthonormalICA(patch_shape=shape, tol=1e-1, random_state=0)
    return model.fit(X)


@pytest.mark.filterwarnings("ignore:The patches of the image are")
@pytest.mark.parametrize("shape", first_fast(IMAGES), ids=str)
def test_a_map_holds_the_codes_of_each_patch(shape):
    image, model = IMAGES[shape], all_of(shape)
    colors = shape[-1] == 3
    windows = np.lib.stride_tricks.sliding_window_view(image, shape)
    places = windows.shape[: len(shape) - colors]
    patches = windows.reshape(*places, int(np.prod(shape)))
    features = encode_image(image, model)
    assert features.shape[:-1] == places
    for at in [(0,) * len(places), tuple(n - 1 for n in places)]:
        expected = model.transform(remove_mean(patches[at].reshape(1, -1)))[0]
        np.testing.assert_allclose(features[at], expected, atol=1e-10)


@pytest.mark.parametrize("shape", first_fast(IMAGES), ids=str)
def test_without_noise_the_image_comes_back(shape):
    image, model = IMAGES[shape], all_of(shape)
    np.testing.assert_allclose(denoise(image, model, sigma=1e-9, stride=2), image, atol=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("shape", first_fast([(2, 8), (2, 4, 2)]), ids=str)
def test_holes_are_filled_by_patches_of_any_shape(shape):
    waves = np.sin(np.indices((6, 14, 16)).sum(axis=0) / 2.5)
    image = waves if len(shape) == 3 else waves[0]
    windows = np.lib.stride_tricks.sliding_window_view(image, shape).reshape(-1, 16)
    model = SparseCoding(6, alpha=0.01, max_iter=20, random_state=0, patch_shape=shape)
    model.fit(remove_mean(windows))
    missing = np.random.default_rng(0).random(image.shape) < 0.3
    filled = inpaint(np.where(missing, np.nan, image), model)
    assert np.square(filled - image)[missing].mean() < 0.1 * image.var()


X = RNG.laplace(size=(200, 64)) / 5
MODEL = OrthonormalICA(9, tol=1e-1, random_state=0).fit(X)


@pytest.mark.parametrize("function", [denoise, encode_image])
def test_a_stack_is_no_image(function):
    for model in (MODEL, clone(MODEL).set_params(patch_shape=8).fit(X)):
        for shape in ((20, 64, 64), (64, 64, 10)):
            with pytest.raises(ValueError, match=r"shape \(.*one by one.*patch_shape="):
                function(RNG.random(shape), model)


def test_the_shape_can_be_said_to_the_function():
    image = RNG.random((9, 20))
    assert encode_image(image, MODEL, patch_shape=(4, 16)).shape == (6, 5, 9)
    with pytest.raises(ValueError, match=r"\(9, 9\) has 81 values"):
        encode_image(image, MODEL, patch_shape=9)
    with pytest.raises(ValueError, match="channel"):
        encode_image(RNG.random((9, 20, 3)), MODEL, patch_shape=(4, 16))


def test_a_stride_larger_than_the_patch():
    image = RNG.random((40, 40))
    with pytest.raises(ValueError, match=r"stride=12 .* 8 × 8 pixels.* at most 8"):
        denoise(image, MODEL, stride=12)
    with pytest.warns(UserWarning, match=r"stride=12 is larger"):
        assert encode_image(image, MODEL, stride=12).shape == (3, 3, 9)
    assert encode_image(image, MODEL, stride=(8, 4)).shape == (5, 9, 9)
    with pytest.raises(ValueError, match="must have 2 numbers"):
        encode_image(image, MODEL, stride=(8, 4, 1))


@pytest.mark.parametrize(("factor", "said"), [(255, True), (1, False), (0.02, True)])
def test_an_image_on_another_scale_than_the_samples_is_said(recwarn, factor, said):
    image = RNG.normal(size=(30, 30))
    X = remove_mean(RNG.normal(size=(300, 16)))
    model = OrthonormalICA(4, tol=1e-1, random_state=0).fit(X)
    recwarn.clear()
    encode_image(factor * image, model)
    messages = [str(warning.message) for warning in recwarn]
    assert [m.startswith("The patches of the image are") for m in messages] == [True] * said
