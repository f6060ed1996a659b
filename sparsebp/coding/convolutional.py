"""The search for the atoms of whole images: maps and atoms in alternation."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from sparsebp._checks import RandomSource
from sparsebp._unused import unused_components
from sparsebp.coding.maps import KnownImage, encode_maps
from sparsebp.coding.search import rng_of_step
from sparsebp.minimizers import Callback, Result, Status, minimize_lbfgs
from sparsebp.penalties import Penalty
from sparsebp.problems import Objective
from sparsebp.samples import in_order, one_blas_thread

logger = logging.getLogger(__name__)

#: Accuracy of the maps, and the maximum numbers of iterations for maps and for atoms, in a step.
_TOL, _MAP_ITERATIONS, _ATOM_ITERATIONS = 1e-2, 30, 10
#: Of atoms fitted to fresh windows in step t a share of _LAST / t is taken, so that about the last
#: fifth of the steps count: the atoms of one batch are noisy.
_LAST = 5
#: Unused atoms are replaced in this first fraction of the iterations.
_REPLACING = 0.75


@dataclass(frozen=True, eq=False)
class AtomsResult(Result):
    """The result of a search for atoms.

    Parameters
    ----------
    energies : ndarray of shape (n_components,)
        Mean squares of the coefficients in the last step.
    """

    energies: np.ndarray


@dataclass(frozen=True)
class ConvolutionalSearch:
    """Minimize Σ [‖A ∗ s − x‖² + α S(s)] of windows of images, divided by their numbers of pixels.

    Maps for given atoms, then atoms for these maps by L-BFGS on the same objective, in turn.

    Parameters
    ----------
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0.
    batch_size : int
        Windows in a step.
    window : int or None
        Height and width of a window; None takes whole images.
    max_iter : int
        Maximum number of steps.
    tol : float
        The search stops when a step changes the atoms by less than this fraction of their norm.
    n_threads : int
        Number of threads over windows.
    """

    penalty: Penalty
    alpha: float
    _: KW_ONLY
    batch_size: int = 8
    window: int | None = None
    max_iter: int = 100
    tol: float = 1e-4
    n_threads: int = 1

    def run(
        self,
        images: Sequence[KnownImage],
        basis: np.ndarray,
        seed: int,
        callback: Callback | None = None,
    ) -> AtomsResult:
        """Take steps on fresh windows, or on the same images if one batch has them all.

        Parameters
        ----------
        images : sequence of KnownImage
            At least one.
        basis : ndarray of shape (n_features, n_components)
            Where to start.
        seed : int
            Determines the windows, and the replacements of unused atoms.
        callback : callable, optional
            ``callback(iteration, value, basis)`` after each step; True stops.

        Returns
        -------
        result : AtomsResult
            The atoms after the last step with a finite objective. ``history`` holds the objective
            of each step on its batch; entry 0 is that of empty maps.
        """
        basis = images[0].problem(self.penalty, self.alpha).project(basis)
        energies, history = np.zeros(basis.shape[1]), [_of_nothing(images)]
        status, maps = Status.ITERATION_LIMIT, None
        with one_blas_thread():
            try:
                for number in range(self.max_iter):
                    rng = rng_of_step(seed, number)
                    batch = images if self.takes_all(images) else self._drawn(images, rng)
                    maps = self._encoded(batch, basis, maps if batch is images else None)
                    new, value = self._improved(
                        batch, basis, maps, 1.0 if batch is images else _LAST / (number + 1)
                    )
                    if not np.isfinite(value):
                        status = Status.NOT_FINITE
                        break
                    moved = np.linalg.norm(new - basis) / np.linalg.norm(new)
                    energies, basis = _energies(maps), new
                    history.append(value)
                    if callback is not None and callback(number + 1, value, basis):
                        status = Status.STOPPED
                        break
                    if moved <= self.tol:
                        status = Status.CONVERGED
                        break
                    if number + 1 < _REPLACING * self.max_iter:
                        basis = _with_new_atoms(
                            batch, basis, maps, unused_components(energies), rng
                        )
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        n_iter = len(history) - 1
        return AtomsResult(basis, history[-1], n_iter, status, tuple(history), energies)

    def takes_all(self, images: Sequence[KnownImage]) -> bool:
        """Return whether each step takes all images as they are.

        Parameters
        ----------
        images : sequence of KnownImage
            Of `run`.

        Returns
        -------
        takes_all : bool
            The search then has one objective, and starts from the last maps.
        """
        fits = self.window is None or all(max(i.shape) <= self.window for i in images)
        return fits and len(images) <= self.batch_size

    def _drawn(self, images: Sequence[KnownImage], rng: RandomSource) -> list[KnownImage]:
        """Draw windows, each place equally likely; whole images without replacement."""
        if self.window is None:
            chosen = rng.permutation(len(images))[: self.batch_size]
            return [images[i] for i in chosen]
        side = self.window
        spans = np.array([[max(n - side, 0) + 1 for n in image.shape] for image in images])
        n_places = spans.prod(axis=1)
        chosen = rng.choice(len(images), self.batch_size, p=n_places / n_places.sum())
        corners = rng.random((self.batch_size, 2))
        return [
            images[i].window((int(place[0]), int(place[1])), side)
            for i, place in zip(chosen, corners * spans[chosen], strict=True)
        ]

    def _encoded(
        self, batch: Sequence[KnownImage], basis: np.ndarray, start: list[np.ndarray] | None
    ) -> list[np.ndarray]:
        limits = {"tol": _TOL, "max_iter": _MAP_ITERATIONS}

        def encoded(number: int) -> np.ndarray:
            first = None if start is None else start[number]
            found = encode_maps(
                batch[number], basis, self.penalty, self.alpha, start=first, **limits
            )
            return found.points

        return list(in_order(encoded, range(len(batch)), self.n_threads))

    def _improved(
        self, batch: Sequence[KnownImage], basis: np.ndarray, maps: list[np.ndarray], share: float
    ) -> tuple[np.ndarray, float]:
        """Return a mean of the atoms and better ones for given maps, and the objective there."""
        n_pixels = sum(image.n_pixels for image in batch)
        known = [{**i.variables, "s": s} for i, s in zip(batch, maps, strict=True)]
        problems = [image.problem(self.penalty, self.alpha) for image in batch]
        both = list(zip(problems, known, strict=True))
        terms = [t for p, k in both for t in p.objective("A", k, scale=1 / n_pixels).terms]
        objective = problems[0].constrained(Objective("A", tuple(terms)))
        found = minimize_lbfgs(objective, basis, max_iter=_ATOM_ITERATIONS, tol=self.tol / 100)
        if found.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        step = basis.dtype.type(min(share, 1.0)) * (problems[0].project(found.point) - basis)
        new = problems[0].project(basis + step)
        return new, sum(p.value({**k, "A": new}, scale=1 / n_pixels) for p, k in both)


def _of_nothing(images: Sequence[KnownImage]) -> float:
    """Return the objective of empty maps."""
    squares = sum(float(np.square(i.pixels, dtype=np.float64).sum()) for i in images)
    return squares / sum(image.n_pixels for image in images)


def _energies(maps: list[np.ndarray]) -> np.ndarray:
    squares = sum(np.einsum("ij,ij->i", s, s, dtype=np.float64) for s in maps)
    return np.asarray(squares) / sum(s.shape[1] for s in maps)


def drawn_atoms(
    images: Sequence[KnownImage], n_atoms: int, rng: RandomSource, residuals: Any = None
) -> np.ndarray:
    """Draw atoms from images: patches around pixels that are far from zero, faded at their borders.

    From noise, atoms that are seldom used keep it for many iterations, and those that begin off
    center are cut off.

    Parameters
    ----------
    images : sequence of KnownImage
        At least one.
    n_atoms : int
        How many.
    rng : RandomState or Generator
        Chooses images and pixels, in proportion to their squares.
    residuals : sequence of ndarray of shape (n_channels, n_pixels), optional
        What to take instead of the images' pixels.

    Returns
    -------
    atoms : ndarray of shape (n_features, n_atoms)
        Of unit norm; noise from images that are zero.
    """
    rows, columns, n_channels = images[0].patch_shape
    fade = np.hanning(rows + 2)[1:-1, None, None] * np.hanning(columns + 2)[1:-1, None]
    atoms = []
    for number in (rng.random(n_atoms) * len(images)).astype(int):
        image = images[number]
        values = image.variables["x"] if residuals is None else residuals[number]
        values = values.T.reshape(*image.shape, n_channels).astype(np.float64)
        energy = np.square(values).sum(axis=2)
        if energy.any():
            place = rng.choice(energy.size, p=energy.ravel() / energy.sum())
            y, x = np.unravel_index(place, energy.shape)
            framed = np.pad(values, ((rows // 2, rows), (columns // 2, columns), (0, 0)))
            atom = (framed[y : y + rows, x : x + columns] * fade).ravel()
        else:
            atom = rng.standard_normal(fade.size * n_channels)
        atoms.append(atom / np.linalg.norm(atom))
    return np.stack(atoms, axis=1).astype(images[0].pixels.dtype)


def _with_new_atoms(
    batch: Sequence[KnownImage],
    basis: np.ndarray,
    maps: list[np.ndarray],
    unused: np.ndarray,
    rng: RandomSource,
) -> np.ndarray:
    """Replace given atoms by patches that are badly reconstructed."""
    if not unused.size:
        return basis
    residuals = [
        (image.variables["x"] - image.weight(s, {"A": basis})) * image.variables.get("M", 1)
        for image, s in zip(batch, maps, strict=True)
    ]
    new = basis.copy()
    new[:, unused] = drawn_atoms(batch, unused.size, rng, residuals)
    logger.info("Replaced %d unused atoms.", unused.size)
    return new
