"""Filters whose Gabor functions are known, for the displays that draw fits."""

import numpy as np
from scipy.optimize import brentq

from sparsebp.metrics import GaborFit

# Angles of waves against growing columns, rows growing downwards; the bars stand across.
WAVES = np.array([0.0, np.pi / 4, np.pi / 2, 3 * np.pi / 4, 0.1, 3.0])
BARS = np.array([90.0, 45.0, 0.0, 135.0, 90 - np.degrees(0.1), 270 - np.degrees(3.0)])
CARRIERS = np.array([0.1, 0.2, 0.15, 0.12, 0.3, 0.25])
SIDE, WIDTH = 10, 6**0.5


def _peak(carrier):
    """Frequency at which the spectrum of a bar's Gabor function peaks: a = b tanh(ab)."""
    b = 2 * np.pi * WIDTH * carrier
    return brentq(lambda a: a - b * np.tanh(a * b), 1e-3, b + 1) / (2 * np.pi * WIDTH)


FREQUENCIES = np.array([_peak(carrier) for carrier in CARRIERS])


def gratings():
    row, column = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    u = np.cos(WAVES)[:, None, None] * column + np.sin(WAVES)[:, None, None] * row
    waves = np.cos(2 * np.pi * CARRIERS[:, None, None] * u)
    return (np.exp(-(row**2 + column**2) / (2 * WIDTH**2)) * waves).reshape(len(WAVES), -1)


def given_fit(r_squared=(1.0,) * 6, **others):
    n = len(r_squared)
    parameters = {
        "r_squared": np.asarray(r_squared, float),
        "orientation": WAVES[:n],
        "carrier": CARRIERS[:n],
        "phase": np.zeros(n),
        "center": np.full((n, 2), (SIDE - 1) / 2),
        "sigma": np.full((n, 2), WIDTH),
        "amplitude": np.ones(n),
        "offset": np.zeros(n),
        "patch_shape": (SIDE, SIDE),
    }
    return GaborFit(**(parameters | others))


def turned(angles, others):
    """Largest difference of angles in degrees on the half circle."""
    return np.abs((np.asarray(angles) - np.asarray(others) + 90) % 180 - 90).max()


def seen_angles(ax, ends):
    """Angles at which segments appear on the drawn figure."""
    ax.figure.canvas.draw()
    pixels = [ax.transData.transform(pair) for pair in ends]
    return [np.degrees(np.arctan2(*(a - b)[::-1])) for a, b in pixels]
