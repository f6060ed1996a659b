from itertools import product

import numpy as np
import pytest
from oracles import relative_error

from sparsebp.penalties import L1, Topographic
from sparsebp.problems import (
    reconstruction_ica,
    sparse_coding,
)
from sparsebp.samples import second_moment_factor, second_moments


def samples(n, m, rank, seed):
    """Samples of a rank; 0 gives zeros."""
    rng = np.random.default_rng([n, m, rank, seed])
    return rng.normal(size=(n, rank)) @ rng.normal(size=(rank, m))


SHAPES = [(n, m, rank) for n in (1, 3, 6) for m in (1, 3, 20, 200) for rank in {0, 1, n}]


def test_a_factor_has_the_second_moments_and_no_more_columns_than_rows():
    for (n, m, rank), seed in product(SHAPES, range(3)):
        x = samples(n, m, rank, seed)
        factor = second_moment_factor(x)
        assert factor.shape == (n, min(n, m))
        assert relative_error(factor @ factor.T, x @ x.T) < 1e-13


def test_moments_are_about_a_number_or_a_column():
    x = samples(3, 20, 3, 0)
    for mean in (0, 0.0, 2, np.float32(0.5), x.mean(axis=1, keepdims=True)):
        assert relative_error(second_moments(x, mean), (x - mean) @ (x - mean).T) < 1e-13


def test_compressed_reconstruction_is_plain():
    for seed, (n, m, rank) in enumerate(SHAPES):
        for k in (1, 4, 9):
            x = samples(n, m, rank, seed)
            w = np.random.default_rng(seed).normal(size=(k, n))
            penalty = Topographic((1, k))
            pair = (
                reconstruction_ica(penalty, 0.3).objective("W", {"x": x}, scale=1, compressed=c)
                for c in (False, True)
            )
            plain, compressed = (o.value_and_gradient(w) for o in pair)
            assert compressed[0] == pytest.approx(plain[0], rel=1e-12)
            assert relative_error(compressed[1], plain[1]) < 1e-12


def test_compressed_sparse_coding_is_plain():
    for seed, (n, m, rank) in enumerate(SHAPES):
        for k, code_rank in ((1, 1), (4, 2), (9, 9), (4, 0)):
            x, codes = samples(n, m, rank, seed), samples(k, m, code_rank, seed + 5)
            basis = np.random.default_rng(seed).normal(size=(n, k))
            pair = (
                sparse_coding(L1(), 0.0, 0.1).objective(
                    "A", {"x": x, "s": codes}, scale=1, compressed=c
                )
                for c in (False, True)
            )
            plain, compressed = (o.value_and_gradient(basis) for o in pair)
            assert compressed[0] == pytest.approx(plain[0], rel=1e-12)
            assert relative_error(compressed[1], plain[1]) < 1e-12


def test_the_compressed_objectives_hold_few_columns():
    x, codes = samples(3, 500, 3, 0), samples(4, 500, 4, 1)
    basis_term = (
        sparse_coding(L1(), 0.0, 0.1)
        .objective("A", {"x": x, "s": codes}, scale=1, compressed=True)
        .terms[0]
    )
    assert basis_term.fixed["x"].shape == (3, 7)
    assert basis_term.fixed["s"].shape == (4, 7)
    filters_term = (
        reconstruction_ica(Topographic((1, 4)), 0.1)
        .objective("W", {"x": x}, scale=1, compressed=True)
        .terms[0]
    )
    assert filters_term.fixed["x"].shape == (3, 3)


def test_float32_stays_float32():
    x = samples(4, 50, 4, 0).astype(np.float32)
    factor = second_moment_factor(x)
    assert factor.dtype == np.float32
    assert relative_error(factor @ factor.T, x @ x.T) < 1e-6
