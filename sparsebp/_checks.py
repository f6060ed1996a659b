"""Shared argument checks; each message says what was given and what is required."""

from collections.abc import Collection, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

RandomState = int | np.random.RandomState | np.random.Generator | None
RandomSource = np.random.RandomState | np.random.Generator

# Its functions are more than its stubs list.
_numpy_random: Any = np.random


def random_source(random_state: RandomState) -> RandomSource:
    """Turn a seed or a generator into something with ``random`` and ``standard_normal``.

    Parameters
    ----------
    random_state : None, int >= 0, RandomState or Generator
        Given by the caller. Generators are used directly. None draws from the global stream, which
        `numpy.random.seed` seeds.

    Returns
    -------
    RandomState or Generator

    Raises
    ------
    ValueError
        If `random_state` is none of these.
    """
    if isinstance(random_state, RandomSource):
        return random_state
    if random_state is None:
        return np.random.RandomState(_numpy_random.get_bit_generator())
    refusal = (
        f"random_state={random_state!r} is not a seed: give None, an integer from 0 to 2**32 - 1, "
        "a RandomState or a Generator"
    )
    if not isinstance(random_state, Integral):
        raise ValueError(refusal)
    try:
        return np.random.RandomState(int(random_state))
    except ValueError as error:
        raise ValueError(refusal) from error


def draw_seed(rng: RandomSource) -> int:
    """Draw a seed for `numpy.random.default_rng`, from 0 to 2**32 - 1."""
    return int(rng.random() * 2**32)


