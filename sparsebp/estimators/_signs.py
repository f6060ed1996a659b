"""Signs of ICA's filters, chosen during the fit: +1 if responses are sparser than a Gaussian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._namespaces import sum_along
from sparsebp.minimizers import Callback, Result, Status, minimize_lbfgs
from sparsebp.penalties import Penalty, Signed, gaussian_reference, values_of_each
from sparsebp.problems import Differentiable, OrthonormalRows, orthonormal_ica
from sparsebp.samples import Samples

#: Minimizations, at most; if signs still change after the last, the status is unsettled.
_ROUNDS = 20
#: Samples per direction for the search of sparse filters that determines the first signs.
_SAMPLES_PER_DIRECTION = 64
#: This search stops when two iterations gain less than this share of what S tells of responses
#: beyond their variance; not before this iteration, since L-BFGS begins with short steps.
_REST, _FIRST_REST = 0.01, 4
#: Standard errors by which a response must be sparser than a Gaussian at first. Few samples make
#: mixtures of sub-Gaussian sources look sparse: of 4 Laplacian and 4 uniform sources, 200 samples,
#: signs of 3.6 were wrong with 0 and of 1.1 with 2, Amari distance 0.29 and 0.16.
_DOUBT = 2.0
#: Standard errors by which a component of noise differs from a Gaussian. As a function of the
#: direction in n dimensions, this difference is a random field whose correlation is mainly the
#: fourth power of the cosine, for even penalties: its minima are near −√3 √n (Auffinger, Ben Arous
#: & Černý, *Comm. Pure Appl. Math.* 66, 2013). The offset is for small n; few samples add a share
#: of n / n_samples. Of 522 fits to noise (n from 1 to 50, 4 to 2,000 samples), one exceeded this.
_SLOPE, _OFFSET = float(np.sqrt(3)), 0.5


class SignedPoint(NamedTuple):
    """An iterate: the free matrix, and the penalty with its current signs."""

    point: np.ndarray
    penalty: Penalty


class GaussianExcess(NamedTuple):
    """By how much the penalty of each filter's responses exceeds that of Gaussian ones.

    The Gaussian has the same variance; the error is the standard error of Gaussian responses, the
    noise the rounding error.
    """

    excess: np.ndarray
    error: np.ndarray
    noise: np.ndarray

    @property
    def largest(self) -> float:
        """The largest excess of either sign, in standard errors."""
        beyond = np.maximum(np.abs(self.excess) - self.noise, 0)
        return float((beyond / np.where(self.error > 0, self.error, np.inf)).max())


def largest_excess_of_noise(n_directions: int, n_samples: int) -> float:
    """Compute what `GaussianExcess.largest` hardly exceeds for filters of Gaussian noise.

    A fit finds directions in which noise differs from a Gaussian by chance.
    """
    return (_SLOPE * n_directions**0.5 + _OFFSET) * (1 + n_directions / n_samples)


@dataclass(frozen=True)
class SignRule:
    """−1 for filters whose responses are less sparse than a Gaussian of their variance, else +1.

    The penalty is elementwise; `filters_at` maps an iterate to the filters W, and `taped` an
    objective to the one that is minimized, which may be recorded.

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
    taped: Callable[[Differentiable], Differentiable] = lambda objective: objective

    @cached_property
    def _mean(self) -> np.ndarray:
        (total,) = self.samples.sum(lambda x: (sum_along(x, 1, keepdims=True),))
        return (total / self.samples.shape[1]).astype(self.samples.dtype)

    def excess_at(self, point: np.ndarray) -> GaussianExcess:
        """Compare the penalty of responses about their mean with that of Gaussian ones."""
        responses = self.samples.transform(self.filters_at(point), self._mean)
        n_samples, penalty = responses.shape[1], self.penalty

        def sums(codes: np.ndarray) -> tuple[np.ndarray, ...]:
            return sum_along(codes * codes, 1), sum_along(values_of_each(penalty, codes), 1)

        variance, value = (total / n_samples for total in responses.sum(sums))
        reference = gaussian_reference(self.penalty, np.sqrt(variance))
        noise = 16 * float(np.finfo(self.samples.dtype).eps) * np.abs(value)
        return GaussianExcess(value - reference.value, reference.spread / np.sqrt(n_samples), noise)

    def signs_at(
        self, point: np.ndarray, signs: tuple[int, ...], *, doubt: float = 0.0
    ) -> tuple[int, ...]:
        """Return the signs at a point; without evidence the previous ones.

        To get +1, responses must be sparser than a Gaussian by `doubt` standard errors.
        """
        at = self.excess_at(point)
        chosen = np.where(at.excess > -doubt * at.error, -1, 1)
        return tuple(np.where(np.abs(at.excess) > at.noise, chosen, signs).tolist())

    def first_signs(self, start: np.ndarray, max_iter: int) -> tuple[tuple[int, ...], np.ndarray]:
        """Return signs for a random start, and where to begin with them.

        Sparse filters are searched for first, on few samples: a response that will be sparse may at
        the start be less so than a Gaussian, as unit-norm samples are in most directions. If all
        signs are +1, the search begins at the start, else filters of sign +1 begin where they were
        found.
        """
        rule = self._on_few_samples()
        seen = rule.sparse_filters(start, max_iter)
        # On all samples: on those on which it was found, a mixture may look sparse by chance.
        signs = self.signs_at(seen, (1,) * len(start), doubt=_DOUBT)
        return signs, start if min(signs) > 0 else self.rotated_to_start(seen, start, signs)

    def sparse_filters(self, start: np.ndarray, max_iter: int) -> np.ndarray:
        """Search for orthonormal filters with sparse responses until little is gained."""
        problem = orthonormal_ica(self.penalty)
        objective = problem.constrained(problem.objective("W", {"x": self.samples}))
        filters = self.filters_at(start)
        responses = self.samples.transform(filters, self._mean)
        (squares,) = responses.sum(lambda codes: (sum_along(codes * codes, 1),))
        deviation = np.sqrt(squares / self.samples.shape[1])
        rest = _REST * float(gaussian_reference(self.penalty, deviation).spread.sum())
        values: list[float] = [np.inf, np.inf]

        def rests(iteration: int, value: float, _: Any) -> bool:
            values.append(value)
            return iteration >= _FIRST_REST and values[-3] - value < rest

        begun = problem.project(filters)
        result = minimize_lbfgs(self.taped(objective), begun, max_iter=max_iter, callback=rests)
        if result.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return problem.project(result.point)

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

    def _on_few_samples(self) -> SignRule:
        n_samples = self.samples.shape[1]
        few = _SAMPLES_PER_DIRECTION * self.samples.shape[0]
        if 2 * few > n_samples:
            return self
        # The same for every random_state, so that signs do not depend on it.
        drawn = np.random.default_rng(0).choice(n_samples, few, replace=False)
        return replace(self, samples=self.samples.select(np.sort(drawn)).load())


