import copy
import pickle

import numpy as np
import pytest
from oracles import complex_step, relative_error
from penalties.registry import CASES

from sparsebp.network import Layer, Linear, Parameter, value_and_gradients
from sparsebp.penalties import L1, NAMES, Penalty, Topographic

EACH = pytest.mark.parametrize("case", CASES, ids=repr)


def codes(k=6, m=4, seed=0):
    return np.random.default_rng(seed).normal(size=(k, m))


def test_the_registry_holds_every_named_penalty():
    assert set(NAMES) <= {case.name for case in CASES}


@EACH
def test_values_and_gradient_are_the_closed_form(case):
    for k, m in ((1, 1), (4, 3), (7, 1), (9, 5)):
        s = codes(k, m)
        values, gradient = case.build(k).values_and_gradient(s)
        columns = [case.value(s[:, [j]]) for j in range(m)]
        assert relative_error(values, columns) < 1e-13
        assert relative_error(gradient, case.gradient(s)) < 1e-13


@EACH
def test_the_closed_forms_agree_with_the_complex_step(case):
    assert relative_error(case.gradient(codes()), complex_step(case.value, codes())) < 1e-13


@EACH
def test_the_fast_form_is_the_literal_network(case):
    s, penalty = codes(), case.build(6)
    variables = {**penalty.variables, "s": s}
    value, gradients = value_and_gradients(penalty.network(), variables, "s")
    values, gradient = penalty.values_and_gradient(s)
    assert values.sum() == pytest.approx(value, rel=1e-13)
    assert relative_error(gradient, gradients["s"]) < 1e-13


@EACH
def test_a_network_behind_filters(case):
    rng, penalty = np.random.default_rng(1), case.build(6)
    w, x = rng.normal(size=(6, 3)), rng.normal(size=(3, 4))
    network = penalty.network(behind=(Layer(Parameter("W"), Linear()),), input="x")
    value, _ = value_and_gradients(network, {**penalty.variables, "W": w, "x": x}, ())
    assert value == pytest.approx(case.value(w @ x), rel=1e-13)


@EACH
def test_signs_do_not_matter_and_columns_do_not_meet(case):
    s, penalty = codes(), case.build(6)
    values, gradient = penalty.values_and_gradient(s)
    flipped, against = penalty.values_and_gradient(-s)
    np.testing.assert_allclose(flipped, values, rtol=1e-14)
    np.testing.assert_allclose(against, -gradient, rtol=1e-14)
    alone, its_gradient = penalty.values_and_gradient(s[:, [2]])
    np.testing.assert_allclose(alone, values[2], rtol=1e-14)
    np.testing.assert_allclose(its_gradient, gradient[:, [2]], rtol=1e-14)


@EACH
def test_float32_stays_float32(case):
    s, penalty = codes(), case.build(6)
    values, gradient = penalty.values_and_gradient(s.astype(np.float32))
    assert values.dtype == gradient.dtype == np.float32
    assert relative_error(values, penalty.values_and_gradient(s)[0]) < 1e-6
    assert relative_error(gradient, penalty.values_and_gradient(s)[1]) < 1e-6


@EACH
def test_nothing_overflows_far_out_or_at_zero(case):
    for scale in (0.0, 1000.0):
        values, gradient = case.build(6).values_and_gradient(scale * np.sign(codes()))
        assert np.isfinite(values).all()
        assert np.isfinite(gradient).all()


@EACH
def test_the_codes_are_not_changed(case):
    s = codes()
    s.flags.writeable = False
    case.build(6).values_and_gradient(s)
    np.testing.assert_array_equal(s, codes())


@EACH
def test_copies_are_equal_and_work(case):
    penalty = case.build(6)
    values, gradient = penalty.values_and_gradient(codes())
    for again in (lambda p: pickle.loads(pickle.dumps(p)), copy.copy, copy.deepcopy):
        copied = again(penalty)
        assert copied == penalty
        assert hash(copied) == hash(penalty)
        assert repr(copied) == repr(penalty)
        np.testing.assert_array_equal(copied.values_and_gradient(codes())[0], values)
        np.testing.assert_array_equal(copied.values_and_gradient(codes())[1], gradient)


def test_penalties_of_different_kinds_differ():
    built = [case.build(6) for case in CASES]
    assert len(set(built)) == len(built)


@EACH
def test_a_penalty_cannot_be_changed(case):
    with pytest.raises(AttributeError):
        case.build(6).epsilon = 1.0


def test_a_new_penalty_gives_layers():
    with pytest.raises(NotImplementedError):
        Penalty().network()


def test_the_penaltys_matrices_take_the_precision_of_real_numbers_alone():
    penalty = Topographic((2, 3))
    grouping = penalty.variables["V"]
    assert penalty.variables_like(np.ones(1, np.float32))["V"].dtype == np.float32
    assert penalty.variables_like(np.ones(1, complex))["V"] is grouping
    assert penalty.variables_like(np.ones(1))["V"] is grouping


@EACH
def test_curvature_is_that_of_parabolas_above(case):
    penalty, s = case.build(6), codes()
    s[0, 0] = 0
    curvature = penalty.curvature(s)
    assert (curvature >= 0).all()
    np.testing.assert_allclose(curvature * s, penalty.values_and_gradient(s)[1], atol=1e-12)
    if not np.isfinite(curvature).all() or case.name == "l1":
        return
    for far in (codes(seed=1), 10 * codes(seed=2), 1e-3 * codes(seed=3)):
        above = penalty.values_and_gradient(s)[0] + 0.5 * (curvature * (far**2 - s**2)).sum(axis=0)
        assert (penalty.values_and_gradient(far)[0] <= above + 1e-9).all()


def test_a_penalty_that_was_used_is_pickled_as_one_that_was_not():
    for build in (L1, lambda: Topographic((2, 3))):
        used = build()
        used.values_and_gradient(np.ones((6, 2)))
        assert pickle.dumps(used) == pickle.dumps(build())
        again = pickle.loads(pickle.dumps(used))
        assert again.values_and_gradient(np.ones((6, 2)))[0].shape == (2,)
