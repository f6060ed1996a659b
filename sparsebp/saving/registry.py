"""Registry of the classes that can be saved: this package's, some of scikit-learn's, your own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from typing import Any, NamedTuple, TypeVar, cast

from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.preprocessing import Normalizer, StandardScaler

import sparsebp.estimators as estimators
import sparsebp.penalties as penalties
from sparsebp._fitted import Maybe, Names, Numbers, Size
from sparsebp.images import PooledFeatures
from sparsebp.penalties import Penalty
from sparsebp.preprocessing import Whitening

_Class = TypeVar("_Class", bound=type)

_NAMED = {"n_features_in_": Size("features"), "feature_names_in_": Maybe(Names("features"))}
_OF_SCIKIT_LEARN: dict[type, dict[str, Any]] = {
    Normalizer: {name: Maybe(kind) for name, kind in _NAMED.items()},
    StandardScaler: {
        **_NAMED,
        "mean_": Numbers(("features",), none=True),
        "var_": Numbers(("features",), at_least=0, none=True),
        "scale_": Numbers(("features",), above=0, none=True),
        "n_samples_seen_": Numbers(above=0),
    },
    PCA: {
        **_NAMED,
        "components_": Numbers(("components", "features")),
        "mean_": Numbers(("features",)),
        "explained_variance_": Numbers(("components",), at_least=0),
        "explained_variance_ratio_": Numbers(("components",), at_least=0),
        "singular_values_": Numbers(("components",), at_least=0),
        "noise_variance_": Numbers(at_least=0),
        "n_components_": Size("components"),
        "n_samples_": Size("samples"),
    },
}


class Entry(NamedTuple):
    """A class of estimators, and its fitted attributes."""

    kind: type[BaseEstimator]
    attributes: Mapping[str, Any]


#: By the name of the class.
PENALTIES: dict[str, type[Penalty]] = {}
ESTIMATORS: dict[str, Entry] = {}


def register(kind: _Class, attributes: Mapping[str, Any] | None = None) -> _Class:
    """Register your own class for `save_model` and `load_model`.

    A file contains the name of the class, parameters and arrays, never code: import the module that
    registers the class before you load a file.

    Parameters
    ----------
    kind : type
        A frozen dataclass derived from `Penalty`, or an estimator whose ``__init__`` stores its
        parameters as scikit-learn's do: numbers, text, arrays, penalties.
    attributes : mapping of str to Numbers, Size, Names, Maybe, type, or tuple of str
        Of an estimator: its fitted attributes, for example ``{"components_":
        Numbers(("components", "features"))}``. Files with other attributes raise an error.

    Returns
    -------
    kind : type
        The class, so that penalties can be decorated.

    Raises
    ------
    TypeError
        If the class is neither, or an estimator comes without attributes.
    ValueError
        If another class of this name is registered.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from sparsebp.penalties import LogCosh, Penalty
    >>> @register
    ... @dataclass(frozen=True)
    ... class Doubled(Penalty):
    ...     factor: float = 2.0
    ...     @property
    ...     def layers(self):
    ...         return LogCosh(self.factor).layers
    """
    name = getattr(kind, "__name__", repr(kind))
    bases = getattr(kind, "__mro__", ())
    if Penalty in bases and is_dataclass(kind):
        _refuse_another(name, PENALTIES.get(name), kind)
        PENALTIES[name] = cast(Any, kind)
    elif BaseEstimator in bases and attributes is not None:
        known = ESTIMATORS.get(name)
        _refuse_another(name, known and known.kind, kind)
        ESTIMATORS[name] = Entry(cast(Any, kind), dict(attributes))
    else:
        raise TypeError(
            f"{name} is neither a penalty that is a dataclass nor an estimator with its fitted "
            "attributes; give one of them."
        )
    return cast(Any, kind)


def _refuse_another(name: str, known: type | None, kind: type) -> None:
    """Raise an error for a second class of a name, unless its module was reloaded."""
    if known is not None and (known.__module__, known.__qualname__) != (
        kind.__module__,
        kind.__qualname__,
    ):
        raise ValueError(f"{name} is registered for {known!r}; give the class another name.")


for _name in penalties.__all__:
    _kind = getattr(penalties, _name)
    if isinstance(_kind, type) and issubclass(_kind, Penalty) and _kind is not Penalty:
        PENALTIES[_name] = _kind
for _kind in (*(getattr(estimators, n) for n in estimators.__all__), Whitening, PooledFeatures):
    if isinstance(_kind, type):
        register(_kind, _kind._fitted)
for _kind, _attributes in _OF_SCIKIT_LEARN.items():
    register(_kind, _attributes)
