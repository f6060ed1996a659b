"""Samples in the rows of arrays on devices, beside the same samples in NumPy."""

from itertools import islice

import numpy as np
import pytest
from foreign import assert_same, everywhere

from sparsebp.penalties import SmoothL1, Topographic
from sparsebp.problems import reconstruction_ica
from sparsebp.samples import (
    ArraySamples,
    DeviceSamples,
    Samples,
    device,
    second_moment_factor,
    second_moments,
)

X = np.random.default_rng(0).normal(size=(50, 4))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(device, "BLOCK", 16)
    monkeypatch.setattr(device, "DEVICE_BLOCK", 16)


def pair(foreign, dtype=np.float64):
    X_here = X.astype(dtype)
    return ArraySamples(X_here.T), DeviceSamples(foreign(X_here))


@everywhere
def test_shapes_blocks_and_choices_equal_numpy(foreign):
    ours, theirs = pair(foreign, np.float32)
    assert (theirs.shape, theirs.dtype) == (ours.shape, ours.dtype)
    assert_same(theirs.block(40, 16), ours.block(40, 16), foreign)
    order = np.array([7, 0, 49])
    assert_same(theirs.take(order), ours.take(order), foreign)
    assert_same(theirs.select(order).block(1), ours.select(order).block(1), foreign)
    assert theirs.load() is theirs
    theirs_and_ours = zip(theirs.batches(20, 3), ours.batches(20, 3), strict=True)
    for found, expected in islice(theirs_and_ours, 4):
        assert_same(found, expected, foreign)


@everywhere
def test_sums_come_back_in_float64_and_count_exactly(foreign):
    for dtype, rtol in ((np.float64, 1e-12), (np.float32, 1e-6)):
        ours, theirs = pair(foreign, dtype)
        expected = ours.sum(lambda x: (x @ x.T, x.shape[1], 2.0**24 + 1))
        found = theirs.sum(lambda x: (x @ x.T, x.shape[1], 2.0**24 + 1))
        assert [part.dtype for part in found] == 3 * [np.float64]
        np.testing.assert_allclose(found[0], expected[0], rtol=rtol, atol=rtol)
        assert found[1] == 50
        assert found[2] == 4 * (2.0**24 + 1)  # blocks


@everywhere
def test_mapped_samples_are_computed_on_the_device(foreign):
    rng = np.random.default_rng(1)
    matrix, mean = rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
    ours, theirs = (samples.transform(matrix, mean) for samples in pair(foreign))
    assert theirs.shape == (3, 50)
    assert_same(theirs.block(16, 16), ours.block(16, 16), foreign)
    assert_same(theirs.load().block(0, 50), ours.load().block(0, 50), foreign)
    assert_same(theirs.select(np.arange(9)).block(0), ours.block(0, 9), foreign)
    np.testing.assert_allclose(second_moments(theirs), second_moments(ours), rtol=1e-12)


@everywhere
def test_moments_are_those_of_numpy(foreign):
    mean = X.mean(axis=0)[:, np.newaxis]
    there = foreign(X).T
    np.testing.assert_allclose(second_moments(there, mean), second_moments(X.T, mean), rtol=1e-12)
    assert_same(second_moment_factor(there), second_moment_factor(X.T), foreign, rtol=1e-10)


@everywhere
def test_objectives_have_their_parameters_on_the_host(foreign):
    w = np.random.default_rng(2).normal(size=(6, 4))
    for dtype, rtol in ((np.float64, 1e-11), (np.float32, 1e-5)):
        point = w.astype(dtype)
        for penalty in (SmoothL1(), Topographic((2, 3))):
            for compressed in (False, True):
                problem = reconstruction_ica(penalty, 0.5, unit_norm=True)
                (value, gradient), (found, slope) = (
                    problem.constrained(
                        problem.objective("W", {"x": samples}, compressed=compressed)
                    ).value_and_gradient(point)
                    for samples in pair(foreign, dtype)
                )
                assert found == pytest.approx(value, rel=rtol)
                assert isinstance(slope, np.ndarray)
                assert slope.dtype == gradient.dtype
                np.testing.assert_allclose(slope, gradient, atol=rtol * np.abs(gradient).max())


@everywhere
def test_arrays_in_columns_become_samples_in_rows(foreign):
    samples = Samples.of(foreign(X).T)
    assert isinstance(samples, DeviceSamples)
    assert Samples.of(samples) is samples
    assert samples.shape == (4, 50)
