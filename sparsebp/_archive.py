"""Named arrays in an uncompressed ``.npz``, read safely from untrusted files.

Every size is known before anything is read: members are not compressed, so the size of the file
bounds the memory; and an array's header must match its member.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection, Mapping
from errno import EINVAL
from io import SEEK_END
from tokenize import TokenError
from typing import IO, Any

import numpy as np

#: Bytes of a member's array header; NumPy's have about a hundred.
_LONGEST_HEADER = 10_000
_KINDS = "biufU"
_ENCRYPTED = 0x1


def write_arrays(file: IO[bytes], arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays of numbers, booleans or text."""
    np.savez(file, allow_pickle=False, **arrays)


def read_arrays(file: IO[bytes], names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read all arrays of a file that `write_arrays` wrote, or the named ones.

    A file that is not such an archive, is damaged, compressed or encrypted, or lacks a name, is a
    ValueError.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = _members(archive, file.seek(0, SEEK_END))
            wanted = members if names is None else {name: members[name] for name in names}
            return {name: _read(archive, member) for name, member in wanted.items()}
    except KeyError as error:
        raise ValueError(f"there is no array {error}") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, TokenError) as error:
        raise ValueError("it is not a readable archive") from error
    except OSError as error:
        if error.errno == EINVAL:  # the archive's directory points out of the file
            raise ValueError("it is not a readable archive") from error
        raise


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """Return the members of the archive, after checking that they are no larger than the file."""
    members = {member.filename.removesuffix(".npy"): member for member in archive.infolist()}
    for name, member in members.items():
        if member.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name} is encrypted")
        if member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(f"{name} is compressed, which numpy.savez does not do")
        if member.file_size != member.compress_size:
            raise ValueError(f"{name} has two sizes")
    if len(members) != len(archive.infolist()):
        raise ValueError("a name occurs twice")
    if sum(member.file_size for member in members.values()) > size:
        raise ValueError("its arrays are larger than the file")
    return members


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        shape, fortran, dtype = _header(file)
        n_bytes = dtype.itemsize * math.prod(shape)
        data = file.read()
    if dtype.kind not in _KINDS:
        raise ValueError(f"{member.filename} is of type {dtype}")
    if len(data) != n_bytes or any(n < 0 for n in shape):
        raise ValueError(f"{member.filename} says shape {shape}, but holds {len(data)} bytes")
    array = np.frombuffer(bytearray(data), dtype) if n_bytes else np.empty(0, dtype)
    return array.reshape(shape, order="F" if fortran else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"an array has format {version}")
    return read(file, max_header_size=_LONGEST_HEADER)
