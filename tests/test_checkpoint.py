"""Files of checkpoints: what they keep, and what happens to damaged, foreign and locked ones."""

import errno
import io
import json
import os
import shutil
import warnings
from contextlib import suppress

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import _checkpoint
from sparsebp._checkpoint import CheckpointFile, keeping_checkpoints
from sparsebp._fitted import Maybe, Size
from sparsebp._tape import ANSWER, FRAME, frame
from sparsebp.coding.state import KEPT_ALTERNATION

STATE = {"a": np.ndarray, "n": Maybe(Size("n"))}
FIT = {"max_iter": 3, "shape of X": [20, 4]}
POINTS = [np.full((2, 3), number) for number in (1.0, -0.0, np.pi)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Write without a pause, so that nothing depends on the clock."""
    monkeypatch.setattr(_checkpoint, "PAUSE", 0.0)
    monkeypatch.setattr(_checkpoint, "_TIMES", 0)
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a"


def opened(path, rng=None, limit="", **fit):
    rng = np.random.default_rng(0) if rng is None else rng
    return CheckpointFile(path, {**FIT, **fit}, rng, limit)


class Objective:
    """A value and a gradient, in the other memory order, of which it counts the evaluations."""

    def __init__(self):
        self.n_evaluations = 0

    def value_and_gradient(self, point):
        self.n_evaluations += 1
        return float(np.cos(point).sum()), np.asfortranarray(-np.sin(point))


def ask(checkpoint, points=POINTS):
    """Return the answers at some points, and the number of evaluations."""
    objective = Objective()
    taped = checkpoint.taped(objective)
    return [taped.value_and_gradient(point) for point in points], objective.n_evaluations


def leave(checkpoint):
    """Close it as after an error."""
    checkpoint.__exit__(ValueError, ValueError(), None)


def taped(path, points=POINTS):
    checkpoint = opened(path)
    ask(checkpoint, points)
    leave(checkpoint)
    return path.read_bytes()


def with_state(path):
    checkpoint = opened(path)
    checkpoint.keep({"a": np.arange(3.0), "n": np.asarray(7)})
    leave(checkpoint)
    return path.read_bytes()


def assert_right(answers):
    for (value, gradient), (expected, slope) in zip(answers, ask_plainly(), strict=True):
        assert value == expected
        np.testing.assert_array_equal(gradient, slope)
        assert (gradient.dtype, gradient.flags.writeable) == (slope.dtype, True)
        assert gradient.flags.f_contiguous == slope.flags.f_contiguous


def ask_plainly():
    return [Objective().value_and_gradient(point) for point in POINTS]


def test_a_tape_answers_what_was_asked_before(path):
    taped(path, POINTS[:2])
    with opened(path) as checkpoint:
        answers, n_evaluations = ask(checkpoint)
    assert_right(answers)
    assert n_evaluations == 1
    assert not path.exists()


@pytest.mark.parametrize("step", first_fast([31, 1]))
def test_a_tape_that_is_cut_anywhere_answers_up_to_there(step, path):
    with opened(path):
        start = path.stat().st_size
    whole, n_evaluations = taped(path), set()
    for end in range(start, len(whole), step):
        path.write_bytes(whole[:end])
        checkpoint = opened(path)
        answers, n = ask(checkpoint)
        leave(checkpoint)
        assert_right(answers)
        n_evaluations.add(n)
        assert path.read_bytes() == whole  # the incomplete answer is replaced
    assert n_evaluations == {1, 2, 3}


def test_nothing_remains_of_an_incomplete_answer(path):
    whole = taped(path, [np.ones((9, 9))])
    path.write_bytes(whole[:-1])
    for n_expected in (1, 0):
        checkpoint = opened(path)
        assert ask(checkpoint, POINTS[:1])[1] == n_expected
        leave(checkpoint)
        assert path.stat().st_size < len(whole)


def test_zeros_at_the_end_are_an_incomplete_answer(path):
    """Some file systems leave them after a loss of power."""
    path.write_bytes(taped(path, POINTS[:1]) + bytes(64))
    checkpoint = opened(path)
    assert ask(checkpoint, POINTS[:2])[1] == 1
    leave(checkpoint)


@pytest.mark.parametrize("step", first_fast([41, 1]))
@pytest.mark.parametrize("write", [taped, with_state])
def test_a_changed_byte_is_found_wherever_it_is(write, step, path):
    whole, n_missed = write(path), 0
    for position in range(0, len(whole), step):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 64]) + whole[position + 1 :])
        try:
            with opened(path) as checkpoint:
                if write is taped:
                    assert_right(ask(checkpoint)[0])
                else:
                    pytest.fail(f"loaded {checkpoint.load(STATE)}")
            n_missed += 1
        except ValueError as error:
            assert "checkpoint" in str(error)  # noqa: PT017
    # A larger size makes an answer of a tape look like an incomplete one, which is computed again.
    assert n_missed <= (3 * 8 if write is taped else 0)


def test_a_state_is_kept_and_the_last_one_counts(path):
    checkpoint = opened(path)
    assert checkpoint.load(STATE) is None
    for number in (1, 2):
        checkpoint.keep({"a": np.full((2, 2), number, np.float32, order="F")})
    leave(checkpoint)
    with opened(path) as checkpoint:
        kept = checkpoint.load(STATE)["a"]
    assert (kept.dtype, kept[0, 0], kept.flags.f_contiguous) == (np.float32, 2, True)


def test_an_incomplete_state_is_refused(path):
    whole = with_state(path)
    path.write_bytes(whole[:-1])
    message = r"is damaged \(it is not a readable archive\)\. To restart, delete the file, or give"
    with pytest.raises(ValueError, match=message), opened(path) as checkpoint:
        checkpoint.load(STATE)


def test_what_waits_is_written_at_the_end(path, monkeypatch):
    monkeypatch.setattr(_checkpoint, "PAUSE", np.inf)
    checkpoint = opened(path)
    empty = path.stat().st_size
    ask(checkpoint)
    assert path.stat().st_size == empty
    leave(checkpoint)
    with opened(path) as checkpoint:
        assert ask(checkpoint)[1] == 0


def test_another_fit_is_refused_by_what_differs(path):
    whole = taped(path)
    with pytest.raises(ValueError, match=r"of another fit: max_iter was 3 and is 4; seed was None"):
        opened(path, max_iter=4, seed=1)
    message = "of another fit: its search took another way"
    with pytest.raises(ValueError, match=message), opened(path) as checkpoint:
        ask(checkpoint, POINTS[::-1])
    assert path.read_bytes() == whole
    with opened(path) as checkpoint:  # is not in use
        assert ask(checkpoint)[1] == 0


def test_a_limit_may_be_raised_and_not_lowered(path):
    with_state(path)
    with pytest.raises(ValueError, match="of another fit: max_iter was 3 and is 2"):
        opened(path, limit="max_iter", max_iter=2)
    raised = opened(path, limit="max_iter", max_iter=4)
    raised.keep(raised.load(STATE))
    leave(raised)
    with pytest.raises(ValueError, match="of another fit: max_iter was 4 and is 3"):
        opened(path, limit="max_iter")


def test_a_search_that_goes_another_way_from_a_raised_limit_on_is_recorded_from_there(path):
    taped(path)
    raised = opened(path, limit="max_iter", max_iter=4)
    answers, n_evaluations = ask(raised, [POINTS[0], POINTS[2]])
    assert (answers[1][0], n_evaluations) == (ask_plainly()[2][0], 1)
    leave(raised)
    again = opened(path, limit="max_iter", max_iter=4)
    assert ask(again, [POINTS[0], POINTS[2], POINTS[1]])[1] == 1
    leave(again)


def test_an_answer_belongs_to_its_objective(path):
    """The best point on a subset is asked for again, of all samples."""
    checkpoint = opened(path)
    ask(checkpoint, POINTS[:1])
    ask(checkpoint, POINTS[:1])
    leave(checkpoint)
    again = opened(path)
    taped = again.taped(Objective())
    taped.value_and_gradient(POINTS[0])
    with pytest.raises(ValueError, match="took another way"):
        taped.value_and_gradient(POINTS[0])
    leave(again)


def test_a_file_that_stays_keeps_everything(path, monkeypatch):
    monkeypatch.setattr(_checkpoint, "PAUSE", np.inf)
    with opened(path) as checkpoint:
        ask(checkpoint)
        checkpoint.stays = True
    with opened(path) as checkpoint:
        assert ask(checkpoint)[1] == 0
        assert not checkpoint.resumes()  # it is used up only where the search asks for more
        assert [checkpoint.resumes(at_end=True) for _ in range(2)] == [True, False]
    assert not path.exists()


def test_other_formats_and_files_are_refused_and_unchanged(path):
    whole = taped(path)
    for content, message in {
        whole.replace(b"checkpoint 2\n", b"checkpoint 1\n"): "another format than 2",
        b"": "is not a checkpoint of sparsebp; give another path",
        b"PK\x03\x04" + bytes(100): "is not a checkpoint of sparsebp; give another path",
    }.items():
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            opened(path)
        assert path.read_bytes() == content
    with pytest.raises(ValueError, match="is a folder"):
        opened(path.parent)
    with pytest.raises(FileNotFoundError, match="No such folder"):
        opened(path.parent / "none" / "a")


@pytest.mark.skipif(os.name == "nt", reason="needs locks of POSIX files")
def test_a_checkpoint_in_use_is_refused_and_not_harmed(path):
    first = opened(path)
    for number in (1, 2, 3):  # each replaces the file
        first.keep({"a": np.array([number])})
        with pytest.raises(ValueError, match="is in use by another fit; wait until that ends, or"):
            opened(path)
    leave(first)
    with opened(path) as second:
        assert second.load(STATE)["a"] == 3


@pytest.mark.parametrize("kind", ["tape", "state"])
def test_a_full_disk_ends_the_writing_and_not_the_fit(kind, path, monkeypatch):
    write = {"tape": taped, "state": with_state}[kind]
    whole = write(path)
    checkpoint = opened(path)
    if kind == "state":
        checkpoint.load(STATE)
    else:
        ask(checkpoint)

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    def more():
        if kind == "state":
            checkpoint.keep({"a": np.zeros(2)})
        else:
            checkpoint.record(b"", 1.0, np.ones(2))

    with pytest.warns(UserWarning, match=r"cannot be written \(No space left on device.*\)\. The"):
        more()
    more()
    leave(checkpoint)  # without another warning
    assert path.read_bytes() == whole
    assert [p.name for p in path.parent.iterdir()] == ["a"]


GENERATORS = [
    np.random.RandomState(3),
    *(
        np.random.Generator(bits(3))
        for bits in (np.random.PCG64, np.random.MT19937, np.random.Philox, np.random.SFC64)
    ),
]


@pytest.mark.parametrize("rng", GENERATORS, ids=str)
def test_the_random_generator_continues_where_it_was_at_first(rng, path):
    rng.normal(size=3)  # an odd number, of which RandomState remembers a fourth
    first = opened(path, rng)
    assert first.rng is rng
    first.keep({"a": np.zeros(1)})
    drawn = rng.normal(), rng.random(3).tolist(), rng.permutation(5).tolist()
    leave(first)
    with opened(path, np.random.default_rng(5)) as second:
        again = second.rng
        assert drawn == (again.normal(), again.random(3).tolist(), again.permutation(5).tolist())


def test_nothing_is_left_where_nothing_was_kept(path):
    leave(opened(path))
    assert not path.exists()


@pytest.mark.skipif(os.name == "nt", reason="needs locks of POSIX files")
def test_of_two_that_begin_at_once_one_is_refused(path, monkeypatch):
    first = opened(path)
    with monkeypatch.context() as patch:
        patch.setattr(type(path), "exists", lambda _: False)  # it began after the second looked
        with pytest.raises(ValueError, match="is in use by another fit"):
            opened(path)
    leave(first)


def test_a_file_that_its_owner_replaces_meanwhile_is_in_use(path, monkeypatch):
    whole = taped(path)

    def replaced_before(_):
        path.unlink()
        path.write_bytes(whole)
        return True

    monkeypatch.setattr(_checkpoint, "lock", replaced_before)
    with pytest.raises(ValueError, match="is in use by another fit"):
        opened(path)


def test_a_generator_that_cannot_be_kept_is_refused(path):
    class Own(np.random.PCG64):
        pass

    with pytest.raises(TypeError, match=r"random_state must be .* got one on Own"):
        opened(path, np.random.Generator(Own(0)))
    assert not path.exists()


def test_a_file_that_cannot_be_removed_is_a_warning(path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied")

    checkpoint = opened(path)
    monkeypatch.setattr(type(path), "unlink", refuse)
    with pytest.warns(UserWarning, match=r"cannot be removed .*Delete it"):
        checkpoint.__exit__(None, None, None)


def test_a_warning_raised_as_an_error_does_not_end_the_fit(path, monkeypatch):
    checkpoint = opened(path)

    def fail(*_):
        raise OSError("full")

    monkeypatch.setattr(os, "fsync", fail)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(checkpoint)
        leave(checkpoint)


def reframed(path, change):
    """Change the head in a checkpoint, as JSON, with a right checksum."""
    line, rest = path.read_bytes().split(b"\n", 1)
    size = FRAME.unpack_from(rest)[0]
    head = json.loads(rest[FRAME.size :][:size])
    text = change(head)
    text = text if isinstance(text, str) else json.dumps(text)
    path.write_bytes(line + b"\n" + frame(text.encode()))


def of_random(**values):
    return lambda head: {**head, "random": {**head["random"], **values}}


def of_twister(**values):
    state = np.random.RandomState(0).get_state(legacy=False)
    state["state"] = {"key": state["state"]["key"].tolist(), "pos": 3, **values}
    return of_random(**state)


EDITED = {
    "a list": lambda head: [head],
    "no fit": lambda head: {"random": head["random"]},
    "a number for the fit": lambda head: {**head, "fit": 3},
    "no generator": lambda head: {"fit": head["fit"]},
    "deeply nested": lambda head: "[" * 100_000,
    "no JSON": lambda head: "{",
    "a function": of_random(bit_generator="seed"),
    "the base class": of_random(bit_generator="BitGenerator"),
    "a list for a name": of_random(bit_generator=["PCG64"]),
    "no state": of_random(state={}),
    "text": of_random(state={"state": "x", "inc": "y"}),
    "too large": of_random(state={"state": 10**400, "inc": 1}),
    "beyond the end": of_twister(pos=10**6),
    "before the start": of_twister(pos=-1),
    "cut": of_twister(key=[1, 2]),
}


@pytest.mark.parametrize("what", EDITED)
def test_an_edited_head_is_damage(what, path):
    taped(path)
    reframed(path, EDITED[what])
    with pytest.raises(
        ValueError, match=r"checkpoint .* is damaged \(its first frame\)\. To restart, delete"
    ):
        opened(path)


SIZES = {"features": 2, "components": 3, "batch": 4}
KEPT = {
    "basis": np.ones((2, 3)),
    "codes_moments": np.ones((3, 3)),
    "cross_moments": np.ones((2, 3)),
    "n_samples": np.asarray(4),
    "history": np.array([np.inf, 2.0]),
    "codes": np.ones((3, 4)),
    "value": np.asarray(2.0),
    "n_steps": np.asarray(1),
    "replacing": np.asarray(True),
}


def edited_states():
    """Yield states of which somebody edited one array."""
    for name in KEPT:
        yield {k: v for k, v in KEPT.items() if k != name}
        for value in ("x", 3j, np.ones(7, int), np.ones((2, 3, 4)), np.array([{}])):
            yield {**KEPT, name: np.asarray(value)}
    for name in ("basis", "codes_moments", "cross_moments", "codes", "start"):
        array = KEPT.get(name, KEPT["basis"])
        for value in (array[:, :1], array * np.nan, array.astype(int), array[:0], array.T[:, :1]):
            yield {**KEPT, name: value}
    for name in ("n_samples", "n_steps"):
        for number in (np.uint64(2**64 - 1), -3, 0, 2.5, True):
            yield {**KEPT, name: np.asarray(number)}
    yield {**KEPT, "value": np.asarray(np.nan)}
    yield {**KEPT, "transform": np.zeros(2)}
    yield {}


def test_edited_states_are_damage(path):
    with opened(path):
        head = path.read_bytes()
    checkpoint = opened(path)
    checkpoint.keep({**KEPT, "start": KEPT["basis"] + 1})
    leave(checkpoint)
    with opened(path) as checkpoint:
        loaded = checkpoint.load(KEPT_ALTERNATION, **SIZES)
    assert (loaded["n_samples"], loaded["replacing"]) == (4, True)
    states = list(edited_states())
    assert len(states) > 80
    for edited in states:
        content = io.BytesIO()
        np.savez(content, **edited)
        path.write_bytes(head + frame(content.getvalue()))
        message = r"is damaged \([^\n]*\)\. To restart, delete"
        with pytest.raises(ValueError, match=message), opened(path) as checkpoint:
            checkpoint.load(KEPT_ALTERNATION, **SIZES)


def test_edited_answers_are_damage(path):
    whole = taped(path, POINTS[:1])
    size = FRAME.size + ANSWER.size + POINTS[0].nbytes
    head, answer, gradient = whole[:-size], whole[FRAME.size - size :], bytes(48)
    for precision, order, content in [
        (b"O", b"C", gradient),
        (b"d", b"X", gradient),
        (b"d", b"C", gradient[8:]),
        (b"f", b"C", gradient),
        (b"\xff", b"C", gradient),
    ]:
        edited = answer[:24] + precision + order + content
        path.write_bytes(head + frame(edited))
        with pytest.raises(ValueError, match="is damaged"), opened(path) as checkpoint:
            ask(checkpoint)


@pytest.mark.skipif(os.name == "nt", reason="POSIX removes open files")
@pytest.mark.parametrize("gone", ["folder", "file"])
@pytest.mark.parametrize(
    "write", [ask, lambda c: c.keep({"a": np.zeros(2)})], ids=["tape", "state"]
)
def test_a_file_that_vanishes_ends_the_writing_and_not_the_fit(write, gone, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with opened(folder / "a") as checkpoint:
        write(checkpoint)
        shutil.rmtree(folder) if gone == "folder" else (folder / "a").unlink()
        with pytest.warns(UserWarning, match=r"cannot be written \(No such .* restarts without"):
            checkpoint.record(b"", 1.0, np.ones(2)) if write is ask else write(checkpoint)
        checkpoint.record(b"", 1.0, np.ones(2))  # without another warning
        checkpoint.keep({"a": np.zeros(2)})
    assert not (folder / "a").exists()


@pytest.mark.skipif(os.name == "nt", reason="POSIX removes open files")
@pytest.mark.parametrize(
    "write", [ask, lambda c: c.keep({"a": np.zeros(2)})], ids=["tape", "state"]
)
def test_a_file_of_another_fit_in_the_place_of_ours_stays(write, path):
    with opened(path) as checkpoint:
        path.unlink()
        path.write_bytes(b"another")
        with pytest.warns(UserWarning, match="Another file is in its place"):
            write(checkpoint)
    assert path.read_bytes() == b"another"


def test_a_checkpoint_is_kept_while_results_are_saved(path):
    with keeping_checkpoints():
        with opened(path) as checkpoint:
            ask(checkpoint)
        with pytest.raises(ValueError, match="in use"):
            opened(path)
    assert not path.exists()
    with suppress(OSError), keeping_checkpoints():
        with opened(path) as checkpoint:
            ask(checkpoint)
        raise OSError("full")
    with opened(path) as checkpoint:
        assert ask(checkpoint)[1] == 0
    assert not path.exists()
