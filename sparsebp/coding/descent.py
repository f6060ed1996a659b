"""Coordinate descent for L1 maps of an image, compiled.

Images are two-dimensional arrays with interleaved channels, with a border as wide as an atom minus
one pixel on each side; `known` is zero there and where pixels are missing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsebp.coding._compiled import compiled


@compiled
def find_violations(
    pull: np.ndarray, maps: np.ndarray, alpha: Any, positive: bool, worst: tuple
) -> float:
    """Return the largest violation of the optimality conditions of all coefficients.

    `pull` is minus the gradient of the squared error. `worst` are two arrays (n_places,), zeros and
    −1, to which the largest violation of an unused component at each place, and its number, are
    written.
    """
    violations, components = worst
    largest = alpha - alpha
    for k in range(len(maps)):
        for place in range(len(violations)):
            slope, value = pull[k, place], maps[k, place]
            if value > 0:
                violation = abs(slope - alpha)
            elif value < 0:
                violation = abs(slope + alpha)
            else:
                violation = (slope if positive else abs(slope)) - alpha
                if violation > violations[place]:
                    violations[place] = violation
                    components[place] = k
            largest = max(largest, violation)
    return largest


@compiled
def subtract_atoms(image: np.ndarray, known: np.ndarray, atoms: np.ndarray, used: tuple) -> None:
    """Subtract atoms from an image where it is known: `used` is where, which, and how often."""
    rows, columns, components, values = used
    _, height, width = atoms.shape
    for i in range(len(values)):
        atom, value = atoms[components[i]], values[i]
        for p in range(height):
            y, x = rows[i] + p, columns[i]
            for q in range(width):
                image[y, x + q] -= value * atom[p, q] * known[y, x + q]


@compiled
def descend(
    residual: np.ndarray, known: np.ndarray, atoms: np.ndarray, used: tuple, rule: tuple
) -> int:
    """Minimize the objective in one coefficient after another; return the number of sweeps.

    `rule` is α / 2, whether coefficients are ≥ 0, the maximum number of sweeps, and a limit: the
    last sweep changes no slope of the squared error by more. The values in `used` and the residual
    are changed in place.
    """
    rows, columns, components, values = used
    threshold, positive, n_sweeps, limit = rule
    _, height, width = atoms.shape
    zero = threshold - threshold
    curvature = np.empty_like(values)
    for i in range(len(values)):
        atom, total = atoms[components[i]], zero
        for p in range(height):
            y, x = rows[i] + p, columns[i]
            for q in range(width):
                total += atom[p, q] * atom[p, q] * known[y, x + q]
        curvature[i] = total
    for sweep in range(n_sweeps):
        largest = zero
        for i in range(len(values)):
            if curvature[i] <= 0:
                continue
            atom, total = atoms[components[i]], zero
            for p in range(height):
                y, x = rows[i] + p, columns[i]
                for q in range(width):
                    total += atom[p, q] * residual[y, x + q]
            pull = values[i] * curvature[i] + total
            new = zero
            if pull > threshold:
                new = (pull - threshold) / curvature[i]
            elif pull < -threshold and not positive:
                new = (pull + threshold) / curvature[i]
            change = new - values[i]
            if change != 0:
                values[i] = new
                largest = max(largest, abs(change) * curvature[i])
                for p in range(height):
                    y, x = rows[i] + p, columns[i]
                    for q in range(width):
                        residual[y, x + q] -= change * atom[p, q] * known[y, x + q]
        if 2 * largest <= limit:
            return sweep + 1
    return n_sweeps
