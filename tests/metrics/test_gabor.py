import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import brentq, least_squares
from thinning import first_fast

from sparsebp.metrics import GaborFit, gabor_fit
from sparsebp.metrics._gabor_model import gabor_pair
from sparsebp.metrics._gabor_refine import _linearize, refine
from sparsebp.metrics._gabor_search import frequency_limit
from sparsebp.metrics._gabor_spectrum import peak_frequency
from sparsebp.metrics.gabor import _distinct


def gabor(shape, center, angle, frequency, sigma, phase=0.0):
    """One Gabor function, pixel by pixel."""
    image = np.empty(shape)
    for y in range(shape[0]):
        for x in range(shape[1]):
            right, down = x - center[1], y - center[0]
            u = right * math.cos(angle) + down * math.sin(angle)
            v = down * math.cos(angle) - right * math.sin(angle)
            envelope = math.exp(-(u**2) / (2 * sigma[0] ** 2) - v**2 / (2 * sigma[1] ** 2))
            image[y, x] = envelope * math.cos(2 * math.pi * frequency * u + phase)
    return image.ravel()


def random_gabors(n_filters, shape, seed, kind="any"):
    rng = np.random.default_rng(seed)
    filters = []
    for _ in range(n_filters):
        angle = rng.uniform(0, np.pi)
        limit = 0.5 / max(abs(np.cos(angle)), abs(np.sin(angle)))
        frequency = rng.uniform(0.3 / max(shape), 0.99 * limit)
        center = [rng.uniform(-0.5, side - 0.5) for side in shape]
        sigma = 0.6 * (max(shape) / 0.6) ** rng.uniform(size=2)
        if kind == "border":
            center[rng.integers(2)] = rng.choice([-0.5, min(shape) - 0.5])
        elif kind == "half cycle":
            frequency = rng.uniform(0.3, 0.7) / max(shape)
        elif kind == "near Nyquist":
            frequency = rng.uniform(0.9, 1.0) * limit
        elif kind == "elongated":
            sigma = (rng.uniform(0.7, 1.5), rng.uniform(4, 8))
        filters.append(gabor(shape, center, angle, frequency, sigma, rng.uniform(-np.pi, np.pi)))
    return np.array(filters)


@pytest.mark.parametrize(
    "kind", first_fast(["any", "near Nyquist", "border", "half cycle", "elongated"], 2)
)
@pytest.mark.parametrize("shape", first_fast([(8, 8), (7, 10)]))
def test_noiseless_gabors_are_fitted_exactly(kind, shape):
    fit = gabor_fit(random_gabors(8, shape, 0, kind), shape)
    assert fit.r_squared.min() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("side", [5, 8, 12, 16])
def test_hundreds_of_noiseless_gabors_are_fitted_exactly(side):
    fit = gabor_fit(random_gabors(400, (side, side), side), (side, side))
    assert (fit.r_squared > 0.999).mean() > 0.995
    assert fit.r_squared.min() > 0.9


@pytest.mark.parametrize("phase", first_fast([1.0, 0.0, 2.0]))
def test_waves_near_nyquist_are_told_from_their_mirror_images(phase):
    truth = gabor((12, 12), (6.524, 5.421), 1.448, 0.465, (0.62, 11.06), phase)
    assert gabor_fit(truth.reshape(1, -1), (12, 12)).r_squared[0] > 0.999


def test_parameters_of_a_clear_gabor_are_found():
    truth = gabor((10, 12), (4.3, 6.1), 2.0, 0.21, (1.8, 2.6), 0.7)
    fit = gabor_fit((5.0 + 3.0 * truth).reshape(1, -1), (10, 12))
    assert fit.orientation[0] == pytest.approx(2.0, abs=1e-4)
    assert fit.frequency[0] == pytest.approx(0.21, abs=1e-4)
    np.testing.assert_allclose(fit.center[0], [4.3, 6.1], atol=1e-3)
    np.testing.assert_allclose(fit.sigma[0], [1.8, 2.6], rtol=1e-3)
    assert fit.phase[0] == pytest.approx(0.7, abs=1e-3)
    assert fit.amplitude[0] == pytest.approx(3.0, rel=1e-3)
    assert fit.offset[0] == pytest.approx(5.0, abs=1e-3)


