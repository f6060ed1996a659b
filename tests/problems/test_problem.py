"""What every problem promises: one statement, from which objectives and values follow."""

import numpy as np
import pytest
from oracles import relative_error
from penalties.registry import CASES

from sparsebp.penalties import L1, Signed, SmoothL1, Topographic
from sparsebp.problems import (
    UnitColumns,
    orthonormal_ica,
    reconstruction_ica,
    sparse_coding,
    sparse_filtering,
)
from sparsebp.samples import ArraySamples

rng = np.random.default_rng(0)
X, A, S, W = (rng.normal(size=shape) for shape in ((4, 30), (4, 6), (6, 30), (6, 4)))
MATRICES = {"x": X, "A": A, "s": S, "W": W}
CASE_PROBLEMS = [
    build(case.build(6))
    for case in CASES
    for build in (
        lambda penalty: sparse_coding(penalty, 0.3),
        lambda penalty: sparse_coding(penalty, 0.3, 0.2),
        lambda penalty: reconstruction_ica(penalty, 0.3, decoder=0.6, unit_norm=True),
        orthonormal_ica,
    )
]
PROBLEMS = [*CASE_PROBLEMS, sparse_filtering(1e-2)]


def others(problem, free):
    return {n: m for n, m in MATRICES.items() if n in ("x", *problem.free) and n != free}


def test_an_objective_differs_from_the_value_by_what_does_not_depend_on_its_matrix():
    for problem, free in ((p, free) for p in PROBLEMS for free in p.free):
        objective = problem.objective(free, others(problem, free))

        def value(point, problem=problem, free=free):
            return problem.value({**others(problem, free), free: point})

        here, there = MATRICES[free], 2 * MATRICES[free]
        difference = objective.value_and_gradient(there)[0] - objective.value_and_gradient(here)[0]
        assert value(there) - value(here) == pytest.approx(difference, rel=1e-12)


def test_compression_changes_neither_value_nor_gradient():
    for problem, free in ((p, free) for p in CASE_PROBLEMS for free in set(p.free) - {"s"}):
        known = others(problem, free)
        plain = problem.objective(free, known).value_and_gradient(MATRICES[free])
        few = problem.objective(free, known, compressed=True).value_and_gradient(MATRICES[free])
        assert few[0] == pytest.approx(plain[0], rel=1e-12)
        assert relative_error(few[1], plain[1]) < 1e-12


def test_the_value_of_samples_is_that_of_the_array():
    problem = reconstruction_ica(Topographic((2, 3)), 0.3)
    blocks = problem.value({"x": ArraySamples(X), "W": W})
    assert blocks == pytest.approx(problem.value({"x": X, "W": W}), rel=1e-13)


def test_matrices_of_the_problem_take_the_precision_of_the_samples():
    problem = reconstruction_ica(Topographic((2, 3)), 0.3, decoder=0.6)
    objective = problem.objective("W", {"x": X.astype(np.float32)})
    assert objective.value_and_gradient(W.astype(np.float32))[1].dtype == np.float32


def test_weight_decay_is_in_the_place_of_the_constraint():
    assert sparse_coding(L1(), 0.3).constraint is UnitColumns
    free = sparse_coding(L1(), 0.3, 0.0)
    assert free.constraint is None
    assert free.project(A) is A
    objective = free.objective("A", {"x": X, "s": S})
    assert free.constrained(objective) is objective


def test_codes_that_a_pursuit_finds_have_no_penalty():
    problem = sparse_coding(None, 0.0)
    error = np.square(A @ S - X).sum(axis=0).mean()
    assert problem.value({"x": X, "A": A, "s": S}) == pytest.approx(error)
    assert not problem.values
    assert "matching pursuit" in problem.meanings["s_j"]


def test_a_penalty_without_a_lower_bound_is_refused():
    with pytest.raises(ValueError, match="unbounded below; give a penalty without signs"):
        sparse_coding(Signed(SmoothL1(), (1, -1)), 0.1)


def test_samples_in_blocks_beside_an_array_of_codes_are_refused():
    problem = sparse_coding(L1(), 0.5)
    x, A, s = np.ones((2, 3)), np.eye(2), np.ones((2, 3))
    with pytest.raises(ValueError, match="x is ArraySamples, of which blocks are taken, but s is"):
        problem.value({"x": ArraySamples(x), "A": A, "s": s})


def test_a_problem_has_what_its_penalty_brings_and_its_own():
    mapped = reconstruction_ica(Topographic((2, 2), epsilon=0.5), 2.0)
    assert {"x_j", "W", "V"} <= set(mapped.meanings)
    assert mapped.values == {r"\alpha": 2.0, r"\epsilon": 0.5}
    assert set(mapped.fixed) == {"V"}
    assert "G" in reconstruction_ica(Signed(L1(), (1, -1)), 1.0).meanings
