"""Minimization of a penalty whose sign for each filter is chosen while it is minimized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from sparsebp._cached import cached_property
from sparsebp.minimizers.lbfgs import Callback
from sparsebp.minimizers.result import Result, Status
from sparsebp.penalties import Penalty, Signed, gaussian_reference, values_of_each
from sparsebp.problems import OrthonormalRows
from sparsebp.samples import Samples

#: Changes of signs at most; what more would change is told as unsettled.
_ROUNDS = 20
#: A search for S rests where two iterations gain less than this share of what S tells of responses
#: beyond their variance.
_REST = 0.02
#: Iteration from which rest is believed: the first steps of L-BFGS are short.
_FIRST_LOOK = 4


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

    def signs_at(self, point: np.ndarray, signs: tuple[int, ...]) -> tuple[int, ...]:
        """Return the signs at a point.

        Parameters
        ----------
        point : ndarray
            Of the search.
        signs : tuple of int
            Those before, which stay where nothing speaks against them.
        """
        excess, noise = gaussian_excess(
            self.penalty, self.samples, self.filters_at(point), self._mean
        )
        found = np.where(np.abs(excess) > noise, np.where(excess > 0, -1, 1), signs)
        return tuple(found.tolist())

    def rest_at(self, start: np.ndarray) -> float:
        """Return the gain of two iterations below which a search from a start comes to rest."""
        filters, mean = self.filters_at(start), self._mean

        def squares(x: np.ndarray) -> tuple[np.ndarray]:
            return (np.square(filters @ (x - mean)).sum(axis=1),)

        (total,) = self.samples.sum(squares)
        deviation = np.sqrt(total / self.samples.shape[1])
        return _REST * float(gaussian_reference(self.penalty, deviation).spread.sum())

    def mixed_anew(
        self, point: np.ndarray, start: np.ndarray, signs: tuple[int, ...]
    ) -> np.ndarray:
        """Return a point whose filters of sign −1 are rotated towards those of the start."""
        turned = np.array(signs) < 0
        own, drawn = (OrthonormalRows.project(self.filters_at(at)[turned]) for at in (point, start))
        mixed = point.copy()
        mixed[turned] = OrthonormalRows.project(drawn @ own.T) @ point[turned]
        return mixed

    def signed(self, signs: tuple[int, ...]) -> Penalty:
        """Return the penalty with signs; unchanged where all are +1."""
        return self.penalty if min(signs) > 0 else Signed(self.penalty, signs)


def gaussian_excess(
    penalty: Penalty, samples: Samples, filters: np.ndarray, mean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
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
    return value - reference.value, noise


def minimize_choosing_signs(
    search: Search,
    rule: SignRule,
    start: np.ndarray,
    *,
    drawn: bool,
    max_iter: int,
    callback: Callable[[int, float, SignedPoint], Any],
    scout: Search | None = None,
) -> tuple[Result, Penalty]:
    """Minimize a penalty of filters' responses, its signs chosen on the way.

    Sparse components first: from a random start all signs are +1 until the search comes to rest,
    since one that will be sparse may at first be less so than a Gaussian (samples of length one are
    in most directions). Those that are less sparse then get −1, are mixed anew among themselves,
    because a minimum of S is no place from which to maximize it, and the search goes on.

    Parameters
    ----------
    search : Search
        Minimizes with given signs.
    rule : SignRule
        Chooses them.
    start : ndarray
        Where to begin.
    drawn : bool
        Whether the start is random; signs at a given start are those of its components.
    max_iter : int
        Iterations at most, those of all searches together.
    callback : callable
        ``callback(iteration, value, signed point)``; returning True stops the search.
    scout : Search, optional
        Minimizes S alone and is stopped where it comes to rest, which tells the signs to begin
        with; for a ``search`` that minimizes more than S. Its iterations are not counted.

    Returns
    -------
    result : Result
        The last search's, with the history of all. Where signs change, so does the function, and
        its value may jump.
    penalty : Penalty
        With the signs in force at the result.
    """
    signs, begun = (1,) * len(start), start
    if not drawn:
        signs = rule.signs_at(start, signs)
    elif scout is not None:
        watch = _Watch(rule, signs, 0, lambda *_: False, rule.rest_at(start), ends=True)
        seen = scout(watch.penalty, start, near=False, max_iter=max_iter, callback=watch).point
        signs = rule.signs_at(seen, signs)
        begun = start if min(signs) > 0 else rule.mixed_anew(seen, start, signs)
    result, near = Result(begun, np.inf, 0, Status.CONVERGED, ()), False
    rest = rule.rest_at(start) if drawn and scout is None else 0.0
    for left in reversed(range(_ROUNDS)):
        watch = _Watch(rule, signs, result.n_iter, callback, rest)
        found = search(
            watch.penalty,
            begun,
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
        turned = tuple(min(new, -old) for new, old in zip(chosen, signs, strict=True))
        begun = rule.mixed_anew(result.point, start, turned)
        signs = chosen
    return result, rule.signed(signs)


class _Watch:
    """What a search calls after each iteration: it stops where signs are to change."""

    def __init__(
        self,
        rule: SignRule,
        signs: tuple[int, ...],
        n_before: int,
        callback: Callable[..., Any],
        rest: float,
        *,
        ends: bool = False,
    ) -> None:
        self.rule, self.signs, self.n_before, self.callback = rule, signs, n_before, callback
        self.rest, self.ends = rest, ends
        self.chosen, self.penalty = signs, rule.signed(signs)
        self.before, self.next_look = (np.inf, np.inf), _FIRST_LOOK

    def __call__(self, iteration: int, value: float, point: np.ndarray) -> bool:
        if self.callback(self.n_before + iteration, value, SignedPoint(point, self.penalty)):
            return True
        rests = self.before[0] - value < self.rest
        self.before = (self.before[1], value)
        if not rests or iteration < self.next_look:
            return False
        self.next_look = 2 * iteration
        if not self.ends:
            self.chosen = self.rule.signs_at(point, self.signs)
        return self.ends or self.chosen != self.signs
