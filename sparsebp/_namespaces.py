"""Arrays of any library: NumPy, or others by the array API standard, such as PyTorch and CuPy.

Code that takes its functions from `namespace` runs wherever its arrays are. NumPy's own arrays use
NumPy itself; array_api_compat is only imported for others.
"""

from typing import Any

import numpy as np

_OURS = (np.ndarray, np.generic)


def namespace(array: Any) -> Any:
    """Return the functions for an array: NumPy, or the standard's for another library."""
    if isinstance(array, _OURS):
        return np
    from array_api_compat import array_namespace

    return array_namespace(array)


def is_foreign(array: Any) -> bool:
    """Return whether an object is an array of another library than NumPy, on some device."""
    attributes = ("device", "shape", "dtype")  # asking a closed file for its shape is an error
    return not isinstance(array, _OURS) and all(hasattr(array, a) for a in attributes)


def is_floating(array: Any, *, real: bool = False) -> bool:
    """Return whether an array holds floating-point numbers, complex ones too unless `real`."""
    if not is_foreign(array):
        return array.dtype.kind in ("f" if real else "fc")
    kinds = ("real floating",) if real else ("real floating", "complex floating")
    return namespace(array).isdtype(array.dtype, kinds)


def like(array: Any, other: Any) -> Any:
    """Return an array in the library, on the device and in the precision of another.

    The other may be `Samples`. The array may be an implicit matrix, which has ``map_arrays`` or
    ``toarray``, and ``astype``. It is the same where nothing has to be converted; its precision is
    kept if the other's numbers are not real floating-point.
    """
    is_real = is_floating(other, real=True)
    if not is_foreign(other):
        array = to_numpy(array) if is_foreign(array) else array
        return array.astype(other.dtype, copy=False) if is_real else array
    if is_foreign(array):
        return namespace(array).astype(array, other.dtype, copy=False) if is_real else array
    if hasattr(array, "map_arrays"):
        return array.map_arrays(lambda part: like(part, other))
    dense = array.toarray() if hasattr(array, "toarray") else np.array(array)
    dtype = other.dtype if is_real else None
    return namespace(other).asarray(dense, dtype=dtype, device=other.device)


def to_numpy(array: Any) -> np.ndarray:
    """Return an array in NumPy, on the host; also of a sparse or implicit matrix."""
    if hasattr(array, "toarray"):
        return array.toarray()
    if not is_foreign(array):
        return np.asarray(array)
    from array_api_compat import is_array_api_strict_namespace, to_device

    xp = namespace(array)
    host = xp.Device("CPU_DEVICE") if is_array_api_strict_namespace(xp) else "cpu"
    return np.asarray(to_device(detached(array), host))


def detached(array: Any) -> Any:
    """Return an array whose operations its library does not record for derivatives."""
    return array.detach() if hasattr(array, "detach") else array


def sum_along(
    array: Any, axis: int | tuple[int, ...], *, keepdims: bool = False, wide: bool = False
) -> Any:
    """Sum over dimensions, in double precision if `wide`."""
    if isinstance(array, _OURS):  # the function np.sum takes longer than the method
        dtype = np.result_type(array, np.float64) if wide else None
        return array.sum(axis=axis, keepdims=keepdims, dtype=dtype)
    xp, array = namespace(array), widened(array) if wide else array
    return xp.sum(array, axis=axis, keepdims=keepdims)


def sum_all(array: Any) -> Any:
    """Sum all elements in float64, or in complex128."""
    if isinstance(array, _OURS):
        return array.sum(dtype=np.result_type(array, np.float64))
    return namespace(array).sum(widened(array))


def widened(array: Any) -> Any:
    """Return an array in float64, or in complex128; the same if it is."""
    if not is_foreign(array):  # NumPy's, or a sparse matrix
        return array.astype(np.result_type(array.dtype, np.float64), copy=False)
    xp = namespace(array)
    is_complex = xp.isdtype(array.dtype, "complex floating")
    return xp.astype(array, xp.complex128 if is_complex else xp.float64, copy=False)


def precision_of(array: Any) -> np.dtype:
    """Return NumPy's data type of the same name as that of an array."""
    return np.dtype(str(array.dtype).rpartition(".")[2]) if is_foreign(array) else array.dtype


def cast(array: Any, dtype: Any) -> Any:
    """Return an array in a precision that has NumPy's name; the same if it is."""
    if not is_foreign(array):
        return array.astype(dtype, copy=False)
    xp = namespace(array)
    return xp.astype(array, getattr(xp, np.dtype(dtype).name), copy=False)


def constant(value: float, other: Any) -> Any:
    """Return a number as a (1, 1) array beside another matrix, made without waiting for a device.

    Functions of the standard take arrays where NumPy takes numbers, too.
    """
    return namespace(other).full((1, 1), value, dtype=other.dtype, device=other.device)
