"""Stability: which components an estimator finds again with other seeds and other samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._checks import (
    RandomState,
    check_choice,
    check_integer,
    check_readable,
    draw_seed,
    is_flag,
    mistake,
    random_source,
    with_nan,
)
from sparsebp._memory import check_memory
from sparsebp._namespaces import is_foreign, to_numpy
from sparsebp._progress import Track, no_progress
from sparsebp.metrics._clusters import Stability, clustered
from sparsebp.metrics.recovery import cosines
from sparsebp.samples import Samples, is_store

SIMILARITIES = ("auto", "cosine", "correlation")
#: Correlations of responses are taken over at most so many samples: they are then known to 1 %.
_ENOUGH = 10_000
_NO_RESPONSES = (
    'X must have no missing values for similarity="correlation", got NaN: responses are unknown '
    'then. Set similarity="cosine".'
)


def stability(
    estimator: Any,
    X: Any,
    n_runs: int = 20,
    *,
    bootstrap: bool | ArrayLike = True,
    similarity: str = "auto",
    random_state: RandomState = None,
    track: Track = no_progress,
) -> Stability:
    """Fit an estimator several times, and find which components occur in all fits.

    Each run fits a clone with another ``random_state`` and, with `bootstrap`, to samples drawn with
    replacement. The components of all runs are clustered (average linkage, until the mean
    similarity of the closest clusters falls below 0.85). A cluster is reproducible if its index is
    at least 0.8: nearly all pairs of runs have it.

    Parameters
    ----------
    estimator : object with ``fit``, and ``components_`` after it
        Of this package or of scikit-learn. Its ``checkpoint`` is ignored. The earlier steps
        of a pipeline are fitted once, to all samples; the runs fit its last step, and the
        components are those of that step.
    X : array-like of shape (n_samples, n_features), or store
        The samples. A store (a file, a stream, a dask array) needs ``bootstrap=False``, since rows
        that are drawn would be copied into memory.
    n_runs : int >= 2, default 20
        Number of fits.
    bootstrap : bool, or array-like of shape (n_samples,), default True
        Whether each run has other samples. Other seeds alone show which components depend on the
        start, but not which depend on the sample: a fit that always reaches the same minimum finds
        the same directions of Gaussian noise again. Labels of groups, such as the number of the
        epoch in a recording, draw groups as wholes: neighbors in a time series are nearly the same
        sample, and drawn one by one all runs would have all of the recording.
    similarity : {"auto", "cosine", "correlation"}, default "auto"
        How components are compared: by their |cosine|, or by the |correlation| of their responses
        to the samples, ``X @ components_.T``, the |cosine| of filters in whitened space. Filters of
        an ICA may differ in directions of little variance without any consequence, and its features
        are all similar if few directions have most of the variance; responses have neither problem.
        "auto" compares responses if the estimator has a ``mixing_``, else components. Choose
        "correlation" for `sparsebp.SparseFiltering` on samples that are not white.
    random_state : None, int, RandomState or Generator, default None
        Draws seeds and samples.
    track : callable, default no progress
        Called as ``track(runs, label)``, yields the runs and shows progress, as ``tqdm`` would.

    Returns
    -------
    stability : Stability
        Clusters, the most stable first; there can be more than a fit has components. Read
        ``n_reproducible``, ``index`` (n_clusters,), ``features`` (n_clusters, n_features) and
        ``labels`` (n_runs, n_components), the cluster of each component.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, nothing differs between the runs, the fits have different
        numbers of components, labels do not fit the samples, rows of a store would be drawn, values
        are missing in X and responses are compared, or a feature is missing in a bootstrap sample.
    AttributeError
        If the estimator has no ``components_`` after `fit`.

    See Also
    --------
    stability_of_fits : The same for fits that are there already.
    compare_dictionaries : Whether two dictionaries are the same.
    sparsebp.displays.StabilityDisplay : The figure.

    Notes
    -----
    This is ICASSO with two changes. Clusters end at a similarity, not at a number: with more atoms
    than can be found, each one found once is a cluster of its own, and a given number would merge
    real ones. And the index counts pairs of runs without the component, and is 1 for a perfect
    component of any dictionary; ICASSO's is within - between, which depends on how similar
    different atoms are.

    References
    ----------
    Himberg, Hyvärinen & Esposito 2004, "Validating the independent components of neuroimaging time
    series via clustering and visualization" (ICASSO).

    Examples
    --------
    Three sources and two Gaussian ones, which cannot be told apart:

    >>> import numpy as np
    >>> from sparsebp import OrthonormalICA
    >>> from sparsebp.metrics import stability
    >>> rng = np.random.default_rng(0)
    >>> sources = np.hstack([rng.laplace(size=(2000, 3)), rng.normal(size=(2000, 2))])
    >>> X = sources @ rng.normal(size=(5, 5))
    >>> stability(OrthonormalICA(), X, 10, random_state=0).n_reproducible
    3
    """
    n_runs = check_integer("n_runs", n_runs, minimum=2)
    if not callable(track):
        raise TypeError(mistake("track", "callable", track))
    check_choice("similarity", similarity, SIMILARITIES)
    learner, samples = _last_step(estimator, X)
    _require_variation(learner, samples, is_flag(bootstrap) and not bootstrap)
    groups = _groups(samples, bootstrap)
    rng = random_source(random_state)
    seeds = [(draw_seed(rng), draw_seed(rng)) for _ in range(n_runs)]
    known = _known(samples)
    if known is not None and similarity == "correlation":
        raise ValueError(_NO_RESPONSES)
    if known is not None and groups:
        _require_every_feature(known, (_drawn_rows(groups, n) for _, n in seeds))
    fits = [_fit(learner, _drawn(samples, groups, n), seed) for seed, n in track(seeds, "Fitting")]
    return stability_of_fits(fits, samples, similarity=similarity)


def stability_of_fits(fits: Sequence[Any], X: Any, *, similarity: str = "auto") -> Stability:
    """Find which components occur in all of several fits.

    For fits that take hours or were made elsewhere: each can be saved when it is finished. Give
    each its own seed, and its own samples, as `stability` does.

    Parameters
    ----------
    fits : sequence of n_runs >= 2 objects with ``components_``
        Fitted estimators with the same number of components.
    X : array-like of shape (n_samples, n_features), or store
        Samples for correlations of responses; ignored, also None, if "cosine" is computed.
    similarity : {"auto", "cosine", "correlation"}, default "auto"
        How components are compared; see `stability`.

    Returns
    -------
    stability : Stability
        The clusters; see `stability` for the fields to read.

    Raises
    ------
    TypeError
        If `fits` is not a sequence of estimators.
    ValueError
        If there are fewer than two fits, one is not fitted, all have the same components, or other
        numbers of them, or values are missing in X and responses are compared.
    AttributeError
        If a fitted estimator has no ``components_``.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsebp import OrthonormalICA
    >>> from sparsebp.metrics import stability_of_fits
    >>> X = np.random.default_rng(0).laplace(size=(2000, 3))
    >>> halves = [OrthonormalICA(random_state=0).fit(half) for half in np.split(X, 2)]
    >>> stability_of_fits(halves, X).n_reproducible
    3
    """
    check_choice("similarity", similarity, SIMILARITIES)
    if not isinstance(fits, Sequence):
        raise TypeError(mistake("fits", "a sequence of fitted estimators", fits))
    if len(fits) < 2:
        raise ValueError(f"fits must be two or more fitted estimators, got {len(fits)}.")
    runs = [_components(f"fits[{i}]", fitted) for i, fitted in enumerate(fits)]
    _require_same_shape(runs)
    components, features = (np.concatenate(kind) for kind in zip(*runs, strict=True))
    check_memory("n_runs", len(runs), *2 * [2 * (len(components),)])
    if similarity == "auto":
        similarity = "correlation" if hasattr(fits[-1], "mixing_") else "cosine"
    rows = components if similarity == "cosine" else _responses(components, fits[-1], X)
    similar = cosines("components_", rows, "components_", rows)
    return clustered(similar, len(runs), components, features)


def _last_step(estimator: Any, X: Any) -> tuple[Any, Any]:
    """Return an estimator, or the last step of a pipeline, and the samples that it gets."""
    from sklearn.base import clone  # not needed by the other metrics

    X = with_nan(X)
    if len(getattr(estimator, "steps", ())) < 2:
        return clone(getattr(estimator, "steps", [("", estimator)])[-1][1]), X
    before: Any = clone(estimator[:-1])
    return clone(estimator[-1]), before.fit_transform(X)


def _require_variation(learner: Any, samples: Any, all_samples: bool) -> None:
    """Raise ValueError if runs cannot differ, or samples cannot be drawn."""
    if _is_stored(samples) and not all_samples:
        raise ValueError(
            "bootstrap must be False for samples in a file, a stream or a cluster: rows that are "
            "drawn would be copied into memory. If the samples fit there, give X[:]."
        )
    if all_samples and "random_state" not in learner.get_params():
        raise ValueError(
            f"bootstrap must be True for {type(learner).__name__}, which has no random_state, got "
            "False: all runs would be the same."
        )


def _is_stored(samples: Any) -> bool:
    return is_store(samples) or isinstance(samples, Samples) or hasattr(samples, "__dask_graph__")


def _groups(samples: Any, bootstrap: bool | ArrayLike) -> list[NDArray[np.intp]] | None:
    """Return the rows of each group that is drawn as a whole; None to draw nothing."""
    if is_flag(bootstrap) and not bootstrap:
        return None
    n_samples = (np.shape(check_readable("X", samples)) or (0,))[0]
    if is_flag(bootstrap):
        return list(np.arange(n_samples)[:, np.newaxis])
    try:
        labels = np.asarray(bootstrap)
    except ValueError:  # ragged
        labels = np.empty(0)
    if labels.shape != (n_samples,) or len(np.unique(labels)) < 2:
        got = repr(bootstrap) if labels.ndim == 0 else f"an array of shape {labels.shape}"
        raise ValueError(
            f"bootstrap must be True, False or {n_samples} labels, one for each sample, of at "
            f"least two groups, got {got}."
        )
    _, group, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.split(np.argsort(group, kind="stable"), np.cumsum(counts)[:-1])


def _drawn(samples: Any, groups: list[NDArray[np.intp]] | None, seed: int) -> Any:
    """Return as many groups as there are, drawn with replacement; without groups all samples."""
    if not groups:
        return samples
    from sklearn.utils import _safe_indexing  # rows of arrays and tables

    return _safe_indexing(samples, _drawn_rows(groups, seed))


def _drawn_rows(groups: list[NDArray[np.intp]], seed: int) -> NDArray[np.intp]:
    """Return the rows of as many groups as there are, drawn with replacement."""
    drawn = np.random.default_rng(seed).integers(len(groups), size=len(groups))
    return np.concatenate([groups[group] for group in drawn])


def _known(samples: Any) -> NDArray[np.bool_] | None:
    """Return which values are known of samples in memory; None if no NaN is among them."""
    if _is_stored(samples) or is_foreign(samples):
        return None
    if hasattr(samples, "isna"):
        known = ~np.asarray(samples.isna())
    else:
        values = np.asarray(check_readable("X", samples))
        known = values == values if values.ndim == 2 else np.array([True])
    return None if np.all(known) else known


def _require_every_feature(known: NDArray[np.bool_], draws: Iterable[NDArray[np.intp]]) -> None:
    """Raise ValueError if a feature that is known somewhere is not in the rows of a draw."""
    somewhere = known.any(axis=0)
    for rows in draws:
        lost = np.flatnonzero(somewhere & ~known[rows].any(axis=0))
        if lost.size:
            raise ValueError(
                f"X has a value of feature {lost[0]} in only {known[:, lost[0]].sum()} of "
                f"{len(known)} samples, and a bootstrap sample has none of them. Remove it from X, "
                "or set bootstrap=False."
            )


def _fit(learner: Any, samples: Any, seed: int) -> Any:
    """Fit a clone with a seed."""
    from sklearn.base import clone

    changes = {"random_state": seed, "checkpoint": None}
    known = learner.get_params()
    run: Any = clone(learner)
    run.set_params(**{name: changes[name] for name in changes if name in known})
    return run.fit(samples)


def _components(name: str, fitted: Any) -> tuple[NDArray, NDArray]:
    """Return the components and features of a fit, both in rows."""
    if not hasattr(fitted, "components_"):
        from sklearn.utils.validation import check_is_fitted

        kind = type(fitted).__name__
        if not hasattr(fitted, "fit"):
            raise TypeError(
                f"{name} must be a fitted estimator, which has components_, got a {kind}. Two "
                "arrays are compared by compare_dictionaries."
            )
        check_is_fitted(fitted, msg=f"{name} is not fitted; call fit of this %(name)s first.")
        raise AttributeError(f"{kind} has no components_ after fit; stability compares those.")
    components = to_numpy(fitted.components_)
    mixing = getattr(fitted, "mixing_", None)
    return components, components if mixing is None else to_numpy(mixing).T


def _require_same_shape(runs: list[tuple[NDArray, NDArray]]) -> None:
    """Raise ValueError if fits differ in the number of components, or in nothing at all."""
    numbers = [len(components) for components, _ in runs]
    if min(numbers) < max(numbers):
        raise ValueError(
            f"The fits have {min(numbers)} to {max(numbers)} components; give the estimator "
            "n_components, so that all have the same number."
        )
    if all(np.array_equal(components, runs[0][0]) for components, _ in runs):
        raise ValueError(
            "All fits have the same components to the last bit, whatever the random_state; set "
            "bootstrap=True, or remove an init from the estimator."
        )


def _responses(components: NDArray, fitted: Any, samples: Any) -> NDArray[np.float64]:
    """Return the centered responses (n, n_samples) of components to some samples."""
    from sparsebp._validation import samples_of  # needs scikit-learn

    some = to_numpy(samples_of(fitted, samples).take_evenly(_ENOUGH))
    if np.isnan(some).any():
        raise ValueError(_NO_RESPONSES)
    responses = components.astype(np.float64) @ some
    return responses - responses.mean(axis=1, keepdims=True)
