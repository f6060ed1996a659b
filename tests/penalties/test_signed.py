import numpy as np
import oracles
import pytest
from oracles import complex_step, relative_error

from sparsebp.network import delta_table
from sparsebp.penalties import L1, Cauchy, LogCosh, Signed, SmoothL1, Topographic
from sparsebp.problems import reconstruction_ica

SIGNS = (1, -1, -1, 1, 1)
BASES = [
    (LogCosh(), oracles.log_cosh),
    (Cauchy(), oracles.cauchy),
    (SmoothL1(0.1), lambda s: np.sqrt(s**2 + 0.1).sum()),
]
every = pytest.mark.parametrize(("penalty", "formula"), BASES, ids=lambda p: type(p).__name__)


def codes(n=7, seed=0):
    return np.random.default_rng(seed).normal(size=(5, n))


@every
@pytest.mark.parametrize("seed", range(3))
def test_values_are_those_of_each_row_times_its_sign(penalty, formula, seed):
    s = codes(seed=seed)
    values, gradient = Signed(penalty, SIGNS).values_and_gradient(s)
    expected = [sum(g * formula(row) for g, row in zip(SIGNS, c, strict=True)) for c in s.T]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    rows = [g * penalty.values_and_gradient(row[None])[1] for g, row in zip(SIGNS, s, strict=True)]
    assert relative_error(gradient, np.concatenate(rows)) < 1e-14


@every
def test_behind_filters_the_gradient_is_the_complex_step(penalty, formula):
    x, w = codes(9)[:4], np.random.default_rng(1).normal(size=(5, 4))
    objective = reconstruction_ica(Signed(penalty, SIGNS), 0.7).objective("W", {"x": x}, scale=1)
    exact = complex_step(lambda w: objective.value_and_gradient(w)[0], w)
    assert relative_error(objective.value_and_gradient(w)[1], exact) < 1e-13


def test_all_signs_plus_change_nothing():
    plain, signed = LogCosh(), Signed(LogCosh(), (1,) * 5)
    for a, b in zip(
        plain.values_and_gradient(codes()), signed.values_and_gradient(codes()), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-15)


def test_keeps_float32():
    values, gradient = Signed(LogCosh(), SIGNS).values_and_gradient(codes().astype(np.float32))
    assert values.dtype == gradient.dtype == np.float32


def test_the_table_writes_the_signs_as_a_weight():
    table = delta_table(Signed(LogCosh(), SIGNS).network())
    (row,) = [line for line in table.splitlines() if line.startswith("1 ")]
    assert "log cosh" in row
    assert row.split()[1] == "G"


@pytest.mark.parametrize("signs", [(), (1, 0), (1, 2), "++", (1, None), [[1, -1]]])
def test_signs_are_plus_or_minus_one(signs):
    with pytest.raises(ValueError, match="signs are"):
        Signed(L1(), signs)


def test_a_penalty_of_groups_is_refused():
    with pytest.raises(ValueError, match="Topographic groups coefficients"):
        Signed(Topographic((2, 2)), (1, 1, -1, 1))


def test_any_sequence_of_numbers_will_do():
    assert Signed(L1(), np.array([1.0, -1.0])) == Signed(L1(), [1, -1])


def test_there_is_a_sign_for_each_component():
    with pytest.raises(ValueError, match="5 signs for 3 components"):
        Signed(L1(), SIGNS).check_components(3)


def test_what_is_no_penalty_is_refused():
    with pytest.raises(TypeError, match="penalty is 'l1'; give a Penalty"):
        Signed("l1", (1, -1))
