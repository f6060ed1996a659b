from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_sample_images

from sparsebp.datasets import (
    load_named_photographs,
    load_photographs,
    load_sample_photographs,
)

RGB = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
GRAY = RGB[..., 0]


def luminance(rgb):
    red, green, blue = np.moveaxis(np.asarray(rgb, float), -1, 0)
    return 0.299 * red + 0.587 * green + 0.114 * blue


def save(folder, name, image, **options):
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    image.save(Path(folder) / name, **options)


def only(folder, *, color=False):
    (image,) = load_photographs(folder, color=color)
    assert image.dtype == np.float64
    return image


def test_reading_can_be_watched(tmp_path):
    for name in ("b.png", "a.png"):
        save(tmp_path, name, GRAY)
    seen = []

    def watch(files, label):
        for file in files:
            seen.append(file)
            yield file

    named = load_named_photographs(tmp_path, track=watch)
    assert [path.name for path in seen] == list(named) == ["a.png", "b.png"]


def test_sample_photographs():
    originals = load_sample_images().images
    for original, color, gray in zip(
        originals, load_sample_photographs(color=True), load_sample_photographs(), strict=True
    ):
        np.testing.assert_allclose(color, original / 255.0)
        np.testing.assert_allclose(gray, luminance(original / 255.0))
        assert 0 <= gray.min() < 0.05
        assert 0.85 < gray.max() <= 1


def test_color_and_gray(tmp_path):
    save(tmp_path, "a.png", RGB)
    np.testing.assert_allclose(only(tmp_path, color=True), RGB / 255)
    np.testing.assert_allclose(only(tmp_path), luminance(RGB / 255))


def test_gray_photographs_get_three_equal_channels(tmp_path):
    save(tmp_path, "a.png", GRAY)
    np.testing.assert_array_equal(only(tmp_path), GRAY / 255)
    np.testing.assert_array_equal(only(tmp_path, color=True), np.stack([GRAY / 255] * 3, axis=-1))


@pytest.mark.parametrize("name", ["a.png", "a.tiff", "a.pgm"])
def test_sixteen_bits_keep_their_precision(tmp_path, name):
    deep = np.arange(0, 65536, 1489, dtype=np.uint16)[:44].reshape(4, 11)
    deep[0, 0], deep[-1, -1] = 0, 65535
    save(tmp_path, name, deep)
    np.testing.assert_allclose(only(tmp_path), deep / 65535, atol=1e-12)
    assert only(tmp_path, color=True).shape == (4, 11, 3)


def test_palette(tmp_path):
    flat = np.array([[10, 20, 30], [200, 100, 0]], np.uint8)[np.eye(6, dtype=int)]
    save(tmp_path, "a.gif", Image.fromarray(flat).quantize(4))
    np.testing.assert_allclose(only(tmp_path, color=True), flat / 255)


def test_black_and_white(tmp_path):
    bits = np.eye(6, dtype=bool)
    save(tmp_path, "a.png", Image.fromarray(bits))
    np.testing.assert_array_equal(only(tmp_path), bits)


def test_transparency_is_laid_on_white(tmp_path):
    alpha = np.linspace(0, 255, 35).astype(np.uint8).reshape(5, 7)
    save(tmp_path, "a.png", np.dstack([RGB, alpha]))
    opacity = alpha[..., None] / 255
    expected = opacity * RGB / 255 + (1 - opacity)
    np.testing.assert_allclose(only(tmp_path, color=True), expected, atol=1e-12)
    np.testing.assert_allclose(only(tmp_path), luminance(expected), atol=1e-12)


def test_gray_with_transparency(tmp_path):
    save(tmp_path, "a.png", np.dstack([GRAY, np.full_like(GRAY, 255)]))
    np.testing.assert_allclose(only(tmp_path), GRAY / 255)


def test_transparent_palette_color_is_white(tmp_path):
    indices = np.eye(6, dtype=np.uint8)
    image = Image.fromarray(indices).convert("P")
    image.putpalette([10, 20, 30, 200, 100, 0])
    save(tmp_path, "a.png", image, transparency=1)
    expected = np.where(indices[..., None] == 1, 1, np.array([10, 20, 30]) / 255)
    np.testing.assert_allclose(only(tmp_path, color=True), expected)


