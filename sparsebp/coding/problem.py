"""What every solver of sparse coding shares: the problem, its batches, atoms nothing uses."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sparsebp._cached import cached_property
from sparsebp._unused import unused_components
from sparsebp.penalties import Penalty
from sparsebp.problems import Problem, sparse_coding

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SparseCodingProblem:
    """(1/m) Σⱼ [‖A sⱼ − xⱼ‖² + α S(sⱼ)] + γ ‖A‖², or atoms of length one in place of γ.

    Parameters
    ----------
    penalty : Penalty
        S.
    alpha : float
        α ≥ 0.
    gamma : float or None
        γ ≥ 0; None keeps the atoms at length one.
    """

    penalty: Penalty
    alpha: float
    gamma: float | None

    def __post_init__(self) -> None:
        _ = self.problem  # refuses what cannot be minimized

    @cached_property
    def problem(self) -> Problem:
        """Return what is minimized."""
        return sparse_coding(self.penalty, self.alpha, self.gamma)

    def project(self, basis: np.ndarray) -> np.ndarray:
        """Return the basis, its atoms brought to length one where that is the constraint.

        Parameters
        ----------
        basis : ndarray of shape (n_features, n_components)
            A.

        Returns
        -------
        basis : ndarray of shape (n_features, n_components)
            A, or its atoms divided by their lengths.
        """
        return self.problem.project(basis)

    def value(self, x: np.ndarray, basis: np.ndarray, codes: np.ndarray) -> float:
        """Compute the objective of given coefficients and basis, a mean over the samples."""
        return self.problem.value({"x": x, "A": basis, "s": codes})


def replace_unused_atoms(
    x: np.ndarray, basis: np.ndarray, codes: np.ndarray, rng: Any
) -> np.ndarray:
    """Put samples that are badly reconstructed in the place of atoms that nothing uses.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A.
    codes : ndarray of shape (n_components, n_samples)
        Their coefficients.
    rng : RandomState or Generator
        Draws the samples, in proportion to their squared error.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        The same basis if every atom is used; new atoms are residuals, as long as the median
        atom.
    """
    unused = unused_atoms(basis, (codes.astype(np.float64) ** 2).mean(axis=1))
    return replaced_atoms(x, basis, codes, unused, rng)


def unused_atoms(basis: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Return the numbers of the atoms that contribute next to nothing.

    Parameters
    ----------
    basis : ndarray of shape (n_features, n_components)
        A.
    squares : ndarray of shape (n_components,)
        Mean square of each atom's coefficients.

    Returns
    -------
    unused : ndarray of int
        By `unused_components`.
    """
    return unused_components(squares * np.linalg.norm(basis.astype(np.float64), axis=0) ** 2)


def replaced_atoms(
    x: np.ndarray, basis: np.ndarray, codes: np.ndarray, unused: np.ndarray, rng: Any
) -> np.ndarray:
    """Put residuals of badly reconstructed samples in the place of given atoms.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    basis : ndarray of shape (n_features, n_components)
        A.
    codes : ndarray of shape (n_components, n_samples)
        Their coefficients.
    unused : ndarray of int
        The atoms to replace.
    rng : RandomState or Generator
        Draws the samples, in proportion to their squared error.

    Returns
    -------
    basis : ndarray of shape (n_features, n_components)
        A copy, the new atoms as long as the median atom; the same basis if nothing is unused or
        every sample is reconstructed perfectly.
    """
    if unused.size == 0:
        return basis
    lengths = np.linalg.norm(basis, axis=0)
    residual = x - basis @ codes
    errors = np.einsum("ij,ij->j", residual, residual, dtype=np.float64)
    unused = unused[: np.count_nonzero(errors)]
    if unused.size == 0 or not np.median(lengths) > 0:
        return basis
    drawn = rng.choice(len(errors), size=unused.size, replace=False, p=errors / errors.sum())
    new = residual[:, drawn] * (np.median(lengths) / np.sqrt(errors[drawn]))
    replaced = basis.copy()
    replaced[:, unused] = new
    logger.info("Replaced %d unused atoms.", unused.size)
    return replaced


def batches(x: np.ndarray, size: int, rng: Any) -> Iterator[np.ndarray]:
    """Yield batches without end, every sample once before any comes again; all of x as itself.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns.
    size : int
        Samples of a batch.
    rng : RandomState or Generator
        Draws them.

    Yields
    ------
    batch : ndarray of shape (n_features, size)
        A copy of some columns, or x where it holds no more than ``size``.
    """
    n_samples = x.shape[1]
    while size >= n_samples:
        yield x
    order = rng.permutation(n_samples)
    while True:
        if len(order) < size:
            order = np.concatenate([order, rng.permutation(n_samples)])
        yield x[:, order[:size]]
        order = order[size:]
