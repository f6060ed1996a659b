"""Bit depths, pages and arrays: a known picture in each kind of file."""

import struct
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from sparsebp.datasets import load_named_photographs, load_photographs, read_photographs

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 65536, (6, 8)).astype(np.uint16)
TWELVE = RNG.integers(0, 4096, (6, 8)).astype(np.uint16)
STACK = RNG.random((4, 30, 40))
GRAY_OF = np.array([0.299, 0.587, 0.114])


def tiff(path, data, *, bits, photometric=1, sample_format=1, channels=1, **tags):
    """Write an uncompressed little-endian TIFF of one strip, byte by byte."""
    height, width = data.shape[:2]
    packed = data.tobytes()
    entries = [(256, 4, width), (257, 4, height), (258, 3, bits), (259, 3, 1)]
    entries += [(262, 3, photometric), (273, 4, 0), (274, 3, tags.get("orientation", 1))]
    entries += [
        (277, 3, channels),
        (278, 4, height),
        (279, 4, len(packed)),
        (339, 3, sample_format),
    ]
    start = 8 + 2 + 12 * len(entries) + 4
    many = struct.pack("<" + "H" * channels, *[bits] * channels)
    out = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    for tag, kind, value in entries:
        count = 1
        if tag == 258 and channels > 1:
            count, value = channels, start
        value = start + len(many) if tag == 273 else value
        code = "<HHIHH" if kind == 3 and count * 2 <= 4 else "<HHII"
        out += struct.pack(code, tag, kind, count, value, *([0] if code == "<HHIHH" else []))
    path.write_bytes(out + bytes(4) + many + packed)


def only(path, **options):
    (image,) = load_photographs(path, **options)
    return image


def refused(path, match):
    with pytest.warns(UserWarning, match=match), pytest.raises(ValueError, match=match):
        load_photographs(path)


def test_twelve_bits_in_sixteen_are_recognized_and_said(tmp_path):
    for name in ("a.png", "b.tif"):
        Image.fromarray(TWELVE).save(tmp_path / name)
    np.save(tmp_path / "c.npy", TWELVE)
    with pytest.warns(UserWarning, match=r"12 bits in 16.* 4095: a\.png, b\.tif, c\.npy\."):
        images = load_photographs(tmp_path)
    for image in images:
        np.testing.assert_allclose(image, TWELVE / 4095, atol=1e-12)
    np.testing.assert_allclose(only(tmp_path / "a.png", bits=16), TWELVE / 65535, atol=1e-12)


def test_too_few_bits_are_refused(tmp_path):
    Image.fromarray(DEEP).save(tmp_path / "a.png")
    with (
        pytest.warns(UserWarning, match="beyond 12 bits"),
        pytest.raises(ValueError, match=r"a\.png"),
    ):
        load_photographs(tmp_path, bits=12)


def test_packed_twelve_bits_are_known_from_the_file(tmp_path):
    pairs = TWELVE.reshape(-1, 2).astype(np.uint32)
    joined = (pairs[:, 0] << 12) | pairs[:, 1]
    packed = np.stack([joined >> 16, joined >> 8, joined], axis=1).astype(np.uint8)
    tiff(tmp_path / "a.tif", packed.reshape(6, -1).view("V12").reshape(6, 1), bits=12)
    data = bytearray((tmp_path / "a.tif").read_bytes())
    struct.pack_into("<I", data, 10 + 8, 8)  # the width in pixels
    (tmp_path / "a.tif").write_bytes(data)
    np.testing.assert_allclose(only(tmp_path / "a.tif"), TWELVE / 4095, atol=1e-12)


@pytest.mark.parametrize(
    ("data", "bits", "kind", "expected"),
    [
        (DEEP, 16, 1, 1 - DEEP / 65535),
        ((DEEP >> 8).astype(np.uint8), 8, 1, 1 - (DEEP >> 8) / 255),
        ((DEEP / 65535).astype(np.float32), 32, 3, 1 - DEEP / 65535),
    ],
)
def test_negatives_are_turned_around(tmp_path, data, bits, kind, expected):
    tiff(tmp_path / "a.tif", data, bits=bits, photometric=0, sample_format=kind)
    np.testing.assert_allclose(only(tmp_path / "a.tif"), expected, atol=1e-7)
    tiff(tmp_path / "a.tif", data, bits=bits, sample_format=kind)
    np.testing.assert_allclose(only(tmp_path / "a.tif"), 1 - expected, atol=1e-7)


