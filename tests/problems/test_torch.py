"""Every objective with every penalty, written again in PyTorch and differentiated by it."""

from functools import cache
from importlib.util import find_spec

import numpy as np
import pytest
from oracles import relative_error
from penalties.registry import CASES, overlapping_groups, torus, written_out
from problems import problems
from problems.problems import ALPHA, DECODER, GAMMA, SCALE, SIZES, Data


@cache
def torch():
    """Loaded where it is needed, since that takes two seconds."""
    import torch

    return torch


PENALTIES = {
    "l1": lambda s: s.abs().sum(),
    "smooth_l1": lambda s: torch().sqrt(s**2 + 0.03).sum(),
    "topographic": lambda s: torch().sqrt(tensor(torus(len(s))) @ s**2 + 0.05).sum(),
    "groups": lambda s: torch().sqrt(tensor(overlapping_groups(len(s))) @ s**2 + 0.05).sum(),
    "subspace": lambda s: torch().sqrt(tensor(written_out(len(s))) @ s**2 + 0.05).sum(),
    "log_cosh": lambda s: torch().log(torch().cosh(s)).sum(),
    "sharp_log_cosh": lambda s: torch().log(torch().cosh(2 * s)).sum() / 2,
    "cauchy": lambda s: torch().log1p(s**2).sum(),
    "welsch": lambda s: (1 - torch().exp(-(s**2) / 2)).sum(),
}


def tensor(array):
    return torch().tensor(array, dtype=torch().float64)


def codes(s, d, penalty):
    return SCALE * (((d.basis @ s - d.x) ** 2).sum() + ALPHA * penalty(s))


def basis(a, d, penalty):
    return SCALE * ((a @ d.codes - d.x) ** 2).sum() + GAMMA * (a**2).sum()


def reconstruction(w, d, penalty):
    return SCALE * (((w.T @ w @ d.x - d.x) ** 2).sum() + ALPHA * penalty(w @ d.x))


def scaled_reconstruction(w, d, penalty):
    back = DECODER * w.T @ w @ d.x
    return SCALE * (((back - d.x) ** 2).sum() + ALPHA * penalty(w @ d.x))


def sparsity(w, d, penalty):
    return SCALE * penalty(w @ d.x)


def unit_rows(w, d, penalty):
    return reconstruction(w / w.norm(dim=1, keepdim=True), d, penalty)


def basis_unit_columns(a, d, penalty):
    return basis(a / a.norm(dim=0, keepdim=True), d, penalty)


def orthonormal_rows(w, d, penalty):
    roots, vectors = torch().linalg.eigh(w @ w.T)
    return reconstruction(vectors @ torch().diag(roots**-0.5) @ vectors.T @ w, d, penalty)


OBJECTIVES = (
    (problems.codes, codes),
    (problems.basis, basis),
    (problems.basis_compressed, basis),
    (problems.reconstruction, reconstruction),
    (problems.reconstruction_compressed, reconstruction),
    (problems.scaled_reconstruction, scaled_reconstruction),
    (problems.scaled_reconstruction_compressed, scaled_reconstruction),
    (problems.sparsity, sparsity),
    (problems.unit_rows, unit_rows),
    (problems.basis_unit_columns, basis_unit_columns),
    (problems.orthonormal_rows, orthonormal_rows),
)


def test_no_objective_and_no_penalty_is_left_out():
    assert {build for build, _ in OBJECTIVES} == set(problems.ALL)
    assert set(PENALTIES) == {case.name for case in CASES}


@pytest.mark.slow
@pytest.mark.skipif(find_spec("torch") is None, reason="needs PyTorch")
@pytest.mark.parametrize("case", CASES, ids=repr)
@pytest.mark.parametrize(("build", "in_torch"), OBJECTIVES, ids=lambda f: f.__name__)
def test_value_and_gradient_are_those_of_torch(build, in_torch, case):
    for sizes in SIZES:
        data = Data.of(sizes, seed=3)
        problem = build(case, data)
        value, gradient = problem.objective.value_and_gradient(problem.point)
        point = tensor(problem.point).requires_grad_()
        tensors = Data(*map(tensor, (data.x, data.basis, data.codes, data.filters)))
        expected = in_torch(point, tensors, PENALTIES[case.name])
        expected.backward()
        assert value == pytest.approx(expected.item(), rel=1e-10)
        assert relative_error(gradient, np.asarray(point.grad)) < 1e-10, sizes