def test_cmyk(tmp_path):
    save(tmp_path, "a.tiff", Image.new("CMYK", (3, 2), (0, 255, 255, 0)))
    np.testing.assert_allclose(only(tmp_path, color=True), np.tile([1.0, 0, 0], (2, 3, 1)))


def test_camera_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path, "a.png", GRAY, exif=exif)
    np.testing.assert_array_equal(only(tmp_path), np.rot90(GRAY, -1) / 255)


def test_fractions(tmp_path):
    save(tmp_path, "a.tiff", (GRAY / 255).astype(np.float32))
    np.testing.assert_allclose(only(tmp_path), GRAY / 255, atol=1e-7)


def test_name_order(tmp_path):
    for value, name in [(30, "c.png"), (10, "a.tiff"), (20, "b.bmp")]:
        save(tmp_path, name, np.full((2, 3), value, np.uint8))
    np.testing.assert_allclose(
        [image[0, 0] for image in load_photographs(str(tmp_path))], np.array([10, 20, 30]) / 255
    )


def truncated(folder):
    save(folder, "bad.png", np.random.default_rng(0).integers(0, 256, (90, 90)).astype(np.uint8))
    path = folder / "bad.png"
    path.write_bytes(path.read_bytes()[:2000])


def bomb(folder):
    save(folder, "bad.png", np.zeros((40, 40), np.uint8))


def large_bomb(folder):
    save(folder, "bad.png", np.zeros((80, 80), np.uint8))


def text(folder):
    (folder / "bad.png").write_text("no image")


def empty(folder):
    (folder / "bad.png").touch()


def out_of_range(folder):
    save(folder, "bad.tiff", np.array([[0.5, 1.5]], np.float32))


def not_a_number(folder):
    save(folder, "bad.tiff", np.array([[0.5, np.nan]], np.float32))


@pytest.mark.parametrize(
    "bad", [truncated, bomb, large_bomb, text, empty, out_of_range, not_a_number]
)
def test_what_is_no_image_is_named_and_skipped(tmp_path, monkeypatch, bad):
    bad(tmp_path)
    if bad in (bomb, large_bomb):
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with (
        pytest.warns(UserWarning, match=r"bad\..* was skipped"),
        pytest.raises(ValueError, match=r"no readable image among its 1 file\b"),
    ):
        load_photographs(tmp_path)
    save(tmp_path, "good.png", GRAY)
    with pytest.warns(UserWarning, match=r"bad\..* was skipped") as caught:
        assert only(tmp_path).shape == (5, 7)
    assert "BufferedReader" not in str(caught[0].message)


@pytest.mark.parametrize("name", ["nowhere", "null\0", "long" * 1000])
def test_what_is_no_folder_is_refused(tmp_path, name):
    save(tmp_path, "a.png", GRAY)
    with pytest.raises(ValueError, match=r"cannot be found: give an existing image file"):
        load_photographs(tmp_path / name)


def test_empty_folders_and_wrong_types_are_refused(tmp_path):
    with pytest.raises(ValueError, match="has no files"):
        load_photographs(tmp_path)
    with pytest.raises(ValueError, match="images is empty"):
        load_photographs([])
    for folder in (3, None, b"photos"):
        with pytest.raises(TypeError, match="is not a path: give the name of an image file"):
            load_photographs(folder)


@pytest.mark.parametrize("error", [MemoryError(), OSError("out of memory when reading image file")])
def test_too_little_memory_is_not_a_damaged_image(tmp_path, monkeypatch, error):
    def full(path):
        raise error

    save(tmp_path, "a.png", GRAY)
    monkeypatch.setattr("sparsebp.datasets._reading.read_picture", full)
    with pytest.raises(MemoryError, match=r"a\.png: "):
        load_photographs(tmp_path)


@pytest.mark.parametrize("color", [False, True])
def test_an_array_of_another_unit_beside_images_is_named(tmp_path, color):
    save(tmp_path, "a.png", GRAY)
    np.save(tmp_path / "b.npy", 255 * np.random.default_rng(0).random((8, 9)))
    with pytest.warns(UserWarning, match=r"Fractions up to 25\d.*: b\.npy\. Divide"):
        assert len(load_photographs(tmp_path, color=color)) == 2
    (tmp_path / "a.png").unlink()
    assert len(load_photographs(tmp_path)) == 1  # one unit throughout
