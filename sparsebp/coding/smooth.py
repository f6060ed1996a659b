"""Codes for smooth penalties: accelerated steps, then one L-BFGS per sample."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sparsebp._cached import cached_property
from sparsebp.coding.missing import split_missing
from sparsebp.coding.proximal import gradient_scale, largest_curvature
from sparsebp.minimizers import AtPoints, ColumnResult, descend, minimize_columns
from sparsebp.penalties import Penalty
from sparsebp.problems import Objective, UnitColumns, sparse_coding
from sparsebp.samples import filled, product, slices, taken

#: Accelerated steps before L-BFGS. Far from the minimum they are the cheaper ones.
_STEPS = 16
#: Added to the curvatures of atoms, which may be zero.
_TINY = np.finfo(np.float32).tiny
#: Samples of which they are taken at a time.
_COLUMNS = 512
#: What is larger, or smaller than its inverse, has squares that are not taken in single precision.
_LARGE = 1e15


def starting_codes(x: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Compute Aᵀx, row r divided by the norm of atom r: the tutorial's initial coefficients.

    Parameters
    ----------
    x : ndarray of shape (n_features, n_samples)
        Samples in columns; a missing value, NaN, counts as 0.
    basis : ndarray of shape (n_features, n_components)
        A. An atom of zeros gives zeros.

    Returns
    -------
    codes : ndarray of shape (n_components, n_samples)
        Initial coefficients.

    Notes
    -----
    *Sparse Coding: Autoencoder Interpretation* prints Wᵀx, and its starter code divides by the
    squared length.
    """
    return product(UnitColumns.project(basis).T, split_missing(x)[0], x.dtype)


@dataclass(frozen=True)
class SmoothCodes:
    """F(s) = ‖M ∘ (As − x)‖² + α S(s) of each sample, and parabolas that touch it.

    Parameters
    ----------
    samples : mapping of str to ndarray
        "x" (n_features, n_samples), and where values are missing the mask "M".
    basis : ndarray of shape (n_features, n_components)
        A.
    penalty : Penalty
        S, smooth.
    alpha : float
        α ≥ 0.
    """

    samples: Mapping[str, np.ndarray]
    basis: np.ndarray
    penalty: Penalty
    alpha: float

    @cached_property
    def _parts(self) -> tuple[Objective, Objective]:
        problem = sparse_coding(self.penalty, self.alpha, masked="M" in self.samples)
        terms = problem.objective("s", {"A": self.basis, **self.samples}, scale=1).terms
        return Objective("s", terms[:1]), Objective("s", terms[1:])

    def of(self, columns: np.ndarray, bend: Any) -> Callable[[np.ndarray], AtPoints]:
        """Return what evaluates codes (n_components, n) of the samples with these numbers.

        Its curvature is bend + α S'(s) / s, for the curvature `bend` of the distance.
        """
        known = {name: taken(matrix, columns) for name, matrix in self.samples.items()}
        distance, prior = self._parts

        def evaluate(codes: np.ndarray) -> AtPoints:
            errors, gradient = distance.values_and_gradient(codes, known)
            prices, slopes = prior.values_and_gradient(codes)
            gradient += slopes
            return AtPoints(errors + prices, gradient, self._curvature(codes, slopes, bend))

        return evaluate

    def _curvature(self, codes: np.ndarray, slopes: np.ndarray, bend: Any) -> np.ndarray:
        """Compute bend + α S'(s) / s, as `Penalty.curvature`, over the slopes α S'(s)."""
        is_zero = codes == 0
        if is_zero.any():
            limits = codes.dtype.type(self.alpha) * self.penalty.curvature(codes)
            slopes, codes = np.where(is_zero, limits, slopes), np.where(is_zero, 1, codes)
        slopes /= codes
        np.maximum(slopes, 0, out=slopes)
        slopes += bend
        return slopes

    def approached(self, start: np.ndarray, n_steps: int, *, single: bool = False) -> np.ndarray:
        """Return codes that accelerated steps reach from a start; no sample's are worse.

        The parabolas bend as AᵀA of unit atoms at most does, times each atom's squared norm:
        with one bend for all, weak atoms, which weight decay makes, would hardly move.

        With `single`, and where its range allows, steps are taken in single precision, in two
        thirds of the time: codes that have not converged have no more digits. Their rounding then
        depends on the other samples, which a fit may allow, but not an encoder.
        """
        if single and start.dtype == np.float64 and self._fits_single(start):
            narrow = {name: matrix.astype(np.float32) for name, matrix in self.samples.items()}
            codes = replace(self, samples=narrow, basis=self.basis.astype(np.float32))
            rounded = start.astype(np.float32)
            found = codes.approached(rounded, n_steps)
            return np.where(found == rounded, start, found)
        lengths = (self.basis * self.basis).sum(axis=0)[:, np.newaxis]
        bend = largest_curvature(UnitColumns.project(self.basis)) * lengths + _TINY
        out = np.empty_like(start)
        numbers = np.arange(start.shape[1])
        for block in slices(start.shape[1], _COLUMNS):
            columns = filled(numbers[block])
            found = descend(self.of(columns, bend), taken(start, columns), n_steps)
            out[:, block] = found[:, : numbers[block].size]
        return out

    def _fits_single(self, start: np.ndarray) -> bool:
        """Return whether sums of squares neither overflow nor vanish in single precision."""
        sizes = [np.abs(a).max(initial=0.0) for a in (self.samples["x"], self.basis, start)]
        return sizes[0] > 1 / _LARGE and max(*sizes, self.alpha) < _LARGE


def encode_smoothly(  # noqa: PLR0913  (as `encode_proximally`)
    x: np.ndarray,
    basis: np.ndarray,
    penalty: Penalty,
    alpha: float,
    *,
    mask: np.ndarray | None,
    start: np.ndarray | None,
    tol: float,
    max_iter: int,
) -> ColumnResult:
    """Compute argmin over s of ‖M ∘ (As − x)‖² + α S(s) for each sample; see `encode_proximally`.

    S is smooth. Without a start it is where sixteen accelerated steps, which do not count as
    iterations, lead from `starting_codes`.
    """
    target = tol * gradient_scale(x, basis, alpha)
    codes = SmoothCodes({"x": x} if mask is None else {"x": x, "M": mask}, basis, penalty, alpha)
    lengths = 2 * (basis * basis).sum(axis=0)[:, np.newaxis] + _TINY
    if start is None:
        start = codes.approached(starting_codes(x, basis), _STEPS)
    return minimize_columns(
        lambda columns: codes.of(columns, lengths), start, target, max_iter=max_iter
    )
