"""Codes of whole images: a map for each atom."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sparsebp._magnitudes import largest_magnitude
from sparsebp.coding.descent import descend, find_violations, subtract_atoms
from sparsebp.coding.known_image import KnownImage
from sparsebp.minimizers import Status, minimize_lbfgs
from sparsebp.penalties import L1, Penalty
from sparsebp.problems import Objective

#: Sweeps over the coefficients in use before others may enter, and the share of the violation, or
#: of the tolerance, at which sweeps end earlier.
_SWEEPS, _PER_VIOLATION, _PER_TOLERANCE = 50, 0.1, 0.3
#: Relative change of F per iteration at which L-BFGS has found the maps for a smooth penalty, as a
#: share of tol.
_OF_GAIN = 1e-2
#: Frequencies per side of an atom on which its spectrum is sampled.
_SAMPLED = 8


class Maps(NamedTuple):
    """The maps of an image.

    Parameters
    ----------
    points : ndarray of shape (n_components, n_places)
        The coefficients.
    has_converged : bool
        Whether the tolerance was met.
    """

    points: np.ndarray
    has_converged: bool


def encode_maps(
    image: KnownImage,
    basis: np.ndarray,
    penalty: Penalty,
    alpha: float,
    *,
    start: np.ndarray | None = None,
    tol: float = 1e-4,
    max_iter: int = 200,
) -> Maps:
    """Compute argmin over s of ‖M ∘ (A ∗ s − x)‖² + α S(s) for an image.

    The L1 norm takes compiled coordinate descent, smooth penalties L-BFGS, other penalties with a
    proximal map accelerated proximal steps.

    Parameters
    ----------
    image : KnownImage
        x and M.
    basis : ndarray of shape (n_features, n_components)
        A, flattened patches in columns, in the precision of the image.
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0.
    start : ndarray of shape (n_components, n_places), optional
        Where to start; by default at zero.
    tol : float
        Maps of a penalty with a corner have converged when no element of the subgradient, or of
        the proximal step divided by its size, exceeds tol times the largest at s = 0 (or α, if that
        is larger); those of a smooth penalty when an iteration lowers F by less than tol / 100.
    max_iter : int
        Maximum number of iterations; one of coordinate descent is up to 50 sweeps.

    Returns
    -------
    maps : Maps
        Of shape (n_components, n_places).
    """
    shape = (basis.shape[1], int(np.prod(image.weight.map_shape)))
    maps = np.zeros(shape, image.pixels.dtype) if start is None else start.copy()
    if isinstance(penalty, L1):
        return _by_descent(image, basis, penalty, alpha, maps, tol, max_iter)
    objective = image.problem(penalty, alpha).objective(
        "s", {**image.variables, "A": basis}, scale=1
    )
    if penalty.is_smooth:
        found = minimize_lbfgs(objective, maps, max_iter=max_iter, tol=tol * _OF_GAIN)
        if found.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        return Maps(found.point, found.status is not Status.ITERATION_LIMIT)
    distance = Objective("s", objective.terms[:1])
    target = tol * _scale(image, basis, alpha)
    bend = largest_curvature(basis, image.patch_shape)
    return _by_proximal_steps(distance, bend, penalty, alpha, maps, target, 10 * max_iter)


def largest_curvature(basis: np.ndarray, patch_shape: tuple[int, int, int]) -> float:
    """Compute an upper bound of the curvature of ‖A ∗ s − x‖² in s.

    Twice the largest sum of the atoms' power spectra over all frequencies, sampled so densely that
    between samples these trigonometric polynomials are larger by less than the last factor.
    """
    rows, columns, n_channels = patch_shape
    atoms = basis.T.reshape(-1, rows, columns, n_channels)
    spectrum = np.fft.rfft2(atoms, s=(_SAMPLED * rows, _SAMPLED * columns), axes=(1, 2))
    power = float((np.abs(spectrum) ** 2).sum(axis=(0, 3)).max())
    return max(2 * power / np.cos(np.pi / _SAMPLED) ** 2, float(np.finfo(basis.dtype).tiny))


def _scale(image: KnownImage, basis: np.ndarray, alpha: float) -> float:
    """Compute the largest slope at s = 0, or α if that is larger."""
    slopes = image.weight.T(image.variables["x"], {"A": basis})
    return max(2 * largest_magnitude(slopes), alpha, 1e-12)


def _by_descent(
    image: KnownImage,
    basis: np.ndarray,
    penalty: L1,
    alpha: float,
    maps: np.ndarray,
    tol: float,
    max_iter: int,
) -> Maps:
    """Sweep over the coefficients in use, and let the worst one at each place enter, in turn."""
    rows, columns, n_channels = image.patch_shape
    atoms = np.ascontiguousarray(basis.T.reshape(-1, rows, columns * n_channels))
    pixels, known = image.framed()
    height, width = image.shape[0], image.shape[1] * n_channels
    left = (columns - 1) * n_channels
    weight, number = image.weight, maps.dtype.type
    n_columns = weight.map_shape[1]
    target = max(tol, 20 * float(np.finfo(maps.dtype).eps)) * _scale(image, basis, alpha)
    violation = np.inf
    for iteration in range(max_iter + 1):
        used = _places(np.nonzero(maps), maps, n_columns, n_channels)
        residual = pixels.copy()
        subtract_atoms(residual, known, atoms, used)
        seen = residual[rows - 1 : rows - 1 + height, left : left + width]
        seen = seen.reshape(-1, n_channels).T
        pull = weight.T(np.ascontiguousarray(seen), {"A": basis})
        pull *= 2
        worst = np.zeros(maps.shape[1], maps.dtype), np.full(maps.shape[1], -1)
        violation = float(find_violations(pull, maps, number(alpha), bool(penalty.positive), worst))
        del pull  # as large as the maps
        if violation <= target or iteration == max_iter:
            break
        active = maps != 0
        entering = np.flatnonzero(worst[1] >= 0)
        active[worst[1][entering], entering] = True
        where = np.nonzero(active)
        used = _places(where, maps, n_columns, n_channels)
        limit = max(_PER_TOLERANCE * target, _PER_VIOLATION * violation)
        rule = (number(alpha / 2), bool(penalty.positive), _SWEEPS, number(limit))
        descend(residual, known, atoms, used, rule)
        maps[where] = used[3]
    return Maps(maps, violation <= target)


def _places(
    where: tuple[np.ndarray, ...], maps: np.ndarray, n_columns: int, n_channels: int
) -> tuple[np.ndarray, ...]:
    """Return rows and columns in a framed image, components and values of some coefficients."""
    components, places = where
    return places // n_columns, places % n_columns * n_channels, components, maps[where]


def _by_proximal_steps(
    distance: Objective,
    bend: float,
    penalty: Penalty,
    alpha: float,
    maps: np.ndarray,
    target: float,
    max_iter: int,
) -> Maps:
    """Take accelerated proximal steps, restarted when one goes against the momentum.

    Beck & Teboulle (2009), FISTA; O'Donoghue & Candès (2015).
    """
    here = ahead = maps
    age, n_left = 1.0, max_iter
    while True:
        gradient = distance.value_and_gradient(ahead)[1]
        there = penalty.proximal(ahead - gradient / bend, alpha / bend).astype(maps.dtype)
        n_left -= 1
        moved = bend * float(np.abs(there - ahead).max())
        if moved <= target or n_left <= 0:
            return Maps(there, moved <= target)
        if float(np.vdot(ahead - there, there - here)) > 0:
            age, older = 1.0, 1.0
        else:
            older = (1 + np.sqrt(1 + 4 * age * age)) / 2
        ahead = there + maps.dtype.type((age - 1) / older) * (there - here)
        here, age = there, older
