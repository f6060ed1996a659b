import numpy as np
import pytest
from scipy import sparse

from sparsebp import metrics

PAIR = [[1, 1]]
SIDE = 10


def grating_responses(respond, patch_shape, **options):
    """Measure by a third of the orientations, which takes a third of the time."""
    return metrics.grating_responses(respond, patch_shape, **{"n_orientations": 8} | options)


def gabors(orientation, frequency, phases, side=SIDE, color=False):
    """Gabor filters without their means, rows growing downwards."""
    row, column = np.mgrid[:side, :side] - (side - 1) / 2
    u = np.cos(orientation) * column + np.sin(orientation) * row
    envelope = np.exp(-(row**2 + column**2) / (2 * (side / 4) ** 2))
    waves = np.cos(2 * np.pi * frequency * u + np.asarray(phases)[:, None, None])
    filters = (envelope * waves).reshape(len(phases), -1)
    filters = filters - filters.mean(axis=1, keepdims=True)
    return np.repeat(filters, 3, axis=1) if color else filters


def test_linear_cells_are_simple_whatever_their_filter():
    filters = np.random.default_rng(0).normal(size=(5, SIDE * SIDE))
    cells = grating_responses(filters, SIDE, n_orientations=2, n_phases=256)
    np.testing.assert_allclose(cells.modulation_ratio, np.pi / 2, rtol=1e-4)
    np.testing.assert_allclose(cells.harmonic_ratio(2), 2 / 3, rtol=3e-4)
    assert np.abs(cells.harmonic_ratio(3)).max() < 1e-3


def test_a_quadrature_pair_is_a_complex_cell():
    cell = grating_responses(gabors(0.0, 0.25, (0, np.pi / 2), side=16), 16, groups=PAIR)
    assert cell.modulation_ratio[0] < 1e-12
    assert cell.harmonic_ratio(2)[0] < 0.02
    assert np.ptp(cell.phase_tuning) < 0.02 * cell.phase_tuning.mean()


def test_filters_of_one_phase_are_no_phase_invariant_cell():
    cell = grating_responses(
        gabors(0.0, 0.2, (0, np.pi)), SIDE, groups=PAIR, n_orientations=2, n_phases=256
    )
    assert cell.modulation_ratio[0] < 1e-12  # the sign of a grating does not matter
    assert cell.harmonic_ratio(2)[0] == pytest.approx(2 / 3, rel=1e-3)


def test_the_best_grating_is_that_of_the_gabor_function():
    for orientation in (0.0, 2.5):
        cells = grating_responses(gabors(orientation, 0.2, (0.3, 2.0)), SIDE, n_phases=8)
        away = np.mod(cells.orientation - orientation + np.pi / 2, np.pi) - np.pi / 2
        assert np.abs(away).max() <= np.pi / 16
        assert np.abs(np.log2(cells.frequency / 0.2)).max() < 0.3


def test_responses_are_those_written_out():
    filters, frequencies = np.random.default_rng(1).normal(size=(2, 12)), [0.1, 0.3]
    cells = grating_responses(
        filters, (3, 4), n_orientations=2, frequencies=frequencies, n_phases=5
    )
    for o, f, p in np.ndindex(2, 2, 5):
        grating = np.empty((3, 4))
        for row, column in np.ndindex(3, 4):
            u = (column - 1.5) * np.cos(o * np.pi / 2) + (row - 1) * np.sin(o * np.pi / 2)
            grating[row, column] = np.cos(2 * np.pi * frequencies[f] * u - 2 * np.pi * p / 5)
        expected = np.maximum(filters @ grating.ravel(), 0)
        np.testing.assert_allclose(cells.responses[:, o, f, p], expected, atol=1e-12)


def test_curves_are_cuts_through_the_best_grating():
    cells = grating_responses(gabors(0.7, 0.2, (0, 1, 2)), SIDE)
    strength = np.maximum(
        cells.responses.mean(axis=3), 2 / 32 * np.abs(np.fft.fft(cells.responses)[..., 1])
    )
    for unit in range(3):
        best = np.unravel_index(strength[unit].argmax(), strength[unit].shape)
        np.testing.assert_allclose(cells.orientation_tuning[unit], strength[unit][:, best[1]])
        np.testing.assert_allclose(cells.frequency_tuning[unit], strength[unit][best[0]])
        np.testing.assert_array_equal(cells.phase_tuning[unit], cells.responses[(unit, *best)])


def test_groups_are_norms_of_the_coefficients():
    filters, groups = gabors(0.7, 0.2, (0, 1, 2)), np.array([[1, 0, 2.0], [0, 1, 1]])
    whole = grating_responses(filters, SIDE).responses
    signed = whole - grating_responses(-filters, SIDE).responses
    expected = np.sqrt(np.einsum("gc,c...->g...", groups, signed**2))
    pooled = grating_responses(filters, SIDE, groups=groups).responses
    np.testing.assert_allclose(pooled, expected, atol=1e-12)


def test_a_function_is_measured_as_filters_are():
    filters = gabors(0.7, 0.2, (0, 1))
    linear = grating_responses(filters, SIDE)
    same = grating_responses(lambda patches: patches @ filters.T, (SIDE, SIDE))
    np.testing.assert_allclose(same.responses, linear.responses, atol=1e-12)
    sharp = grating_responses(lambda x: np.maximum(x @ filters.T - 0.5, 0), SIDE)
    assert (sharp.modulation_ratio > 1.58).all()  # a threshold cuts the weak part of the cycle