def check_count(name: str, value: Any) -> int:
    """Return `value` as an int; raise an error unless it is a positive integer.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : int
        Given by the caller, >= 1.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If `value` is not an integer.
    ValueError
        If `value` is less than 1.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise TypeError(f"{name}={value!r} is not an integer: give a count of at least 1")
    count = int(value)
    if count < 1:
        raise ValueError(f"{name}={value!r} is too small: give a count of at least 1")
    return count


def is_one_of(value: Any, words: Collection[str]) -> bool:
    """Return whether a value is one of some strings; arrays and missing values are not.

    Parameters
    ----------
    value : str
        Given by the caller.
    words : collection of str
        The strings.

    Returns
    -------
    bool
    """
    return isinstance(value, str) and value in words


def check_pair(name: str, value: Any, wanted: str = "(height, width)") -> tuple[int, int]:
    """Return `value` as two ints; raise an error unless it is a pair of positive integers.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : tuple or list of two int
        Given by the caller, each >= 1.
    wanted : str, default="(height, width)"
        What the message asks for.

    Returns
    -------
    (int, int)

    Raises
    ------
    TypeError
        If one of the two is not an integer.
    ValueError
        If `value` is not a pair, or one of the two is less than 1.
    """
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise ValueError(f"{name}={value!r} is not a pair: give {wanted}")
    return check_count(name, value[0]), check_count(name, value[1])


def check_shape(name: str, shape: Any, lengths: Sequence[int] = (2,)) -> tuple[int, ...]:
    """Return `shape` as a tuple; raise an error unless it has the right number of positive ints.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    shape : sequence of int
        Given by the caller, each >= 1.
    lengths : sequence of int, default=(2,)
        How many integers there may be.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If `shape` is anything else.
    """
    wanted = " or ".join(str(length) for length in lengths)
    refusal = f"{name}={shape!r}; expected {wanted} positive integers, such as (8, 8)."
    try:
        sides = tuple(shape)
    except TypeError as error:
        raise ValueError(refusal) from error
    whole = all(isinstance(side, Integral) and int(side) > 0 for side in sides)
    if len(sides) not in lengths or not whole:
        raise ValueError(refusal)
    return tuple(int(side) for side in sides)


def check_number(name: str, value: Any, *, minimum: float = -np.inf) -> float:
    """Return `value` as a float; raise an error unless it is a finite number.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : float
        Given by the caller, >= `minimum`.
    minimum : float, default=-inf
        The smallest number that is allowed.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is less than `minimum`, infinite, NaN or too large for a float.
    """
    wanted = f"a finite number >= {minimum:g}" if np.isfinite(minimum) else "a finite number"
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: give {wanted}")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not np.isfinite(number) or number < minimum:
        raise ValueError(f"{name}={value!r} is out of range: give {wanted}")
    return number


def check_matrix(name: str, values: Any) -> NDArray[np.floating]:
    """Return `values` as a finite, non-empty matrix, without a copy if possible.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    values : array-like of shape (n_rows, n_columns)
        Given by the caller.

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
        float32 if `values` are float32, else float64.

    Raises
    ------
    ValueError
        If `values` are anything else.
    """
    array = _real_array(name, values)
    if array.ndim != 2:
        raise ValueError(
            f"{name} has shape {array.shape}; expected two dimensions, one row each. "
            "Reshape a single row with .reshape(1, -1)."
        )
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {array.shape}; expected at least one row and column.")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} contains NaN or infinity; remove or replace these values.")
    return array


def check_vector(name: str, values: Any) -> NDArray[np.floating]:
    """Return `values` as a finite vector of one number or more, as `check_matrix` does.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    values : array-like of shape (n_values,)
        Given by the caller.

    Returns
    -------
    ndarray of shape (n_values,)

    Raises
    ------
    ValueError
        If `values` are anything else.
    """
    array = _real_array(name, values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name} has shape {array.shape}; expected a sequence of one number or more."
        )
    return check_matrix(name, array[np.newaxis])[0]


def check_readable(name: str, values: Any) -> Any:
    """Return `values` as an array, or a table or sparse matrix unchanged.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    values : array-like
        Given by the caller.

    Returns
    -------
    ndarray, or the table or sparse matrix

    Raises
    ------
    ValueError, TypeError
        If it is a masked array with missing values, if its rows are of different lengths, or if
        it holds objects that are not numbers.
    """
    refuse_masked(name, values)
    if hasattr(values, "columns") or hasattr(values, "toarray"):
        return values
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is ragged; expected rows of equal length.") from error
    if array.dtype.kind in "OV":
        try:
            array.astype(np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{name} cannot be read as real numbers: {error}.") from error
    return array


def _real_array(name: str, values: Any) -> NDArray[np.floating]:
    array = np.asarray(check_readable(name, values))
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} has dtype {array.dtype}; expected real numbers.")
    kept = array.dtype in (np.dtype(np.float32), np.dtype(np.float64))
    return array if kept else array.astype(np.float64)


def refuse_masked(name: str, values: Any) -> None:
    """Raise an error for an array of `numpy.ma` with masked values, and say how to fix it.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    values : array-like
        Given by the caller.

    Raises
    ------
    ValueError
        If it is a masked array with masked values; NumPy would use the data under the mask.
    """
    masked = isinstance(values, np.ma.MaskedArray) and not values.dtype.names
    if masked and np.ma.is_masked(values):
        raise ValueError(
            f"{name} is a masked array: {np.ma.count_masked(values)} of its {values.size} values "
            f"are missing. Remove their rows, np.ma.compress_rows({name}), or fill them, "
            f"{name}.filled(value). sparsebp.images.inpaint fills masked pixels."
        )


def refuse_missing(samples: NDArray[np.floating]) -> None:
    """Raise an error for samples with missing values, and say how to fix it.

    Parameters
    ----------
    samples : ndarray of shape (n_samples, n_features)
        Without infinities.

    Raises
    ------
    ValueError
        If there is a NaN.
    """
    if not np.isnan(samples.min()):
        return
    missing = np.isnan(samples)
    (n_samples, n_features), rows, columns = missing.shape, missing.any(axis=1), missing.any(axis=0)
    raise ValueError(
        f"X contains NaN: {missing.sum()} missing value(s) in {rows.sum()} of {n_samples} "
        f"samples and {columns.sum()} of {n_features} features. Remove these samples, "
        "X[~np.isnan(X).any(axis=1)], or impute the values first, for example with "
        "sklearn.impute.IterativeImputer. For images with missing pixels, learn from complete "
        "patches and pass the model to sparsebp.images.inpaint."
    )
