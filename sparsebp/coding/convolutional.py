"""The search for the atoms of whole images: maps and atoms in alternation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace

import numpy as np

from sparsebp._checkpoint import Checkpoint
from sparsebp._checks import RandomSource
from sparsebp.coding.image_atoms import (
    KEPT_ATOMS,
    AtomsResult,
    AtomsState,
    packed_atoms,
    unpacked_atoms,
    with_new_atoms,
)
from sparsebp.coding.known_image import KnownImage
from sparsebp.coding.maps import encode_maps
from sparsebp.coding.search import rng_of_step
from sparsebp.minimizers import Callback, Status, minimize_lbfgs
from sparsebp.penalties import Penalty
from sparsebp.problems import Objective, Problem
from sparsebp.samples import in_order, one_blas_thread

#: Accuracy of the maps, and the maximum numbers of iterations for maps and for atoms, in a step.
_TOL, _MAP_ITERATIONS, _ATOM_ITERATIONS = 1e-2, 30, 10
#: Of atoms fitted to fresh windows, which are a share p of the pixels so far, a share of _LAST · p
#: is taken, so that about the last fifth of the pixels count: the atoms of one batch are noisy.
_LAST = 5
#: Steps that `learn` takes at least, unless there are fewer windows. Of 30 planted atoms, eight
#: calls with five images found 29 with five steps each, 11 with one.
_STEPS = 40
#: Unused atoms are replaced in this first fraction of the iterations.
_REPLACING = 0.75


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
        state: AtomsState,
        seed: int,
        callback: Callback | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> AtomsResult:
        """Take steps on fresh windows, or on the same images if one batch has them all.

        Parameters
        ----------
        images : sequence of KnownImage
            At least one.
        state : AtomsState
            Where to start.
        seed : int
            Determines the windows, and the replacements of unused atoms.
        callback : callable, optional
            ``callback(iteration, value, state)`` after each step; True stops.
        checkpoint : Checkpoint, optional
            Keeps the state after each step; if it has one, the search resumes there.

        Returns
        -------
        result : AtomsResult
            The atoms after the last step with a finite objective. ``history`` holds the objective
            of each step on its batch; entry 0 is that of empty maps.
        """
        state = self._projected(images, state)
        history = [_of_nothing(images)]
        status, is_fresh = Status.ITERATION_LIMIT, not self.takes_all(images)
        sizes = dict(zip(("features", "components"), state.basis.shape, strict=True))
        kept = None if checkpoint is None else checkpoint.load(KEPT_ATOMS, **sizes)
        if kept is not None:
            history = kept.pop("history").tolist()
            state = unpacked_atoms(kept, images)
        with one_blas_thread():
            try:
                for number in range(len(history) - 1, self.max_iter):
                    rng = rng_of_step(seed, number)
                    batch = self.drawn(images, rng)
                    new, value = self.step(batch, state, is_fresh=is_fresh)
                    if not np.isfinite(value):
                        status = Status.NOT_FINITE
                        break
                    change = np.linalg.norm(new.basis - state.basis) / np.linalg.norm(new.basis)
                    state = new
                    history.append(value)
                    if callback is not None and callback(number + 1, value, state):
                        status = Status.STOPPED
                        break
                    if change <= self.tol and not (is_fresh and _are_empty(state.maps)):
                        status = Status.CONVERGED
                        break
                    if number + 1 < _REPLACING * self.max_iter:
                        state = with_new_atoms(batch, state, rng)
                    if checkpoint is not None:
                        shown = replace(state, maps=None) if is_fresh else state
                        checkpoint.keep({**packed_atoms(shown), "history": np.array(history)})
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        n_iter = len(history) - 1
        return AtomsResult(state.basis, history[-1], n_iter, status, tuple(history), state)

    def learn(self, images: Sequence[KnownImage], state: AtomsState, seed: int) -> AtomsResult:
        """Take steps on windows that cover some more images once.

        Parameters
        ----------
        images : sequence of KnownImage
            At least one.
        state : AtomsState
            What is known so far, whose atoms change the less, the more pixels they are of.
        seed : int
            Determines the order of the windows, and the replacements of unused atoms.

        Returns
        -------
        result : AtomsResult
            After all windows, or those before an interrupt. ``history`` holds the objective of each
            step on its windows, and ``value`` is that of all of them.
        """
        windows = [part for image in images for part in image.windows(self.window)]
        order = rng_of_step(seed, 0).permutation(len(windows))
        size = min(max(len(windows) // _STEPS, 1), self.batch_size)
        state, status = self._projected(images, state), Status.STOPPED
        values, weights = [_of_nothing(images)], [0]
        with one_blas_thread():
            try:
                for first in range(0, len(windows), size):
                    batch = [windows[i] for i in order[first : first + size]]
                    state, value = self.step(batch, state, is_fresh=True)
                    values.append(value)
                    weights.append(sum(part.n_pixels for part in batch))
                    if not np.isfinite(value):
                        break
                    state = with_new_atoms(batch, state, rng_of_step(seed, first + 1))
            except KeyboardInterrupt:
                status = Status.INTERRUPTED
        n_iter = len(values) - 1
        value = float(np.average(values, weights=weights)) if n_iter else np.inf
        return AtomsResult(state.basis, value, n_iter, status, tuple(values), state)

    def _projected(self, images: Sequence[KnownImage], state: AtomsState) -> AtomsState:
        return replace(state, basis=self._problem(images[0]).project(state.basis))

    def _problem(self, image: KnownImage) -> Problem:
        return image.problem(self.penalty, self.alpha)

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

    def drawn(self, images: Sequence[KnownImage], rng: RandomSource) -> Sequence[KnownImage]:
        """Return the images of a step.

        Parameters
        ----------
        images : sequence of KnownImage
            Of `run`.
        rng : RandomState or Generator
            Draws windows, each place equally likely; whole images without replacement.

        Returns
        -------
        batch : sequence of KnownImage
            The images themselves if one batch has them all.
        """
        if self.takes_all(images):
            return images
        if self.window is None:
            chosen = rng.permutation(len(images))[: self.batch_size]
            return [images[i] for i in chosen]
        side = self.window
        spans = np.array([[max(n - side, 0) + 1 for n in image.shape] for image in images])
        n_places = spans.prod(axis=1)
        chosen = rng.choice(len(images), self.batch_size, p=n_places / n_places.sum())
        corners = rng.random((self.batch_size, 2))
        places = zip(chosen, corners * spans[chosen], strict=True)
        return [_with_pixels(images[i], place.astype(int), side, rng) for i, place in places]

    def step(
        self, batch: Sequence[KnownImage], state: AtomsState, *, is_fresh: bool
    ) -> tuple[AtomsState, float]:
        """Find the maps of some images, and then better atoms.

        Parameters
        ----------
        batch : sequence of KnownImage
            The images.
        state : AtomsState
            What is known so far.
        is_fresh : bool
            Whether the batch is a part of what there is to learn from: the new atoms are then
            averaged with the last ones. Else the maps start from the last ones.

        Returns
        -------
        state : AtomsState
            What is known now.
        value : float
            The objective on the batch.
        """
        basis = state.basis
        maps = self.encoded(batch, basis, None if is_fresh else state.maps)
        n_pixels = sum(image.n_pixels for image in batch)
        n_known = sum(image.n_known for image in batch)
        if is_fresh and _are_empty(maps):  # nothing is learned, nor is any atom unused
            return replace(state, n_pixels=state.n_pixels + n_known, maps=maps), _of_nothing(batch)
        share = min(_LAST * n_known / (state.n_pixels + n_known), 1.0) if is_fresh else 1.0
        both = [
            (self._problem(image), {**image.variables, "s": s})
            for image, s in zip(batch, maps, strict=True)
        ]
        terms = [t for p, k in both for t in p.objective("A", k, scale=1 / n_pixels).terms]
        problem = both[0][0]
        objective = problem.constrained(Objective("A", tuple(terms)))
        found = minimize_lbfgs(objective, basis, max_iter=_ATOM_ITERATIONS, tol=self.tol / 100)
        if found.status is Status.INTERRUPTED:
            raise KeyboardInterrupt
        change = problem.project(found.point) - basis
        new = problem.project(basis + basis.dtype.type(share) * change)
        value = sum(p.value({**k, "A": new}, scale=1 / n_pixels) for p, k in both)
        contributions = (1 - share) * state.contributions + share * _contributions(maps)
        return AtomsState(new, contributions, state.n_pixels + n_known, maps=maps), value

    def encoded(
        self,
        batch: Sequence[KnownImage],
        basis: np.ndarray,
        start: list[np.ndarray] | None = None,
    ) -> list[np.ndarray]:
        """Find the maps of some images, to the accuracy of a step.

        Parameters
        ----------
        batch : sequence of KnownImage
            The images.
        basis : ndarray of shape (n_features, n_components)
            The atoms.
        start : list of ndarray, optional
            Maps to start from; by default zero.

        Returns
        -------
        maps : list of ndarray, each (n_components, n_places)
            One array for each image.
        """
        limits = {"tol": _TOL, "max_iter": _MAP_ITERATIONS}

        def encoded(number: int) -> np.ndarray:
            first = None if start is None else start[number]
            found = encode_maps(
                batch[number], basis, self.penalty, self.alpha, start=first, **limits
            )
            return found.points

        return list(in_order(encoded, range(len(batch)), self.n_threads))


def _with_pixels(image: KnownImage, corner: np.ndarray, side: int, rng: RandomSource) -> KnownImage:
    """Return the window at a corner or, if no pixel in it is known, around a known pixel."""
    part = image.window((int(corner[0]), int(corner[1])), side)
    if image.known is None or part.n_known:
        return part
    known = np.argwhere(image.known)[:, :2]
    center = known[int(rng.random() * len(known))]
    row, column = np.clip(center - side // 2, 0, np.maximum(np.array(image.shape) - side, 0))
    return image.window((int(row), int(column)), side)


def _are_empty(maps: list[np.ndarray] | None) -> bool:
    return maps is not None and not any(s.any() for s in maps)


def _of_nothing(images: Sequence[KnownImage]) -> float:
    """Return the objective of empty maps."""
    squares = sum(float(np.square(i.pixels, dtype=np.float64).sum()) for i in images)
    return squares / sum(image.n_pixels for image in images)


def _contributions(maps: list[np.ndarray]) -> np.ndarray:
    squares = np.sum([np.einsum("ij,ij->i", s, s, dtype=np.float64) for s in maps], axis=0)
    return squares / (squares.sum() or 1.0)