def test_compressed_negatives(tmp_path):
    Image.fromarray(DEEP).save(tmp_path / "a.tif", compression="tiff_lzw", tiffinfo={262: 0})
    np.testing.assert_allclose(only(tmp_path / "a.tif"), 1 - DEEP / 65535, atol=1e-12)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_upright(tmp_path, orientation):
    upside = [DEEP, DEEP[:, ::-1], DEEP[::-1, ::-1], DEEP[::-1], DEEP.T]
    upside += [np.rot90(DEEP, -1), DEEP[::-1, ::-1].T, np.rot90(DEEP)]
    tiff(tmp_path / "a.tif", DEEP, bits=16, orientation=orientation)
    np.testing.assert_allclose(only(tmp_path / "a.tif"), upside[orientation - 1] / 65535)


def test_pages_are_images_but_smaller_copies_are_not(tmp_path):
    pages = [Image.fromarray(DEEP), Image.fromarray(DEEP[:4, :5])]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    named = load_named_photographs(tmp_path / "a.tif")
    assert {name: image.shape for name, image in named.items()} == {
        "a.tif[0]": (6, 8),
        "a.tif[1]": (4, 5),
    }
    np.testing.assert_allclose(named["a.tif[1]"], DEEP[:4, :5] / 65535, atol=1e-12)
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    pages[0].save(tmp_path / "b.tif", save_all=True, append_images=pages[1:])
    assert list(load_named_photographs(tmp_path / "b.tif")) == ["b.tif"]


def test_of_an_animation_the_first_picture_is_taken(tmp_path):
    frames = [Image.new("L", (8, 6), value) for value in (10, 200)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    np.testing.assert_allclose(only(tmp_path / "a.gif"), 10 / 255, atol=1e-12)


def deep_png(path, color_type):
    import zlib

    channels = {2: 3, 4: 2, 6: 4}[color_type]
    rows = RNG.integers(0, 256, (6, 8 * channels * 2)).astype(np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 8, 6, 16, color_type, 0, 0, 0))]
    chunks += [(b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )
    )


@pytest.mark.parametrize("color_type", [2, 4, 6])
def test_deep_colors_of_a_png_are_refused(tmp_path, color_type):
    deep_png(tmp_path / "a.png", color_type)
    refused(tmp_path, r"a\.png.*16 bits for each channel .* only 8 would be read")


def test_deep_colors_of_other_files_are_refused(tmp_path):
    color = RNG.integers(0, 65536, (6, 8, 3)).astype(np.uint16)
    tiff(tmp_path / "a.tif", color, bits=16, photometric=2, channels=3)
    refused(tmp_path / "a.tif", r"a\.tif.* only 8 would be read")
    (tmp_path / "a.ppm").write_bytes(b"P6 8 6 65535\n" + color.astype(">u2").tobytes())
    refused(tmp_path / "a.ppm", r"a\.ppm.* only 8 would be read")


def test_deep_gray_with_a_transparent_value_is_refused(tmp_path):
    Image.fromarray(DEEP).save(tmp_path / "a.png", transparency=3)
    refused(tmp_path, "transparent pixels")


def test_arrays_of_numpy(tmp_path):
    np.save(tmp_path / "one.npy", (255 * STACK[0]).astype(np.uint8))
    np.testing.assert_array_equal(only(tmp_path / "one.npy"), (255 * STACK[0]).astype(int) / 255)
    np.savez(tmp_path / "two.npz", x=STACK[:2], y=STACK[2], labels=np.arange(3))
    named = load_named_photographs(tmp_path / "two.npz")
    assert list(named) == ["two.npz/x[0]", "two.npz/x[1]", "two.npz/y"]
    np.testing.assert_array_equal(list(named.values()), STACK[:3])


def test_fractions_in_arrays_are_kept(tmp_path):
    np.save(tmp_path / "a.npy", STACK[0] - 7)
    np.testing.assert_array_equal(only(tmp_path / "a.npy"), STACK[0] - 7)
    assert only(tmp_path / "a.npy", dtype=np.float32).dtype == np.float32


def test_colors_in_arrays(tmp_path):
    color = np.random.default_rng(1).random((5, 9, 12, 3))
    for stack in (color, np.moveaxis(color, 0, -1)):
        np.save(tmp_path / "a.npy", stack)
        np.testing.assert_array_equal(load_photographs(tmp_path / "a.npy", color=True), color)
    np.save(tmp_path / "a.npy", color[0])
    np.testing.assert_allclose(only(tmp_path / "a.npy"), color[0] @ GRAY_OF)


@pytest.mark.parametrize("shape", [(5, 30, 40), (40, 9, 9), (3, 20, 30, 1)])
def test_a_stack_may_have_its_number_first_or_last(tmp_path, shape):
    stack = np.random.default_rng(2).random(shape)
    images = stack.reshape(shape[:3])
    for array in (stack, np.moveaxis(stack, 0, -1)):
        for save in (np.save, lambda path, array: savemat(path.with_suffix(".mat"), {"I": array})):
            save(tmp_path / "a.npy", array)
        for name in ("a.npy", "a.mat"):
            np.testing.assert_array_equal(load_photographs(tmp_path / name), images)


