"""Every objective on random data beside its closed form: what the ladder and PyTorch run over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import oracles
from penalties.registry import Case

from sparsebp.penalties import L1
from sparsebp.problems import (
    OrthonormalRows,
    UnitColumns,
    UnitRows,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
)

#: (n_features, n_components, n_samples): n < k, n = k, n > k, one sample, and many samples.
SIZES = ((3, 6, 4), (4, 4, 5), (6, 3, 7), (3, 4, 1), (2, 3, 17))
ALPHA, GAMMA, SCALE, DECODER = 0.7, 0.3, 0.2, 0.6


@dataclass(frozen=True)
class Problem:
    """An objective at a point, and its value and gradient in closed form as functions of it."""

    objective: object
    point: np.ndarray
    value: Callable[[np.ndarray], float]
    gradient: Callable[[np.ndarray], np.ndarray] | None

    def engine_value(self, point):
        return self.objective.value_and_gradient(point)[0]


@dataclass(frozen=True)
class Data:
    """Random samples, basis, codes and filters of matching sizes."""

    x: np.ndarray
    basis: np.ndarray
    codes: np.ndarray
    filters: np.ndarray

    @classmethod
    def of(cls, sizes, seed):
        n, k, m = sizes
        rng = np.random.default_rng([seed, *sizes])
        shapes = ((n, m), (n, k), (k, m), (k, n))
        return cls(*(rng.normal(size=shape) for shape in shapes))

    def cast(self, dtype):
        matrices = (self.x, self.basis, self.codes, self.filters)
        return Data(*(matrix.astype(dtype) for matrix in matrices))


def codes(case: Case, d: Data) -> Problem:
    penalty = case.build(d.codes.shape[0])
    a, x = d.basis, d.x
    return Problem(
        sparse_coding(penalty, ALPHA).objective("s", {"x": x, "A": a}, scale=SCALE),
        d.codes,
        lambda s: SCALE * (oracles.squared_distance(a, s, x) + ALPHA * case.value(s)),
        lambda s: SCALE * (oracles.squared_distance_in_codes(a, s, x) + ALPHA * case.gradient(s)),
    )


def basis(case: Case, d: Data, compressed: bool = False) -> Problem:
    del case
    s, x = d.codes, d.x
    return Problem(
        sparse_coding(L1(), 0.0, GAMMA).objective(
            "A", {"x": x, "s": s}, scale=SCALE, compressed=compressed
        ),
        d.basis,
        lambda a: SCALE * oracles.squared_distance(a, s, x) + GAMMA * oracles.weight_decay(a),
        lambda a: (
            SCALE * oracles.squared_distance_in_basis(a, s, x)
            + GAMMA * oracles.weight_decay_gradient(a)
        ),
    )


def basis_compressed(case: Case, d: Data) -> Problem:
    return basis(case, d, compressed=True)


def reconstruction(case: Case, d: Data, compressed: bool = False) -> Problem:
    penalty = case.build(d.filters.shape[0])
    x = d.x

    def gradient(w):
        sparsity = oracles.penalty_in_filters(case.gradient, w, x)
        return SCALE * (oracles.ica_reconstruction_in_filters(w, x) + ALPHA * sparsity)

    return Problem(
        reconstruction_ica(penalty, ALPHA).objective(
            "W", {"x": x}, scale=SCALE, compressed=compressed
        ),
        d.filters,
        lambda w: SCALE * (oracles.ica_reconstruction(w, x) + ALPHA * case.value(w @ x)),
        gradient,
    )


def reconstruction_compressed(case: Case, d: Data) -> Problem:
    return reconstruction(case, d, compressed=True)


def scaled_reconstruction(case: Case, d: Data, compressed: bool = False) -> Problem:
    penalty, x = case.build(d.filters.shape[0]), d.x

    def gradient(w):
        sparsity = oracles.penalty_in_filters(case.gradient, w, x)
        return SCALE * (oracles.ica_reconstruction_in_filters(w, x, DECODER) + ALPHA * sparsity)

    return Problem(
        reconstruction_ica(penalty, ALPHA, decoder=DECODER).objective(
            "W", {"x": x}, scale=SCALE, compressed=compressed
        ),
        d.filters,
        lambda w: SCALE * (oracles.ica_reconstruction(w, x, DECODER) + ALPHA * case.value(w @ x)),
        gradient,
    )


def scaled_reconstruction_compressed(case: Case, d: Data) -> Problem:
    return scaled_reconstruction(case, d, compressed=True)


def sparsity(case: Case, d: Data) -> Problem:
    return Problem(
        orthonormal_ica(case.build(d.filters.shape[0])).objective("W", {"x": d.x}, scale=SCALE),
        d.filters,
        lambda w: SCALE * case.value(w @ d.x),
        lambda w: SCALE * oracles.penalty_in_filters(case.gradient, w, d.x),
    )


def unit_rows(case: Case, d: Data) -> Problem:
    inner = reconstruction(case, d)
    return Problem(
        UnitRows(inner.objective),
        3 * d.filters,
        lambda w: inner.value(oracles.unit_rows(w)),
        None,
    )


def basis_unit_columns(case: Case, d: Data) -> Problem:
    inner = basis(case, d)
    return Problem(
        UnitColumns(inner.objective),
        3 * d.basis,
        lambda a: inner.value(oracles.unit_rows(a.T).T),
        None,
    )


def orthonormal_rows(case: Case, d: Data) -> Problem:
    """Of fewer components than features: with as many, there is little left to choose."""
    few = d.filters[: min(d.filters.shape[0], d.x.shape[0] - 1), :]
    inner = reconstruction(case, Data(d.x, d.basis, d.codes, few))
    return Problem(
        OrthonormalRows(inner.objective),
        2 * few,
        lambda w: inner.value(oracles.orthonormal_rows(w)),
        None,
    )


#: The engine runs these on complex points; a singular value decomposition is not analytic.
ANALYTIC = (
    codes,
    basis,
    basis_compressed,
    reconstruction,
    reconstruction_compressed,
    scaled_reconstruction,
    scaled_reconstruction_compressed,
    sparsity,
    unit_rows,
    basis_unit_columns,
)
ALL = (*ANALYTIC, orthonormal_rows)
