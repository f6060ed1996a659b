from dataclasses import replace
from math import pi

import numpy as np
import pytest
from thinning import first_fast

from sparsebp.metrics import GaborFit, topography_index

QUANTITIES = ("orientation", "frequency", "place", "phase")


def random_fit(n_filters, seed=0):
    rng = np.random.default_rng(seed)
    return GaborFit(
        r_squared=rng.uniform(0.2, 1, n_filters),
        orientation=rng.uniform(0, pi, n_filters),
        carrier=rng.uniform(0.15, 0.5, n_filters),
        phase=rng.uniform(-pi, pi, n_filters),
        center=rng.uniform(0, 8, (n_filters, 2)),
        sigma=np.full((n_filters, 2), 2.0),
        amplitude=np.ones(n_filters),
        offset=np.zeros(n_filters),
        patch_shape=(8, 8),
    )


def pair_difference(fit, quantity, i, j):
    if quantity == "frequency":
        return abs(fit.frequency[i] - fit.frequency[j])
    if quantity == "place":
        return float(np.hypot(*(fit.center[i] - fit.center[j])))
    turn = abs(fit.orientation[i] - fit.orientation[j])
    if quantity == "orientation":
        return min(turn, pi - turn)
    sign = -1 if turn > pi / 2 else 1
    return min(
        abs(np.angle(np.exp(1j * (fit.phase[i] - sign * fit.phase[j] + flip)))) for flip in (0, pi)
    )


def slow_index(fit, grid_shape, quantity, wrap):
    rows, columns = grid_shape
    sums = np.zeros((2, 2))
    for i in range(rows * columns):
        for j in range(i):
            down, right = abs(i // columns - j // columns), abs(i % columns - j % columns)
            if wrap:
                down, right = min(down, rows - down), min(right, columns - right)
            weight = np.prod([fit.r_squared[k] * fit.well_determined[k] for k in (i, j)])
            difference = weight * pair_difference(fit, quantity, i, j)
            sums[1] += difference, weight
            if max(down, right) <= 1:
                sums[0] += difference, weight
    return (sums[0, 0] / sums[0, 1]) / (sums[1, 0] / sums[1, 1])


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize(
    "grid_shape", first_fast([(4, 5), (1, 6), (2, 3), (3, 3), (2, 2), (7, 1)], 3)
)
def test_equals_the_sum_over_pairs_written_out(grid_shape, wrap):
    fit = random_fit(grid_shape[0] * grid_shape[1])
    index = topography_index(fit, grid_shape, wrap=wrap)
    for quantity in QUANTITIES:
        expected = slow_index(fit, grid_shape, quantity, wrap)
        assert getattr(index, quantity) == pytest.approx(expected), quantity


def ordered_fit(side):
    row, column = np.indices((side, side)).reshape(2, -1)
    turn = 2 * pi * column / side
    smooth = np.cos(2 * pi * row / side)
    return replace(
        random_fit(side**2),
        r_squared=np.ones(side**2),
        orientation=np.mod(turn / 2, pi),
        carrier=0.25 + 0.1 * smooth,
        center=np.stack([4 + 3 * smooth, 4 + 3 * np.cos(turn)], axis=1),
    )


def test_planted_order_is_seen_and_shuffling_destroys_it():
    fit = ordered_fit(10)
    index = topography_index(fit, (10, 10))
    assert index.orientation < 0.4
    assert index.frequency < 0.5
    assert index.place < 0.5
    assert index.phase == pytest.approx(1, abs=0.1)
    order = np.random.default_rng(0).permutation(100)
    names = ("orientation", "carrier", "center", "phase")
    shuffled = replace(fit, **{name: getattr(fit, name)[order] for name in names})
    index = topography_index(shuffled, (10, 10))
    for quantity in QUANTITIES:
        assert getattr(index, quantity) == pytest.approx(1, abs=0.15)


def test_signs_and_directions_of_waves_do_not_matter():
    fit = random_fit(30, 1)
    negative = np.where(np.arange(30) % 3 == 0, pi, 0)
    expected = topography_index(fit, (5, 6))
    flipped = replace(fit, phase=np.angle(np.exp(1j * (fit.phase + negative))))
    assert topography_index(flipped, (5, 6)).phase == pytest.approx(expected.phase)
    # Turned a little past pi, a wave is described backwards with the opposite phase.
    near = replace(fit, orientation=np.full(30, 1e-9), phase=np.full(30, 0.8))
    backward = np.arange(30) % 2 == 0
    near.orientation[backward] = pi - 1e-9
    near.phase[backward] = -0.8
    assert topography_index(near, (5, 6)).phase == 1.0


def test_filters_that_are_no_gabors_do_not_count():
    fit = ordered_fit(8)
    spoiled = replace(fit, r_squared=fit.r_squared.copy(), carrier=fit.carrier.copy())
    spoiled.r_squared[5], spoiled.carrier[5] = 0.0, 0.5
    without = topography_index(spoiled, (8, 8)).frequency
    assert without == pytest.approx(topography_index(fit, (8, 8)).frequency, abs=0.05)


def test_nothing_to_order_is_an_index_of_one():
    fit = random_fit(6)
    alike = replace(fit, carrier=np.full(6, 0.3), phase=np.zeros(6), center=np.full((6, 2), 3.5))
    assert topography_index(alike, (2, 3)).frequency == 1.0
    unknown = replace(fit, r_squared=np.zeros(6))
    assert topography_index(unknown, (2, 3)).orientation == 1.0
    assert topography_index(random_fit(1), (1, 1)).place == 1.0


def test_refusals_say_what_came():
    fit = random_fit(6)
    with pytest.raises(ValueError, match=r"grid_shape=\(2, 4\) has 8 cells but fit has 6 filters"):
        topography_index(fit, (2, 4))
    with pytest.raises(
        ValueError, match=r"grid_shape must be 2 integers ≥ 1, such as \(8, 8\), got \(6,\)"
    ):
        topography_index(fit, (6,))
    with pytest.raises(TypeError, match="fit is of type ndarray; give the result of gabor_fit"):
        topography_index(np.eye(3), (1, 3))
