"""Files of checkpoints: what they keep, and what happens to damaged, foreign and locked ones."""

import errno
import os
import warnings

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import _checkpoint
from sparsebp._checkpoint import CheckpointFile

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
                    pytest.fail(f"loaded {checkpoint.load()}")
            n_missed += 1
        except ValueError as error:
            assert "checkpoint" in str(error)  # noqa: PT017
    # A larger size makes an answer of a tape look like an incomplete one, which is computed again.
    assert n_missed <= (3 * 8 if write is taped else 0)


def test_a_state_is_kept_and_the_last_one_counts(path):
    checkpoint = opened(path)
    assert checkpoint.load() is None
    for number in (1, 2):
        checkpoint.keep({"a": np.full((2, 2), number, np.float32, order="F")})
    leave(checkpoint)
    with opened(path) as checkpoint:
        kept = checkpoint.load()["a"]
    assert (kept.dtype, kept[0, 0], kept.flags.f_contiguous) == (np.float32, 2, True)


def test_an_incomplete_state_is_refused(path):
    whole = with_state(path)
    path.write_bytes(whole[:-1])
    message = r"is damaged\. To restart, delete the file, or give another path"
    with pytest.raises(ValueError, match=message), opened(path) as checkpoint:
        checkpoint.load()


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
    raised.keep(raised.load())
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
        assert second.load()["a"] == 3


@pytest.mark.parametrize("kind", ["tape", "state"])
def test_a_full_disk_ends_the_writing_and_not_the_fit(kind, path, monkeypatch):
    write = {"tape": taped, "state": with_state}[kind]
    whole = write(path)
    checkpoint = opened(path)
    if kind == "state":
        checkpoint.load()
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

    monkeypatch.setattr(checkpoint, "_append", fail)
    monkeypatch.setattr(checkpoint, "_pause", 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ask(checkpoint)
        leave(checkpoint)
