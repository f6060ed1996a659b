"""Refinement: Levenberg-Marquardt over many Gabor fits at once, amplitudes projected out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparsebp.metrics._gabor_model import (
    ANGLE,
    CONSTANTS,
    FREQUENCY,
    N_PARAMETERS,
    moments,
    slopes,
)
from sparsebp.metrics._gabor_search import frequency_limit
from sparsebp.samples import count_threads, in_blocks

# Bounds the amplitude of a Gabor whose visible part is tiny, at no cost to ordinary fits.
AMPLITUDE_RIDGE = 1e-8
LARGEST_STEP = np.array([1.5, 1.5, 0.5, 0.08, 0.6, 0.6])
TOLERANCE = 1e-8
PATIENCE = 4
BLOCK = 512


class Normal(NamedTuple):
    """Costs (n_fits,), curvatures (n_fits, 6, 6) and descents (n_fits, 6) of the fits."""

    cost: NDArray
    curvature: NDArray
    descent: NDArray


def refine(
    parameters: NDArray, targets: NDArray, shape: tuple[int, int], n_iterations: int
) -> tuple[NDArray, NDArray]:
    """Refine Gabor parameters (n_fits, 6) by least squares, each against its own target.

    They are row, column, orientation, frequency, log sigma along, log sigma across. Targets
    (n_fits, height * width) are zero-mean filters of unit length. Also return the residual sums of
    squares.
    """
    parameters, cost = parameters.copy(), np.empty(len(parameters))

    def solve(block: slice) -> tuple[NDArray, NDArray]:
        return _refine_block(parameters[block], targets[block], shape, n_iterations)

    for block, found in in_blocks(solve, len(parameters), BLOCK, count_threads(None)):
        parameters[block], cost[block] = found
    return parameters, cost


def _refine_block(
    parameters: NDArray, targets: NDArray, shape: tuple[int, int], n_iterations: int
) -> tuple[NDArray, NDArray]:
    parameters = within_bounds(parameters, shape)
    normal = _linearize(parameters, targets, shape)
    damping = np.full(len(parameters), 1e-2)
    idle = np.zeros(len(parameters), dtype=int)
    live = np.arange(len(parameters))
    for _ in range(n_iterations):
        here = Normal(*(part[live] for part in normal))
        trial = _trial(parameters[live], here, damping[live], shape)
        there = _linearize(trial, targets[live], shape)
        better = there.cost < here.cost
        small = ~better | (here.cost - there.cost < TOLERANCE * here.cost + 1e-12)
        idle[live] = np.where(small, idle[live] + 1, 0)
        damping[live] = np.clip(damping[live] * np.where(better, 0.25, 6.0), 1e-9, 1e9)
        parameters[live[better]] = trial[better]
        for part, new in zip(normal, there, strict=True):
            part[live[better]] = new[better]
        live = live[idle[live] < PATIENCE]
        if not len(live):
            break
    return parameters, normal.cost


def _trial(
    parameters: NDArray, normal: Normal, damping: NDArray, shape: tuple[int, int]
) -> NDArray:
    lower, upper = bounds(parameters, shape)
    outward = (parameters <= lower) & (normal.descent < 0)
    outward |= (parameters >= upper) & (normal.descent > 0)
    free = ~outward
    diagonal = np.einsum("nii->ni", normal.curvature)
    eye = np.eye(N_PARAMETERS)
    matrix = normal.curvature + eye * (damping[:, None] * diagonal + 1e-12)[:, None]
    matrix = np.where(free[:, :, None] & free[:, None, :], matrix, eye)
    step = np.linalg.solve(matrix, (normal.descent * free)[:, :, None])[:, :, 0]
    step /= np.maximum(1, (np.abs(step) / LARGEST_STEP).max(axis=1))[:, None]
    return within_bounds(parameters + step, shape)


def bounds(parameters: NDArray, shape: tuple[int, int]) -> tuple[NDArray, NDArray]:
    """Return the smallest and the largest value of each parameter."""
    height, width = shape
    side = max(shape)
    smallest, largest = np.log(0.4), np.log(2.0 * side)
    low = [-0.5 - height / 2, -0.5 - width / 2, -np.inf, 1 / (8 * side), smallest, smallest]
    high = [1.5 * height - 0.5, 1.5 * width - 0.5, np.inf, np.inf, largest, largest]
    lower, upper = (np.tile(bound, (len(parameters), 1)) for bound in (low, high))
    upper[:, FREQUENCY] = frequency_limit(parameters[:, ANGLE])
    return lower, upper


def within_bounds(parameters: NDArray, shape: tuple[int, int]) -> NDArray:
    """Return the parameters, each moved to the nearest value that is allowed."""
    return np.clip(parameters, *bounds(parameters, shape))


def amplitudes(pair: NDArray, targets: NDArray) -> NDArray:
    """Return the best amplitudes (n_fits, 2) of zero-mean pairs for zero-mean targets."""
    gram = pair @ pair.transpose(0, 2, 1) + AMPLITUDE_RIDGE * np.eye(2)
    return _solve_pairs(gram, pair @ targets[:, :, None])[:, :, 0]


def _solve_pairs(matrices: NDArray, right: NDArray) -> NDArray:
    """Solve symmetric 2 × 2 systems for right sides (n_fits, 2, n), without LAPACK's calls."""
    first, mixed, second = (matrices[:, i, j, None] for i, j in ((0, 0), (0, 1), (1, 1)))
    ratio = mixed / first
    below = (right[:, 1] - ratio * right[:, 0]) / (second - ratio * mixed)
    return np.stack([(right[:, 0] - mixed * below) / first, below], axis=1)


def _linearize(parameters: NDArray, targets: NDArray, shape: tuple[int, int]) -> Normal:
    """Return cost, curvature J'J and descent J'r with the linear amplitudes projected out."""
    found = moments(parameters, targets, shape)
    gram = found.pair_products[:, :, CONSTANTS]
    ridged = gram + AMPLITUDE_RIDGE * np.eye(2)
    weights = _solve_pairs(ridged, found.pair_pulls[:, :, None])[:, :, 0]
    columns = slopes(parameters, weights, shape)
    products = found.products @ columns
    cross = products[:, CONSTANTS]
    curvature = columns.transpose(0, 2, 1) @ products
    curvature -= cross.transpose(0, 2, 1) @ _solve_pairs(ridged, cross)
    descent = (found.pulls[:, None] @ columns - weights[:, None] @ cross)[:, 0]
    left = 2 * found.pair_pulls - (gram @ weights[:, :, None])[:, :, 0]
    cost = (targets**2).sum(axis=1) - (weights * left).sum(axis=1)
    return Normal(cost, curvature, descent)
