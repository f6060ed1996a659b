"""Checkpoints: files from which a search resumes, to the last bit, after its process was killed.

A file has a line that names the format, then frames, the first of which says in JSON to which fit
it belongs. A search whose state is known keeps it in a second frame, and replaces the file each
time. SciPy's L-BFGS does not reveal its state. Its frames are all values and gradients so far, a
tape: from the same answers a deterministic search takes the same steps, without the samples.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from errno import EEXIST
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np

from sparsebp._archive import read_arrays, write_arrays
from sparsebp._checks import RandomSource
from sparsebp._files import lock, named, require_file, writing
from sparsebp._fitted import check_attributes
from sparsebp._generators import generator, state_of
from sparsebp._tape import ANSWER, Taped, frame, packed_answer, read_frame, unpacked_answer
from sparsebp._warnings import warn_user

FORMAT = 2
#: Seconds between writes, at least, and at least so many times the duration of the last write.
PAUSE, _TIMES = 5.0, 50

_LINE = b"sparsebp checkpoint %d\n"
#: Errors of content that somebody edited.
_WRONG = (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
#: Checkpoints of fits that ended, where they are kept for a while.
_ENDED: ContextVar[list[CheckpointFile] | None] = ContextVar("_ENDED", default=None)


@contextmanager
def keeping_checkpoints() -> Iterator[None]:
    """Keep the checkpoints of fits that end in this context until it ends without an error.

    If the process is killed while results are saved in it, the next fit has them at once.
    """
    ended: list[CheckpointFile] = []
    token = _ENDED.set(ended)
    try:
        yield
        for checkpoint in ended:
            checkpoint.remove()
    finally:
        _ENDED.reset(token)
        for checkpoint in ended:
            checkpoint._file.close()


class Checkpoint:
    """The progress of a search, from which it can be resumed: here nothing of it is kept.

    Its generator draws what is random, so that a resumed search draws the same.
    """

    def __init__(self, rng: RandomSource) -> None:
        self.rng = rng

    def resumes(self, *, at_end: bool = False) -> bool:
        """Return True once: when the replay ends, or at the end of a fit that replayed anything."""
        return False

    def taped(self, objective: Any) -> Any:
        """Return an objective that answers what was asked before from the tape."""
        return objective

    def load(self, kinds: Mapping[str, Any], **sizes: int) -> dict[str, Any] | None:
        """Return the last state that was kept, if there is one.

        It is checked against declarations by `check_attributes`; numbers are Python's.
        """
        return None

    def keep(self, state: dict[str, np.ndarray]) -> None:
        """Keep a state: arrays that will not change."""


class CheckpointFile(Checkpoint):
    """Keeps the progress in a file, which is locked while it is open.

    As a context it removes the file at the end. After an error or an interrupt, or if `stays` was
    set, it writes what is not yet written, and keeps the file if there is anything to keep.

    `fit` identifies the fit by JSON values; `limit` names one of them, a number that may grow,
    since a fit with a larger one takes the same steps and more. A resumed fit gets another
    generator, in the state that the first one had.

    A file that is of another fit, in use, damaged, or no checkpoint is a ValueError, a generator
    whose state cannot be kept a TypeError.
    """

    def __init__(
        self, path: str | os.PathLike[str], fit: dict[str, Any], rng: RandomSource, limit: str = ""
    ) -> None:
        super().__init__(rng)
        self.path, self.stays = Path(os.path.realpath(named(path))), False
        self._head = _head_of(fit, state_of(rng))
        is_new = not self.path.exists()
        if is_new:
            try:
                with writing(self.path, over="none") as file:
                    file.write(self._head)
            except FileExistsError:  # another fit began at the same time
                is_new = False
        self._file = self._locked()
        try:
            self._size = os.fstat(self._file.fileno()).st_size
            self._start, self._is_raised = len(self._head), False
            if not is_new:
                self._resume(fit, limit)
            self._file.seek(self._start)
        except BaseException:
            self._file.close()
            raise
        self._answers: list[bytes] = []  # that are not yet written, as the state
        self._state: dict[str, np.ndarray] | None = None
        self._is_replaying = self._is_writable = True
        self._n_objectives, self._has_taken = 0, False
        self._written, self._pause = perf_counter(), PAUSE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        ended = None if error or self.stays else _ENDED.get()
        if ended is not None:
            ended.append(self)
            self._write()
            return
        try:
            stays = self.stays or error is not None
            if stays:
                self._write()
            if not stays or os.fstat(self._file.fileno()).st_size == self._start:
                self.remove()
        finally:
            self._file.close()

    def remove(self) -> None:
        """Remove the file, unless another fit has meanwhile begun one in its place."""
        try:
            with suppress(FileNotFoundError, FileExistsError):
                self._check_place()
                self.path.unlink()
        except OSError as failure:
            warn_user(f"The checkpoint {self.path} cannot be removed ({failure}). Delete it.")

    def taped(self, objective: Any) -> Any:
        """Return an objective that answers what was asked before from the tape."""
        self._n_objectives += 1
        return Taped(objective, self, self._n_objectives)

    def resumes(self, *, at_end: bool = False) -> bool:
        """Return True once: when the replay ends, or at the end of a fit that replayed anything."""
        resumes = self._has_taken and (at_end or not self._is_replaying)
        self._has_taken &= not resumes
        return resumes

    def answer(self, asked: bytes, shape: tuple[int, ...]) -> tuple[float, np.ndarray] | None:
        """Return value and gradient at the point of a digest; None where the tape ends.

        An incomplete answer at the end, which a killed process was writing, is cut off. So is what
        a fit did since it came to a limit that has been raised.
        """
        if not self._is_replaying:
            return None
        end = self._file.tell()
        content = self._next_frame()
        if content is None or len(content) < ANSWER.size:  # or zeros, after a loss of power
            return self._end_tape(end)
        if not content.startswith(asked):
            if self._is_raised:
                return self._end_tape(end)
            raise self._error("is of another fit: its search took another way")
        try:
            answer = unpacked_answer(content, shape)
        except ValueError as error:
            raise self._damaged(error) from error
        self._has_taken = True
        return answer

    def _end_tape(self, end: int) -> None:
        self._file.seek(end)
        self._file.truncate()
        self._is_replaying = False

    def record(self, asked: bytes, value: float, gradient: np.ndarray) -> None:
        """Append value and gradient to the tape."""
        self._answers.append(frame(packed_answer(asked, value, gradient)))
        self._write_if_due()

    def load(self, kinds: Mapping[str, Any], **sizes: int) -> dict[str, Any] | None:
        """Return the last state that was kept, if there is one, as declared."""
        if self._file.tell() == self._size:
            return None
        content = self._next_frame() or b""
        try:
            arrays = read_arrays(BytesIO(content))
            kept = {name: a if a.ndim else a.item() for name, a in arrays.items()}
            check_attributes("Its state", kinds, kept, **sizes)
        except ValueError as error:
            raise self._damaged(error) from error
        self._has_taken, self._is_replaying = True, False
        return kept

    def keep(self, state: dict[str, np.ndarray]) -> None:
        """Keep a state: arrays that will not change."""
        self._state = state
        self._write_if_due()

    def _write_if_due(self) -> None:
        begun = perf_counter()
        if begun - self._written >= self._pause:
            self._write()
            self._written = perf_counter()
            self._pause = max(PAUSE, _TIMES * (self._written - begun))

    def _write(self) -> None:
        """Write what is not yet written; that it cannot be written is no reason to end a fit."""
        answers, self._answers = b"".join(self._answers), []
        state, self._state = self._state, None
        if not self._is_writable:
            return
        try:
            if answers:
                self._append(answers)
            if state is not None:
                self._replace(state)
        except OSError as error:
            self._is_writable = False
            with suppress(Warning):  # raised as an error, it would end the fit, and lose it
                warn_user(
                    f"The checkpoint {self.path} cannot be written ({error.strerror or error}). "
                    "The fit continues; if it is killed, it resumes from what is in the file, and "
                    "restarts without one."
                )

    def _check_place(self) -> None:
        """Raise an error if the file was removed, or another is in its place."""
        if not os.path.samestat(self.path.stat(), os.fstat(self._file.fileno())):
            raise FileExistsError(EEXIST, "Another file is in its place")

    def _append(self, answers: bytes) -> None:
        self._check_place()
        end, rest = self._file.tell(), memoryview(answers)
        try:
            while rest:  # a nearly full disk takes a part
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(end)
            raise

    def _replace(self, state: dict[str, np.ndarray]) -> None:
        self._check_place()
        content = BytesIO()
        write_arrays(content, state)
        with ExitStack() as on_error:
            with writing(self.path) as file:
                file.write(self._head + frame(content.getvalue()))
                new = os.fdopen(os.dup(file.fileno()), "wb")  # has the lock of the new file
                on_error.enter_context(new)
            on_error.pop_all()
        self._file.close()
        self._file = new

    def _locked(self) -> Any:
        require_file(self.path)
        file = self.path.open("r+b", buffering=0)
        there = self.path.stat() if lock(file) and self.path.exists() else None
        # Its owner may have replaced or removed it before it was locked.
        if there is None or not os.path.samestat(there, os.fstat(file.fileno())):
            file.close()
            raise ValueError(
                f"The checkpoint {self.path} is in use by another fit; wait until that ends, or "
                "give another path."
            )
        return file

    def _resume(self, fit: dict[str, Any], limit: str) -> None:
        """Require that the file is of this fit, and take its random generator."""
        line = self._file.readline(len(_LINE) + 20)
        if not line.startswith(_LINE[:-3]):
            raise ValueError(f"{self.path} is not a checkpoint of sparsebp; give another path.")
        if line != _LINE % FORMAT:
            raise self._error(f"has another format than {FORMAT}, that of this version of sparsebp")
        content = self._next_frame() or b""
        try:
            written, now = json.loads(content), json.loads(json.dumps(fit))
            was = dict(written["fit"])
            self.rng = generator(written["random"])
            self._is_raised = limit in now and was.get(limit, np.inf) < now[limit]
        except _WRONG as error:
            raise self._damaged("its first frame") from error
        differing = [
            f"{name} was {str(was.get(name))[:60]} and is {str(now.get(name))[:60]}"
            for name in {**was, **now}
            if was.get(name) != now.get(name) and not (name == limit and self._is_raised)
        ]
        if differing:
            raise self._error(f"is of another fit: {'; '.join(differing)}")
        self._start = self._file.tell()
        self._head = _head_of(fit, written["random"])  # of a state that replaces this one

    def _next_frame(self) -> bytes | None:
        """Read the content of the next frame; None if the file ends before."""
        try:
            return read_frame(self._file, self._size)
        except ValueError as error:
            raise self._damaged(error) from error

    def _damaged(self, reason: object) -> ValueError:
        return self._error(f"is damaged ({reason})")

    def _error(self, problem: str) -> ValueError:
        return ValueError(
            f"The checkpoint {self.path} {problem}. To restart, delete the file, or give another "
            "path."
        )


def _head_of(fit: dict[str, Any], random: Any) -> bytes:
    head = json.dumps({"fit": fit, "random": random}, default=np.ndarray.tolist)
    return _LINE % FORMAT + frame(head.encode())
