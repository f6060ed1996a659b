"""Checkpoints: files from which a search resumes, to the last bit, after its process was killed.

A file has a line that names the format, then frames, the first of which says in JSON to which fit
it belongs. A search whose state is known keeps it in a second frame, and replaces the file each
time. SciPy's L-BFGS does not reveal its state. Its frames are all values and gradients so far, a
tape: from the same answers a deterministic search takes the same steps, without the samples.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import numpy as np

from sparsebp._checks import RandomSource
from sparsebp._files import lock, require_file, writing
from sparsebp._warnings import warn_user

FORMAT = 1
#: Seconds between writes, at least; also at least so many times as long as the last one took.
PAUSE, _TIMES = 5.0, 50

_LINE = b"sparsebp checkpoint "
_FRAME = struct.Struct("<QI")  # bytes of the content, its checksum
_ANSWER = struct.Struct(
    "<16sdcc"
)  # digest of the point, value, precision and order of the gradient
_RESTART = "To restart, delete the file, or give another path."


class NoCheckpoint:
    """What a fit does without a checkpoint: nothing.

    Parameters
    ----------
    rng : RandomState or Generator
        Draws what is random in the fit.
    """

    def __init__(self, rng: RandomSource) -> None:
        self.rng = rng

    def taped(self, objective: Any) -> Any:
        """Return an objective that answers from the tape what was asked before."""
        return objective

    def load(self) -> dict[str, np.ndarray] | None:
        """Return the last state that was kept, if there is one."""
        return None

    def keep(self, state: dict[str, np.ndarray]) -> None:
        """Keep a state: arrays and numbers that will not change."""


class Checkpoint(NoCheckpoint):
    """A checkpoint in a file, of this fit only while it is open.

    As a context, it removes the file at the end; after an error or an interrupt it writes what is
    not yet written.

    Parameters
    ----------
    path : path
        The file. It is created if there is none.
    fit : dict
        Which fit it is: names and JSON values, in sections.
    rng : RandomState or Generator
        Draws what is random. A resumed fit gets one in the state that it had at first.

    Raises
    ------
    ValueError
        If the file is of another fit, in use, damaged, or no checkpoint.
    OSError
        If it cannot be read or written.
    """

    def __init__(
        self, path: str | os.PathLike[str], fit: dict[str, Any], rng: RandomSource
    ) -> None:
        super().__init__(rng)
        self.path, self._given = Path(os.path.realpath(path)), path
        head = json.dumps({"fit": fit, "random": _state_of(rng)}, default=np.ndarray.tolist)
        self._head = b"%s%d\n" % (_LINE, FORMAT) + _frame(head.encode())
        is_new = not self.path.exists()
        if is_new:
            with writing(path, replace=False) as file:
                file.write(self._head)
        self._file = self._opened()
        self._size = os.fstat(self._file.fileno()).st_size
        if not is_new:
            self._read_head(json.loads(head)["fit"])
        self._file.seek(len(self._head))
        self._waiting: list[bytes] = []  # answers that are not yet in the file
        self._state: dict[str, np.ndarray] | None = None
        self._replaying = self._writable = True
        self._written, self._pause = perf_counter(), PAUSE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if error is not None:
                self._write()
            else:
                with suppress(FileNotFoundError):
                    self.path.unlink()
        except OSError as problem:
            warn_user(
                f"The checkpoint {self._given} is left, since it cannot be removed: {problem}."
            )
        finally:
            self._file.close()

    def taped(self, objective: Any) -> Any:
        """Return an objective that answers from the tape what was asked before."""
        return _Taped(objective, self)

    def answer(self, asked: bytes, shape: tuple[int, ...]) -> tuple[float, np.ndarray] | None:
        """Return value and gradient at a point, given its digest; None where the tape ends.

        An incomplete answer at the end, which a killed process was writing, is cut off.
        """
        if not self._replaying:
            return None
        end = self._file.tell()
        content = self._next_frame()
        if content is None:
            self._file.seek(end)
            self._file.truncate()
            self._replaying = False
            return None
        known, value, precision, order = _ANSWER.unpack_from(content)
        if known != asked:
            raise ValueError(
                f"The checkpoint {self._given} is of another fit, whose search took another way. "
                f"{_RESTART}"
            )
        flat = np.frombuffer(content, precision.decode(), offset=_ANSWER.size)
        return value, flat.reshape(shape, order=order.decode()).copy(order="K")

    def record(self, asked: bytes, value: float, gradient: np.ndarray) -> None:
        """Append value and gradient to the tape."""
        order = b"C" if gradient.flags.c_contiguous else b"F"
        head = _ANSWER.pack(asked, value, gradient.dtype.char.encode(), order)
        self._waiting.append(_frame(head + gradient.tobytes(order.decode())))
        self._write_if_due()

    def load(self) -> dict[str, np.ndarray] | None:
        """Return the last state that was kept, if there is one."""
        if self._file.tell() == self._size:
            return None
        content = self._next_frame()
        if content is None:  # the file is written at once, so this is no accident of a kill
            raise self._damaged()
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return dict(arrays)

    def keep(self, state: dict[str, np.ndarray]) -> None:
        """Keep a state: arrays and numbers that will not change."""
        self._state = state
        self._write_if_due()

    def _write_if_due(self) -> None:
        begun = perf_counter()
        if begun - self._written < self._pause:
            return
        self._write()
        self._written = perf_counter()
        self._pause = max(PAUSE, _TIMES * (self._written - begun))

    def _write(self) -> None:
        """Write what is not yet written; what cannot be written is no reason to end a fit."""
        waiting, state, self._waiting, self._state = self._waiting, self._state, [], None
        if not self._writable:
            return
        end = self._file.tell()
        try:
            rest = memoryview(b"".join(waiting))
            while rest:  # a nearly full disk takes a part
                rest = rest[self._file.write(rest) :]
            if waiting:
                os.fsync(self._file.fileno())
            if state is not None:
                self._replace(state)
        except OSError as error:
            self._writable = False
            with suppress(OSError):
                self._file.truncate(end)
            warn_user(
                f"The checkpoint {self._given} cannot be written: {error.strerror or error}. The "
                "fit continues; if it is killed, it resumes from what was written before."
            )

    def _replace(self, state: dict[str, np.ndarray]) -> None:
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, **state)
        with writing(self.path) as file:
            file.write(self._head + _frame(content.getvalue()))
            new = os.fdopen(os.dup(file.fileno()), "wb")  # holds the lock of the new file
        self._file.close()
        self._file = new

    def _opened(self) -> Any:
        require_file(self.path)
        file = self.path.open("r+b", buffering=0)
        # Its owner may have replaced or removed it before it was locked.
        there = self.path.stat() if self.path.exists() else None
        if not lock(file) or there is None or not os.path.samestat(there, os.fstat(file.fileno())):
            file.close()
            raise ValueError(
                f"The checkpoint {self._given} is in use by another fit; wait for its end, or give "
                "another path."
            )
        return file

    def _read_head(self, fit: dict[str, Any]) -> None:
        """Require that the file is of this fit, and take its random generator."""
        line = self._file.readline(len(_LINE) + 20)
        if not line.startswith(_LINE):
            raise ValueError(f"{self._given} is no checkpoint of sparsebp; give another path.")
        if line != b"%s%d\n" % (_LINE, FORMAT):
            raise ValueError(
                f"The checkpoint {self._given} has format {line[len(_LINE) :].strip()!r}; this "
                f"version of sparsebp reads {FORMAT}. {_RESTART}"
            )
        content = self._next_frame()
        if content is None:
            raise self._damaged()
        written = json.loads(content)
        was = written["fit"]
        differing = [
            f"{name} was {str(was.get(name))[:60]} and is {str(fit.get(name))[:60]}"
            for name in {**was, **fit}
            if was.get(name) != fit.get(name)
        ]
        if differing:
            raise ValueError(
                f"The checkpoint {self._given} is of another fit: {'; '.join(differing)}. "
                f"{_RESTART}"
            )
        self.rng, self._head = _generator(written["random"]), line + _frame(content)

    def _next_frame(self) -> bytes | None:
        """Read the content of a frame; None if the file ends before it does."""
        head = self._file.read(_FRAME.size)
        if len(head) < _FRAME.size:
            return None
        size, checksum = _FRAME.unpack(head)
        if size > self._size - self._file.tell():
            return None
        content = self._file.read(size)
        if zlib.crc32(content, size) != checksum:
            raise self._damaged()
        return content

    def _damaged(self) -> ValueError:
        return ValueError(f"The checkpoint {self._given} is damaged. {_RESTART}")


class _Taped:
    """An objective that answers from a tape what was asked before, and records the rest."""

    def __init__(self, objective: Any, tape: Checkpoint) -> None:
        self.objective, self.tape = objective, tape

    def value_and_gradient(self, point: np.ndarray, /) -> tuple[float, np.ndarray]:
        asked = blake2b(np.ascontiguousarray(point), digest_size=16).digest()
        known = self.tape.answer(asked, point.shape)
        if known is None:
            value, gradient = self.objective.value_and_gradient(point)
            known = float(value), gradient
            self.tape.record(asked, *known)
        return known


def _frame(content: bytes) -> bytes:
    return _FRAME.pack(len(content), zlib.crc32(content, len(content))) + content


def _state_of(rng: RandomSource) -> dict[str, Any]:
    """Return the state of a generator; that of a RandomState has more than its bit generator's."""
    is_old = isinstance(rng, np.random.RandomState)
    state = rng.get_state(legacy=False) if is_old else rng.bit_generator.state
    return {"is_old": is_old, "state": state}


def _generator(written: dict[str, Any]) -> RandomSource:
    """Return a generator in the state that `_state_of` returned."""
    state = written["state"]
    bits = getattr(np.random, state["bit_generator"])()
    if written["is_old"]:
        rng = np.random.RandomState(bits)
        rng.set_state(state)
        return rng
    bits.state = state
    return np.random.Generator(bits)
