"""Argument checks: every message reads "`name` must be …, got …", and says how to fix it.

A wrong kind of value is a TypeError, a wrong value of the right kind a ValueError.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._hints import about_value

RandomState = int | np.random.RandomState | np.random.Generator | None
RandomSource = np.random.RandomState | np.random.Generator

#: How the names of data types of dates and durations begin, in NumPy, pandas, Polars and Arrow.
_TIMES = ("date", "time", "duration", "period")

#: What is given instead of an estimator, by the name of the argument.
_FILTERS = "its components_ or, of an ICA, its features_"
_ATOMS, _CODES, _SAMPLES, _BACK = (
    f"{_FILTERS}, which ComparisonDisplay.from_estimators compares",
    "its codes of some samples, transform(X)",
    "samples, as the estimator takes them",
    "its inverse_transform(codes) of some codes",
)
_INSTEAD = {
    "codes": _CODES,
    "dictionary": "its components_",
    "features": _FILTERS,
    "filters": _FILTERS,
    "first": _ATOMS,
    "mixing": "its mixing_",
    "respond": "its components_ or its transform, or take TuningDisplay.from_estimator",
    "second": _ATOMS,
    "the responses": _CODES,
    "unmixing": "its components_",
    "X": _SAMPLES,
    "samples": _SAMPLES,
    "patches": _SAMPLES,
    "reconstruction": _BACK,
    "reconstructions": _BACK,
}

# Its functions are more than its stubs list.
_numpy_random: Any = np.random


def mistake(name: str, wanted: str, value: Any, advice: str = "") -> str:
    """Return the message about an argument."""
    return f"{name} must be {wanted}, got {value!r}.{advice}"


def is_flag(value: Any) -> bool:
    """Return whether a value is True or False, of Python or NumPy."""
    return isinstance(value, bool | np.bool_)


def is_auto(value: Any) -> bool:
    """Return whether a value is the string "auto"; arrays are not."""
    return isinstance(value, str) and value == "auto"


def check_flag(name: str, value: Any) -> None:
    """Raise TypeError unless a value is True or False."""
    if not is_flag(value):
        raise TypeError(mistake(name, "True or False", value, about_value(name, value)))


def check_choice(name: str, value: Any, choices: Collection[str], also: str = "") -> None:
    """Raise an error unless a value is one of some strings; `also` says what else is accepted."""
    if isinstance(value, str) and value in choices:
        return
    wanted = ("one of " if len(choices) > 1 else "") + ", ".join(map(repr, choices)) + also
    kind = ValueError if isinstance(value, str) else TypeError
    raise kind(mistake(name, wanted, value, about_value(name, value, choices)))


def check_integer(name: str, value: Any, *, minimum: int = 1, none: str | None = None) -> int:
    """Return an integer ≥ minimum as an int; None is returned unchanged if `none` says what for."""
    if value is None and none is not None:
        return value  # type: ignore[return-value]
    wanted = f"an integer ≥ {minimum}" + (f", or None for {none}" if none else "")
    if is_flag(value) or not isinstance(value, Integral):
        raise TypeError(mistake(name, wanted, value))
    if int(value) < minimum:
        raise ValueError(mistake(name, wanted, value))
    return int(value)


def check_number(
    name: str,
    value: Any,
    *,
    minimum: float = -np.inf,
    above: float = -np.inf,
    maximum: float = np.inf,
    below: float = np.inf,
    also: str = "",
) -> float:
    """Return a finite number within bounds as a float; `also` says what else is accepted."""

    def refused(advice: str = "") -> str:  # built where needed: it takes longer than the check
        bounds = {"≥": minimum, ">": above, "≤": maximum, "<": below}
        stated = [f"{sign} {bound:g}" for sign, bound in bounds.items() if np.isfinite(bound)]
        wanted = f"a finite number {' and '.join(stated)}".rstrip() + also
        return mistake(name, wanted, value, advice)

    if is_flag(value) or not isinstance(value, Real):
        raise TypeError(refused(about_value(name, value)))
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    inside = minimum <= number <= maximum and above < number < below
    if not (inside and np.isfinite(number)):
        raise ValueError(refused())
    return number


def check_shape(name: str, shape: Any, lengths: Sequence[int] = (2,)) -> tuple[int, ...]:
    """Return a sequence of integers ≥ 1, of one of some lengths, as a tuple of ints."""
    count = " or ".join(", ".join(map(str, lengths)).rsplit(", ", 1))
    message = mistake(name, f"{count} integers ≥ 1, such as (8, 8)", shape)
    try:
        sides = tuple(shape)
    except TypeError as error:
        raise TypeError(message) from error
    if any(is_flag(side) or not isinstance(side, Integral) for side in sides):
        raise TypeError(message)
    if len(sides) not in lengths or any(int(side) < 1 for side in sides):
        raise ValueError(message)
    return tuple(int(side) for side in sides)


def random_source(random_state: RandomState) -> RandomSource:
    """Return a generator as it is, or one for a seed.

    None draws from NumPy's global stream, which `numpy.random.seed` seeds.
    """
    if isinstance(random_state, RandomSource):
        return random_state
    if random_state is None:
        return np.random.RandomState(_numpy_random.get_bit_generator())
    seeds = "an integer from 0 to 2**32 - 1, a RandomState, a Generator or None"
    message = mistake("random_state", seeds, random_state)
    if is_flag(random_state) or not isinstance(random_state, Integral):
        raise TypeError(message)
    try:
        return np.random.RandomState(int(random_state))
    except ValueError as error:
        raise ValueError(message) from error


def draw_seed(rng: RandomSource) -> int:
    """Draw a seed for `numpy.random.default_rng`, from 0 to 2**32 - 1."""
    return int(rng.random() * 2**32)


def check_matrix(
    name: str,
    values: Any,
    *,
    missing: bool = False,
    advice: str = "Remove or replace these values.",
) -> NDArray[np.floating]:
    """Return values as a finite, non-empty matrix of float32 or float64, if possible not copied.

    With `missing`, values may be NaN; else `advice` says what to do about them.
    """
    _refuse_estimators(name, values)
    array = _real_array(name, values)
    if array.ndim != 2:
        fix = "Reshape a single row with .reshape(1, -1)."
        if array.ndim > 2:
            fix = f"Flatten each of the {len(array)} into a row with .reshape({len(array)}, -1)."
        raise ValueError(f"{name} must have two dimensions, got shape {array.shape}. {fix}")
    if 0 in array.shape:
        raise ValueError(f"{name} must have at least one row and column, got shape {array.shape}.")
    if np.isinf(array).any() if missing else not np.isfinite(array).all():
        wanted, found = ("finite or NaN", "") if missing else ("finite", "NaN or ")
        raise ValueError(f"{name} must be {wanted}, got {found}infinity. {advice}")
    return array


def _refuse_estimators(name: str, values: Any) -> None:
    """Raise TypeError for an estimator, fitted or not, or the class of one."""
    if not hasattr(values, "fit"):
        return
    what = "class" if isinstance(values, type) else "estimator"
    kind = getattr(values, "__name__", type(values).__name__)
    fix = _INSTEAD.get(name, f"an array, such as {name}.components_")
    fit = " of a fitted one" if what == "class" else ""
    raise TypeError(f"{name} must be an array, got the {what} {kind}. Give {fix}{fit}.")


def check_vector(name: str, values: Any) -> NDArray[np.floating]:
    """Return values as a finite vector of at least one number, as `check_matrix` does."""
    array = _real_array(name, values)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(
            f"{name} must be a sequence of at least one number, got shape {array.shape}."
        )
    return check_matrix(name, array[np.newaxis])[0]


def check_readable(name: str, values: Any) -> Any:
    """Return values as an array, or a table or sparse matrix unchanged.

    Masked arrays with missing values, rows of different lengths, dates, and objects that are no
    numbers raise an error.
    """
    check_unmasked(name, values)
    if hasattr(values, "toarray"):
        return values
    if hasattr(values, "columns"):
        for column, dtype in zip(values.columns, getattr(values, "dtypes", ()), strict=False):
            where = f"column {column!r} of {name}"
            _refuse_times(where, dtype)
            if str(dtype) == "object":
                _check_objects(where, np.asarray(values[column], dtype=object))
        return values
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} must have rows of equal length, got ragged ones.") from error
    _refuse_times(name, array.dtype)
    if array.dtype.kind in "OV":
        _check_objects(name, array)
    return array


def _refuse_times(name: str, dtype: Any) -> None:
    """Raise TypeError for a data type of dates or durations, of any library.

    NumPy would count them in the unit of the type, and make a number of a missing one.
    """
    if str(dtype).lower().startswith(_TIMES):
        raise TypeError(
            f"{name} must be real numbers, got dates or durations of type {dtype}. Convert them to "
            "numbers first: durations / np.timedelta64(1, 'D') are days."
        )


def _check_objects(name: str, array: NDArray[Any]) -> None:
    """Raise an error unless all objects of an array are numbers."""
    for value in array.flat:
        if isinstance(value, np.datetime64 | np.timedelta64):
            _refuse_times(name, value.dtype)
    if array.ndim == 0 and not isinstance(array.item(), Real | Decimal | None):
        kind = type(array.item()).__name__
        raise TypeError(f"{name} must be real numbers: an array is required, not {kind!r}.")
    try:
        array.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        fix = ""
        if "NAType" in str(error):
            fix = (
                " Convert columns with missing values by .astype('Float64'), which makes NaN of "
                "pandas.NA here."
            )
        raise kind(f"{name} must be real numbers: {error}.{fix}") from error


def _real_array(name: str, values: Any) -> NDArray[np.floating]:
    if hasattr(values, "toarray"):
        kind = type(values).__name__
        raise TypeError(f"{name} must be an array, got a {kind}. Give {name}.toarray().")
    array = check_readable(name, np.asarray(check_readable(name, values)))  # a table's, too
    if array.dtype.kind not in "biuf" and not (array.dtype.kind == "O" and array.ndim):
        found = f"dtype {array.dtype}" if array.ndim else repr(values)
        raise ValueError(f"{name} must be real numbers, got {found}.")
    kept = array.dtype in (np.dtype(np.float32), np.dtype(np.float64))
    return array if kept else array.astype(np.float64)


def with_nan(values: Any) -> Any:
    """Return an array of numbers with NaN where it is masked, anything else as it is."""
    if not np.ma.is_masked(values) or values.dtype.kind not in "biuf":
        return values
    precision = values.dtype if values.dtype.kind == "f" else np.float64
    return values.astype(precision).filled(np.nan)


def check_unmasked(name: str, values: Any) -> None:
    """Raise ValueError for a masked array with missing values; NumPy would use what is masked."""
    masked = isinstance(values, np.ma.MaskedArray) and not values.dtype.names
    if masked and np.ma.is_masked(values):
        is_matrix = values.ndim == 2 and "[" not in name  # images[0] has no samples in its rows
        rows = f"Remove their rows, np.ma.compress_rows({name}), or fill" if is_matrix else "Fill"
        raise ValueError(
            f"{name} must have no missing values, got a masked array with "
            f"{np.ma.count_masked(values)} of {values.size} values missing. {rows} them, "
            f"{name}.filled(value). sparsebp.images.inpaint fills masked pixels."
        )


def check_every_feature(known: NDArray[np.bool_], names: Sequence[str] | None) -> None:
    """Raise ValueError unless each feature, by number and name, is known in some sample of X."""
    unknown = np.flatnonzero(~known)
    if not unknown.size:
        return
    shown = [str(i) if names is None else f"{i} ({names[i]!r})" for i in unknown[:5]]
    more = f" and {unknown.size - 5} more" if unknown.size > 5 else ""
    which = ("feature " if unknown.size == 1 else "features ") + ", ".join(shown) + more
    raise ValueError(
        f"X must have a known value of each feature, got NaN in all samples for {which}. Remove "
        "these columns, or give samples that have values there."
    )


def check_complete(samples: NDArray[np.floating]) -> None:
    """Raise ValueError for samples (n_samples, n_features) with NaN; they have no infinities."""
    if not np.isnan(samples.min()):
        return
    missing = np.isnan(samples)
    (n_samples, n_features), rows, columns = missing.shape, missing.any(axis=1), missing.any(axis=0)
    raise ValueError(
        f"X must have no missing values, got NaN for {missing.sum()} value(s) in {rows.sum()} of "
        f"{n_samples} samples and {columns.sum()} of {n_features} features. Remove these samples, "
        "X[~np.isnan(X).any(axis=1)], or impute the values first, for example with "
        "sklearn.impute.IterativeImputer. SparseCoding and SparseCoder take missing values. For "
        "images with missing pixels, pass a model of complete patches to sparsebp.images.inpaint."
    )
