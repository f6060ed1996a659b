"""The command line in a shell: output, exit statuses, interrupts, pipes, completion."""

import io
import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from cli.toy import TOY, run
from rich.console import Console
from thinning import first_fast

from sparsebp import load_model
from sparsebp.cli import commands
from sparsebp.cli.choices import complete_derivation, complete_model
from sparsebp.cli.output import Output

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def in_a_process(code, **environment):
    environment = {**os.environ, **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.slow
def test_quiet_says_nothing_and_does_its_work(tmp_path, photographs):
    out = tmp_path / "out"
    for arguments in (
        ("learn", "--images", photographs, "--out", out, *TOY, "--model", "rica"),
        ("show", out / "model.npz"),
        ("encode", out / "model.npz", "--images", photographs, "--out", out / "codes.npz"),
    ):
        result = run(*arguments, "--quiet")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    names = {"codes.npz", "filters.png", "model-filters.png", "model.npz", "objective.png"}
    assert {path.name for path in out.iterdir()} == names


@pytest.mark.slow
def test_json_says_what_the_files_hold(tmp_path, photographs):
    out = tmp_path / "out"
    result = run("learn", "--images", photographs, "--out", out, *TOY, "--json")
    learned = json.loads(result.stdout)
    model = load_model(learned["files"][0])
    assert learned["objective"] == model.objective_
    assert (learned["n_iter"], learned["n_components"], learned["finished"]) == (3, 5, True)
    shown = json.loads(run("show", out / "model.npz", "--json", "--quiet").stdout)
    assert shown["model"] == "SparseCoding"
    assert shown["parameters"]["max_iter"] == 3
    assert shown["metadata"]["recipe"]["patch_size"] == 4
    codes = out / "codes.npz"
    result = run("encode", out / "model.npz", "--images", photographs, "--out", codes, "--json")
    with np.load(codes) as arrays:
        assert json.loads(result.stdout)["shapes"] == {
            name: list(array.shape) for name, array in arrays.items()
        }


def test_json_holds_a_penalty_that_is_an_object(tmp_path):
    from sparsebp import SparseCoding, save_model
    from sparsebp.penalties import Cauchy

    model = SparseCoding(4, penalty=Cauchy(), max_iter=1, random_state=0)
    save_model(model.fit(np.random.default_rng(0).normal(size=(9, 16))), tmp_path / "m.npz")
    shown = json.loads(run("show", tmp_path / "m.npz", "--json").stdout)
    assert shown["parameters"]["penalty"] == str(Cauchy())


@pytest.mark.parametrize("n_patches", [1, 0, -3])
def test_a_single_patch_is_too_few(n_patches, tmp_path, photographs):
    out = tmp_path / "out"
    arguments = ("learn", "--images", photographs, "--out", out, "--n-patches", n_patches)
    result = run(*arguments, "--patch-size", 4)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"n_patches is {n_patches}; learning needs at least 2" in result.stderr
    assert not out.exists()


@pytest.mark.parametrize("out", ["", "nowhere/codes.npz"])
def test_encode_finds_before_its_work_that_the_file_cannot_be_written(out, tmp_path):
    result = run("encode", "rica-12x12", "--images", "not there", "--out", tmp_path / out)
    assert result.exit_code == 2
    assert str(tmp_path) in result.stderr
    assert "not there" not in result.stderr
    assert not list(tmp_path.iterdir())


def test_of_two_that_encode_to_one_file_at_once_one_wins(tmp_path, photographs, monkeypatch):
    out, encode = tmp_path / "codes.npz", commands.encode_image
    arguments = ("encode", "rica-12x12", "--images", photographs, "--out", out)

    def meanwhile(*rest, **options):
        monkeypatch.setattr(commands, "encode_image", encode)
        commands.encode_images("rica-12x12", photographs, out, 6, Output(quiet=True))
        return encode(*rest, **options)

    for _ in range(2):  # the first is new, the second replaces
        monkeypatch.setattr(commands, "encode_image", meanwhile)
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "another process has just written it" in " ".join(result.stderr.split())
        with np.load(out) as codes:
            assert codes["one.png"].shape[:2] == (5, 7)
    assert run(*arguments).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"codes.npz", "photographs"}


