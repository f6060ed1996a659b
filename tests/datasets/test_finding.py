"""Which files are read, in which order, under which names."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

from sparsebp import load_model
from sparsebp.datasets import load_named_photographs, load_photographs


def write(path, value=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 5), value, np.uint8)).save(path, "PNG")
    return path


@pytest.fixture
def album(tmp_path):
    for value, name in enumerate(("b.png", "sub/a.png", "sub/deep/c.png", "a.PNG", "z.tif")):
        write(tmp_path / name, value)
    return tmp_path


def test_a_folder_is_searched_with_those_in_it(album):
    names = ["a.PNG", "b.png", "z.tif", "sub/a.png", "sub/deep/c.png"]
    found = load_named_photographs(album)
    assert list(found) == names
    np.testing.assert_array_equal(
        [image[0, 0] for image in found.values()], np.array([3, 0, 4, 1, 2]) / 255
    )


def test_what_is_hidden_or_no_image_is_skipped_in_silence(album):
    for name in (".hidden.png", ".thumbnails/a.png"):
        write(album / name)
    for name in ("notes.txt", "sub/Thumbs.db", "noname"):
        (album / name).write_text("no image")
    (album / "loop").symlink_to(album)
    assert len(load_named_photographs(album)) == 5


def test_an_image_is_known_without_its_ending(album):
    write(album / "scan")
    assert "scan" in load_named_photographs(album)


def test_pictures_that_learning_wrote_are_no_photographs(album):
    write(album / "learned-1" / "filters.png")
    (album / "learned-1" / "model.npz").touch()
    assert len(load_named_photographs(album)) == 5


def test_patterns(album):
    assert list(load_named_photographs(album / "*.png")) == ["b.png"]
    assert list(load_named_photographs(str(album / "**" / "*.png"))) == ["b.png", "a.png", "c.png"]
    assert len(load_photographs(album / "s*")) == 2
    with pytest.raises(ValueError, match="no file matches"):
        load_photographs(album / "*.jpg")


def test_several_are_read_in_their_order_and_each_once(album):
    named = load_named_photographs([album / "z.tif", album, album / "b.png"])
    assert list(named) == ["z.tif", "a.PNG", "b.png", "sub/a.png", "sub/deep/c.png"]


def test_files_of_one_name_keep_their_paths(album):
    both = load_named_photographs([album / "sub", album / "sub" / "deep", write(album / "x/a.png")])
    assert list(both) == ["a.png", "deep/c.png", str(album / "x" / "a.png")]


def test_an_existing_file_is_no_pattern(tmp_path):
    write(tmp_path / "[1].png", 7)
    write(tmp_path / "1.png")
    (image,) = load_photographs(tmp_path / "[1].png")
    assert image[0, 0] == 7 / 255


def test_the_home_folder(album, monkeypatch):
    monkeypatch.setenv("HOME", str(album))
    assert list(load_named_photographs("~/*.tif")) == ["z.tif"]


def test_links_to_nothing_are_no_files(album):
    (album / "gone.png").symlink_to(album / "nowhere")
    with pytest.raises(ValueError, match="cannot be found"):
        load_photographs(album / "gone.png")
    assert list(load_named_photographs(album / "*.png")) == ["b.png"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_pipes_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    for read in (load_photographs, load_model):
        with pytest.raises(ValueError, match=r"pipe\.png is a device, a pipe or a socket; give"):
            read(tmp_path / "pipe.png")
    with pytest.raises(ValueError, match="has no files"):
        load_photographs(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="file systems that take any bytes")
def test_names_that_are_not_utf_8(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    write(tmp_path / name)
    assert list(load_named_photographs(tmp_path)) == [name]