@pytest.mark.parametrize(
    "shape", [(30, 40, 50), (3, 40, 50), (20, 20, 20), (600, 64), (2, 3, 4, 5)]
)
def test_what_can_be_read_in_two_ways_is_refused(tmp_path, shape):
    np.save(tmp_path / "a.npy", np.zeros(shape))
    refused(tmp_path, r"its array of shape \(.*is not clear.*; save \(height, width\)")


def test_why_an_array_is_not_clear(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 40, 50)))
    refused(tmp_path, r"\(3 gray images, or the channels of one in color\)")
    np.save(tmp_path / "a.npy", np.zeros((30, 40, 50)))
    refused(tmp_path, r"\(30 images, 50 with their number last, or 50 channels\)")


def test_of_several_arrays_all_are_read_or_none(tmp_path):
    np.savez(tmp_path / "a.npz", x=STACK, y=np.zeros((30, 40, 50)))
    refused(tmp_path, r"a\.npz.*its array y of shape \(30, 40, 50\) is not clear")


def test_what_is_no_array_is_passed_over(tmp_path):
    np.savez(tmp_path / "a.npz", x=STACK, y=np.array([{}]))
    with zipfile.ZipFile(tmp_path / "a.npz", "a") as archive:
        archive.writestr("notes.txt", "taken in 2003")
    np.testing.assert_array_equal(load_photographs(tmp_path), STACK)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("notes.txt", "taken in 2003")
    refused(tmp_path, r"contains no array of images, but: notes\.txt \(\)")


def test_matlab(tmp_path):
    savemat(tmp_path / "IMAGES.mat", {"IMAGES": np.moveaxis(STACK, 0, -1) - 0.5, "n": 3})
    np.testing.assert_array_equal(load_photographs(tmp_path / "IMAGES.mat"), STACK - 0.5)
    savemat(tmp_path / "a.mat", {"x": np.zeros((30, 40, 50))})
    assert load_photographs(tmp_path / "a.mat")[0].shape == (30, 40)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970"
    (tmp_path / "b.mat").write_bytes(header.ljust(116) + bytes(8) + b"\x00\x02IM" + b"\x89HDF\r\n")
    refused(tmp_path / "b.mat", r"b\.mat.*7\.3 \(HDF5\).* '-v7'")


def test_van_hateren(tmp_path):
    numbers = np.random.default_rng(3).integers(0, 4096, (1024, 1536))
    numbers.astype(">u2").tofile(tmp_path / "imk00001.iml")
    image = only(tmp_path / "imk00001.iml", dtype=np.float32)
    np.testing.assert_allclose(image, numbers / 4095, atol=1e-6)
    numbers[:1000].astype(">u2").tofile(tmp_path / "short.imc")
    refused(tmp_path / "short.imc", r"short\.imc.*3072000 bytes")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.full((4, 4), np.nan), "NaN"),
        (np.full((4, 4), -1), "go down to -1"),
        (np.full((4, 4), 2**20), "beyond the 65535 of 16 bits"),
        (np.full((4, 4), 1j), "contains no array of images"),
        (np.zeros(5), r"contains no array of images, but: one \(5,\)"),
        (np.zeros((0, 4)), "contains no array of images"),
    ],
)
def test_arrays_that_are_no_images_are_refused(tmp_path, array, match):
    np.save(tmp_path / "a.npy", array)
    refused(tmp_path, rf"a\.npy.*{match}")


def test_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    refused(tmp_path, r"a\.npy")


def test_images_are_read_one_at_a_time(tmp_path):
    for name in ("a.png", "b.png"):
        Image.fromarray(DEEP).save(tmp_path / name)
    reading = read_photographs(tmp_path)
    assert next(reading)[0] == "a.png"
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.warns(UserWarning, match="b.png was skipped"):
        assert list(reading) == []


@pytest.mark.parametrize("shape", [(20, 30, 4), (20, 30, 2), (1, 1, 5, 5, 3)])
def test_arrays_with_opacity_or_more_axes_are_refused_with_a_message(shape, tmp_path):
    np.save(tmp_path / "a.npy", np.random.default_rng(0).random(shape))
    with (
        pytest.warns(UserWarning, match="is not clear.*; save"),
        pytest.raises(ValueError, match="no readable image"),
    ):
        load_photographs(tmp_path / "a.npy")


@pytest.mark.parametrize("bits", [0, -1, 64, 1.5, "a", True])
def test_impossible_numbers_of_bits_are_refused(bits, tmp_path):
    with pytest.raises((TypeError, ValueError), match="bits"):
        load_photographs(tmp_path, bits=bits)
