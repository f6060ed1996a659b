import re
from itertools import product

import numpy as np
import pytest
from oracles import complex_step, relative_error

from sparsebp.network import (
    Identity,
    Layer,
    Linear,
    Network,
    NormalizeColumns,
    NormalizeRows,
    Parameter,
    Square,
    Subtract,
    delta_table,
    simplified,
    value_and_gradients,
)

SIZES = [(1, 1), (1, 5), (4, 1), (3, 6), (6, 3)]
both = pytest.mark.parametrize("normalize", [NormalizeRows(), NormalizeColumns()], ids=repr)


def matrix(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@both
def test_every_row_or_column_has_length_one(normalize):
    z = matrix(3, 5)
    a = normalize(z, {})
    axis = 1 if isinstance(normalize, NormalizeRows) else 0
    np.testing.assert_allclose((a**2).sum(axis=axis), 1, rtol=1e-14)
    for found, given in zip(a.T if axis == 0 else a, z.T if axis == 0 else z, strict=True):
        np.testing.assert_allclose(found, given / np.linalg.norm(given), rtol=1e-14)


@both
def test_what_comes_back_is_the_complex_step(normalize):
    for size, seed in product(SIZES, range(3)):
        z, weights = matrix(*size, seed=seed), matrix(*size, seed=seed + 9)
        found = normalize.pull_back(weights, z, normalize(z, {}), {})
        expected = complex_step(lambda z, by=weights: (by * normalize(z, {})).sum(), z)
        assert np.abs(found - expected).max() < 1e-14 * max(1.0, np.abs(expected).max())


@both
def test_what_comes_back_is_j_times_what_came(normalize):
    z, delta = matrix(4, 1), matrix(4, 1, seed=1)
    if isinstance(normalize, NormalizeRows):
        z, delta = z.T, delta.T
    length = np.linalg.norm(z)
    a = (z / length).ravel()
    expected = (np.eye(4) - np.outer(a, a)) / length @ delta.ravel()
    found = normalize.pull_back(delta, z, normalize(z, {}), {})
    np.testing.assert_allclose(found.ravel(), expected, rtol=1e-13)


@pytest.mark.parametrize("fast", [False, True])
def test_within_a_network_the_gradient_is_the_complex_step(fast):
    network = Network(
        "x",
        [
            Layer(Parameter("W"), Linear()),
            Layer(Parameter("W").T, NormalizeRows()),
            Layer(Identity(), Subtract("x")),
            Layer(Identity(), NormalizeColumns()),
            Layer(None, Square()),
        ],
    )
    network = simplified(network) if fast else network
    x, w = matrix(4, 7), matrix(3, 4, seed=1)
    _, gradients = value_and_gradients(network, {"x": x, "W": w}, ["W", "x"])
    in_w = complex_step(lambda w: value_and_gradients(network, {"x": x, "W": w}, "W")[0], w)
    in_x = complex_step(lambda x: value_and_gradients(network, {"x": x, "W": w}, "x")[0], x)
    # The squares of columns of length one sum to their number: the slope is nothing but rounding.
    assert np.abs(gradients["W"] - in_w).max() < 1e-14
    assert np.abs(gradients["x"] - in_x).max() < 1e-14


@both
def test_the_precision_is_kept(normalize):
    z = matrix(3, 4).astype(np.float32)
    a = normalize(z, {})
    assert a.dtype == normalize.pull_back(a, z, a, {}).dtype == np.float32
    assert relative_error(a, normalize(z.astype(float), {})) < 1e-6


def test_the_table_writes_j():
    network = Network(
        "x",
        [
            Layer(Parameter("W"), Linear()),
            Layer(Identity(), Square()),
            Layer(Identity(), NormalizeRows()),
            Layer(None, NormalizeColumns()),
        ],
    )
    lines = delta_table(network).split("\n")
    assert [re.split(r"\s{2,}", line) for line in lines[4:8]] == [
        ["4", "N/A", "z/‖z‖ by columns", "J⁽⁴⁾ = (I − a aᵀ)/‖z‖", "J⁽⁴⁾ 1", "rows((W x)∘(W x))"],
        ["3", "I", "z/‖z‖ by rows", "J⁽³⁾ = (I − a aᵀ)/‖z‖", "J⁽³⁾ (Iᵀ δ⁽⁴⁾)", "(W x)∘(W x)"],
        ["2", "I", "z²", "2z", "(Iᵀ δ⁽³⁾) ∘ 2(W x)", "W x"],
        ["1", "W", "z", "1", "(Wᵀ δ⁽²⁾) ∘ 1", "x"],
    ]
    assert lines[9:] == [
        "∇x F = δ⁽¹⁾ = 2 Wᵀ ((J⁽³⁾ J⁽⁴⁾ 1) ∘ (W x))",
        "∇W F = δ⁽²⁾ a⁽¹⁾ᵀ = 2 ((J⁽³⁾ J⁽⁴⁾ 1) ∘ (W x)) xᵀ",
    ]
