"""Which components are unused, by one definition; imports nothing of the package."""

from __future__ import annotations

import numpy as np

#: A component is unused when it contributes at most this share of a typical one's energy.
UNUSED = 1e-3


def unused_components(energies: np.ndarray) -> np.ndarray:
    """Return the numbers of the components, atoms or filters, that contribute next to nothing.

    Parameters
    ----------
    energies : ndarray of shape (n_components,)
        Mean square of what each component contributes to the samples, on any scale.

    Returns
    -------
    unused : ndarray of int
        Components of at most a thousandth of the typical energy: the median over those above a
        thousandth of the mean, so that it is that of a component in use even where few are.

    Examples
    --------
    >>> unused_components(np.array([1.0, 1e-9, 0.5, 2.0, 0.0, 1e-6, 1e-12]))
    array([1, 4, 5, 6])
    """
    in_use = energies[energies > UNUSED * energies.mean()]
    typical = np.median(in_use) if in_use.size else 0.0
    return np.flatnonzero(energies <= UNUSED * typical)
