"""Closed forms of values and gradients, written from the mathematics and not from the engine.

Matrices stand as in the formulas: samples in columns. Nothing takes an absolute value or a
conjugate of a complex number, so a complex step through these functions is exact too.
"""

from __future__ import annotations

import numpy as np
import pytest

STEP = 1e-30


def complex_step(function, point):
    """Gradient of a scalar function by a complex step, exact to rounding."""
    point = np.asarray(point)
    slopes = np.empty(point.shape)
    for index in np.ndindex(point.shape):
        shifted = point.astype(complex)
        shifted[index] += 1j * STEP
        slopes[index] = complex(function(shifted)).imag / STEP
    return slopes


def relative_error(found, expected):
    """Length of the difference, relative to the length of what is expected."""
    scale = np.linalg.norm(expected)
    return float(np.linalg.norm(np.asarray(found) - expected) / (scale if scale > 0 else 1.0))


def taylor_slope(function, point, gradient, direction, steps):
    """Order of F(P + hD) − F(P) − h⟨∇F, D⟩ in h: 2 for a correct gradient, 1 for a wrong one."""
    base, linear = function(point), float((gradient * direction).sum())
    remainders = [abs(function(point + h * direction) - base - h * linear) for h in steps]
    return float(np.polyfit(np.log(steps), np.log(remainders), 1)[0])


def sign(s):
    return np.sign(np.real(s))


def l1(s):
    return (sign(s) * s).sum()


def l1_gradient(s):
    return sign(s)


def smooth_l1(s, epsilon):
    return ((s**2 + epsilon) ** 0.5).sum()


def smooth_l1_gradient(s, epsilon):
    return s * (s**2 + epsilon) ** -0.5


def topographic(s, groups, epsilon):
    return ((groups @ s**2 + epsilon) ** 0.5).sum()


def topographic_gradient(s, groups, epsilon):
    return (groups.T @ (groups @ s**2 + epsilon) ** -0.5) * s


def log_cosh(s):
    return np.log(np.cosh(s)).sum()


def log_cosh_gradient(s):
    return np.sinh(s) / np.cosh(s)


def cauchy(s):
    return np.log(1 + s**2).sum()


def cauchy_gradient(s):
    return 2 * s / (1 + s**2)


def welsch(s):
    return (1 - np.exp(-(s**2) / 2)).sum()


def welsch_gradient(s):
    return s * np.exp(-(s**2) / 2)


def sparse_filtering(w, x, epsilon):
    """Soft absolute responses, each row divided by its length, then each column, and summed."""
    f = ((w @ x) ** 2 + epsilon) ** 0.5
    f = np.array([row / (row**2).sum() ** 0.5 for row in f])
    f = np.array([column / (column**2).sum() ** 0.5 for column in f.T])
    return f.sum()


def squared_distance(basis, s, x):
    """‖As − x‖²."""
    return ((basis @ s - x) ** 2).sum()


def squared_distance_in_basis(basis, s, x):
    return 2 * (basis @ s - x) @ s.T


def squared_distance_in_codes(basis, s, x):
    return 2 * basis.T @ (basis @ s - x)


def squared_distance_in_samples(basis, s, x):
    return -2 * (basis @ s - x)


def weight_decay(basis):
    return (basis**2).sum()


def weight_decay_gradient(basis):
    return 2 * basis


def ica_reconstruction(w, x, c=1.0):
    """‖c WᵀWx − x‖²."""
    return ((c * w.T @ (w @ x) - x) ** 2).sum()


def ica_reconstruction_in_filters(w, x, c=1.0):
    residual = c * w.T @ (w @ x) - x
    return 2 * c * (w @ residual @ x.T + (w @ x) @ residual.T)


def ica_reconstruction_in_samples(w, x):
    """Both paths: x is the input and the target."""
    residual = w.T @ (w @ x) - x
    return 2 * w.T @ (w @ residual) - 2 * residual


def penalty_in_filters(penalty_gradient, w, x):
    """Gradient of S(Wx) in W, given the gradient of S."""
    return penalty_gradient(w @ x) @ x.T


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def autoencoder(w, b, c, x, weight, epsilon):
    """‖Wᵀh − c − x‖² + weight · Σ√(h² + ε), h = σ(Wx − b): tied weights, biases subtracted."""
    hidden = sigmoid(w @ x - b)
    return ((w.T @ hidden - c - x) ** 2).sum() + weight * smooth_l1(hidden, epsilon)


def autoencoder_gradients(w, b, c, x, weight, epsilon):
    """The gradients in W, b and c."""
    hidden = sigmoid(w @ x - b)
    residual = w.T @ hidden - c - x
    below = 2 * w @ residual + weight * smooth_l1_gradient(hidden, epsilon)
    below = below * hidden * (1 - hidden)
    in_w = below @ x.T + 2 * hidden @ residual.T
    return {
        "W": in_w,
        "b": -below.sum(axis=1, keepdims=True),
        "c": -2 * residual.sum(axis=1, keepdims=True),
    }


def unit_rows(matrix):
    return matrix / (matrix**2).sum(axis=1, keepdims=True) ** 0.5


def orthonormal_rows(matrix):
    """(MMᵀ)^(−½) M by Denman and Beavers' iteration, which is analytic in M."""
    square = matrix @ matrix.T
    root, inverse = square, np.eye(len(square), dtype=square.dtype)
    for _ in range(30):
        root, inverse = (
            (root + np.linalg.inv(inverse)) / 2,
            (inverse + np.linalg.inv(root)) / 2,
        )
    return inverse @ matrix


def grid_groups(shape, size, wrap):
    """Grouping matrix, cell by cell: group r holds c if c is in the neighborhood of r."""
    rows, columns = shape
    groups = np.zeros((rows * columns, rows * columns))
    for group in range(rows * columns):
        for down in range(-((size[0] - 1) // 2), size[0] // 2 + 1):
            for right in range(-((size[1] - 1) // 2), size[1] // 2 + 1):
                r, c = group // columns + down, group % columns + right
                if wrap:
                    r, c = r % rows, c % columns
                if 0 <= r < rows and 0 <= c < columns:
                    groups[group, r * columns + c] = 1
    return groups


def seeds(number):
    """Return seeds for a test that takes long: the first always, the others in the slow suite."""
    return [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, number))]
