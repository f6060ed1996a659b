"""Every penalty beside its closed form. A new penalty adds one line to CASES."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import oracles

from sparsebp.penalties import (
    L1,
    Cauchy,
    LogCosh,
    Penalty,
    SmoothL1,
    Subspace,
    Topographic,
    Welsch,
    squarest_grid,
)


def overlapping_groups(n_components):
    """Weighted groups, fewer than the components, each component in at least one."""
    rng = np.random.default_rng(n_components)
    return rng.uniform(0.1, 2, (max(1, n_components - 1), n_components))


def blocks(n_components):
    """The smallest groups that fill so many components, of at least two if possible."""
    size = next(d for d in range(min(2, n_components), n_components + 1) if n_components % d == 0)
    return Subspace(n_components // size, size, epsilon=0.05)


def written_out(n_components):
    """Row r has ones at the members of group r."""
    size = blocks(n_components).group_size
    return np.kron(np.eye(n_components // size), np.ones((1, size)))


def torus(n_components):
    return oracles.grid_groups(squarest_grid(n_components), (3, 3), wrap=True)


@dataclass(frozen=True)
class Case:
    """How to build a penalty for k components, and its value and gradient in closed form."""

    name: str
    build: Callable[[int], Penalty]
    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray]

    def __repr__(self):
        return self.name


CASES = (
    Case("l1", lambda k: L1(), oracles.l1, oracles.l1_gradient),
    Case(
        "smooth_l1",
        lambda k: SmoothL1(0.03),
        lambda s: oracles.smooth_l1(s, 0.03),
        lambda s: oracles.smooth_l1_gradient(s, 0.03),
    ),
    Case(
        "topographic",
        lambda k: Topographic(squarest_grid(k), epsilon=0.05),
        lambda s: oracles.topographic(s, torus(len(s)), 0.05),
        lambda s: oracles.topographic_gradient(s, torus(len(s)), 0.05),
    ),
    Case(
        "groups",
        lambda k: Topographic.from_groups(overlapping_groups(k), epsilon=0.05),
        lambda s: oracles.topographic(s, overlapping_groups(len(s)), 0.05),
        lambda s: oracles.topographic_gradient(s, overlapping_groups(len(s)), 0.05),
    ),
    Case(
        "subspace",
        blocks,
        lambda s: oracles.topographic(s, written_out(len(s)), 0.05),
        lambda s: oracles.topographic_gradient(s, written_out(len(s)), 0.05),
    ),
    Case("log_cosh", lambda k: LogCosh(), oracles.log_cosh, oracles.log_cosh_gradient),
    Case(
        "sharp_log_cosh",
        lambda k: LogCosh(2.0),
        lambda s: oracles.log_cosh(2 * s) / 2,
        lambda s: oracles.log_cosh_gradient(2 * s),
    ),
    Case("cauchy", lambda k: Cauchy(), oracles.cauchy, oracles.cauchy_gradient),
    Case("welsch", lambda k: Welsch(), oracles.welsch, oracles.welsch_gradient),
)
