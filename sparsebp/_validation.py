"""The base of transformers, and X as it is given to them: as checked samples in columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, validate_data

from sparsebp._checks import check_complete, check_readable, with_nan
from sparsebp._dispatch import check_real, is_dispatched
from sparsebp._documentation import Documented
from sparsebp._hints import Hinted
from sparsebp._magnitudes import (
    ignore_float_warnings,
    in_precision,
    largest_known,
    largest_magnitude,
)
from sparsebp._namespaces import cast, namespace
from sparsebp.samples import (
    ArraySamples,
    DerivedSamples,
    DeviceSamples,
    Samples,
    StoredSamples,
    is_store,
)

# Its inferred types come from its defaults and are too narrow.
_validate_data: Any = validate_data
_FLOATS: Any = [np.float64, np.float32]


class Transformer(
    Hinted, Documented, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Base of all estimators: samples are rows here and columns in lower layers."""

    @property
    def _learns_anywhere(self) -> bool:
        """Whether X may be an array of any library."""
        return True

    @property
    def _takes_missing(self) -> bool:
        """Whether values of X may be missing: NaN, or masked."""
        return False

    @property
    def _n_features_out(self) -> int:
        raise NotImplementedError

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        if tags.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.array_api_support = self._learns_anywhere
        tags.input_tags.allow_nan = self._takes_missing
        return tags

    def _checked_outputs(self, X: Any, *, sparse: bool = False) -> Any:
        """Return rows such as `transform` returns, checked, of a fitted estimator.

        If they may be `sparse`, a sparse matrix is returned as one.
        """
        if is_dispatched(X):
            check_real(X)
            floats: Any = [namespace(X).float64, namespace(X).float32]
            rows = check_array(X, dtype=floats, input_name="X")
        else:
            X = check_readable("X", X)
            with ignore_float_warnings():
                formats: Any = "csr" if sparse else False
                rows = check_array(X, dtype=_FLOATS, input_name="X", accept_sparse=formats)
        if rows.shape[1] != self._n_features_out:
            raise ValueError(
                f"X has {rows.shape[1]} columns, but transform of {type(self).__name__} returns "
                f"{self._n_features_out}. Give what transform returned."
            )
        return rows


def samples_of(
    estimator: Any,
    X: Any,
    *,
    reset: bool = False,
    dtype: Any = None,
    min_samples: int = 1,
    n_threads: int = 1,
) -> Samples:
    """Return an X of the user, an array, a store or `Samples`, as checked samples in columns.

    X must have the estimator's number and names of features, or with `reset` determines them. It is
    converted to `dtype`; None keeps float32 and makes float64 of the rest. An array is checked
    here, the blocks of other samples when they are read. An unusable X is a ValueError or
    TypeError. Missing values stay, as NaN, if the estimator takes them.
    """
    takes_missing = getattr(estimator, "_takes_missing", False)
    samples = _elsewhere(X, n_threads)
    if samples is not None:
        n_features, n_samples = samples.shape
        if n_samples < min_samples:
            raise ValueError(
                f"X has {n_samples} sample(s) (shape={(n_samples, n_features)}) while a minimum of "
                f"{min_samples} is required."
            )
        like = np.broadcast_to(0.0, (n_samples, n_features))
        _validate_data(estimator, like, reset=reset, skip_check_array=True)
        checked = _Checked(np.dtype(dtype or samples.dtype), takes_missing)
        return DerivedSamples(samples, checked, n_features, checked.precision)
    if is_dispatched(X):
        xp = namespace(X)
        check_real(X)
        options = {"dtype": [xp.float64, xp.float32], "ensure_min_samples": min_samples}
        if takes_missing and bool(xp.any(xp.isnan(X))):
            raise ValueError(
                f"X contains NaN. Missing values must be given in an ndarray, got {xp.__name__}. "
                "Convert X, or impute the values first."
            )
        rows = _validate_data(estimator, X, reset=reset, **options)
        return DeviceSamples(rows if dtype is None else cast(rows, dtype))
    X = check_readable("X", with_nan(X) if takes_missing else X)
    options = {"dtype": _FLOATS, "ensure_min_samples": min_samples}
    with ignore_float_warnings():  # scikit-learn sums X to look for infinities
        rows = _validate_data(estimator, X, reset=reset, ensure_all_finite="allow-nan", **options)
    if not takes_missing:
        check_complete(rows)
    rows = rows if dtype is None else in_precision("X", rows, dtype)
    return ArraySamples(rows.T, n_threads)


def check_apart(X: Any, out: Any) -> None:
    """Raise ValueError if writing to `out` would change samples that are read later."""
    if not (isinstance(X, np.ndarray) and isinstance(out, np.ndarray)):
        return
    places = [(a.ctypes.data, a.shape, a.strides, a.dtype) for a in (X, out)]
    if places[0] != places[1] and np.shares_memory(X, out):
        raise ValueError(
            "out shares memory with X, whose samples would change before they are read; give "
            "another array, or X itself."
        )


def _elsewhere(X: Any, n_threads: int) -> Samples | None:
    """Return samples that are not in memory; None for an array and the like."""
    if isinstance(X, Samples):
        return X
    if hasattr(X, "__dask_graph__"):
        from sparsebp.samples.on_dask import DaskSamples  # dask is optional

        return DaskSamples.of(X)
    try:
        is_file = hasattr(X, "keys") and hasattr(X, "attrs") and not hasattr(X, "iloc")
        names = ", ".join(map(repr, list(X.keys())[:5])) if is_file else ""
        if not is_file:
            return _stored(X, n_threads) if is_store(X) else None
    except RuntimeError as error:  # of h5py
        raise ValueError(f"X cannot be read; open its file again. ({error})") from error
    raise TypeError(
        f"X must be a dataset of a file, got {type(X).__name__}, whose datasets are "
        f"{names or 'none'}; give X[name]."
    )


def _stored(X: Any, n_threads: int) -> StoredSamples:
    kind = np.dtype(X.dtype).kind
    if len(X.shape or ()) != 2 or not all(X.shape):  # HDF5 has datasets without a shape
        raise ValueError(
            f"X has shape {X.shape}; expected a row for each sample and a column for each feature."
        )
    if kind not in "biuf":
        raise ValueError(f"X has dtype {X.dtype}; expected real numbers.")
    return StoredSamples(X, n_threads)


@dataclass(frozen=True)
class _Checked:
    """Returns a block in a precision; raises ValueError if it is unusable."""

    precision: np.dtype
    takes_missing: bool

    def __call__(self, block: np.ndarray) -> np.ndarray:
        if not block.size:
            return block
        largest = largest_known if self.takes_missing else largest_magnitude
        if not np.isfinite(largest(block)):
            found = "infinity" if self.takes_missing else "NaN or infinity"
            raise ValueError(
                f"X contains {found}. Remove these samples, or impute the values first."
            )
        return in_precision("X", block, self.precision)