@pytest.mark.slow
def test_what_is_read_is_not_replaced(tmp_path, photographs, learned):
    model, image = tmp_path / "model.npz", photographs / "one.png"
    model.write_bytes((learned()[0] / "model.npz").read_bytes())
    link = tmp_path / "link.png"
    link.symlink_to(model)
    before = [path.read_bytes() for path in (model, image)]
    images = ("--images", photographs)
    for arguments in (
        ("encode", model, *images, "--out", model),
        ("encode", model, *images, "--out", image),
        ("compare", model, *images, "--csv", model),
        ("compare", model, *images, "--csv", image),
        ("show", model, "--out", link),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert "is also read, and would be replaced; give" in " ".join(result.stderr.split())
    assert [path.read_bytes() for path in (model, image)] == before
    assert sorted(path.name for path in photographs.iterdir()) == ["one.png", "two.png"]


def test_an_interrupted_encode_leaves_nothing(tmp_path, photographs, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "encode_image", interrupted)
    out = tmp_path / "codes" / "codes.npz"
    out.parent.mkdir()
    result = run("encode", "rica-12x12", "--images", photographs, "--out", out)
    assert (result.exit_code, result.output) == (130, "")
    assert not list(out.parent.iterdir())


@pytest.mark.parametrize(("terminal", "quiet"), [(True, False), (True, True), (False, False)])
def test_bars_are_drawn_only_in_a_terminal(terminal, quiet):
    drawn = io.StringIO()
    output = Output(quiet, console=Console(file=drawn, force_terminal=terminal, width=60))
    assert list(output.track("abc", "spelling")) == ["a", "b", "c"]
    if terminal and not quiet:
        assert "spelling" in drawn.getvalue()
        assert "100%" in drawn.getvalue()
    else:
        assert drawn.getvalue() == ""


def test_a_warning_goes_above_the_bar(monkeypatch):
    from sparsebp.cli import endings, output

    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=60, color_system=None)
    monkeypatch.setattr(output, "stderr", lambda: console)
    with Output(console=console).bar("learning", 2):
        endings.show_warning("it is late")
    assert "\nWarning: it is late" in drawn.getvalue().replace("\x1b[2K", "\n")


def test_help_loads_nothing_slow():
    code = "import sys; from sparsebp.cli.app import app; print(*sys.modules)"
    loaded = set(in_a_process(code).stdout.split())
    assert "sparsebp.cli.app" in loaded
    assert not loaded & {"numpy", "scipy", "sklearn", "matplotlib", "numba", "PIL"}


def test_help_tells_the_exit_statuses_and_gives_examples():
    assert "130, 143 or 129 interrupted" in " ".join(run("--help").output.split())
    for command in ("learn", "show", "encode", "derive", "doctor"):
        assert f"sparsebp {command}" in run(command, "--help").output.split("Examples:")[1]


