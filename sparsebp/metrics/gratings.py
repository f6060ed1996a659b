"""Responses to drifting gratings: tuning, and how simple and complex cells are told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sparsebp._cached import cached_property
from sparsebp._checks import (
    check_integer,
    check_matrix,
    check_number,
    check_readable,
    check_vector,
    mistake,
)
from sparsebp._magnitudes import check_magnitude
from sparsebp._memory import check_memory
from sparsebp._shapes import checked_patch_shape, resolved_patch_shape, split_channels
from sparsebp._tables import Table

#: Frequencies by default: so many, up to this one. At 0.5 cycles per pixel nothing would drift.
_N_FREQUENCIES, _HIGHEST = 16, 0.45
_RESPOND = "a matrix with a flattened filter in each row, or a function from patches to responses"


@dataclass(frozen=True, eq=False, repr=False)
class GratingResponses(Table):
    """Responses of units to gratings cos(2π frequency u − phase), which drift as the phase grows.

    u = x cos(orientation) + y sin(orientation) runs along the wave, x and y being the column and
    row of a pixel from the center of the patch, as in `GaborFit`.

    Attributes
    ----------
    responses : ndarray of shape (n_units, n_orientations, n_frequencies, n_phases)
        Not negative.
    orientations : ndarray of shape (n_orientations,)
        Direction of the wave, perpendicular to the bars, in radians in [0, pi).
    frequencies : ndarray of shape (n_frequencies,)
        Cycles per pixel, ascending.
    phases : ndarray of shape (n_phases,)
        One cycle, in radians from 0.
    """

    responses: NDArray[np.float64]
    orientations: NDArray[np.float64]
    frequencies: NDArray[np.float64]
    phases: NDArray[np.float64]
    _columns: ClassVar = ("orientation", "frequency", "modulation_ratio")
    _rows: ClassVar = "units"

    @cached_property
    def _strength(self) -> NDArray[np.float64]:
        """Return the larger of F0 and F1 for each grating, a response in physiology."""
        return np.maximum(self.responses.mean(axis=-1), _harmonic(self.responses, 1))

    @cached_property
    def _best(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        units = np.arange(len(self.responses))
        flat = self._strength.reshape(len(units), -1).argmax(axis=1)
        return units, *np.unravel_index(flat, self._strength.shape[1:])

    @property
    def orientation(self) -> NDArray[np.float64]:
        """Orientation of the best grating of each unit: of the largest mean or first harmonic."""
        return self.orientations[self._best[1]]

    @property
    def frequency(self) -> NDArray[np.float64]:
        """Frequency of the best grating of each unit."""
        return self.frequencies[self._best[2]]

    @property
    def orientation_tuning(self) -> NDArray[np.float64]:
        """Responses (n_units, n_orientations) at the best frequency: the larger of F0 and F1."""
        units, _, frequency = self._best
        return self._strength[units, :, frequency]

    @property
    def frequency_tuning(self) -> NDArray[np.float64]:
        """Responses (n_units, n_frequencies) at the best orientation: the larger of F0 and F1."""
        units, orientation, _ = self._best
        return self._strength[units, orientation]

    @property
    def phase_tuning(self) -> NDArray[np.float64]:
        """Responses (n_units, n_phases) to the best grating while it drifts by a cycle."""
        return self.responses[self._best]

    @property
    def modulation_ratio(self) -> NDArray[np.float64]:
        """F1 / F0 for the best grating, in [0, 2]: above 1 for simple cells, below for complex.

        0 where responses to a grating and its negative are equal, whatever their phases: see
        `harmonic_ratio` with order 2. NaN for units that do not respond.
        """
        return self.harmonic_ratio(1)

    def harmonic_ratio(self, order: int) -> NDArray[np.float64]:
        """Compute amplitudes of a harmonic of the response to the best grating, over its mean.

        Parameters
        ----------
        order : int
            k ≥ 1 of Fk / F0: how often the response oscillates while the grating drifts by a cycle;
            less than half the number of phases.

        Returns
        -------
        ratio : ndarray of shape (n_units,)
            In [0, 2]. Of a half-rectified linear response F1 / F0 is π/2 = 1.571, F2 / F0 2/3. Of a
            response whose sign does not matter F1 is 0, and F2 / F0 tells its phase dependence: it
            is 2/3 for the magnitude of a linear response, 0 for a phase-invariant one.

        Raises
        ------
        ValueError, TypeError
            If order is not such a number.

        Examples
        --------
        >>> pair = np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)])
        >>> energy = grating_responses(np.tile(pair, 8), 8, groups=[[1, 1]])
        >>> energy.harmonic_ratio(2).round(1)
        array([0.])
        """
        if check_integer("order", order) > (len(self.phases) - 1) // 2:
            wanted = f"less than half of {len(self.phases)} phases"
            raise ValueError(mistake("order", wanted, order))
        cycle = self.phase_tuning
        mean = cycle.mean(axis=1)
        return _harmonic(cycle, order) / np.where(mean > 0, mean, np.nan)

    def to_dict(self) -> dict[str, NDArray]:
        """Return a column for each quantity of the units.

        Returns
        -------
        columns : dict of str to ndarray of shape (n_units,)
            orientation (radians), frequency (cycles per pixel), modulation_ratio, and
            second_harmonic_ratio, F2 / F0 (NaN for fewer than five phases).

        Examples
        --------
        >>> list(grating_responses(np.eye(2, 16), 4).to_dict())[2:]
        ['modulation_ratio', 'second_harmonic_ratio']
        """
        return {**super().to_dict(), "second_harmonic_ratio": self.harmonic_ratio(2)}


def grating_responses(
    respond: Callable[[NDArray], Any] | ArrayLike,
    patch_shape: int | Sequence[int],
    *,
    groups: ArrayLike | None = None,
    n_orientations: int = 24,
    frequencies: ArrayLike | None = None,
    n_phases: int = 32,
) -> GratingResponses:
    """Measure units by gratings that drift over a patch, as physiologists measure cells.

    Without groups, a unit is a simple cell: its response is max(s, 0), s being a linear response or
    a coefficient. With groups, it is a complex cell: √(Σ V s²) over a group.

    Parameters
    ----------
    respond : array-like of shape (n_components, n_features), or callable
        Filters, such as the ``components_`` of ICA, which include its whitening; or a function from
        patches (n_patches, n_features) to coefficients (n_patches, n_components), such as
        ``model.transform``.
    patch_shape : int, (height, width) or (height, width, 3)
        In pixels. Gratings are gray.
    groups : array-like of shape (n_groups, n_components), default None
        V ≥ 0: the weight of each component in each group, not the numbers of components. Two pairs
        of four filters are ``[[1, 1, 0, 0], [0, 0, 1, 1]]``, or ``np.kron(np.eye(2), [[1, 1]])``;
        those of "subspace" and "topographic" are ``model.penalty_.grouping``.
    n_orientations : int, default 24
        Number of orientations, from 0 to below pi.
    frequencies : array-like of shape (n_frequencies,), default None
        Ascending, above 0 and below 0.5 cycles per pixel. None takes 16, from half a cycle in the
        patch to 0.45 per pixel, in equal ratios.
    n_phases : int, default 32
        Phases of a cycle, at least 5. With 32, F1 / F0 has an error of up to 0.4 %.

    Returns
    -------
    responses : GratingResponses
        Read, each of shape (n_units,): ``modulation_ratio``, F1 / F0, above 1 for simple cells;
        ``harmonic_ratio(2)``, F2 / F0; ``orientation`` (radians) and ``frequency`` (cycles per
        pixel) of the best grating. ``orientation_tuning``, ``frequency_tuning`` and
        ``phase_tuning`` are the curves through it, ``to_dict()`` and ``to_frame()`` the table.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range, or shapes do not fit each other.

    Notes
    -----
    Gratings have amplitude 1 in the units of the samples that the model takes: for a model of
    whitened images they are whitened gratings. The mean of a grating is not removed.

    Skottun et al. (1991), "Classifying simple and complex cells on the basis of response
    modulation", *Vision Research* 31.

    Examples
    --------
    >>> from sparsebp.metrics import grating_responses
    >>> wave = np.cos(np.pi / 2 * np.arange(8))
    >>> cell = grating_responses([np.tile(wave - wave.mean(), 8)], 8)
    >>> cell
    <GratingResponses n_units=1: orientation, frequency, modulation_ratio, second_harmonic_ratio>
    >>> cell.modulation_ratio.round(2), cell.frequency.round(2), cell.orientation
    (array([1.57]), array([0.27]), array([0.]))

    Four filters in two groups, that is, two complex cells:

    >>> filters = np.random.default_rng(0).normal(size=(4, 64))
    >>> grating_responses(filters, 8, groups=[[1, 1, 0, 0], [0, 0, 1, 1]]).orientation.shape
    (2,)
    """
    filters = _filters(respond)
    shape = _still(patch_shape, filters)
    check_integer("n_orientations", n_orientations)
    check_integer("n_phases", n_phases, minimum=5)
    frequencies = _checked_frequencies(frequencies, shape)
    sizes = (int(n_orientations), len(frequencies), int(n_phases))
    check_memory("(n_orientations, n_frequencies, n_phases)", sizes, (*sizes, prod(shape)))
    orientations = np.arange(n_orientations) * np.pi / n_orientations
    grids = (orientations, frequencies, np.arange(n_phases) * 2 * np.pi / n_phases)
    patches = _gratings(shape, *grids).reshape(-1, prod(shape))
    if filters is None:
        codes = _checked_codes(respond(patches), len(patches))  # type: ignore[operator]
    else:
        check_magnitude("respond", filters, power=1)  # linear responses
        codes = patches @ filters.astype(np.float64).T
    units = _units(codes.astype(np.float64), groups)
    return GratingResponses(np.ascontiguousarray(units.T).reshape(-1, *sizes), *grids)


def _filters(respond: Any) -> NDArray | None:
    """Return filters as a matrix, or None for a function."""
    if callable(respond) and not isinstance(respond, type):
        return None
    if hasattr(respond, "fit"):
        return check_matrix("respond", respond)  # refused, with what to give
    if respond is None or isinstance(respond, type | str):
        raise TypeError(mistake("respond", _RESPOND, respond))
    if np.ndim(check_readable("respond", respond)) != 2:
        fix = {0: "Give model.components_ or model.transform", 1: "Give respond.reshape(1, -1)"}
        advice = fix.get(np.ndim(respond), "Give respond.reshape(len(respond), -1)")
        raise ValueError(f"respond must be {_RESPOND}, got shape {np.shape(respond)}. {advice}.")
    return check_matrix("respond", respond)


def _checked_codes(returned: Any, n_patches: int) -> NDArray[np.floating]:
    """Return what a function returned for some patches, as a matrix."""
    if hasattr(returned, "toarray"):
        returned = returned.toarray()
    shape = np.shape(check_readable("the responses", returned))
    if len(shape) != 2:
        fix = "Return responses.reshape(len(patches), -1)"
        if shape[:1] != (n_patches,):
            fix = "Return what it computes" if returned is None else "Respond to each patch"
        raise ValueError(
            "respond must return a matrix with a row for each patch and a column for each unit, "
            f"got {type(returned).__name__} of shape {shape} for {n_patches} patches. {fix}."
        )
    if shape[0] != n_patches:
        fix = "Return responses.T" if shape[1] == n_patches else "Return a column for each unit"
        of = f"{n_patches} patches; a row for each is required"
        raise ValueError(f"respond returned {shape[0]} rows for {of}. {fix}.")
    codes = check_matrix("the responses", returned, missing=True)
    if n_missing := int(np.isnan(codes).any(axis=1).sum()):
        raise ValueError(
            f"the responses must be finite, got NaN for {n_missing} of {n_patches} patches, whose "
            "values are from -1 to 1. Return finite numbers, 0 for no response."
        )
    return codes


def _still(patch_shape: int | Sequence[int], filters: NDArray | None) -> tuple[int, ...]:
    if patch_shape is None:
        raise TypeError(mistake("patch_shape", "an integer or (height, width)", patch_shape))
    shape = checked_patch_shape(patch_shape)
    if filters is not None:
        shape = resolved_patch_shape(filters.shape[1], patch_shape, "each filter")
    if len(split_channels(shape)[0]) != 2:
        wanted = "(height, width) or (height, width, 3), colors last: gratings drift over still "
        wanted += "patches"
        raise ValueError(mistake("patch_shape", wanted, patch_shape))
    return shape


def _checked_frequencies(frequencies: ArrayLike | None, shape: tuple[int, ...]) -> NDArray:
    if frequencies is None:
        lowest = min(1 / (2 * max(shape[:2])), _HIGHEST / 2)
        return np.geomspace(lowest, _HIGHEST, _N_FREQUENCIES)
    checked = check_vector("frequencies", frequencies).astype(np.float64)
    for frequency in checked:
        check_number("frequencies", float(frequency), above=0, below=0.5)
    if (np.diff(checked) <= 0).any():
        raise ValueError(mistake("frequencies", "in ascending order", frequencies))
    return checked


def _gratings(
    shape: tuple[int, ...], orientations: NDArray, frequencies: NDArray, phases: NDArray
) -> NDArray[np.float64]:
    """Return gratings (n_orientations, n_frequencies, n_phases, *shape)."""
    rows, columns = (np.arange(side) - (side - 1) / 2 for side in shape[:2])
    along = np.multiply.outer(np.cos(orientations), columns)[:, np.newaxis]
    along = along + np.multiply.outer(np.sin(orientations), rows)[:, :, np.newaxis]
    turns = 2 * np.pi * frequencies[:, np.newaxis, np.newaxis] * along[:, np.newaxis]
    gray = np.cos(turns[:, :, np.newaxis] - phases[:, np.newaxis, np.newaxis])
    return gray if len(shape) == 2 else np.repeat(gray[..., np.newaxis], shape[2], axis=-1)


def _units(codes: NDArray, groups: ArrayLike | None) -> NDArray[np.float64]:
    """Return responses (n_patches, n_units) of simple cells or, with groups, of complex ones."""
    if groups is None:
        return np.maximum(codes, 0)
    if np.ndim(check_readable("groups", groups)) != 2:
        wanted = "a matrix with a row for each group, such as model.penalty_.grouping"
        fix = " Numbers of groups become weights by np.unique(groups)[:, np.newaxis] == groups."
        raise ValueError(mistake("groups", wanted, groups, fix if np.ndim(groups) == 1 else ""))
    grouping = check_matrix("groups", groups)
    if grouping.min() < 0 or grouping.shape[1] != codes.shape[1]:
        raise ValueError(
            f"groups must be numbers ≥ 0 with a column for each of {codes.shape[1]} components, "
            f"got shape {grouping.shape} and a smallest number of {float(grouping.min()):g}. "
            "Give the weights of all components in each group, such as penalty_.grouping of the "
            "same model."
        )
    largest = float(np.abs(codes).max()) or 1.0  # whose square may be out of range
    return np.sqrt(np.square(codes / largest) @ grouping.T) * largest


def _harmonic(cycle: NDArray, order: int) -> NDArray[np.float64]:
    """Compute the amplitude of a harmonic along the last axis, one cycle."""
    n_phases = cycle.shape[-1]
    wave = np.exp(-2j * np.pi * order * np.arange(n_phases) / n_phases)
    return 2 / n_phases * np.abs(cycle @ wave)
