from dataclasses import asdict, replace

import numpy as np
import pytest
from displays.gratings import FREQUENCIES, given_fit

from sparsebp.metrics import (
    coefficient_kurtosis,
    explained_variance,
    near_zero_fraction,
    summarize_features,
)


def test_each_number_is_that_of_its_metric():
    rng = np.random.default_rng(0)
    codes, samples = rng.laplace(size=(50, 6)), rng.normal(size=(50, 9))
    fit = given_fit([0.95, 0.9, 0.85, 0.7, 0.99, 0.1])
    found = summarize_features(fit, codes, samples=samples, reconstruction=0.5 * samples)
    assert found.n_components == 6
    assert found.silent == 0
    assert found.gabor_r2 == np.median(fit.r_squared)
    assert found.gabor_like == found.well_determined == 4 / 6
    assert found.frequency == pytest.approx(np.median(FREQUENCIES[[0, 1, 2, 4]]))
    for name in ("bandwidth", "aspect_ratio", "n_x", "n_y"):
        assert getattr(found, name) == np.median(getattr(fit, name)[[0, 1, 2, 4]])
    assert found.kurtosis == coefficient_kurtosis(codes)
    assert found.near_zero == near_zero_fraction(codes)
    assert found.explained_variance == explained_variance(samples, 0.5 * samples)


def test_silent_and_poorly_determined_features_count_as_bad_and_are_in_no_median():
    fit = given_fit()
    blob = replace(fit, sigma=np.array([[2.5, 2.5]] * 5 + [[0.5, 2.5]]))
    found = summarize_features(blob, silent=[0])
    assert (found.silent, found.gabor_like, found.well_determined) == (1, 5 / 6, 4 / 6)
    assert found.frequency == pytest.approx(np.median(FREQUENCIES[1:5]), rel=1e-3)


def test_what_cannot_be_measured_is_none():
    found = asdict(summarize_features(given_fit([0.1] * 6)))
    missing = {name for name, value in found.items() if value is None}
    medians = {"frequency", "bandwidth", "aspect_ratio", "n_x", "n_y"}
    assert missing == medians | {"kurtosis", "near_zero", "explained_variance"}
    assert summarize_features(given_fit(), silent=range(6)).gabor_r2 == 0


@pytest.mark.parametrize("silent", [[1], [-1], [0.5], "text", [[0]], 10**30])
def test_silent_components_are_components(silent):
    fit = given_fit(FREQUENCIES[:1])
    with pytest.raises(ValueError, match="silent must be"):
        summarize_features(fit, silent=silent)


def test_what_is_no_fit_is_refused():
    with pytest.raises(TypeError, match="fit is of type int; give the result of gabor_fit"):
        summarize_features(3)
