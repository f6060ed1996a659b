"""What `sparsebp learn` keeps when something goes wrong after the fit, or before."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sparsebp import OrthonormalICA, load_model
from sparsebp._checkpoint import CheckpointFile
from sparsebp.cli import endings, learning
from sparsebp.cli.app import app
from sparsebp.cli.results import keep_model, results_folder
from sparsebp.recipe import Recipe

X = np.random.default_rng(0).laplace(size=(60, 4))
TOY = ["--n-patches", "120", "--patch-size", "4", "--max-iter", "3", "--model", "ica"]
ignore_convergence = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def model():
    return OrthonormalICA(2, tol=1e-2, random_state=0).fit(X)


def learn(*arguments):
    return CliRunner().invoke(app, ["learn", *TOY, *map(str, arguments)])


def run_toy(*arguments):
    """Do the same, and raise what no command handles."""
    app(["learn", *TOY, *map(str, arguments)], standalone_mode=False)


def learn_in_a_process(*arguments, options=(), **pipes):
    command = [sys.executable, *options, "-m", "sparsebp", "learn", *TOY, *map(str, arguments)]
    return subprocess.run(command, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | pipes)


def test_a_folder_made_for_nothing_is_removed_and_that_of_the_user_stays(tmp_path):
    (tmp_path / "mine").mkdir()
    for name in ("mine", "made"):
        with pytest.raises(RuntimeError), results_folder(tmp_path / name, numbered=False):
            raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["file", "file/out"])
def test_a_file_in_the_place_of_the_folder_is_named(name, tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(NotADirectoryError, match=f"is a file; give another folder: .*{name}"),
        results_folder(tmp_path / name, numbered=False),
    ):
        pytest.fail("the work began")


def test_the_working_directory_may_be_the_folder(tmp_path, monkeypatch, photographs):
    monkeypatch.chdir(tmp_path)
    result = learn("--images", photographs, "--out", ".", "--n-patches", "1")
    assert result.exit_code == 2
    assert "at least 2 patches" in result.stderr
    assert tmp_path.is_dir()


def test_a_folder_that_was_removed_is_made_again(model, tmp_path):
    out = tmp_path / "out"
    assert keep_model(model, out, {}) == out
    assert load_model(out / "model.npz").components_.shape == (2, 4)


def test_a_model_that_another_run_has_saved_meanwhile_stays(model, tmp_path, capsys):
    out = tmp_path / "out"
    keep_model(model, out, {})
    other = OrthonormalICA(3, tol=1e-2, random_state=0).fit(X)
    assert keep_model(other, out, {}) == tmp_path / "out-1"
    said = "".join(capsys.readouterr().err.split("\n"))
    assert "out-1 instead" in said
    assert "Errno" not in said
    assert len(load_model(out / "model.npz").components_) == 2
    assert len(load_model(tmp_path / "out-1" / "model.npz").components_) == 3


def test_a_model_that_cannot_be_saved_in_its_folder_is_saved_elsewhere(
    model, tmp_path, monkeypatch
):
    from sparsebp.cli import results

    def save(estimator, path, **options):
        if path.is_relative_to(tmp_path / "full"):
            raise OSError(28, "No space left on device", str(path))
        results_save(estimator, path, **options)

    results_save = results.save_model
    monkeypatch.setattr(results, "save_model", save)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert keep_model(model, tmp_path / "full" / "out", {}) == tmp_path / "here" / "out-1"
    assert not list((tmp_path / "full").glob("out-*"))
    monkeypatch.setattr(results, "save_model", lambda *_, **__: save(model, tmp_path / "full"))
    with pytest.raises(OSError, match="No space"):
        keep_model(model, tmp_path / "full" / "out", {})
    assert not list((tmp_path / "here").glob("out-2"))


@ignore_convergence
def test_a_picture_that_cannot_be_written_leaves_the_model_and_says_where(
    tmp_path, photographs, monkeypatch
):
    def full(*_):
        raise OSError(28, "No space left on device", "filters.png")

    monkeypatch.setattr(learning, "save_picture", full)
    result = learn("--images", photographs, "--out", tmp_path / "out")
    assert result.exit_code == 2
    words = " ".join(result.stderr.split())
    assert "filters.png: No space left on device" in words
    assert "model.npz is saved in" in words
    load_model(tmp_path / "out" / "model.npz")


@pytest.mark.slow
def test_warnings_that_are_errors_end_the_command_after_the_model_is_saved(tmp_path, photographs):
    arguments = ("--images", photographs, "--out", tmp_path / "out")
    result = learn_in_a_process(*arguments, options=["-W", "error::UserWarning"])
    assert result.returncode == 2
    assert b"Error: OrthonormalICA stopped after 3 iterations" in result.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "filters.png",
        "model.npz",
        "objective.png",
    }


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_stderr_that_takes_nothing_ends_no_fit(tmp_path, photographs):
    with Path("/dev/full").open("w") as full:
        result = learn_in_a_process("--images", photographs, "--out", tmp_path / "a", stderr=full)
    assert result.returncode == 0
    assert b"saved" in result.stdout
    command = shutil.which("sh")
    words = f"{sys.executable} -m sparsebp learn {' '.join(TOY)} --images {photographs}"
    closed = subprocess.run([command, "-c", f"{words} --out {tmp_path / 'b'} 2>&-"])
    assert closed.returncode == 0
    for name in "ab":
        load_model(tmp_path / name / "model.npz")


TERMINATED = """
import os, signal, sys, threading
from sparsebp.cli import main
from sparsebp import OrthonormalICA
fit = OrthonormalICA.fit
def terminated(model, X):
    told = model.callback
    def callback(iteration, value):
        told(iteration, value)
        if iteration == 2:
            again = threading.Timer(0.003, os.kill, (os.getpid(), int(sys.argv.pop())))
            again.start()
            os.kill(os.getpid(), int(sys.argv.pop()))
    return fit(model.set_params(callback=callback), X)
