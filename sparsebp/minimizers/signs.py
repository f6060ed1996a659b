"""Minimization of a penalty with a sign for each filter that is chosen during the fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from sparsebp._cached import cached_property
from sparsebp.minimizers.lbfgs import Callback, minimize_lbfgs
from sparsebp.minimizers.result import Result, Status
from sparsebp.penalties import Penalty, Signed, gaussian_reference, values_of_each
from sparsebp.problems import OrthonormalRows, orthonormal_ica
from sparsebp.samples import Samples

#: Maximum number of sign changes; afterwards the status is unsettled.
_ROUNDS = 20
#: Samples per direction for the search of sparse filters that determines the first signs.
_SAMPLES_PER_DIRECTION = 64
#: The search on them rests where two iterations gain less than this share of what S tells of
#: responses beyond their variance; not before this iteration, since L-BFGS begins with short steps.
_REST, _FIRST_REST = 0.01, 4
#: Standard errors by which a response must be sparser than a Gaussian at first. Few samples make
#: mixtures of sub-Gaussian sources look sparse: of 4 Laplacian and 4 uniform sources, 200 samples,
#: signs of 3.6 were wrong with 0 and of 1.1 with 2, Amari distance 0.29 and 0.16.
_DOUBT = 2.0


class SignedPoint(NamedTuple):
    """An iterate: the free matrix, and the penalty with its current signs."""

    point: np.ndarray
    penalty: Penalty


class Search(Protocol):
    """Minimizes with given signs."""

    def __call__(
        self, penalty: Penalty, start: np.ndarray, *, near: bool, max_iter: int, callback: Callback
    ) -> Result:
        """Minimize from a start, which is ``near`` if it was a minimum for other signs."""
        ...


@dataclass(frozen=True)
class SignRule:
    """−1 for filters whose responses are less sparse than a Gaussian of their variance, else +1.

    Parameters
    ----------
    penalty : Penalty
        S, elementwise.
    samples : Samples of shape (n_features, n_samples)
        The samples.
    filters_at : callable
        Maps an iterate to the filters W.

    Notes
    -----
    The criterion of extended infomax (Lee, Girolami & Sejnowski, *Neural Computation* 11, 1999)
    for any penalty: the sign is that of E ρ(σν) − E ρ(wᵀx) for a Gaussian ν and σ² the variance of
    wᵀx. Such signs lower Σᵣ gᵣ [E ρ(wᵣᵀx) − E ρ(σᵣν)], and on white samples orthonormal filters
    that descend for these signs lower it further: so the signs settle.
    """

    penalty: Penalty
    samples: Samples
    filters_at: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def _mean(self) -> np.ndarray:
        (total,) = self.samples.sum(lambda x: (x.sum(axis=1, keepdims=True),))
        return (total / self.samples.shape[1]).astype(self.samples.dtype)

    def signs_at(
        self, point: np.ndarray, signs: tuple[int, ...], *, doubt: float = 0.0
    ) -> tuple[int, ...]:
        """Return the signs at a point.

        Parameters
        ----------
        point : ndarray
            Of the search.
        signs : tuple of int
            The previous signs, kept unless there is evidence against them.
        doubt : float, default=0.0
            Standard errors by which responses must be sparser than a Gaussian to get +1.
        """
        at = gaussian_excess(self.penalty, self.samples, self.filters_at(point), self._mean)
        chosen = np.where(at.excess > -doubt * at.error, -1, 1)
        return tuple(np.where(np.abs(at.excess) > at.noise, chosen, signs).tolist())

    def rest_at(self, start: np.ndarray) -> float:
        """Return the gain of two iterations below which a search from a start has converged."""
        filters, mean = self.filters_at(start), self._mean

        def squares(x: np.ndarray) -> tuple[np.ndarray]:
            return (np.square(filters @ (x - mean)).sum(axis=1),)

        (total,) = self.samples.sum(squares)
        deviation = np.sqrt(total / self.samples.shape[1])
        return _REST * float(gaussian_reference(self.penalty, deviation).spread.sum())

    def on_few_samples(self) -> SignRule:
        """Return the rule on the random samples that determine the first signs."""
        n_samples = self.samples.shape[1]
        few = _SAMPLES_PER_DIRECTION * self.samples.shape[0]
        if 2 * few > n_samples:
            return self
        drawn = np.random.default_rng(0).choice(n_samples, few, replace=False)
        return replace(self, samples=self.samples.only(np.sort(drawn)).computed())

    def rotated_to_start(
        self, point: np.ndarray, start: np.ndarray, signs: tuple[int, ...]
    ) -> np.ndarray:
        """Return a point whose filters of sign −1 are rotated toward those of the start."""
        turned = np.array(signs) < 0
        own, drawn = (OrthonormalRows.project(self.filters_at(at)[turned]) for at in (point, start))
        mixed = point.copy()
        mixed[turned] = OrthonormalRows.project(drawn @ own.T) @ point[turned]
        return mixed

    def signed(self, signs: tuple[int, ...]) -> Penalty:
        """Return the penalty with signs; unchanged if all are +1."""
        return self.penalty if min(signs) > 0 else Signed(self.penalty, signs)


class GaussianExcess(NamedTuple):
    """The excess of the penalty of responses over that of Gaussians of the same variance.

    Attributes
    ----------
    excess : ndarray of shape (n_components,)
        Mean of ρ(wᵀ(x − mean)) minus that of a Gaussian of the same variance; below 0 for
        responses sparser than it.
    error : ndarray of shape (n_components,)
        Its standard error where responses are Gaussian.
    noise : ndarray of shape (n_components,)
        Its rounding error.
    """

    excess: np.ndarray
    error: np.ndarray
    noise: np.ndarray


def gaussian_excess(
    penalty: Penalty, samples: Samples, filters: np.ndarray, mean: np.ndarray
) -> GaussianExcess:
    """Compute the excess of the penalty of responses over that of Gaussians of the same variance.

    Parameters
    ----------
    penalty : Penalty
        Elementwise.
    samples : Samples of shape (n_features, n_samples)
        In columns.
    filters : ndarray of shape (n_components, n_features)
        W.
    mean : ndarray of shape (n_features, 1)
        Of the samples; sparse means near it.

    Returns
    -------
    excess : GaussianExcess
        For each component, with its errors.
    """

    def sums(x: np.ndarray) -> tuple[np.ndarray, ...]:
        codes = filters @ (x - mean)
        return np.square(codes).sum(axis=1), values_of_each(penalty, codes).sum(axis=1)

    n_samples = samples.shape[1]
    variance, value = (total / n_samples for total in samples.sum(sums))
    reference = gaussian_reference(penalty, np.sqrt(variance))
    noise = 16 * float(np.finfo(samples.dtype).eps) * np.abs(value)
    return GaussianExcess(value - reference.value, reference.spread / np.sqrt(n_samples), noise)


def minimize_choosing_signs(
    search: Search,
    rule: SignRule,
    start: np.ndarray,
    *,
    drawn: bool,
    max_iter: int,
    callback: Callable[[int, float, SignedPoint], Any],
) -> tuple[Result, Penalty]:
    """Minimize a penalty of filters' responses with signs that are chosen first and then checked.

    The first signs are those of a given start. Where the start is random, they are found by
    `search_sparse`, on few samples. If they are all +1, the search starts from the given start;
    otherwise filters of sign +1 start where they were found. Signs are checked at the minimum on
    all samples; if some change, the search is resumed from there.

    Parameters
    ----------
    search : Search
        Minimizes with given signs.
    rule : SignRule
        Chooses them.
    start : ndarray
        Where to begin.
    drawn : bool
        Whether the start is random.
    max_iter : int
        Maximum number of iterations, over all searches; those for the first signs have the same
        limit, but are not counted.
    callback : callable
        ``callback(iteration, value, signed point)``; returning True stops the search.

    Returns
    -------
    result : Result
        That of the last search, with the history of all. When signs change, so does the function,
        and its value may jump.
    penalty : Penalty
        With the signs of the result.

    Raises
    ------
    KeyboardInterrupt
        If the search for the first signs is interrupted.
    """
    signs, begun = (1,) * len(start), start
    if drawn:
        seen = search_sparse(rule.on_few_samples(), start, max_iter=max_iter)
        signs = rule.signs_at(seen, signs, doubt=_DOUBT)
        begun = start if min(signs) > 0 else rule.rotated_to_start(seen, start, signs)
    else:
        signs = rule.signs_at(start, signs)
    result = Result(begun, np.inf, 0, Status.CONVERGED, ())
    for left in reversed(range(_ROUNDS)):
        penalty, passed = rule.signed(signs), result.n_iter

        def told(
            i: int, value: float, at: Any, passed: int = passed, penalty: Any = penalty
        ) -> Any:
            return callback(passed + i, value, SignedPoint(at, penalty))

        limits = {"max_iter": max_iter - passed, "callback": told}
        found = search(penalty, begun, near=bool(result.history), **limits)
        result = result.followed_by(found)
        if result.status is not Status.CONVERGED:
            break
        chosen = rule.signs_at(result.point, signs)
        if chosen == signs:
            break
        if result.n_iter >= max_iter or not left:
            status = Status.UNSETTLED if result.n_iter < max_iter else Status.ITERATION_LIMIT
            result = replace(result, status=status)
            break
        changed = tuple(min(new, -old) for new, old in zip(chosen, signs, strict=True))
        begun = rule.rotated_to_start(result.point, start, changed)
        signs = chosen
    return result, rule.signed(signs)


def search_sparse(rule: SignRule, start: np.ndarray, *, max_iter: int) -> np.ndarray:
    """Search for orthonormal filters with sparse responses until little is gained.

    Sparse components are searched for first, since one that will be sparse may at the start be
    less so than a Gaussian: unit-norm samples are, in most directions.

    Parameters
    ----------
    rule : SignRule
        With the penalty and the samples.
    start : ndarray
        Where to begin.
    max_iter : int
        Iterations at most.

    Returns
    -------
    filters : ndarray of shape (n_components, n_features)
        With orthonormal rows.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted.
    """
    rest, problem = rule.rest_at(start), orthonormal_ica(rule.penalty)
    values: list[float] = [np.inf, np.inf]

    def rests(iteration: int, value: float, _: Any) -> bool:
        values.append(value)
        return iteration >= _FIRST_REST and values[-3] - value < rest

    objective = problem.constrained(problem.objective("W", {"x": rule.samples}))
    begun = problem.project(rule.filters_at(start))
    result = minimize_lbfgs(objective, begun, max_iter=max_iter, callback=rests)
    if result.status is Status.INTERRUPTED:
        raise KeyboardInterrupt
    return problem.project(result.point)
