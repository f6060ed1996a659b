"""Coarse search: the best cells of a grid over the six non-linear parameters of a Gabor."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sparsebp.samples import count_threads, in_order, slices

N_ANGLES = 12
FREQUENCY_RATIO = 1.6
SMALLEST_WIDTH = 0.7
BLOCK = 256


class Envelopes(NamedTuple):
    """Centers and widths of Gaussians, each an array of shape (n_envelopes,)."""

    row: NDArray
    column: NDArray
    along: NDArray
    across: NDArray


def coarse_search(targets: NDArray, shape: tuple[int, int], n_starts: int) -> NDArray:
    """Return the best grid cells of different wave vectors, (n_filters, at most n_starts, 6).

    They are row, column, orientation, frequency, log sigma along, log sigma across. Targets are
    zero-mean filters of unit length. Because the cosine and the sine amplitude are linear, a cell's
    explained sum of squares is the squared length of the target's projection on that pair of
    images.
    """
    # float32 halves the time, and the refinement does not depend on the last digits of a start.
    targets = targets.astype(np.float32)
    envelopes = envelope_grid(shape)

    def search(angle: float) -> tuple[list[NDArray], list[NDArray]]:
        images = _envelope_images(envelopes, angle, shape)
        squares = images**2
        scores, cells = [], []
        for frequency in frequency_grid(shape, angle):
            pair = _carriers(angle, frequency, shape)
            whitener = _pair_whitener(images, squares, pair)
            score, cell = _best_cells(targets, images, pair, whitener)
            scores.append(score)
            cells.append(_parameters(envelopes, cell, angle, frequency))
        return scores, cells

    angles = np.arange(N_ANGLES) * np.pi / N_ANGLES
    found = in_order(search, angles, count_threads(None))
    scores, cells = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-scores, axis=0)[:n_starts]
    return np.take_along_axis(cells, order[:, :, None], axis=0).transpose(1, 0, 2)


def frequency_limit(angle: NDArray) -> NDArray:
    """Return the frequency at which a wave of this angle leaves the Nyquist square."""
    return 0.5 / np.maximum(np.abs(np.cos(angle)), np.abs(np.sin(angle)))


def frequency_grid(shape: tuple[int, int], angle: float) -> NDArray:
    """Return frequencies from half a cycle per patch up to the Nyquist square."""
    lowest = 0.5 / max(shape)
    limit = float(frequency_limit(np.asarray(angle)))
    n_levels = int(np.floor(np.log(limit / lowest) / np.log(FREQUENCY_RATIO) + 1e-9)) + 1
    return lowest * FREQUENCY_RATIO ** np.arange(n_levels)


def envelope_grid(shape: tuple[int, int]) -> Envelopes:
    """Return centers and widths whose neighbors overlap: spacing follows the smaller width."""
    side = max(shape)
    smallest = max(SMALLEST_WIDTH, 0.05 * side)
    n_widths = max(int(np.ceil(np.log2(0.5 * side / smallest))) + 1, 1)
    widths = smallest * 2.0 ** np.arange(n_widths)
    parts = []
    for along in widths:
        for across in widths:
            spacing = 1.5 * min(along, across)
            axes = [_centers(length, spacing) for length in shape]
            mesh = np.meshgrid(*axes, [along], [across], indexing="ij")
            parts.append(np.stack([axis.ravel() for axis in mesh]))
    return Envelopes(*np.concatenate(parts, axis=1))


def _centers(length: int, spacing: float) -> NDArray:
    count = min(length, int(np.ceil(length / spacing)))
    return np.linspace(0, length - 1, count) if count > 1 else np.array([(length - 1) / 2])


def _envelope_images(envelopes: Envelopes, angle: float, shape: tuple[int, int]) -> NDArray:
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32).reshape(2, -1)
    row, column, along, across = (part.astype(np.float32)[:, None] for part in envelopes)
    cosine, sine = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    down, right = rows - row, columns - column
    u, v = cosine * right + sine * down, cosine * down - sine * right
    images = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
    # Subnormal numbers would make the matrix products twenty times slower.
    images[images < 1e-8] = 0.0
    return images / np.linalg.norm(images, axis=1, keepdims=True)


def _carriers(angle: float, frequency: float, shape: tuple[int, int]) -> NDArray:
    rows, columns = np.mgrid[: shape[0], : shape[1]].reshape(2, -1)
    phase = 2 * np.pi * frequency * (np.cos(angle) * columns + np.sin(angle) * rows)
    return np.stack([np.cos(phase), np.sin(phase)]).astype(np.float32)


def _best_cells(
    targets: NDArray, images: NDArray, pair: NDArray, whitener: tuple[NDArray, NDArray, NDArray]
) -> tuple[NDArray, NDArray]:
    best = [
        _block_best(targets[block], images, pair, whitener) for block in slices(len(targets), BLOCK)
    ]
    return np.concatenate([b[0] for b in best]), np.concatenate([b[1] for b in best])


def _pair_whitener(
    images: NDArray, squares: NDArray, pair: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    cosine, sine = pair
    products = np.stack([cosine * cosine, cosine * sine, sine * sine], axis=1)
    a, b, c = (squares @ products).T
    mean_cosine, mean_sine = (images @ pair.T).T / np.sqrt(np.float32(images.shape[1]))
    # The ridge keeps cells out whose cosine and sine are nearly the same image.
    ridge = np.float32(1e-3)
    a, b, c = a - mean_cosine**2 + ridge, b - mean_cosine * mean_sine, c - mean_sine**2 + ridge
    second = 1 / np.sqrt(c - b * b / a)
    return 1 / np.sqrt(a), -b / a * second, second


def _block_best(
    targets: NDArray, images: NDArray, pair: NDArray, whitener: tuple[NDArray, NDArray, NDArray]
) -> tuple[NDArray, NDArray]:
    first, mixed, second = whitener
    cosine, sine = (targets * pair[0]) @ images.T, (targets * pair[1]) @ images.T
    # In place: what the cache holds is twice as fast.
    sine *= second
    sine += mixed * cosine
    sine *= sine
    cosine *= first
    cosine *= cosine
    cosine += sine
    cell = cosine.argmax(axis=1)
    return np.take_along_axis(cosine, cell[:, None], axis=1)[:, 0], cell


def _parameters(envelopes: Envelopes, cell: NDArray, angle: float, frequency: float) -> NDArray:
    constants = np.full((len(cell), 2), [angle, frequency])
    centers = np.stack([envelopes.row[cell], envelopes.column[cell]], axis=1)
    widths = np.log(np.stack([envelopes.along[cell], envelopes.across[cell]], axis=1))
    return np.concatenate([centers, constants, widths], axis=1)
