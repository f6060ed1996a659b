"""A callback for scikit-learn (1.9 and later) that measures a model during a fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from sparsebp._checks import check_integer, check_readable
from sparsebp.metrics import near_zero_fraction

__all__ = ["Measurement", "ObjectiveMonitor"]


@dataclass(frozen=True)
class Measurement:
    """A model after an iteration, measured on held-out samples.

    Parameters
    ----------
    iteration : int
        From 1 on.
    objective : float
        What `fit` minimizes, on these samples: minus the model's score.
    reconstruction_error : float
        Mean over the samples of ‖x − x̂‖²; NaN if the model has no reconstruction.
    sparsity : float
        Fraction of the coefficients near zero, by `sparsebp.metrics.near_zero_fraction`.
    """

    iteration: int
    objective: float
    reconstruction_error: float
    sparsity: float


class ObjectiveMonitor:
    """Records objective, reconstruction error and sparsity on held-out samples, by iteration.

    scikit-learn's own ScoringMonitor measures nothing if there is no y. With ``patience`` this one
    also stops a fit that no longer improves on these samples.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Held-out samples.
    every : int, default=1
        Iterations from one measurement to the next. A measurement encodes all of X.
    patience : int, default=None
        Stop the fit after this many measurements without a lower objective; the model is then the
        last one, not the best. None never stops.

    Attributes
    ----------
    history_ : list of Measurement
        Of the last fit.

    Raises
    ------
    ValueError
        If X is not a finite matrix, or a number is not a positive integer.

    Examples
    --------
    >>> from sparsebp import ReconstructionICA
    >>> from sparsebp.datasets import make_mixtures
    >>> X = make_mixtures(500, 4, random_state=0).X
    >>> monitor = ObjectiveMonitor(X[400:])
    >>> model = ReconstructionICA(4, alpha=0.1, whiten=True, random_state=0)
    >>> if hasattr(model, "set_callbacks"):  # scikit-learn 1.9
    ...     model = model.set_callbacks(monitor).fit(X[:400])
    ...     assert monitor.history_[-1].objective < monitor.history_[0].objective
    """

    def __init__(self, X: Any, *, every: int = 1, patience: int | None = None) -> None:
        check_integer("every", every)
        check_integer("patience", patience, none="as long as there are iterations")
        checked = check_array(check_readable("X", X), input_name="X")
        self.X = X if hasattr(X, "columns") else checked  # a table keeps its names
        self.every, self.patience = every, patience
        self.history_: list[Measurement] = []

    def setup(self, estimator: Any, context: Any) -> None:
        """Clear the history."""
        self.history_ = []

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:
        """Do nothing."""

    def on_fit_task_end(
        self, estimator: Any, context: Any, *, fitted_estimator: Any = None
    ) -> bool:
        """Measure the model after an iteration; return whether to stop."""
        if fitted_estimator is None or fitted_estimator.n_iter_ % self.every:
            return False
        self.history_.append(_measured(fitted_estimator, self.X))
        objectives = [measurement.objective for measurement in self.history_]
        since = len(objectives) - 1 - int(np.argmin(objectives))
        return self.patience is not None and since >= self.patience


def _measured(model: Any, X: Any) -> Measurement:
    codes, samples = np.asarray(model.transform(X)), np.asarray(X)
    error = np.nan
    if hasattr(model, "inverse_transform"):
        back = model.inverse_transform(codes)
        error = float(np.square(samples - back).sum(axis=1).mean())
    known = getattr(model, "_objective_of", None)  # without encoding again
    objective = -model.score(X) if known is None else known(samples.T, codes)
    return Measurement(model.n_iter_, objective, error, near_zero_fraction(codes))
