"""Minimization of a penalty whose sign for each filter is chosen while it is minimized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from sparsebp.blocks import Samples
from sparsebp.penalties import Penalty, Signed, gaussian_reference, values_of_each
from sparsebp.solvers.lbfgs import Callback
from sparsebp.solvers.result import Result, Status

#: Changes of signs at most; what more would change is told as unsettled.
_ROUNDS = 20


class SignedPoint(NamedTuple):
    """Where a search is: the free matrix, and the penalty with the signs in force there."""

    point: np.ndarray
    penalty: Penalty


class Search(Protocol):
    """Minimizes with given signs."""

    def __call__(
        self, penalty: Penalty, start: np.ndarray, *, near: bool, max_iter: int, callback: Callback
    ) -> Result:
        """Search from a start, which is ``near`` where it was a minimum for other signs."""
        ...


@dataclass(frozen=True)
class SignRule:
    """−1 for filters whose responses are less sparse than a Gaussian of their variance, else +1.

    Parameters
    ----------
    penalty : Penalty
        S, elementwise.
    samples : Samples of shape (n_features, n_samples)
        What the filters respond to.
    filters_at : callable
        Maps a point of the search to the filters W.

    Notes
    -----
    The criterion of extended infomax (Lee, Girolami & Sejnowski, *Neural Computation* 11, 1999)
    for any penalty: the sign is that of E ρ(σν) − E ρ(wᵀx) for a Gaussian ν and σ² the variance of
    wᵀx. Signs chosen so lower Σᵣ gᵣ [E ρ(wᵣᵀx) − E ρ(σᵣν)], and on white samples orthonormal
    filters that descend for these signs lower it further: so the signs come to rest.
    """

    penalty: Penalty
    samples: Samples
    filters_at: Callable[[np.ndarray], np.ndarray]

    @cached_property
    def _mean(self) -> np.ndarray:
        (total,) = self.samples.sum(lambda x: (x.sum(axis=1, keepdims=True),))
        return (total / self.samples.shape[1]).astype(self.samples.dtype)

    def signs_at(
        self, point: np.ndarray, signs: tuple[int, ...], *, surely: bool = False
    ) -> tuple[int, ...]:
        """Return the signs at a point.

        Parameters
        ----------
        point : ndarray
            Of the search.
        signs : tuple of int
            Those before, which stay where nothing speaks against them.
        surely : bool
            Whether only filters change sign that are further from a Gaussian than chance takes the
            furthest of as many: √(2 log 2 n_components) standard errors.
        """
        filters = self.filters_at(point)
        excess, error, noise = gaussian_excess(self.penalty, self.samples, filters, self._mean)
        needed = np.sqrt(2 * np.log(2 * len(signs))) * error if surely else noise
        found = np.where(np.abs(excess) > needed, np.where(excess > 0, -1, 1), signs)
        return tuple(found.tolist())

    def signed(self, signs: tuple[int, ...]) -> Penalty:
        """Return the penalty with signs; unchanged where all are +1."""
        return self.penalty if min(signs) > 0 else Signed(self.penalty, signs)


def gaussian_excess(
    penalty: Penalty, samples: Samples, filters: np.ndarray, mean: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute by how much a penalty of responses exceeds that of Gaussians like them.

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
    excess : ndarray of shape (n_components,)
        Mean of ρ(wᵀ(x − mean)) minus that of a Gaussian of the same variance; below 0 for
        responses sparser than it.
    error : ndarray of shape (n_components,)
        Its standard error, were the responses Gaussian.
    noise : ndarray of shape (n_components,)
        Rounding errors of the excess.
    """

    def sums(x: np.ndarray) -> tuple[np.ndarray, ...]:
        codes = filters @ (x - mean)
        return np.square(codes).sum(axis=1), values_of_each(penalty, codes).sum(axis=1)

    n_samples = samples.shape[1]
    variance, value = (total / n_samples for total in samples.sum(sums))
    reference = gaussian_reference(penalty, np.sqrt(variance))
    noise = 16 * float(np.finfo(samples.dtype).eps) * np.abs(value)
    return value - reference.value, reference.spread / np.sqrt(n_samples), noise


def minimize_choosing_signs(
    search: Search,
    rule: SignRule,
    start: np.ndarray,
    *,
    drawn: bool,
    max_iter: int,
    callback: Callable[[int, float, SignedPoint], Any],
) -> tuple[Result, Penalty]:
    """Minimize a penalty of filters' responses, its signs chosen on the way.

    Signs are looked at before the search, after 1, 4, 16 … iterations and at the end. Where they
    differ from those in force, the search ends and another one goes on from there.

    Parameters
    ----------
    search : Search
        Minimizes with given signs.
    rule : SignRule
        Chooses them.
    start : ndarray
        Where to begin.
    drawn : bool
        Whether the start is random and hence nearly Gaussian: signs are then +1 before the search
        unless the samples are sure.
    max_iter : int
        Iterations at most, those of all searches together.
    callback : callable
        ``callback(iteration, value, signed point)``; returning True stops the search.

    Returns
    -------
    result : Result
        The last search's, with the history of all. Where signs change, so does the function, and
        its value may jump.
    penalty : Penalty
        With the signs in force at the result.
    """
    signs = rule.signs_at(start, (1,) * len(start), surely=drawn)
    result, near = Result(start, np.inf, 0, Status.CONVERGED, ()), False
    for left in reversed(range(_ROUNDS)):
        watch = _Watch(rule, signs, result.n_iter, callback)
        found = search(
            watch.penalty,
            result.point,
            near=near,
            max_iter=max_iter - result.n_iter,
            callback=watch,
        )
        result = result.followed_by(found)
        near = result.status is Status.CONVERGED
        chosen = rule.signs_at(result.point, signs) if near else watch.chosen
        if chosen == signs:
            break
        if result.n_iter >= max_iter or not left:
            status = Status.UNSETTLED if result.n_iter < max_iter else Status.ITERATION_LIMIT
            result = replace(result, status=status)
            break
        signs = chosen
    return result, rule.signed(signs)


class _Watch:
    """What one search calls after each iteration: it stops where signs are to change."""

    def __init__(
        self, rule: SignRule, signs: tuple[int, ...], n_before: int, callback: Callable[..., Any]
    ) -> None:
        self.rule, self.signs, self.n_before, self.callback = rule, signs, n_before, callback
        self.chosen, self.penalty = signs, rule.signed(signs)

    def __call__(self, iteration: int, value: float, point: np.ndarray) -> bool:
        n_iter = self.n_before + iteration
        if self.callback(n_iter, value, SignedPoint(point, self.penalty)):
            return True
        if n_iter.bit_count() == 1 and n_iter.bit_length() % 2:  # 1, 4, 16, 64, …
            self.chosen = self.rule.signs_at(point, self.signs)
        return self.chosen != self.signs
