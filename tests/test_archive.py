import io
import tracemalloc
import zipfile

import numpy as np
import pytest

from sparsebp import _archive
from sparsebp._archive import write_arrays


@pytest.fixture
def path(tmp_path):
    return tmp_path / "arrays.npz"


def read_arrays(path, names=None):
    with path.open("rb") as file:
        return _archive.read_arrays(file, names)


def write(path, arrays):
    with path.open("wb") as file:
        write_arrays(file, arrays)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.float32(3),
        np.empty((0, 4)),
        np.array([True, False]),
        np.array(["a", "bc"]),
        np.arange(3, dtype=">i2"),
    ],
    ids=str,
)
def test_arrays_come_back_as_they_were(array, path):
    write(path, {"a": array, "b": np.zeros(1)})
    found = read_arrays(path)
    assert list(found) == ["a", "b"]
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].dtype == array.dtype
    assert found["a"].flags.writeable


def test_only_what_is_named_is_read(path):
    write(path, {"small": np.arange(3), "large": np.zeros(10**6)})
    tracemalloc.start()
    assert list(read_arrays(path, ["small"])) == ["small"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**6
    with pytest.raises(ValueError, match="no array 'none'"):
        read_arrays(path, ["none"])


def member(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.mark.slow
def test_what_is_compressed_could_be_of_any_size_and_is_refused_unread(path):
    for method, words in [(zipfile.ZIP_DEFLATED, "compressed"), (zipfile.ZIP_LZMA, "compressed")]:
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("a.npy", member(np.zeros(10**6)))
        assert path.stat().st_size < 10**4
        tracemalloc.start()
        with pytest.raises(ValueError, match=words):
            read_arrays(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 10**6


def test_a_header_that_promises_more_than_the_member_holds_is_refused(path):
    promise = member(np.zeros(3)).replace(b"(3,), }          ", b"(3000000000,), } ")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", promise)
    with pytest.raises(ValueError, match=r"says shape .3000000000,., but holds 24 bytes"):
        read_arrays(path)


def test_names_that_stand_twice_and_arrays_of_objects_are_refused(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", member(np.zeros(3)))
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.npy", member(np.zeros(3)))
    with pytest.raises(ValueError, match="twice"):
        read_arrays(path)
    np.savez(path, a=np.array([{}]))
    with pytest.raises(ValueError, match="of type object"):
        read_arrays(path)


def test_encrypted_members_are_refused(path):
    write(path, {"a": np.zeros(3)})
    data = bytearray(path.read_bytes())
    for signature, offset in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)]:
        data[data.index(signature) + offset] |= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ValueError, match="a is encrypted"):
        read_arrays(path)


def test_overlapping_members_are_refused(path):
    """A thousand directory entries of one member would ask for a thousand times its size."""
    write(path, {"a": np.zeros(10**5)})
    data = path.read_bytes()
    directory = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[directory:end]
    name = entry.index(b"a.npy")
    entries = b"".join(entry[:name] + b"%c.npy" % (97 + i) + entry[name + 5 :] for i in range(3))
    tail = bytearray(data[end:])
    tail[8:10] = tail[10:12] = (3).to_bytes(2, "little")
    tail[12:16] = len(entries).to_bytes(4, "little")
    path.write_bytes(data[:directory] + entries + bytes(tail))
    with pytest.raises(ValueError, match="larger than the file"):
        read_arrays(path)
