from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA, FastICA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsebp import OrthonormalICA, SparseFiltering
from sparsebp.metrics import explained_variance, gabor_fit, near_zero_fraction
from sparsebp.report import compare_models

X = np.random.default_rng(0).laplace(size=(300, 16)) @ np.random.default_rng(1).normal(
    size=(16, 16)
)


@pytest.fixture(scope="module")
def models():
    return {
        "ica": OrthonormalICA(9, tol=1e-2, random_state=0).fit(X),
        "filtering": SparseFiltering(4, tol=1.0, random_state=0).fit(X),
        "pca": PCA(5, random_state=0).fit(X),
        "pipeline": make_pipeline(StandardScaler(), FastICA(4, random_state=0)).fit(X),
    }


def test_models_stand_side_by_side_each_with_its_own_numbers(models, tmp_path):
    compared = compare_models(models, X)
    frame = compared.to_frame().set_index("model")
    assert list(frame.index) == list(models)
    assert list(frame["method"]) == [
        "OrthonormalICA",
        "SparseFiltering",
        "PCA",
        "StandardScaler + FastICA",
    ]
    assert list(frame["n_components"]) == [9, 4, 5, 4]
    ica = models["ica"]
    codes = ica.transform(X)
    assert frame.loc["ica", "near_zero"] == near_zero_fraction(codes)
    fit = gabor_fit(ica.features_, (4, 4))
    assert frame.loc["ica", "gabor_r2"] == np.median(fit.r_squared)
    expected = explained_variance(X, ica.inverse_transform(codes))
    assert frame.loc["ica", "explained_variance"] == pytest.approx(expected)
    assert frame.loc["pca", "explained_variance"] == pytest.approx(
        models["pca"].explained_variance_ratio_.sum()
    )
    assert np.isnan(frame.loc["filtering", "explained_variance"])
    compared.to_csv(tmp_path / "table.csv")
    read = pd.read_csv(tmp_path / "table.csv").set_index("model")
    pd.testing.assert_frame_equal(read, frame, check_dtype=False)


@pytest.mark.slow
def test_patch_shapes_and_samples_may_differ_and_samples_be_missing(models):
    pair = {"wide": models["ica"], "square": models["ica"]}
    compared = compare_models(pair, {"square": X}, patch_shape={"wide": (2, 8)})
    columns = compared.to_dict()
    assert columns["patch_shape"] == ["2×8", "4×4"]
    assert columns["kurtosis"][0] is None
    assert columns["kurtosis"][1] > 0


def test_silent_features_are_counted():
    atoms = np.random.default_rng(2).normal(size=(5, 16))
    atoms[3] *= 1e-4
    model = SimpleNamespace(components_=atoms, transform=lambda x: x[:, :5])
    assert compare_models({"one": model}, X).summaries["one"].silent == 1


def test_unused_features_are_counted_without_samples_too():
    model = OrthonormalICA(4, tol=0.1, random_state=0).fit(X)
    model.contributions_ = np.array([0.5, 0.0, 0.25, 0.25])
    assert compare_models({"a": model}).to_dict()["silent"] == [1]


def test_no_model_is_refused():
    with pytest.raises(ValueError, match="models is empty"):
        compare_models({})


def test_models_without_names_are_refused():
    with pytest.raises(TypeError, match="models is a list; give a mapping of names"):
        compare_models([1, 2])
