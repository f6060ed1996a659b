"""The parts of a checkpoint: frames with checksums, and a tape of what an objective answered."""

from __future__ import annotations

import math
import struct
import zlib
from hashlib import blake2b
from typing import Any, BinaryIO

import numpy as np

FRAME = struct.Struct("<QI")  # bytes of the content, its checksum
ANSWER = struct.Struct("<16sdcc")  # digest of the point, value, gradient's precision and order
_BYTES = {b"f": 4, b"d": 8}  # of the precisions


def frame(content: bytes) -> bytes:
    """Return a content with its size and checksum before it."""
    return FRAME.pack(len(content), zlib.crc32(content, len(content) & 0xFFFFFFFF)) + content


def read_frame(file: BinaryIO, end: int) -> bytes | None:
    """Read the content of the next frame; None if it is not complete before the end of the file.

    A wrong checksum is a ValueError.
    """
    head = file.read(FRAME.size)
    if len(head) < FRAME.size:
        return None
    size, checksum = FRAME.unpack(head)
    if size > end - file.tell():
        return None
    content = file.read(size)
    if zlib.crc32(content, size & 0xFFFFFFFF) != checksum:
        raise ValueError("a checksum is wrong")
    return content


def packed_answer(asked: bytes, value: float, gradient: np.ndarray) -> bytes:
    """Return value and gradient at the point of a digest as the content of a frame."""
    order = "C" if gradient.flags.c_contiguous else "F"
    kind = gradient.dtype.char.encode(), order.encode()
    return ANSWER.pack(asked, value, *kind) + gradient.tobytes(order)


def unpacked_answer(content: bytes, shape: tuple[int, ...]) -> tuple[float, np.ndarray]:
    """Return value and gradient; another size than the shape's, or no known type, is a ValueError.

    The content begins with the digest.
    """
    _, value, precision, order = ANSWER.unpack_from(content)
    if precision not in _BYTES or order not in (b"C", b"F"):
        raise ValueError("an answer is of no known type")
    if len(content) - ANSWER.size != _BYTES[precision] * math.prod(shape):
        raise ValueError(f"an answer is not of shape {shape}")
    flat = np.frombuffer(content, precision.decode(), offset=ANSWER.size)
    return value, flat.reshape(shape, order="F" if order == b"F" else "C").copy(order="K")


class Taped:
    """An objective that answers what was asked before from a tape, and records the rest.

    The tape is that of a `CheckpointFile`; the number distinguishes objectives on it.
    """

    def __init__(self, objective: Any, tape: Any, number: int) -> None:
        self.objective, self.tape, self.number = objective, tape, number.to_bytes(8, "little")

    def value_and_gradient(self, point: np.ndarray, /) -> tuple[float, np.ndarray]:
        """Answer, or compute and record."""
        asked = blake2b(point.tobytes(), digest_size=16, salt=self.number).digest()
        known = self.tape.answer(asked, point.shape)
        if known is None:
            value, gradient = self.objective.value_and_gradient(point)
            known = float(value), gradient
            self.tape.record(asked, *known)
        return known
