"""Atoms of whole images: how they start, and the state of the search for them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from sparsebp._checks import RandomSource
from sparsebp._fitted import Maybe, Numbers, Size
from sparsebp._unused import unused_components
from sparsebp.coding.known_image import KnownImage
from sparsebp.minimizers import Result

logger = logging.getLogger(__name__)

#: Pixels for which atoms count of which it is not known from how many they were learned: of a
#: hundred iterations by default.
TRUSTED_PIXELS = 100 * 8 * 64**2


@dataclass(frozen=True, eq=False)
class AtomsState:
    """What a search for atoms knows, and resumes from.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_components)
        The atoms, of unit norm.
    contributions : ndarray of shape (n_components,)
        Share of each in the energy of all coefficients, over the pixels that count.
    n_pixels : int
        Number of known pixels seen, with repetitions.
    maps : list of ndarray, optional
        Of the images of the last step, from which the next one starts if it takes the same.
    """

    basis: np.ndarray
    contributions: np.ndarray
    n_pixels: int = 0
    maps: list[np.ndarray] | None = field(default=None, kw_only=True)


#: Of a state in a checkpoint, whose maps are side by side.
KEPT_ATOMS = {
    "basis": Numbers(("features", "components")),
    "contributions": Numbers(("components",), at_least=0),
    "n_pixels": Size("pixels"),
    "maps": Maybe(Numbers(("components", "places"))),
    "history": Numbers(("entries",)),
}


@dataclass(frozen=True, eq=False)
class AtomsResult(Result):
    """The result of a search for atoms.

    Parameters
    ----------
    state : AtomsState
        Of which `point` is the basis.
    """

    state: AtomsState


def packed_atoms(state: AtomsState) -> dict[str, np.ndarray]:
    """Return the arrays of a state, those of its maps side by side."""
    kept = {name: np.asarray(v) for name, v in vars(state).items() if name != "maps"}
    return kept if state.maps is None else {**kept, "maps": np.hstack(state.maps)}


def unpacked_atoms(kept: dict[str, Any], images: Sequence[KnownImage]) -> AtomsState:
    """Return a state from what `packed_atoms` returned, and the images whose maps it has."""
    maps = kept.pop("maps", None)
    if maps is not None:
        places = np.cumsum([np.prod(image.weight.map_shape) for image in images])
        maps = [np.ascontiguousarray(part) for part in np.split(maps, places[:-1], axis=1)]
    return AtomsState(**kept, maps=maps)


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


def with_new_atoms(batch: Sequence[KnownImage], state: AtomsState, rng: RandomSource) -> AtomsState:
    """Replace unused atoms by patches that are badly reconstructed."""
    unused = unused_components(state.contributions)
    if not unused.size or state.maps is None:
        return state
    residuals = [
        (image.variables["x"] - image.weight(s, {"A": state.basis})) * image.variables.get("M", 1)
        for image, s in zip(batch, state.maps, strict=True)
    ]
    basis = state.basis.copy()
    basis[:, unused] = drawn_atoms(batch, unused.size, rng, residuals)
    logger.info("Replaced %d unused atoms.", unused.size)
    return replace(state, basis=basis)
