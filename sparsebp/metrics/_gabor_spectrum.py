"""Peak frequency and bandwidth of a Gabor function's spectrum.

Along the wave, exp(-u^2 / (2 sigma^2)) cos(2 pi carrier u + phase) has the amplitude spectrum

    sqrt(e^(-(a - b)^2) + e^(-(a + b)^2) + 2 cos(2 phase) e^(-a^2 - b^2)),

with a = 2 pi sigma times the frequency and b = 2 pi sigma carrier: two bells that overlap where the
envelope holds less than about a cycle. Across the wave the spectrum is one bell around zero.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

_HALVINGS = 60
_WIDEST = 8.0  # standard deviations of the spectrum's bell, far beyond half its amplitude


def peak_frequency(carrier: ArrayLike, sigma: ArrayLike, phase: ArrayLike) -> NDArray[np.float64]:
    """Return the frequency at which the spectrum peaks, 0 for a blob.

    With the sum of two bells differentiated, a = b sinh(2ab) / (cosh(2ab) + cos(2 phase)), which
    has one root above zero, or none where b <= |cos(phase)|. The carrier may have either sign;
    sigma is the standard deviation of the envelope along the wave.
    """
    b, even = _reduced(carrier, sigma, phase)

    def rises(a: NDArray) -> NDArray[np.bool_]:
        decay = np.exp(-2 * a * b)
        slope = 0.5 * -np.expm1(-4 * a * b)
        return b * slope > a * (0.5 * np.expm1(-2 * a * b) ** 2 + even * decay)

    return _bisect(rises, np.zeros_like(b), b + 1) / (2 * np.pi * np.asarray(sigma))


def bandwidth_octaves(
    carrier: ArrayLike, sigma: ArrayLike, phase: ArrayLike
) -> NDArray[np.float64]:
    """Return log2 of the ratio of the two frequencies with half the peak's amplitude.

    It is infinite where the amplitude is more than half the peak's all the way down to zero.
    """
    b, even = _reduced(carrier, sigma, phase)
    peak = 2 * np.pi * np.asarray(sigma) * peak_frequency(carrier, sigma, phase)
    with np.errstate(divide="ignore"):
        half = _log_amplitude(peak, b, even) - np.log(2)
        low = _bisect(lambda a: _log_amplitude(a, b, even) < half, np.zeros_like(b), peak)
        high = _bisect(lambda a: _log_amplitude(a, b, even) > half, peak, peak + _WIDEST)
        low_pass = _log_amplitude(np.zeros_like(b), b, even) >= half
        return np.log2(high / np.where(low_pass, 0.0, low))


def _reduced(
    carrier: ArrayLike, sigma: ArrayLike, phase: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return b, and 1 + cos(2 phase) without cancellation."""
    b = 2 * np.pi * np.asarray(sigma, float) * np.abs(np.asarray(carrier, float))
    return b, 2 * np.cos(phase) ** 2


def _log_amplitude(a: NDArray, b: NDArray, even: NDArray) -> NDArray:
    overlap = 0.5 * np.expm1(-2 * a * b) ** 2 + even * np.exp(-2 * a * b)
    return a * b - a**2 / 2 + 0.5 * np.log(overlap)


def _bisect(
    below: Callable[[NDArray], NDArray[np.bool_]], low: NDArray, high: NDArray
) -> NDArray[np.float64]:
    """Return where ``below`` turns from true to false, between low and high."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        lower = below(middle)
        low, high = np.where(lower, middle, low), np.where(lower, high, middle)
    return low
