from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from sparsebp import ReconstructionICA, SparseFiltering
from sparsebp.metrics import coefficient_kurtosis, gabor_fit
from sparsebp.report import Measurements

X = np.random.default_rng(0).laplace(size=(2300, 16))


@pytest.fixture(scope="module")
def measured():
    model = ReconstructionICA(40, tol=1e-2, random_state=0).fit(X)
    return Measurements.of(model, X)


def test_steps_of_the_bar_do_not_show(measured):
    whole = gabor_fit(measured.basis.components, (4, 4))
    for field in fields(whole):
        np.testing.assert_array_equal(getattr(measured.fit, field.name), getattr(whole, field.name))
    np.testing.assert_allclose(measured.codes, measured.estimator.transform(X), atol=1e-12)


def test_the_bar_sees_every_step():
    seen = []

    def track(items, words):
        seen.append((words, len(items)))
        return items

    model = SparseFiltering(50, tol=1.0, random_state=0).fit(X)
    Measurements.of(model, X, (4, 4), track)
    assert seen == [("encoding", 3), ("fitting Gabor functions", 2)]


def test_the_summary_is_by_the_definitions(measured):
    found, codes = measured.summary.features, measured.codes
    lost = ((X - codes @ measured.estimator.features_) ** 2).sum()
    assert found.explained_variance == pytest.approx(1 - lost / (len(X) * X.var(axis=0).sum()))
    assert found.kurtosis == coefficient_kurtosis(codes)
    assert found.near_zero == np.mean(np.abs(codes) <= 0.1 * np.sqrt((codes**2).mean()))
    assert found.n_components == 40
    assert found.gabor_r2 == np.median(measured.fit.r_squared)
    assert "40 learned" in measured.summary.lines()[-1]


def test_what_is_not_reconstructed_is_not_explained():
    model = SparseFiltering(4, tol=1.0, random_state=0).fit(X)
    measured = Measurements.of(model, X)
    assert measured.summary.features.explained_variance is None
    assert measured.title == "4 features learned by sparse filtering"
    assert all("explained" not in line for line in measured.summary.lines())


def test_tables_are_measured_as_arrays_are():
    table = pd.DataFrame(X[:50], columns=[f"pixel {i}" for i in range(16)])
    model = ReconstructionICA(4, tol=1e-2, random_state=0).fit(table)
    expected = model.transform(table)
    measured = Measurements.of(model.set_output(transform="pandas"), table)
    np.testing.assert_allclose(measured.codes, expected, rtol=1e-12)
    assert isinstance(measured.samples, np.ndarray)


def test_a_filter_is_gabor_like_above_four_fifths(measured):
    found, r_squared = measured.summary.features.gabor_like, measured.fit.r_squared
    assert found == np.mean(r_squared > 0.8) != np.mean(r_squared > 0.5)


def test_the_title_says_whether_there_is_a_map(topographic):
    assert Measurements.of(*topographic).title == "9 features learned by topographic sparse coding"


@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
def test_silent_filters_are_counted_and_are_no_features():
    model = ReconstructionICA(32, unit_norm=False, whiten=True, tol=1e-3, random_state=0).fit(X)
    measured = Measurements.of(model, X)
    lengths = np.linalg.norm(model.whitened_components_, axis=1)
    n_silent = (lengths < 0.1 * lengths.max()).sum()
    assert 12 <= n_silent == len(measured.silent) == measured.summary.features.silent
    assert measured.title == f"{32 - n_silent} features learned by reconstruction ICA"
    assert f"32 learned, {n_silent} of them silent" in measured.summary.lines()[-1]