INTERRUPTED_IMPORT = """
import os, signal, sys
number = int(sys.argv.pop())
signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
class Interrupt:
    def find_spec(name, *_):
        if name == "numpy":
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Interrupt)
sys.argv[1:] = ["derive", "l1"]
from sparsebp.cli import main
main()
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", first_fast([signal.SIGTERM, signal.SIGINT]))
def test_a_signal_during_the_imports_leaves_no_traceback(number):
    result = in_a_process(INTERRUPTED_IMPORT.replace("sys.argv.pop()", f"{int(number)}"))
    assert (result.returncode, result.stdout) == (128 + number, "")
    said = (
        "" if number == signal.SIGINT else "Ended by SIGTERM before there was anything to save.\n"
    )
    assert result.stderr == said


COMMAND = "import sys; from sparsebp.cli import main; sys.argv[0] = 'sparsebp'; main()"


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("argument", first_fast(["--help", "derive"]))
def test_a_closed_pipe_is_no_error(argument):
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-c", COMMAND, argument]
    result = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (result.returncode, result.stderr) == (141, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("argument", first_fast(["--version", "derive"]))
def test_a_full_disk_is_said(argument):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        command = [sys.executable, "-c", COMMAND, argument]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (2, "Error: No space left on device.\n")


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize("argument", first_fast(["--version", "derive"]))
def test_a_closed_stream_is_no_error(argument):
    line = f'"{sys.executable}" -c "$CODE" {argument} >&-'
    environment = {**os.environ, "CODE": COMMAND}
    result = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_completion_knows_bases_files_and_derivations(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "right.npz").touch()
    (tmp_path / "rest.txt").touch()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "model.npz").touch()
    assert complete_model("r") == ["rica-12x12", "right.npz", "runs/"]
    assert complete_model("runs/") == ["runs/model.npz"]
    assert "sparse-coding-8x8" in complete_model("")
    assert complete_derivation("topographic-i") == ["topographic-ica"]


def test_a_shell_gets_completions():
    code = "from sparsebp.cli import main; main()"
    line = {"COMP_WORDS": "sparsebp learn --model t", "COMP_CWORD": "3"}
    result = in_a_process(code, _SPARSEBP_COMPLETE="complete_bash", **line)
    assert result.stdout.split() == ["topographic"]


@pytest.mark.parametrize("error", [MemoryError(), MemoryError("a.png: it is too large.")])
def test_too_little_memory_has_its_own_exit_status(error, monkeypatch):
    def full(*_):
        raise error

    monkeypatch.setattr(commands, "load_model", full)
    result = run("show", "rica-12x12")
    assert result.exit_code == 3
    assert result.stderr.startswith("Error: Out of memory")
    assert ".." not in result.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="file systems that take any bytes")
@pytest.mark.parametrize("report", first_fast([False, True]))
def test_control_characters_in_file_names_are_escaped(report, tmp_path, photographs):
    (photographs / "one.png").rename(photographs / os.fsdecode(b"\xff\x1b[31m.png"))
    out = tmp_path / "out"
    patterns = photographs / "*.png"
    more = ["--model", "rica", *(["--report"] if report else [])]
    result = run("learn", "--images", *photographs.iterdir(), "--out", out, *TOY, *more)
    assert result.exit_code == 0
    if report:
        assert "\\udcff\\x1b[31m" in (out / "report.html").read_text("utf-8")
    codes = out / "codes.npz"
    result = run("encode", out / "model.npz", "--images", patterns, "--out", codes)
    assert result.exit_code == 0
    assert "\x1b" not in result.output
    with np.load(codes) as arrays:
        assert sorted(arrays) == ["\\udcff\\x1b[31m.png", "two.png"]


@pytest.mark.parametrize("code", ["\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\udcff", "\u2028"])
def test_control_characters_are_escaped(code, capsys):
    Output().summary([f"saved {code}.npz"], {})
    Output(as_json=True).summary([], {"files": [f"{code} ü.npz"]})
    text = capsys.readouterr().out
    assert code not in text
    assert json.loads(text.split("\n", 1)[1]) == {"files": [f"{code} ü.npz"]}


def test_a_null_character_in_a_path_is_said_in_a_sentence(tmp_path, photographs):
    bad, model = tmp_path / "a\0b", "rica-12x12"
    images = ("--images", photographs)
    for arguments in (
        ("learn", *images, *TOY, "--out", bad),
        ("learn", *images, *TOY, "--out", tmp_path / "out", "--checkpoint", bad),
        ("learn", "--images", bad, *TOY, "--out", tmp_path / "out"),
        ("show", bad),
        ("show", model, "--out", bad),
        ("encode", bad),
        ("encode", model, *images, "--out", bad),
        ("encode", model, "--images", bad, "--out", tmp_path / "codes.npz"),
        ("compare", bad),
    ):
        result = run(*arguments, "--quiet")
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert "null" in result.stderr
    assert list(tmp_path.iterdir()) == [photographs]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="names of 255 bytes")
def test_file_names_of_the_maximal_length(tmp_path, photographs):
    folder = tmp_path / ("f" * 255)
    result = run("learn", "--images", photographs, "--out", folder, *TOY)
    assert result.exit_code == 0, result.output
    codes = folder / ("c" * 251 + ".npz")
    assert (
        run("encode", folder / "model.npz", "--images", photographs, "--out", codes).exit_code == 0
    )
    assert sorted(np.load(codes)) == ["one.png", "two.png"]
    picture = folder / ("p" * 251 + ".png")
    assert run("show", folder / "model.npz", "--out", picture).exit_code == 0
    long = folder / ("m" * 251 + ".npz")
    (folder / "model.npz").rename(long)
    result = run("show", long)  # the picture's own name would be longer
    assert result.exit_code == 2
    assert "File name too long" in result.stderr
