import numpy as np
import pytest
from scipy import sparse

from sparsebp._checks import check_matrix
from sparsebp.preprocessing._arrays import check_images


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "images must be at least one image"),
        ([np.ones(5)], r"images\[0\] has shape \(5,\)"),
        ([np.ones((4, 4)), np.ones((4, 4, 2))], r"images\[1\] has shape \(4, 4, 2\)"),
        ([np.ones((0, 4))], r"images\[0\] has shape \(0, 4\)"),
        ([3.0], r"images\[0\] has shape \(\)"),
        ([np.ones((4, 4)), np.ones((4, 4, 3))], "partly gray and partly color"),
        (
            [np.full((4, 4), np.nan)],
            r"images\[0\] must be an array of finite numbers.*NaN.*inpaint",
        ),
        ([np.full((4, 4), np.inf)], r"images\[0\] must be an array of finite numbers.*infinity"),
        ([np.ones((4, 4), complex)], r"images\[0\] must be an array of finite numbers.*[Cc]omplex"),
        ([np.full((4, 4), "a")], r"images\[0\] must be an array of finite numbers"),
        ([[[1, 2], [3]]], r"images\[0\] must be an array of finite numbers"),
        ([[[1, 2], [3, object()]]], r"images\[0\] must be an array of finite numbers"),
        (
            [np.full((4, 4), np.datetime64(3, "D"))],
            r"images\[0\] must be an array of finite numbers",
        ),
        ([sparse.eye_array(4)], r"images\[0\] must be an array of finite numbers"),
        (np.ones((8, 8)), r"one array of shape \(8, 8\)"),
        (np.ones((8, 8, 3)), r"one array of shape \(8, 8, 3\)"),
    ],
)
def test_bad_images_are_refused_with_a_message(images, message):
    with pytest.raises(ValueError, match=message):
        check_images(images)


@pytest.mark.parametrize("images", [3, None, "photo.png", {"a": np.ones((4, 4))}])
def test_images_must_be_a_sequence(images):
    with pytest.raises(TypeError, match="images must be a sequence of arrays"):
        check_images(images)


def test_images_keep_their_type_and_are_not_copied():
    images = [np.ones((4, 5), np.uint8), np.ones((3, 3), np.float32)]
    checked = check_images(iter(images))
    assert [image.dtype for image in checked] == [np.uint8, np.float32]
    assert all(np.shares_memory(*pair) for pair in zip(images, checked, strict=True))


def test_an_array_of_images_is_a_sequence():
    assert [image.shape for image in check_images(np.ones((2, 8, 9)))] == [(8, 9), (8, 9)]
    assert [image.shape for image in check_images(np.ones((2, 8, 9, 3)))] == [(8, 9, 3)] * 2


def test_an_array_of_arrays_is_a_list():
    array = np.empty(2, dtype=object)
    array[:] = [np.ones((4, 5)), np.ones((3, 3))]
    assert [image.shape for image in check_images(array)] == [(4, 5), (3, 3)]


def test_masked_pixels_are_missing_where_they_may_be():
    masked = np.ma.masked_equal(np.arange(8).reshape(2, 4), 6)
    for images in ([masked], np.ma.stack([masked])):
        (found,) = check_images(images, missing=True)
        np.testing.assert_array_equal(found, [[0, 1, 2, 3], [4, 5, np.nan, 7]])
        with pytest.raises(ValueError, match=r"missing\. Fill them, images.*\.filled\(value\)"):
            check_images(images)


def test_object_images_of_numbers_become_floats():
    assert check_images([np.ones((4, 4), object)])[0].dtype == np.float64


@pytest.mark.parametrize(
    "rows",
    [[], [[]], [1.0, 2.0], [[np.nan]], [[1j]], [["a"]], [[1, 2], [3]], None, np.ones((2, 2, 2))],
)
def test_bad_rows_are_refused_with_a_message(rows):
    with pytest.raises(ValueError, match="rows must"):
        check_matrix("rows", rows)
