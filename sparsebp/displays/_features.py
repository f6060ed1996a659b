"""Data of displays from fitted estimators and pipelines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sparsebp._checks import check_matrix
from sparsebp._tables import Table

#: Which display draws a result of `sparsebp.metrics`, and which measures it itself, of filters.
_DRAWN_BY = {
    "DictionaryComparison": "ComparisonDisplay",
    "GratingResponses": "TuningDisplay",
    "Stability": "StabilityDisplay",
}
_MEASURED_BY = {
    "BinocularTuning": "BinocularDisplay",
    "ColorTuning": "ColorDisplay",
    "GaborFit": "GaborDisplay",
    "MotionTuning": "MotionDisplay",
}


def check_components(components: Any, display: str) -> NDArray[np.floating]:
    """Return filters as a matrix, or raise an error that says what to give the display instead."""
    given = type(components).__name__
    wanted = "components must be a matrix with a filter in each row, got"
    if isinstance(components, type):
        fix = f"Give a fitted one to {display}.from_estimator."
        raise TypeError(f"{wanted} the class {components.__name__}. {fix}")
    if hasattr(components, "fit"):
        fix = f"Give {display}.from_estimator(model), or an array, such as model.components_."
        raise TypeError(f"{wanted} the estimator {given}. {fix}")
    if given in _DRAWN_BY or isinstance(components, Table):
        fix = "Give the filters that were measured"
        if given in _DRAWN_BY:
            fix = f"{_DRAWN_BY[given]} draws it"
        elif given in _MEASURED_BY:
            fix = f"{_MEASURED_BY[given]} takes the filters, and measures them itself"
        raise TypeError(f"{wanted} a result of sparsebp.metrics, {given}. {fix}.")
    return check_matrix("components", components)


def last_step(estimator: Any) -> Any:
    """Return the last step of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if hasattr(estimator, "steps") else estimator


def require(estimator: Any, attribute: str) -> Any:
    """Return a fitted attribute of an estimator, or raise an error that says what to do."""
    if not hasattr(estimator, attribute):
        of_a_fit = (n for n in getattr(estimator, "__dict__", ()) if n.endswith("_"))
        fitted = any(not name.startswith("_") for name in of_a_fit)
        fitted |= hasattr(estimator, "__sklearn_is_fitted__") and estimator.__sklearn_is_fitted__()
        name = type(estimator).__name__
        if hasattr(estimator, "fit") and not fitted:
            from sklearn.exceptions import NotFittedError  # an AttributeError, too

            raise NotFittedError(f"{name} is not fitted (it has no {attribute}); call fit first.")
        raise AttributeError(
            f"{name} has no {attribute}; this display is for estimators that have one."
        )
    return getattr(estimator, attribute)


def method_of(estimator: Any, name: str, display: str, wanted: str) -> Callable[[Any], Any]:
    """Return a method of an estimator, or raise an error with the alternative."""
    if not hasattr(estimator, name):
        raise AttributeError(
            f"{type(estimator).__name__} has no {name}; give {display} the {wanted} instead."
        )
    return getattr(estimator, name)


def learned_features(estimator: Any) -> tuple[NDArray[np.floating], tuple[int, int] | None]:
    """Return what each component adds to a sample, and the shape of the map if there is one.

    An estimator's ``features_`` are preferred to the filters that detect them. A pipeline's
    components are mapped back through the earlier steps: inverse_transform(components) -
    inverse_transform(zeros). The map is that of ``penalty_``, if it fits the number of components.
    """
    last = last_step(estimator)
    found = last.features_ if hasattr(last, "features_") else require(last, "components_")
    features = check_matrix("components_", found)
    grid_shape = getattr(getattr(last, "penalty_", None), "grid_shape", None)
    if grid_shape is not None and math.prod(grid_shape) != len(features):
        grid_shape = None
    for name, step in reversed(getattr(estimator, "steps", [])[:-1]):
        features = _carried_back(features, name, step)
    return features, grid_shape


def _carried_back(features: NDArray, name: str, step: Any) -> NDArray:
    if step is None or step == "passthrough":
        return features
    if not hasattr(step, "inverse_transform"):
        raise AttributeError(
            f"Step {name!r} of the pipeline ({type(step).__name__}) has no inverse_transform; "
            "give the display the components as patches instead."
        )
    origin = np.zeros((1, features.shape[1]), dtype=features.dtype)
    return np.asarray(step.inverse_transform(features) - step.inverse_transform(origin))
