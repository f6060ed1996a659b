"""Refinement: Levenberg-Marquardt over many Gabor fits at once, amplitudes projected out."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparsebp.metrics._gabor_search import frequency_limit

N_PARAMETERS = 6
ANGLE, FREQUENCY = 2, 3
WIDTHS = [4, 5]
# Bounds the amplitude of a Gabor whose visible part is tiny, at no cost to ordinary fits.
AMPLITUDE_RIDGE = 1e-8
LARGEST_STEP = np.array([1.5, 1.5, 0.5, 0.08, 0.6, 0.6])
TOLERANCE = 1e-8
PATIENCE = 4
BLOCK_SIZE = 2**15


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
    # Blocks that stay in the cache are twice as fast as all fits at once.
    size = max(1, BLOCK_SIZE // (shape[0] * shape[1]))
    blocks = [
        _refine_block(
            parameters[start : start + size], targets[start : start + size], shape, n_iterations
        )
        for start in range(0, len(parameters), size)
    ]
    return np.concatenate([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks])


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


def gabor_pair(
    parameters: NDArray, shape: tuple[int, int]
) -> tuple[NDArray, tuple[NDArray, NDArray]]:
    """Return the cosine and sine Gabors (n_fits, 2, n_pixels) and the pixel's places u and v."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(float).reshape(2, -1)
    row, column, angle, frequency, log_along, log_across = parameters.T[:, :, None]
    down, right = rows - row, columns - column
    u = np.cos(angle) * right + np.sin(angle) * down
    v = np.cos(angle) * down - np.sin(angle) * right
    envelope = np.exp(-0.5 * ((u * np.exp(-log_along)) ** 2 + (v * np.exp(-log_across)) ** 2))
    phase = 2 * np.pi * frequency * u
    return np.stack([envelope * np.cos(phase), envelope * np.sin(phase)], axis=1), (u, v)


def amplitudes(pair: NDArray, targets: NDArray) -> NDArray:
    """Return the best amplitudes (n_fits, 2) of zero-mean pairs for zero-mean targets."""
    gram = _gram(pair)
    return np.linalg.solve(gram, pair @ targets[:, :, None])[:, :, 0]


def _gram(pair: NDArray) -> NDArray:
    return pair @ pair.transpose(0, 2, 1) + AMPLITUDE_RIDGE * np.eye(2)


def _linearize(parameters: NDArray, targets: NDArray, shape: tuple[int, int]) -> Normal:
    """Return cost, curvature J'J and descent J'r with the linear amplitudes projected out."""
    pair, places = gabor_pair(parameters, shape)
    centered = pair - pair.mean(axis=2, keepdims=True)
    weights = amplitudes(centered, targets)
    residual = targets - (weights[:, None] @ centered)[:, 0]
    slopes = derivatives(parameters, pair, weights, places)
    slopes -= slopes.mean(axis=2, keepdims=True)
    cross = centered @ slopes.transpose(0, 2, 1)
    explained = cross.transpose(0, 2, 1) @ np.linalg.solve(_gram(centered), cross)
    curvature = slopes @ slopes.transpose(0, 2, 1) - explained
    return Normal((residual**2).sum(axis=1), curvature, (slopes @ residual[:, :, None])[:, :, 0])


def derivatives(
    parameters: NDArray, pair: NDArray, weights: NDArray, places: tuple[NDArray, NDArray]
) -> NDArray:
    """Return the derivatives of weighted pairs in the six parameters, (n_fits, 6, n_pixels)."""
    u, v = places
    _, _, angle, frequency, log_along, log_across = parameters.T[:, :, None]
    cosine_weight, sine_weight = weights.T[:, :, None]
    model = cosine_weight * pair[:, 0] + sine_weight * pair[:, 1]
    wave = 2 * np.pi * (sine_weight * pair[:, 0] - cosine_weight * pair[:, 1])
    by_along, by_across = model * u * np.exp(-2 * log_along), model * v * np.exp(-2 * log_across)
    in_u, in_v = frequency * wave - by_along, -by_across
    cosine, sine = np.cos(angle), np.sin(angle)
    slopes = [
        -sine * in_u - cosine * in_v,
        sine * in_v - cosine * in_u,
        v * in_u - u * in_v,
        wave * u,
        by_along * u,
        by_across * v,
    ]
    return np.stack(slopes, axis=1)
