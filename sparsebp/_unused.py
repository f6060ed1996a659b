"""The definition of unused components; imports nothing of the package."""

from __future__ import annotations

import numpy as np

#: A component is unused if it contributes at most this fraction of the typical energy.
UNUSED = 1e-3


def unused_components(energies: np.ndarray) -> np.ndarray:
    """Return the indices of the components that contribute almost nothing.

    `energies` are the mean squares of what each contributes to the samples, on any scale. Unused
    are those with at most a thousandth of the typical energy: the median over those above a
    thousandth of the mean, so that it is the energy of a used component even if few are used.

    Examples
    --------
    >>> unused_components(np.array([1.0, 1e-9, 0.5, 2.0, 0.0, 1e-6, 1e-12]))
    array([1, 4, 5, 6])
    """
    in_use = energies[energies > UNUSED * energies.mean()]
    typical = np.median(in_use) if in_use.size else 0.0
    return np.flatnonzero(energies <= UNUSED * typical)
