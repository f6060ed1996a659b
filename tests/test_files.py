import os
import stat
import subprocess
import sys
import time

import pytest

from sparsebp._files import named, remove_abandoned_drafts, writing

posix = pytest.mark.skipif(os.name == "nt", reason="needs POSIX files")


def write(path, content=b"new", then=lambda: None, **options):
    with writing(path, **options) as file:
        file.write(content)
        then()


def fail(error):
    raise error


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_when_it_is_complete(tmp_path):
    with writing(tmp_path / "a") as file:
        file.write(b"new")
        assert not (tmp_path / "a").exists()
    assert (tmp_path / "a").read_bytes() == b"new"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_a_failure_leaves_what_was_there(error, tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(error):
        write(tmp_path / "a", then=lambda: fail(error))
    assert (tmp_path / "a").read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


@posix
def test_a_replaced_file_hands_on_its_mode_and_a_new_one_follows_the_umask(tmp_path):
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "old").chmod(0o640)
    before = os.umask(0o027)
    try:
        write(tmp_path / "old")
        write(tmp_path / "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640


@posix
@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_stays_and_its_target_is_written(exists, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere" / "target"
    if exists:
        target.write_bytes(b"old")
    (tmp_path / "link").symlink_to(target)
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"


@posix
def test_what_is_no_regular_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name, kind in [("pipe", "a pipe"), ("link", "a pipe"), ("folder", "a folder")]:
        with pytest.raises(ValueError, match=f"{name} is .*{kind}.*give another name"):
            write(tmp_path / name)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["folder", "link", "pipe"]


def test_an_existing_file_is_refused_at_the_beginning_where_it_must_not_be_replaced(tmp_path):
    write(tmp_path / "a", b"first", over="none")
    with pytest.raises(FileExistsError, match="give another name"):
        write(tmp_path / "a", then=lambda: pytest.fail("the work began"), over="none")
    assert (tmp_path / "a").read_bytes() == b"first"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_another_process_wrote_meanwhile_is_refused_at_the_end(
    links, tmp_path, monkeypatch
):
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: fail(PermissionError(1, "no links")))
    path = tmp_path / "a"
    with pytest.raises(FileExistsError, match="another process"):
        write(path, then=lambda: path.write_bytes(b"first"), over="none")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("before", [None, b"old"])
def test_of_two_that_replace_a_file_at_once_the_second_says_so(before, tmp_path):
    path = tmp_path / "a"
    for _ in range(2):  # one after the other
        write(path, before or b"older", over="this")
    if before is None:
        path.unlink()
    with pytest.raises(FileExistsError, match="another process has just written it"):
        write(path, b"second", lambda: write(path, b"first", over="this"), over="this")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["a"]
    with pytest.raises(FileExistsError, match="another process has just written it"):
        write(path, b"second", lambda: os.utime(path, ns=(0, 0)), over="this")  # as one in place
    write(path, b"again", path.unlink, over="this")
    assert path.read_bytes() == b"again"


def test_paths_that_no_file_can_have_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a\\x00b' has a null character; give another name"):
        write(tmp_path / "a\0b")
    with pytest.raises(ValueError, match="is no name for a file; give another name"):
        named("\ud800")
    for wrong in (b"a", None, 3):
        with pytest.raises(TypeError, match="A path must be text or a Path, got"):
            named(wrong)


def test_errors_name_the_file_and_say_what_is_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="No such folder") as caught:
        write(tmp_path / "none" / "a")
    assert caught.value.filename == str(tmp_path / "none")
    (tmp_path / "link").symlink_to(tmp_path / "gone" / "a")
    with pytest.raises(FileNotFoundError, match=r"No such folder.*gone"):
        write(tmp_path / "link")
    (tmp_path / "a").write_bytes(b"old")
    full = OSError(28, "No space left on device")
    for path, state in [("a", "is unchanged"), ("b", "nothing was written")]:
        with pytest.raises(OSError, match=f"No space left.*{state}") as caught:
            write(tmp_path / path, then=lambda: fail(full))
        assert caught.value.filename == str(tmp_path / path)
        assert caught.value.errno == 28


def test_names_near_the_limit_can_be_written(tmp_path):
    write(tmp_path / ("a" * 255))
    assert names(tmp_path) == ["a" * 255]


@posix
def test_drafts_of_killed_processes_are_removed_by_the_next_that_writes(tmp_path):
    code = (
        "import sys; from sparsebp._files import writing\n"
        "with writing(sys.argv[1]) as file:\n"
        "    file.write(b'half'); file.flush(); print('writing', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "a")]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == b"writing\n"
        (draft,) = tmp_path.iterdir()
        old = time.time() - 3600
        os.utime(draft, (old, old))
        write(tmp_path / "b")  # the writer lives, so its draft stays
        assert names(tmp_path) == [draft.name, "b"]
        process.kill()
    os.utime(draft, (old, old))
    write(tmp_path / "b")
    assert names(tmp_path) == ["b"]


def test_young_drafts_stay(tmp_path):
    (tmp_path / ".sparsebp-0.draft").touch()
    remove_abandoned_drafts(tmp_path)
    assert names(tmp_path) == [".sparsebp-0.draft"]
