"""The direction of L-BFGS from past steps, shared by the minimizers that are not SciPy's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

#: Share of the decrease promised by the slope that a step must bring (Armijo).
DECREASE = 1e-4
#: Cosine of a step and its change below which they say nothing about the curvature.
_FLAT = 1e-10


class CurvaturePair(NamedTuple):
    """A past step s, how the gradient changed along it, y, and the weight 1 / sᵀy.

    A weight of 0 leaves the pair out.
    """

    step: np.ndarray
    change: np.ndarray
    weight: Any


def product_along(
    step: np.ndarray, change: np.ndarray, dot: Callable[[np.ndarray, np.ndarray], Any]
) -> tuple[Any, Any]:
    """Return sᵀy, and whether it is clearly positive, as the pair's curvature has to be."""
    bend = dot(step, change)
    return bend, bend > _FLAT * np.sqrt(dot(step, step)) * np.sqrt(dot(change, change))


def quasi_newton_direction(
    gradient: np.ndarray,
    pairs: Sequence[CurvaturePair],
    dot: Callable[[np.ndarray, np.ndarray], Any],
    scaled: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Compute −H∇F, where H approximates the inverse of the second derivatives from past steps.

    The newest pair is the last; `dot` is the inner product, of all elements or per column, and
    `scaled` multiplies by the first guess of H. Nocedal & Wright, *Numerical Optimization*,
    algorithm 7.4, the two-loop recursion.

    Examples
    --------
    >>> quasi_newton_direction(np.array([2.0]), [], np.vdot, lambda q: q / 4)
    array([-0.5])
    """
    q, shares = -gradient, []
    for step, change, weight in reversed(pairs):
        shares.append(weight * dot(step, q))
        q -= shares[-1] * change
    q = scaled(q)
    for (step, change, weight), share in zip(pairs, reversed(shares), strict=True):
        q += (share - weight * dot(change, q)) * step
    return q
