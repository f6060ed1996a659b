"""Numbers whose squares overflow or underflow: scaled, or rejected with a message."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._namespaces import cast, namespace, precision_of


def ignore_float_warnings() -> Any:
    """Return a context without NumPy's warnings, for code that checks for overflow itself."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore")


def largest_magnitude(array: NDArray[Any]) -> float:
    """Return the largest absolute value, without a copy of the array."""
    xp = namespace(array)
    return max(float(xp.max(array)), -float(xp.min(array)))


def largest_known(array: NDArray[Any]) -> float:
    """Return the largest absolute value of those that are not NaN; 0 if there are none."""
    largest = largest_magnitude(array)
    if not np.isnan(largest) or not isinstance(array, np.ndarray):
        return largest
    largest = max(float(np.fmax.reduce(array, axis=None)), -float(np.fmin.reduce(array, axis=None)))
    return 0.0 if np.isnan(largest) else largest


def in_range(array: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Scale an array by a power of two if squares of its numbers would overflow or underflow.

    Return it and the exponent: ``np.ldexp(scaled, exponent)`` is the array, finite and not empty.

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
    """Return the largest absolute value; an error if sums of powers overflow or squares underflow.

    `power` is the highest that is summed over the numbers, `dtype` that of the computation.
    """
    largest = largest_magnitude(array)
    check_largest(name, largest, array.size, array.dtype if dtype is None else dtype, power)
    return largest


def check_largest(name: str, largest: float, size: int, dtype: Any, power: float = 2) -> None:
    """Raise the errors of `check_magnitude` for `size` numbers whose largest magnitude is known."""
    limits = np.finfo(dtype)
    said = f"{name} contains numbers as large as {largest:.2g}"
    if largest > (float(limits.max) / size) ** (1 / power):
        raise ValueError(
            f"{said}, whose powers overflow in {limits.dtype}. Scale {name} to about unit variance."
        )
    if power > 1 and 0 < largest < float(limits.tiny) ** 0.5:
        raise ValueError(
            f"{said}, whose squares underflow in {limits.dtype}. Scale {name} to "
            "about unit variance."
        )


def in_precision(name: str, array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return an array in a model's data type; raise ValueError if a number is too large for it.

    NaN stays.
    """
    if precision_of(array) == dtype:
        return array
    largest = largest_known(array)
    if largest > float(np.finfo(dtype).max):
        raise ValueError(
            f"{name} contains numbers as large as {largest:.2g}, beyond the range of {dtype}, the "
            f"model's precision. Scale {name} like the samples of fit, or fit in float64."
        )
    return cast(array, dtype)


def require_finite(what: str, result: NDArray[Any], name: str = "X") -> NDArray[Any]:
    """Return a result; raise ValueError if it has overflowed.

    `what` is the result's and `name` the argument's name, for the message.
    """
    xp = namespace(result)
    if not xp.all(xp.isfinite(result)):
        raise ValueError(
            f"{what} overflow {result.dtype}: {name} contains numbers that are too large. Scale "
            f"{name} to about unit variance."
        )
    return result


@contextmanager
def decomposing() -> Iterator[None]:
    """Return a context in which a decomposition of a matrix that fails says what to do."""
    try:
        yield
    except np.linalg.LinAlgError as error:
        raise ValueError(
            f"A matrix computed from X could not be decomposed ({error}). Scale X to about unit "
            "variance, and remove samples far larger than the others."
        ) from error
