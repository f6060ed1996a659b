"""Tables of the measures of several models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sparsebp._tables import Table
from sparsebp.displays import BasisDisplay
from sparsebp.metrics import FeatureSummary, gabor_fit, summarize_features
from sparsebp.report.measurements import Measurements, Track, finite, no_progress


@dataclass(frozen=True)
class Comparison(Table):
    """Models by name with their measures; made by `compare_models`.

    Attributes
    ----------
    methods : dict of str to str
        Each model's class, or the classes of a pipeline's steps.
    patch_shapes : dict of str to tuple of int
        The shape of its patches.
    summaries : dict of str to FeatureSummary
        Its numbers.
    """

    methods: dict[str, str]
    patch_shapes: dict[str, tuple[int, ...]]
    summaries: dict[str, FeatureSummary]

    def to_dict(self) -> dict[str, list[Any]]:
        """Return a column for each measure, with an entry for each model.

        Returns
        -------
        columns : dict of str to list
            model, method, patch_shape, and the attributes of
            `sparsebp.metrics.FeatureSummary`; None if a model does not have it.
        """
        rows = self.to_rows()
        return {key: [row[key] for row in rows] for key in rows[0]}

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a dict for each model."""
        return [
            {
                "model": name,
                "method": self.methods[name],
                "patch_shape": "×".join(map(str, self.patch_shapes[name])),
                **{key: finite(value) for key, value in asdict(summary).items()},
            }
            for name, summary in self.summaries.items()
        ]


def compare_models(
    models: Mapping[str, Any],
    samples: Any = None,
    *,
    patch_shape: Sequence[int] | Mapping[str, Sequence[int] | None] | None = None,
    track: Track = no_progress,
) -> Comparison:
    """Compute the same measures for several models.

    Parameters
    ----------
    models : mapping of str to fitted estimator
        With ``components_`` and ``transform``, also scikit-learn's, also pipelines.
    samples : array-like of shape (n_samples, n_features), or mapping of str to such, default=None
        For all, or for each model by its name, preprocessed as in training; the first 5000 are
        used. For a model without samples only the features are measured.
    patch_shape : (height, width[, 3]), or mapping of str to such, default=None
        For all, or for each model by its name. None takes square gray patches or square color
        patches.
    track : callable
        Shows progress.

    Returns
    -------
    Comparison

    Raises
    ------
    AttributeError
        If a model is not fitted.
    ValueError
        If there is no model, or samples or patch_shape do not fit one.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.decomposition import FastICA
    >>> from sparsebp import OrthonormalICA
    >>> from sparsebp.report import compare_models
    >>> X = np.random.default_rng(0).laplace(size=(500, 16))
    >>> models = {"ours": OrthonormalICA(4, random_state=0), "theirs": FastICA(4, random_state=0)}
    >>> compared = compare_models({name: model.fit(X) for name, model in models.items()}, X)
    >>> compared.to_dict()["method"]
    ['OrthonormalICA', 'FastICA']
    """
    if not models:
        raise ValueError("models is empty; give at least one fitted model, by name.")
    if not isinstance(models, Mapping):
        raise TypeError(
            f"models is a {type(models).__name__}; give a mapping of names to fitted models."
        )
    methods, shapes, summaries = {}, {}, {}
    for name, model in models.items():
        shape = patch_shape.get(name) if isinstance(patch_shape, Mapping) else patch_shape
        some = samples.get(name) if isinstance(samples, Mapping) else samples
        methods[name] = _method(model)
        shapes[name], summaries[name] = _measured(model, some, shape, track)
    return Comparison(methods, shapes, summaries)


def _method(model: Any) -> str:
    """Return the class of a model, or those of a pipeline's steps."""
    steps = [step for _, step in getattr(model, "steps", [("", model)])]
    named = [type(step).__name__ for step in steps if step not in (None, "passthrough")]
    return " + ".join(named)


def _measured(
    model: Any, samples: Any, patch_shape: Sequence[int] | None, track: Track
) -> tuple[tuple[int, ...], FeatureSummary]:
    if samples is None:
        basis = BasisDisplay.from_estimator(model, patch_shape=patch_shape)
        fit = gabor_fit(basis.components, basis.patch_shape)
        return basis.patch_shape, summarize_features(fit, silent=basis.silent)
    measured = Measurements.of(model, samples, patch_shape, track)
    return measured.basis.patch_shape, measured.features
