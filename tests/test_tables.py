import csv
import sys

import numpy as np
import pandas as pd
import pytest

from sparsebp._tables import Table
from sparsebp.metrics import color_tuning, gabor_fit


class Columns(dict, Table):
    def to_dict(self):
        return self


@pytest.fixture
def fit():
    return gabor_fit(np.random.default_rng(0).normal(size=(5, 36)), (6, 6))


def test_gabor_fits_become_frames_and_files_alike(fit, tmp_path):
    frame = fit.to_frame()
    assert len(frame) == 5
    assert frame["well_determined"].dtype == bool
    np.testing.assert_array_equal(frame["frequency"], fit.frequency)
    np.testing.assert_array_equal(frame[["row", "column"]], fit.center)
    np.testing.assert_array_equal(frame[["sigma_along", "sigma_across"]], fit.sigma)
    fit.to_csv(tmp_path / "fit.csv")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "fit.csv"), frame)
    assert list(fit.to_dict()) == list(frame)


def test_representations_are_one_line_of_what_the_columns_are(fit):
    tuning = color_tuning(np.random.default_rng(0).normal(size=(7, 48)))
    assert repr(tuning) == "<ColorTuning n_filters=7: achromatic, red_green, blue_yellow, hue>"
    assert repr(fit).startswith("<GaborFit n_filters=5: r_squared, well_determined, orientation,")
    assert "array" not in repr(fit)


def test_frames_without_pandas_are_refused_with_a_message(fit, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r"pip install pandas.*to_csv"):
        fit.to_frame()
    fit.to_csv(tmp_path / "fit.csv")


def test_what_is_missing_is_an_empty_cell(tmp_path):
    path = tmp_path / "table.csv"
    Columns({"name, unit": ['a "b"', "ü"], "x": [None, 0.1], "y": [np.nan, np.inf]}).to_csv(path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows == [["name, unit", "x", "y"], ['a "b"', "", ""], ["ü", "0.1", "inf"]]
    assert Columns({"x": [1.5]}).to_frame().loc[0, "x"] == 1.5