def test_orientation_zero_is_a_wave_along_the_columns():
    row, column = np.mgrid[:9, :9] - 4
    envelope = np.exp(-(row**2 + column**2) / 8)
    bars = np.stack([envelope * np.cos(1.5 * column), envelope * np.cos(1.5 * row)])
    fit = gabor_fit(bars.reshape(2, -1), (9, 9))
    np.testing.assert_allclose(np.cos(2 * fit.orientation), [1, -1], atol=1e-6)


@pytest.mark.parametrize("angle", [-1e-17, -1e-12, np.pi - 1e-12, 2 * np.pi - 1e-12])
def test_rounding_turns_no_wave_around(monkeypatch, angle):
    truth = gabor((8, 8), (3.4, 3.6), 0.0, 0.2, (1.5, 2.0), 0.7)
    found = np.array([[3.4, 3.6, angle, 0.2, np.log(1.5), np.log(2.0)]])
    monkeypatch.setattr("sparsebp.metrics.gabor._best_parameters", lambda targets, shape: found)
    fit = gabor_fit(truth[None], (8, 8))
    assert fit.orientation[0] == 0
    np.testing.assert_allclose(fit.render()[0], truth, atol=1e-9)


def edges(side, widths):
    """Derivatives of Gaussians, one for each width: edges of one cycle."""
    row, column = np.mgrid[:side, :side] - (side - 1) / 2
    return np.array([(column * np.exp(-(column**2 + row**2) / (2 * w**2))).ravel() for w in widths])


@pytest.mark.slow
def test_an_edge_of_one_cycle_has_the_frequency_at_which_its_spectrum_peaks():
    widths = np.array([1.2, 1.5, 1.9])
    fit = gabor_fit(edges(14, widths), (14, 14))
    assert (fit.carrier < 0.3 * fit.frequency).all()
    np.testing.assert_allclose(fit.frequency, 1 / (2 * np.pi * widths), rtol=0.01)
    np.testing.assert_allclose(fit.n_x, 1 / (2 * np.pi), rtol=0.02)
    np.testing.assert_allclose(fit.n_y, 1 / (2 * np.pi), rtol=0.02)
    # The spectrum is a exp(-a²/2), of which the peak is at 1.
    low, high = (brentq(lambda a: 2 * a - np.exp((a**2 - 1) / 2), *e) for e in ((0, 1), (1, 5)))
    np.testing.assert_allclose(fit.bandwidth, np.log2(high / low), rtol=0.01)
    assert fit.well_determined.all()


@pytest.mark.parametrize("phase", first_fast([np.pi / 2, 0.0, 0.8]))
def test_the_fitted_function_has_the_spectrum_of_the_filter(phase):
    planted = [gabor((16, 16), (7.2, 8), 0.5, f, (2.0, 2.6), phase) for f in (0.05, 0.12, 0.2)]
    noise = np.random.default_rng(0).standard_normal((3, 256))
    fit = gabor_fit(np.array(planted) + 0.01 * noise, (16, 16))
    frequencies = np.fft.fftfreq(256)
    for index, image in enumerate(planted):
        power = np.abs(np.fft.fft2(image.reshape(16, 16), (256, 256)))
        row, column = np.unravel_index(power.argmax(), power.shape)
        peak = np.hypot(frequencies[row], frequencies[column])
        assert fit.frequency[index] == pytest.approx(peak, abs=0.006)


