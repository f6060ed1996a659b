import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sparsebp import OrthonormalICA, ReconstructionICA
from sparsebp.images import denoise, encode_image, inpaint
from sparsebp.preprocessing import Whitening, remove_mean

RNG = np.random.default_rng(0)
IMAGE = RNG.random((14, 19))
LARGE = RNG.random((70, 70))  # of 67² patches, more than a block
MODEL = ReconstructionICA(6, random_state=0, tol=1e-3).fit(remove_mean(RNG.normal(size=(200, 16))))


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_map_holds_the_codes_of_each_patch(stride):
    features = encode_image(IMAGE, MODEL, stride=stride)
    assert features.shape == ((14 - 4) // stride + 1, (19 - 4) // stride + 1, 6)
    for r, c in [(0, 0), (1, 2), (features.shape[0] - 1, features.shape[1] - 1)]:
        patch = IMAGE[r * stride :, c * stride :][:4, :4].reshape(1, -1)
        expected = MODEL.transform(remove_mean(patch))[0]
        np.testing.assert_allclose(features[r, c], expected, rtol=1e-10)


def test_patches_are_prepared_as_asked():
    doubled = encode_image(IMAGE, MODEL, prepare=lambda patches: 2 * remove_mean(patches))
    np.testing.assert_allclose(doubled, 2 * encode_image(IMAGE, MODEL), rtol=1e-10)


def test_a_callable_goes_through_the_blocks_and_sees_how_far_it_is():
    seen = []

    def watch(blocks, label):
        for block in blocks:
            yield block
            seen.append((block, len(blocks)))

    watched = encode_image(LARGE, MODEL, progress=watch)
    assert {total for _, total in seen} == {len(seen)} != {1}
    np.testing.assert_array_equal(np.r_[tuple(block for block, _ in seen)], np.arange(67**2))
    np.testing.assert_array_equal(watched, encode_image(LARGE, MODEL))


def test_colors_and_pipelines():
    X = RNG.normal(size=(300, 27))
    model = make_pipeline(Whitening(), OrthonormalICA(5, random_state=0, tol=1e-2)).fit(X)
    assert encode_image(RNG.random((8, 9, 3)), model).shape == (6, 7, 5)


def test_blocks_do_not_show():
    halves = [encode_image(half, MODEL) for half in (LARGE[:37], LARGE[34:])]
    np.testing.assert_allclose(encode_image(LARGE, MODEL), np.concatenate(halves), rtol=1e-12)


def test_an_unfitted_model_is_refused():
    with pytest.raises(NotFittedError):
        encode_image(IMAGE, ReconstructionICA(3))


def test_containers_of_a_model_do_not_matter():
    tables = copy.deepcopy(MODEL).set_output(transform="pandas")
    np.testing.assert_array_equal(encode_image(IMAGE, tables), encode_image(IMAGE, MODEL))


@pytest.mark.parametrize("prepare", [lambda x: x[:3], lambda x: np.repeat(x, 2, axis=0)])
def test_every_patch_keeps_a_row(prepare):
    with pytest.raises(ValueError, match="one row per patch"):
        encode_image(IMAGE, MODEL, prepare=prepare)


def test_what_prepares_is_callable():
    with pytest.raises(TypeError, match="prepare must be callable"):
        encode_image(IMAGE, MODEL, prepare=None)


def test_the_scale_that_is_asked_for_depends_on_no_stride():
    rng = np.random.default_rng(0)
    model = OrthonormalICA(4, random_state=0, tol=1e-3).fit(rng.laplace(size=(300, 9)))
    image, said = 1e3 * rng.random((30, 30)) ** 4, set()
    for stride in (1, 2, 3):
        with pytest.warns(UserWarning, match="multiply the image by") as warned:
            encode_image(image, model, stride=stride)
        said.add(str(warned[0].message))
    assert len(said) == 1


def test_a_stride_beyond_the_image_takes_one_patch():
    rng = np.random.default_rng(0)
    model = OrthonormalICA(4, random_state=0, tol=1e-3).fit(rng.laplace(size=(300, 9)))
    with pytest.warns(UserWarning, match="larger than the patches"):
        assert encode_image(rng.random((10, 12)), model, stride=10**30).shape == (1, 1, 4)


@pytest.mark.parametrize("given", [ReconstructionICA, "ica-10x10", 3], ids=repr)
@pytest.mark.parametrize("function", [encode_image, denoise, inpaint])
def test_what_is_no_model_is_refused(function, given):
    with pytest.raises(TypeError, match=r"model must be a fitted estimator, got .*load_basis"):
        function(IMAGE, given)