def minimize_choosing_signs(
    minimize: Callable[..., Result],
    rule: SignRule,
    start: np.ndarray,
    *,
    drawn: bool,
    max_iter: int,
    callback: Callback,
) -> tuple[Result, Penalty]:
    """Minimize a penalty of filters' responses with signs that are chosen first and then checked.

    `minimize` is called as `FilterLearner._minimize` is, without its first two arguments. Signs are
    checked at each minimum; if some change, minimization is resumed from there. Signs of a
    start that is not `drawn` at random are its own. `max_iter` limits the iterations of all
    minimizations together; those of `SignRule.first_signs` have the same limit, but are not
    counted. ``callback(iteration, value, signed point)`` stops the search by returning True.

    Return the last result, with the history of all, and the penalty with its signs. When signs
    change, so does the function, and its value may jump. If the search for the first signs is
    interrupted, KeyboardInterrupt is raised.
    """
    if drawn:
        signs, begun = rule.first_signs(start, max_iter)
    else:
        signs, begun = rule.signs_at(start, (1,) * len(start)), start
    result = Result(begun, np.inf, 0, Status.CONVERGED, ())
    for left in reversed(range(_ROUNDS)):
        penalty = rule.signed(signs)
        found = minimize(
            penalty,
            begun,
            near=bool(result.history),
            max_iter=max_iter - result.n_iter,
            callback=at_signed_points(callback, penalty, passed=result.n_iter),
        )
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
        now_negative = tuple(max(new, -old) for new, old in zip(chosen, signs, strict=True))
        begun = rule.rotated_to_start(result.point, start, now_negative)
        signs = chosen
    return result, rule.signed(signs)


def at_signed_points(callback: Callback, penalty: Penalty, *, passed: int = 0) -> Callback:
    """Return a minimizer's callback for one of signed points, after some iterations."""
    return lambda i, value, point: callback(passed + i, value, SignedPoint(point, penalty))