def test_no_frequency_is_higher_than_the_grid_can_carry():
    odd = gabor((9, 9), (4, 4), 0.0, 0.49, (0.45, 2.0), np.pi / 2)
    fit = replace(gabor_fit(odd.reshape(1, -1), (9, 9)), carrier=np.array([0.5]))
    assert peak_frequency(fit.carrier, fit.sigma[:, 0], fit.phase) > 0.5
    assert fit.frequency[0] <= frequency_limit(fit.orientation)[0]


@pytest.mark.slow
def test_ratios_of_the_field():
    truth = gabor((16, 16), (7.5, 7.5), 1.0, 0.2, (1.8, 2.7), 0.4)
    fit = gabor_fit(truth.reshape(1, -1), (16, 16))
    assert fit.aspect_ratio[0] == pytest.approx(1.5, rel=1e-3)
    assert fit.n_x[0] == pytest.approx(0.36, rel=1e-3)
    assert fit.n_y[0] == pytest.approx(0.54, rel=1e-3)
    half = np.sqrt(2 * np.log(2)) / (2 * np.pi * 1.8)  # of the bell, where two hardly overlap
    assert fit.bandwidth[0] == pytest.approx(np.log2((0.2 + half) / (0.2 - half)), rel=0.01)


def test_a_step_has_an_orientation_but_no_frequency():
    step = np.repeat([-1.0, -0.2, 1.0], [5, 1, 4])[:, None] + 0.02 * np.arange(10)
    fit = gabor_fit(step.reshape(1, -1), (10, 10))
    assert fit.r_squared[0] > 0.95
    assert fit.uncertainty.orientation[0] < np.pi / 12
    assert fit.uncertainty.frequency[0] > 1
    assert not fit.well_determined[0]


def test_blobs_ramps_and_constants_are_poorly_determined():
    row, column = np.mgrid[:8, :8]
    blob = np.exp(-((row - 3.0) ** 2 + (column - 4.0) ** 2) / 4)
    wave = np.exp(-((row - 3.0) ** 2 + (column - 4.0) ** 2) / 8) * np.cos(1.6 * (column - 4))
    grating = np.cos(1.6 * column + 0.3 * row)
    ramp = 0.1 * row + column
    images = np.stack([blob, wave, grating, ramp, np.ones((8, 8))])
    fit = gabor_fit(images.reshape(5, -1), (8, 8))
    np.testing.assert_array_equal(fit.well_determined, [False, True, True, False, False])
    assert fit.frequency[0] == fit.n_x[0] == 0
    assert fit.bandwidth[0] == np.inf
    assert fit.uncertainty.sigma[2].min() > 3  # where a grating ends is not seen
    assert np.isinf(fit.uncertainty.frequency[[0, 4]]).all()


QUANTITIES = {
    "row": lambda center, angle, frequency, sigma: center[0],
    "column": lambda center, angle, frequency, sigma: center[1],
    "orientation": lambda center, angle, frequency, sigma: angle,
    "frequency": lambda center, angle, frequency, sigma: np.log2(frequency),
    "along": lambda center, angle, frequency, sigma: np.log2(sigma[0]),
    "across": lambda center, angle, frequency, sigma: np.log2(sigma[1]),
}


def explained(start, quantity, value, target, shape):
    """R² of the best Gabor function of which a quantity has the value."""

    def residual(free):
        row, column, angle, carrier, along, across = free
        sigma = np.exp([along, across])
        waves = [gabor(shape, (row, column), angle, carrier, sigma, p) for p in (0.0, np.pi / 2)]
        design = np.stack([*waves, np.ones(target.size)], axis=1)
        weights = np.linalg.lstsq(design, target)[0]
        peak = peak_frequency(carrier, sigma[0], np.arctan2(weights[1], weights[0]))
        held = quantity((row, column), angle, peak, sigma) - value
        return np.append(target - design @ weights, 1e3 * held)

    left_over = least_squares(residual, start, xtol=1e-8).fun[:-1]
    return 1 - (left_over**2).sum() / ((target - target.mean()) ** 2).sum()


