"""Estimators on arrays of other libraries, by scikit-learn's ``array_api_dispatch``.

Inside, estimators have their parameters and attributes in NumPy, and samples of another library
stay on their device as `DeviceSamples`. What is learned, and what is returned, is in the library
and on the device of X.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
from sklearn import get_config

from sparsebp._namespaces import is_foreign, namespace, to_numpy


def is_dispatched(X: Any) -> bool:
    """Return whether X stays in its library, which is not NumPy; raise TypeError if it cannot."""
    if not is_foreign(X):
        return False
    if get_config()["array_api_dispatch"]:
        return True
    if "cpu" not in str(X.device).lower():
        raise TypeError(
            f"X is on the device {X.device}, and arrays of other libraries than NumPy are used "
            "only with scikit-learn's config_context(array_api_dispatch=True). Call the method "
            "in it, or give X as an ndarray."
        )
    return False


def check_real(X: Any) -> None:
    """Raise ValueError for complex numbers, of which scikit-learn would take the real parts."""
    if namespace(X).isdtype(X.dtype, "complex floating"):
        raise ValueError(f"Complex data not supported: X has dtype {X.dtype}. Give real numbers.")


def learning_where_x_is(fit: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a `fit`: the attributes that it sets are in the library and on the device of X."""

    @wraps(fit)
    def wrapped(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        before = _foreign_attributes(self)
        if not (is_dispatched(X) or before):
            return fit(self, X, *args, **kwargs)
        on_host = {name: to_numpy(value) for name, value in before.items()}
        vars(self).update(on_host)
        try:
            return fit(self, X, *args, **kwargs)
        finally:
            for name, value in list(vars(self).items()):
                if name in before and value is on_host[name]:
                    setattr(self, name, before[name])
                elif isinstance(value, np.ndarray) and name.endswith("_") and is_dispatched(X):
                    setattr(self, name, namespace(X).asarray(value.copy(), device=X.device))

    return wrapped


def computing_where_x_is(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method of a fitted estimator that takes X, which must be where that of `fit` was.

    An estimator whose attributes are in NumPy takes X of any library.
    """

    @wraps(method)
    def wrapped(self: Any, X: Any, *args: Any, **kwargs: Any) -> Any:
        is_dispatched(X)  # raises an error for X on a device without it
        fitted = _foreign_attributes(self)
        if not fitted:
            return method(self, X, *args, **kwargs)
        if get_config()["array_api_dispatch"]:
            _require_same(
                X, next(iter(fitted.values())), f"{type(self).__name__}.{method.__name__}"
            )
        return method(on_host(self), X, *args, **kwargs)

    return wrapped


def chunk_by_chunk(method: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a method of X alone that maps rows to rows: of a dask array it returns another."""

    @wraps(method)
    def wrapped(self: Any, X: Any) -> Any:
        if not hasattr(X, "__dask_graph__"):
            return method(self, X)
        from sparsebp.samples.on_dask import in_rows, map_rows  # dask is optional

        return map_rows(in_rows(X), getattr(self, method.__name__))

    return wrapped


def on_host(estimator: Any) -> Any:
    """Return an estimator with its fitted attributes in NumPy, itself if they are."""
    fitted = _foreign_attributes(estimator)
    if not fitted:
        return estimator
    twin = object.__new__(type(estimator))
    vars(twin).update(vars(estimator), **{n: to_numpy(value) for n, value in fitted.items()})
    return twin


def _foreign_attributes(estimator: Any) -> dict[str, Any]:
    return {n: v for n, v in vars(estimator).items() if n.endswith("_") and is_foreign(v)}


def _require_same(X: Any, fitted: Any, method: str) -> None:
    wanted = f"{namespace(fitted).__name__} on {fitted.device}"
    found = f"{namespace(X).__name__} on {X.device}" if is_foreign(X) else "numpy"
    if found != wanted:
        raise ValueError(
            f"Inputs passed to {method}() must use the same namespace and the same device as those "
            f"passed to fit(): X is of {found}, that of fit was of {wanted}. Convert X, or fit "
            "again."
        )