OrthonormalICA.fit = terminated
main()
"""


def test_a_second_signal_does_not_interrupt_the_saving(monkeypatch):
    now = 10.0
    monkeypatch.setattr(endings, "monotonic", lambda: now)
    with endings.interruptible():
        with pytest.raises(KeyboardInterrupt):
            endings._interrupt(signal.SIGINT, None)
        now += 2
        endings._interrupt(signal.SIGTERM, None)
        assert endings.was_terminated()
        now += 2
        with pytest.raises(KeyboardInterrupt):
            endings._interrupt(signal.SIGINT, None)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_saves_the_best_so_far(number, tmp_path, photographs):
    out = tmp_path / "out"
    arguments = ["learn", *TOY, "--images", str(photographs), "--out", str(out)]
    code = TERMINATED.replace("sys.argv.pop()", f"{int(number)}")
    # nohup and some runners of tests ignore SIGHUP, which children inherit
    reset = f"import signal; signal.signal({int(number)}, signal.SIG_DFL)\n"
    command = [sys.executable, "-c", reset + code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 128 + number
    assert "Interrupted; the best model so far is saved" in " ".join(result.stderr.split())
    assert "before there was anything" not in result.stderr
    assert load_model(out / "model.npz").status_ == "interrupted"
    pictures = {"filters.png", "objective.png"} if number != signal.SIGTERM else set()
    assert {path.name for path in out.iterdir()} == {"model.npz"} | pictures


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_signal_at_the_start_leaves_nothing(tmp_path, photographs):
    """Before the first line of this package runs, Python ends by the signal itself."""
    command = [sys.executable, "-m", "sparsebp", "learn", *TOY, "--images", str(photographs)]
    for seconds in np.arange(0, 1.2, 0.15):
        started = subprocess.Popen([*command, "--out", tmp_path / "out"], stderr=subprocess.DEVNULL)
        time.sleep(seconds)
        started.terminate()
        assert started.wait() in (-signal.SIGTERM, 128 + signal.SIGTERM)
        assert [path.name for path in tmp_path.iterdir()] == ["photographs"]


def test_an_option_that_is_no_value_is_said_in_our_own_words():
    for option, words in (
        ("--patch-size", "nope is not the size of a patch"),
        ("--model", "'nope' is not one of"),
    ):
        result = learn(option, "nope")
        assert result.exit_code == 2
        assert f"Invalid value for '{option}': {words}" in " ".join(
            result.stderr.replace("│", " ").split()
        )


def test_bad_options_are_refused_before_photographs_are_loaded(tmp_path):
    bad = OrthonormalICA(whiten=2.0)
    with pytest.raises(
        ValueError, match=r"whiten must be a finite number > 0 and < 1, True or False, got 2\.0"
    ):
        learning.run_experiment(
            bad, Recipe(4), images=["not there"], n_patches=120, seed=0, out=tmp_path / "out"
        )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@ignore_convergence
def test_learning_goes_on_from_its_limit_and_removes_its_checkpoint_at_the_end(
    tmp_path, photographs
):
    file = tmp_path / "c"
    given = "--images", photographs, "--checkpoint", file
    result = learn(*given, "--out", tmp_path / "a")
    assert (result.exit_code, file.exists()) == (0, True)
    assert "stopped at --max-iter 3; the same command with a larger" in words(result.stderr)
    result = learn(*given, "--out", tmp_path / "b", "--max-iter", "500")
    assert (result.exit_code, file.exists()) == (0, False)
    assert "resumed at iteration" in words(result.stderr)
    file.write_text("mine")
    result = learn(*given, "--out", tmp_path / "d")
    assert (result.exit_code, file.read_text()) == (2, "mine")
    assert "is not a checkpoint of sparsebp; give another path." in words(result.stderr)


def words(text):
    return " ".join(text.split())


@pytest.mark.slow
@ignore_convergence
def test_a_checkpoint_stays_until_the_model_is_saved(tmp_path, photographs, monkeypatch):
    class Killed(BaseException):
        pass

    def kill(*_):
        raise Killed

    given = ["--images", photographs, "--max-iter", 500, "--checkpoint", tmp_path / "c", "--out"]
    recorded, record = [], CheckpointFile.record
    monkeypatch.setattr(CheckpointFile, "record", lambda *a: recorded.append(a[1]) or record(*a))
    with monkeypatch.context() as patch:
        patch.setattr(learning, "keep_model", kill)
        with pytest.raises(Killed):
            run_toy(*given, tmp_path / "killed")
    assert recorded
    recorded.clear()
    assert learn(*given, tmp_path / "resumed").exit_code == 0
    assert not recorded  # all was known
    assert not (tmp_path / "c").exists()
    load_model(tmp_path / "resumed" / "model.npz")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_learning_that_was_killed_resumes(tmp_path, photographs):
    at_once = "import sparsebp._checkpoint as c; c.PAUSE = c._TIMES = 0; "
    words = ["learn", *TOY, "--images", photographs, "--n-patches", 5000, "--max-iter", 40]
    words += ["--patch-size", 6, "--checkpoint", tmp_path / "c", "--quiet"]

    def start(out):
        command = [sys.executable, "-c", f"{at_once}from sparsebp.cli import main; main()"]
        return subprocess.Popen([*command, *map(str, [*words, "--out", tmp_path / out])])

    killed = start("killed")
    while not (tmp_path / "c").exists() or (tmp_path / "c").stat().st_size < 30_000:
        assert killed.poll() is None
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    assert start("resumed").wait() == start("undisturbed").wait() == 0
    found, expected = (load_model(tmp_path / n / "model.npz") for n in ("resumed", "undisturbed"))
    np.testing.assert_array_equal(found.components_, expected.components_)
    np.testing.assert_array_equal(found.objective_history_, expected.objective_history_)