def lost_by_moving(name, carrier, phase):
    """Share of variance lost where a quantity moves by 0.3 of its uncertainty, either way."""
    shape = (9, 9)
    target = gabor(shape, (4.2, 3.7), 0.6, carrier, (1.7, 2.1), phase)
    target = target + 0.05 * np.random.default_rng(0).standard_normal(81) * target.std()
    fit = gabor_fit(target.reshape(1, -1), shape)
    spread = [fit.uncertainty.center, fit.uncertainty.orientation, fit.uncertainty.frequency]
    spread = np.hstack([*(np.ravel(s) for s in spread), fit.uncertainty.sigma[0]])
    move = 0.3 * spread[list(QUANTITIES).index(name)]
    quantity, start = QUANTITIES[name], fit._parameters()[0]
    best = quantity(fit.center[0], fit.orientation[0], fit.frequency[0], fit.sigma[0])
    ends = [explained(start, quantity, best + step, target, shape) for step in (-move, move)]
    return fit.r_squared[0] - np.mean(ends)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUANTITIES)
def test_what_is_moved_by_its_uncertainty_costs_one_percent(name):
    assert lost_by_moving(name, 0.2, 0.9) == pytest.approx(0.3**2 * 0.01, rel=0.2)


@pytest.mark.slow
def test_the_frequency_of_an_edge_is_at_least_as_certain_as_said():
    assert 0.8 < lost_by_moving("frequency", 0.05, 1.5) / (0.3**2 * 0.01) < 2.5


def test_bars_are_told_by_the_angle_that_a_picture_shows():
    row, column = np.mgrid[:8, :8]
    rising = np.exp(-((row + column - 7.0) ** 2) / 4)  # from the lower left to the upper right
    upright = np.exp(-((column - 3.5) ** 2) / 2)
    fit = gabor_fit(np.stack([rising.ravel(), upright.ravel()]), (8, 8))
    np.testing.assert_allclose(np.degrees(fit.bar_angle), [45, 90], atol=0.5)


