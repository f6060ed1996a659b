"""Refusals that the data sets share, each saying what came and what was needed."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

RandomState = int | np.random.RandomState | np.random.Generator | None
RandomSource = np.random.RandomState | np.random.Generator


def random_source(random_state: RandomState) -> RandomSource:
    """Turn a seed or a generator into something with ``random`` and ``standard_normal``.

    Parameters
    ----------
    random_state : None, int >= 0, RandomState or Generator
        What the caller was given. Generators are used as they are.

    Returns
    -------
    RandomState or Generator

    Raises
    ------
    ValueError
        If `random_state` is none of these.
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    try:
        return check_random_state(random_state)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"random_state={random_state!r} is no seed: give None, an integer from 0 to 2**32 - 1, "
            "a RandomState or a Generator"
        ) from error


def check_count(name: str, value: Any) -> int:
    """Return `value` as an int, refusing whatever is not a positive integer.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : int
        What the caller was given, >= 1.

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


def check_number(name: str, value: Any) -> float:
    """Return `value` as a float, refusing whatever is not a finite number.

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : float
        What the caller was given.

    Returns
    -------
    float

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If `value` is infinite or NaN.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        raise TypeError(f"{name}={value!r} is not a number: give a finite number")
    number = float(value)
    if not np.isfinite(number):
        raise ValueError(f"{name}={value!r} is out of range: give a finite number")
    return number
