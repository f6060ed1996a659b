"""Numbers whose squares overflow or underflow: scaled, or rejected with a message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray


def ignore_float_warnings() -> Any:
    """Return a context without NumPy's warnings, for code that checks for overflow itself."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")


def largest_magnitude(array: NDArray[Any]) -> float:
    """Return the largest absolute value, without a copy of the array."""
    return max(float(array.max()), -float(array.min()))


def in_range(array: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Scale an array by a power of two if squares of its numbers would overflow or underflow.

    Parameters
    ----------
    array : ndarray of float32 or float64
        Finite and not empty.

    Returns
    -------
    scaled : ndarray of the same shape and dtype
        The array itself if its squares are in range, else one whose largest number is about 1.
    exponent : int
        ``np.ldexp(scaled, exponent)`` is the array.

    Examples
    --------
    >>> in_range(np.array([3.0, -4.0]))
    (array([ 3., -4.]), 0)
    >>> scaled, exponent = in_range(np.array([3e200, -4e200]))
    >>> float(scaled[1] / scaled[0]), bool(abs(scaled).max() < 1)
    (-1.3333333333333333, True)
    """
    exponent = int(np.frexp(largest_magnitude(array))[1])
    if abs(exponent) <= np.finfo(array.dtype).maxexp // 4:
        return array, 0
    return np.ldexp(array, -exponent), exponent


def check_magnitude(
    name: str, array: NDArray[Any], *, dtype: Any = None, power: float = 2
) -> float:
    """Raise an error if the sum of powers overflows, or squares underflow.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    array : ndarray
        Finite and not empty; zeros are allowed.
    dtype : dtype, default=None
        Of the computation; None takes the array's.
    power : float, default=2
        The highest power that is summed over the numbers.

    Returns
    -------
    largest : float
        The largest absolute value.

    Raises
    ------
    ValueError
        If the numbers are too large or too small.

    Examples
    --------
    >>> check_magnitude("X", np.array([3.0, -4.0]))
    4.0
    """
    limits = np.finfo(array.dtype if dtype is None else dtype)
    largest = largest_magnitude(array)
    said = f"{name} contains numbers as large as {largest:.2g}"
    if largest > (float(limits.max) / array.size) ** (1 / power):
        raise ValueError(
            f"{said}, whose powers overflow in {limits.dtype}. Scale {name} to about unit variance."
        )
    if power > 1 and 0 < largest < float(limits.tiny) ** 0.5:
        raise ValueError(
            f"{said}, whose squares underflow in {limits.dtype}. Scale {name} to "
            "about unit variance."
        )
    return largest


def in_precision(name: str, array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return an array in a model's data type; raise an error if a number is too large for it.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    array : ndarray
        Finite and not empty.
    dtype : dtype
        That of the model.

    Returns
    -------
    array : ndarray of that dtype
        The same array if nothing has to be converted.

    Raises
    ------
    ValueError
        If a number is beyond the data type's range.
    """
    if array.dtype == dtype:
        return array
    largest = largest_magnitude(array)
    if largest > float(np.finfo(dtype).max):
        raise ValueError(
            f"{name} contains numbers as large as {largest:.2g}, beyond the range of {dtype}, the "
            f"model's precision. Scale {name} like the samples of fit, or fit in float64."
        )
    return array.astype(dtype, copy=False)


def require_finite(what: str, result: NDArray[Any], name: str = "X") -> NDArray[Any]:
    """Return a result; raise an error if it has overflowed.

    Parameters
    ----------
    what : str
        What was computed, for the message.
    result : ndarray
        The result.
    name : str, default="X"
        Name of the parameter that it was computed from.

    Returns
    -------
    result : ndarray
        The same.

    Raises
    ------
    ValueError
        If a number is infinite or NaN.
    """
    if not np.isfinite(result).all():
        raise ValueError(
            f"{what} overflow {result.dtype}: {name} contains numbers that are too large. Scale "
            f"{name} to about unit variance."
        )
    return result


@contextmanager
def decomposing() -> Iterator[None]:
    """Return a context in which a decomposition of a matrix that fails says what to do.

    Raises
    ------
    ValueError
        If LAPACK finds no eigenvalues or singular values, which scarcely happens with finite
        numbers.

    Examples
    --------
    >>> with decomposing():
    ...     values = np.linalg.eigvalsh(np.eye(2))
    """
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"A matrix computed from X could not be decomposed ({error}). Scale X to about unit "
            "variance, and remove samples far larger than the others."
        ) from error