@pytest.mark.parametrize("kind", ["gabors", "noise"])
def test_render_has_the_r_squared_that_is_reported(kind):
    rng = np.random.default_rng(0)
    filters = random_gabors(12, (8, 8), 1) if kind == "gabors" else rng.standard_normal((12, 64))
    filters = 1e3 * filters + rng.standard_normal((12, 1))
    fit = gabor_fit(filters, (8, 8))
    residual = ((filters - fit.render()) ** 2).sum(axis=1)
    total = ((filters - filters.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    np.testing.assert_allclose(fit.r_squared, 1 - residual / total, atol=1e-9)


@pytest.mark.slow
def test_fits_of_noise_are_poor_and_within_their_bounds():
    fit = gabor_fit(np.random.default_rng(0).standard_normal((16, 144)), (12, 12))
    assert 0.1 < np.median(fit.r_squared) < 0.25
    assert np.all((fit.orientation >= 0) & (fit.orientation < np.pi))
    assert np.all((fit.frequency > 0) & (fit.frequency <= 0.5 * np.sqrt(2)))
    assert np.all(np.abs(fit.phase) <= np.pi)
    assert np.all((fit.center >= -6.5) & (fit.center <= 17.5))
    assert np.all((fit.sigma > 0.399) & (fit.sigma < 24.01))
    assert np.all(fit.amplitude >= 0)


@pytest.mark.slow
def test_scale_mean_and_neighbors_do_not_matter():
    filters = random_gabors(6, (8, 8), 3) + 0.3 * np.random.default_rng(0).standard_normal((6, 64))
    fit = gabor_fit(filters, (8, 8))
    other = gabor_fit(-1e4 * filters[2:3] + 7, (8, 8))
    assert other.r_squared[0] == pytest.approx(fit.r_squared[2], abs=1e-6)
    assert other.frequency[0] == pytest.approx(fit.frequency[2], abs=1e-3)
    assert abs(np.cos(other.phase[0] - fit.phase[2])) == pytest.approx(1, abs=1e-3)


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    filters = np.random.default_rng(0).standard_normal((3, 30))
    monkeypatch.setattr("sparsebp.metrics._gabor_refine.BLOCK", 8)
    found = []
    for n_threads in (1, 3):
        for module in ("_gabor_search", "_gabor_refine"):
            name = f"sparsebp.metrics.{module}.count_threads"
            monkeypatch.setattr(name, lambda n_jobs, n=n_threads: n)
        found.append(gabor_fit(filters, (5, 6)))
    np.testing.assert_array_equal(found[0].render(), found[1].render())
    np.testing.assert_array_equal(found[0].r_squared, found[1].r_squared)


def test_starts_that_are_close_to_earlier_ones_are_left_out():
    start = np.array([3.0, 4.0, 0.01, 0.2, 0.5, 0.7])
    near, far, turned = start + 0.001, start + 0.02, start.copy()
    turned[2] += np.pi - 0.005
    distinct = _distinct(np.stack([start, turned, far, near])[None])
    np.testing.assert_array_equal(distinct, [[True, False, True, False]])


@pytest.mark.slow
def test_more_starts_find_hardly_more():
    shape = (8, 8)
    filters = np.random.default_rng(4).standard_normal((6, 64))
    targets = filters - filters.mean(axis=1, keepdims=True)
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    rng = np.random.default_rng(0)
    n_starts = 80
    low, high = [0, 0, 0, 0.06, -0.4, -0.4], [7, 7, np.pi, 0.5, 1.6, 1.6]
    starts = rng.uniform(low, high, size=(6 * n_starts, 6))
    cost = refine(starts, np.repeat(targets, n_starts, axis=0), shape, 40)[1]
    best = 1 - cost.reshape(6, n_starts).min(axis=1)
    assert np.mean(best - gabor_fit(filters, shape).r_squared) < 0.02


def test_the_pair_are_the_gabors_of_two_phases():
    point = np.array([[2.5, 3.1, 0.8, 0.17, 0.3, 0.7], [-3.0, 9.0, 2.0, 0.4, -0.9, 1.0]])
    for one, pair in zip(point, gabor_pair(point, (6, 7)), strict=True):
        for image, phase in zip(pair, (0.0, -np.pi / 2), strict=True):
            expected = gabor((6, 7), one[:2], one[2], one[3], np.exp(one[4:]), phase)
            np.testing.assert_allclose(image, expected, atol=1e-12)


def test_derivatives_equal_differences():
    shape, rng = (6, 7), np.random.default_rng(0)
    point = np.array([[2.5, 3.1, 0.8, 0.17, 0.3, 0.7]])
    target = rng.standard_normal((1, 42))
    target -= target.mean()
    descent = _linearize(point, target, shape).descent[0]
    for index in range(6):
        step = np.zeros((1, 6))
        step[0, index] = 1e-6
        ahead, behind = (_linearize(point + s * step, target, shape).cost[0] for s in (1, -1))
        assert -2 * descent[index] == pytest.approx((ahead - behind) / 2e-6, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("shape", [(6, 7), (12, 5), (20, 20)])
def test_curvature_is_that_of_images_pixel_by_pixel(shape):
    rng = np.random.default_rng(0)
    low, high = [-3, 4, -2, 0.05, -0.9, -0.9], [6, 9, 2, 0.5, 2, 2]
    points = rng.uniform(low, high, size=(5, 6))
    targets = rng.standard_normal((5, shape[0] * shape[1]))
    targets -= targets.mean(axis=1, keepdims=True)
    normal = _linearize(points, targets, shape)
    for point, target, curvature in zip(points, targets, normal.curvature, strict=True):

        def centered(at):
            pair = gabor_pair(at[None], shape)[0]
            return (pair - pair.mean(axis=1, keepdims=True)).T

        design = centered(point)
        weights = np.linalg.lstsq(design, target)[0]
        steps = 1e-6 * np.eye(6)
        slopes = [(centered(point + s) - centered(point - s)) @ weights / 2e-6 for s in steps]
        slopes = np.stack(slopes, axis=1)
        slopes -= design @ np.linalg.lstsq(design, slopes)[0]
        expected = slopes.T @ slopes
        np.testing.assert_allclose(curvature, expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("value", first_fast([0.0, 0.1, -1e308]))
def test_constant_filters_have_finite_parameters(value):
    filters = np.stack([np.full(64, value), random_gabors(1, (8, 8), 0)[0]])
    fit = gabor_fit(filters, (8, 8))
    assert fit.r_squared[0] == 0
    assert fit.r_squared[1] > 0.999
    assert fit.amplitude[0] == 0
    for name in ("orientation", "frequency", "phase", "center", "sigma", "offset"):
        assert np.isfinite(getattr(fit, name)).all()
    np.testing.assert_allclose(fit.render()[0], value)


@pytest.mark.slow
def test_color_filters_are_fitted_along_their_principal_color():
    gray = random_gabors(5, (8, 8), 2)
    color = np.array([0.2, -1.0, 0.5])
    filters = (gray[:, :, None] * color + [1.0, 2.0, 3.0]).reshape(5, -1)
    fit, expected = gabor_fit(filters, (8, 8, 3)), gabor_fit(-gray, (8, 8))
    assert fit.patch_shape == (8, 8)
    assert fit.r_squared.min() > 0.999
    np.testing.assert_allclose(fit.center, expected.center, atol=1e-2)
    np.testing.assert_allclose(np.cos(fit.phase - expected.phase), 1, atol=1e-2)
    np.testing.assert_allclose(fit.amplitude, expected.amplitude * np.linalg.norm(color), rtol=1e-2)


@pytest.mark.parametrize("shape", first_fast([(1, 1), (1, 5), (2, 2), (3, 1), (2, 9)], 2))
def test_tiny_patches_work(shape):
    filters = np.random.default_rng(0).standard_normal((4, shape[0] * shape[1]))
    fit = gabor_fit(filters, shape)
    assert np.isfinite(fit.render()).all()
    assert np.all((fit.r_squared >= 0) & (fit.r_squared <= 1))


def test_inputs_of_any_layout_stay_untouched():
    filters = np.asfortranarray(random_gabors(3, (6, 6), 0))
    before = filters.copy()
    filters.setflags(write=False)
    fit = gabor_fit(filters, [6, 6])
    np.testing.assert_array_equal(filters, before)
    single = gabor_fit(filters.astype(np.float32), (6, 6))
    np.testing.assert_allclose(single.r_squared, fit.r_squared, atol=1e-4)
    assert isinstance(gabor_fit(np.eye(4, dtype=int), (2, 2)), GaborFit)


@pytest.mark.parametrize(
    ("filters", "shape", "match"),
    [
        (np.ones(16), (4, 4), r"filters must have two dimensions, got shape \(16,\)"),
        (np.full((1, 16), np.inf), (4, 4), "filters must be finite, got NaN or infinity"),
        (np.ones((1, 16)), (4, 5), r"patch_shape=\(4, 5\) has 20 values but each filter has 16"),
        (np.ones((1, 16)), (2, 2, 2, 2), "counts the channels"),
        (np.ones((1, 16)), 5, r"patch_shape=\(5, 5\) has 25 values"),
        (
            np.ones((1, 16)),
            (4, -4),
            r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got \(4, -4\)",
        ),
        (np.ones((1, 16)), (4.0, 4.0), r"patch_shape must be .*, got \(4\.0, 4\.0\)"),
        (
            np.ones((1, 16)),
            "44",
            r"patch_shape must be 2, 3 or 4 integers ≥ 1, such as \(8, 8\), got '44'",
        ),
        (np.ones((0, 16)), (4, 4), "at least one row"),
    ],
)
def test_refusals_say_what_came(filters, shape, match):
    with pytest.raises((TypeError, ValueError), match=match):
        gabor_fit(filters, shape)