def test_gratings_are_gray_for_color_filters():
    gray, color = (gabors(0.7, 0.2, (0, 1), color=c) for c in (False, True))
    in_color = grating_responses(color, (SIDE, SIDE, 3)).responses
    np.testing.assert_allclose(in_color, 3 * grating_responses(gray, SIDE).responses, atol=1e-12)
    assert grating_responses(color, SIDE).responses.shape == in_color.shape


@pytest.mark.parametrize("scale", [1e-200, 1e290])
def test_scale_does_not_matter(scale):
    filters = gabors(0.7, 0.2, (0, 1))
    for groups in (None, PAIR):
        one, other = (
            grating_responses(c * filters, SIDE, groups=groups).harmonic_ratio(2)
            for c in (1, scale)
        )
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_units_that_do_not_respond_have_no_ratio():
    cells = grating_responses([np.zeros(16), np.eye(4).ravel()], 4)
    assert np.isnan(cells.modulation_ratio).tolist() == [True, False]
    assert np.isfinite(cells.orientation_tuning).all()


def test_a_table_has_a_row_for_each_unit(tmp_path):
    cells = grating_responses(gabors(0.7, 0.2, (0, 1, 2)), SIDE)
    columns = cells.to_dict()
    assert {len(column) for column in columns.values()} == {3}
    np.testing.assert_array_equal(columns["modulation_ratio"], cells.modulation_ratio)
    cells.to_csv(tmp_path / "cells.csv")
    assert (tmp_path / "cells.csv").read_text().startswith("orientation,frequency,modulation_ratio")


FILTERS = np.ones((2, 16))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FILTERS, (2, 2, 4)), "gratings drift over still patches"),
        ((FILTERS, 5), "each filter has 16"),
        ((FILTERS * np.nan, 4), "respond must be finite"),
        ((lambda x: x[:3], 4), "respond returned 3 rows for"),
        ((lambda x: x * np.inf, 4), "the responses must be finite"),
        (
            (FILTERS[0], 4),
            r"respond must be a matrix .*, got shape \(16,\)\. Give .*shape\(1, -1\)",
        ),
        ((FILTERS.reshape(2, 4, 4), 4), r"got shape \(2, 4, 4\)\. Give .*\(len\(respond\), -1\)"),
        ((3, 4), r"got shape \(\)\. Give model\.components_ or model\.transform"),
        ((np.empty((0, 16)), 4), "respond must have at least one row and column"),
        ((np.ones((2, 48)), (4, 4)), r"has 16 values .* has 48; .* in color \(4, 4, 3\)\."),
        ((np.ones((2, 48)), (3, 4, 4)), r"\(height, width, 3\), colors last"),
        ((lambda x: x[:, 0], 4), r"respond must return a matrix .*, got ndarray of shape \(12288,"),
        ((lambda x: None, 4), r"respond must return a matrix .*, got NoneType of shape \(\)"),
        ((lambda x: None, 4), r"for 12288 patches\. Return what it computes\."),
        ((lambda x: x[0], 4), r"got ndarray of shape \(16,\) .*\. Respond to each patch"),
        ((lambda x: x.T, 4), r"16 rows for 12288 patches.* Return responses\.T"),
        ((lambda x: [1, [2]], 4), "the responses must have rows of equal length"),
        ((lambda x: np.sqrt(x), 4), "NaN for .* of 12288 patches, whose values are from -1"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message), np.errstate(all="ignore"):
        metrics.grating_responses(*arguments)


def test_a_function_may_return_a_sparse_matrix():
    filters = np.random.default_rng(0).normal(size=(2, 16))
    np.testing.assert_allclose(
        grating_responses(lambda x: sparse.csr_array(x @ filters.T), 4).responses,
        grating_responses(filters, 4).responses,
        atol=1e-12,
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((FILTERS, None), r"patch_shape must be an integer or \(height, width\), got None"),
        ((None, 4), "respond must be a matrix .*, or a function .*, got None"),
        ((list, 4), "respond must be .*, got <class 'list'>"),
    ],
)
def test_arguments_of_the_wrong_kind_are_refused(arguments, message):
    with pytest.raises(TypeError, match=message):
        grating_responses(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": [[1, 1, 1]]}, "a column for each of 2 components"),
        ({"groups": 4}, r"a matrix .* such as model\.penalty_\.grouping, got 4"),
        ({"groups": [0, 1]}, r"Numbers of groups become weights by np\.unique"),
        ({"groups": [[1, -1]]}, "groups must be numbers ≥ 0"),
        ({"n_orientations": 0}, "n_orientations must be an integer ≥ 1"),
        ({"n_phases": 4}, "n_phases must be an integer ≥ 5"),
        ({"frequencies": [0.1, 0.5]}, "frequencies must be a finite number > 0 and < 0.5"),
        ({"frequencies": [0.2, 0.1]}, "frequencies must be in ascending order"),
        ({"frequencies": []}, "frequencies must be a sequence"),
        ({"n_phases": 10**12}, r"\(n_orientations, n_frequencies, n_phases\)=.* of memory"),
    ],
)
def test_options_are_checked(options, message):
    with pytest.raises((ValueError, MemoryError), match=message):
        grating_responses(FILTERS, 4, **options)


def test_the_order_of_a_harmonic_is_checked():
    cells = grating_responses(FILTERS, 4, n_phases=5)
    assert cells.harmonic_ratio(2).shape == (2,)
    with pytest.raises(ValueError, match="order must be less than half of 5 phases, got 3"):
        cells.harmonic_ratio(3)
    with pytest.raises(ValueError, match="order must be an integer ≥ 1"):
        cells.harmonic_ratio(0)
