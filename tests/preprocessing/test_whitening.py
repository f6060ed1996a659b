import numpy as np
import pandas as pd
import pytest
from scikit_learn_checks import run_checks
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

from sparsebp.preprocessing import Whitening, remove_mean

METHODS = ["zca", "pca"]


def test_scikit_learn_checks():
    run_checks(Whitening())


@pytest.mark.slow
@pytest.mark.parametrize(
    "estimator",
    [
        Whitening(),
        Whitening("pca"),
        Whitening(regularization=0.1),
        Whitening("pca", n_components=0.9),
    ],
    ids=repr,
)
def test_scikit_learn_checks_of_variants(estimator):
    check_estimator(estimator, on_skip=None)


def correlated(n_samples=400, n_features=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.laplace(size=(n_samples, n_features)) @ rng.normal(size=(n_features, n_features)) + 2


def covariance(X):
    return np.atleast_2d(np.cov(X, rowvar=False, bias=True))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("shape", [(400, 6), (50, 1), (30, 29), (1000, 40)])
def test_covariance_becomes_the_identity(method, shape):
    Z = Whitening(method).fit_transform(correlated(*shape))
    np.testing.assert_allclose(Z.mean(axis=0), 0, atol=1e-10)
    np.testing.assert_allclose(covariance(Z), np.eye(shape[1]), atol=1e-8)


def test_zca_is_the_inverse_square_root_of_the_covariance():
    X = correlated()
    M = Whitening("zca", regularization=0.3).fit(X).whitening_matrix_
    np.testing.assert_allclose(M, M.T, atol=1e-12)
    np.testing.assert_allclose(M @ M, np.linalg.inv(covariance(X) + 0.3 * np.eye(6)), atol=1e-10)


def test_pca_rows_are_scaled_eigenvectors():
    X = correlated()
    whitening = Whitening("pca", regularization=0.3).fit(X)
    d, M = whitening.eigenvalues_, whitening.whitening_matrix_
    assert (np.diff(d) < 0).all()
    np.testing.assert_allclose(M @ covariance(X), d[:, None] * M, atol=1e-10)
    np.testing.assert_allclose(M @ M.T, np.diag(1 / (d + 0.3)), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_removed_means_cost_one_direction(method):
    X = remove_mean(np.random.default_rng(0).normal(size=(500, 16)).cumsum(axis=1))
    whitening = Whitening(method).fit(X)
    assert (whitening.rank_, whitening.n_components_) == (15, 15)
    Z = whitening.transform(X)
    projector = np.eye(16) - 1 / 16 if method == "zca" else np.eye(15)
    np.testing.assert_allclose(covariance(Z), projector, atol=1e-10)
    np.testing.assert_allclose(whitening.inverse_transform(Z), X, atol=1e-11)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("regularization", [0, 0.5])
@pytest.mark.parametrize("n_components", [None, 3, 0.8])
def test_inverse_is_exact_on_the_directions_kept(method, regularization, n_components):
    X = correlated()
    options = {"n_components": n_components, "regularization": regularization}
    whitening = Whitening(method, **options).fit(X)
    M, D = whitening.whitening_matrix_, whitening.dewhitening_matrix_
    assert D.shape == M.T.shape
    np.testing.assert_allclose(D, np.linalg.pinv(M), atol=1e-10)
    restored = whitening.inverse_transform(whitening.transform(X))
    vectors = np.linalg.eigh(covariance(X))[1]
    kept = vectors[:, ::-1][:, : whitening.n_components_]
    expected = (X - X.mean(axis=0)) @ kept @ kept.T + X.mean(axis=0)
    np.testing.assert_allclose(restored, expected, atol=1e-10)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.9, 0.999999])
def test_fraction_keeps_the_fewest_directions_that_suffice(method, fraction):
    X = correlated()
    whitening = Whitening(method, n_components=fraction).fit(X)
    total = covariance(X).trace()
    assert whitening.eigenvalues_.sum() >= fraction * total
    assert whitening.eigenvalues_[:-1].sum() < fraction * total
    assert whitening.rank_ == 6
    n_outputs = 6 if method == "zca" else whitening.n_components_
    assert whitening.transform(X).shape == (400, n_outputs)
    assert len(whitening.get_feature_names_out()) == n_outputs


def test_fewer_samples_than_features():
    X = correlated(8, 20)
    Z = Whitening("pca").fit_transform(X)
    assert Z.shape == (8, 7)
    np.testing.assert_allclose(covariance(Z), np.eye(7), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_float32_stays_and_agrees(method):
    X = correlated(2000, 10)
    double = Whitening(method).fit(X)
    single = Whitening(method).fit(X.astype(np.float32))
    Z = single.transform(X.astype(np.float32))
    assert Z.dtype == single.inverse_transform(Z).dtype == np.float32
    assert double.transform(X.astype(np.float32)).dtype == np.float32
    np.testing.assert_allclose(Z, double.transform(X), atol=2e-3)
    np.testing.assert_allclose(covariance(Z.astype(float)), np.eye(10), atol=1e-4)


def test_integers_fortran_order_and_frozen_input():
    X = np.asfortranarray(np.random.default_rng(0).integers(0, 255, (50, 4)).astype(np.uint8))
    X.setflags(write=False)
    np.testing.assert_allclose(
        Whitening().fit_transform(X), Whitening().fit_transform(X.astype(float)), rtol=1e-12
    )


def test_pandas_output_and_names():
    frame = pd.DataFrame(correlated(20, 3), columns=["a", "b", "c"])
    whitened = Whitening().set_output(transform="pandas").fit_transform(frame)
    assert list(whitened.columns) == ["whitening0", "whitening1", "whitening2"]


def test_in_a_pipeline():
    X = correlated()
    pipeline = make_pipeline(Whitening("pca", n_components=4), Whitening())
    np.testing.assert_allclose(covariance(pipeline.fit_transform(X)), np.eye(4), atol=1e-10)


@pytest.mark.parametrize(
    ("error", "parameters", "message"),
    [
        (ValueError, {"method": "ica"}, "method must be one of 'zca', 'pca', got 'ica'"),
        (TypeError, {"method": None}, "method must be one of 'zca', 'pca', got None"),
        (ValueError, {"n_components": 0}, "n_components must be an integer ≥ 1, got 0"),
        (ValueError, {"n_components": 1.0}, r"n_components must be a finite number.*, got 1\.0"),
        (ValueError, {"n_components": np.nan}, "n_components must be a finite number.*, got nan"),
        (ValueError, {"n_components": 7}, "n_components=7 is more than the rank 6 of X"),
        (TypeError, {"n_components": "mle"}, "n_components must be .* got 'mle'"),
        (TypeError, {"n_components": True}, "n_components must be .* got True"),
        (
            ValueError,
            {"regularization": -0.1},
            r"regularization must be .* got -0\.1",
        ),
        (TypeError, {"regularization": None}, "regularization must be .* got None"),
    ],
)
def test_bad_parameters(error, parameters, message):
    with pytest.raises(error, match=message):
        Whitening(**parameters).fit(correlated())


def test_bad_samples():
    with pytest.raises(ValueError, match="1 sample"):
        Whitening().fit(np.ones((1, 4)))
    with pytest.raises(ValueError, match="all 9 samples are equal"):
        Whitening().fit(np.full((9, 4), 0.1))
    whitening = Whitening("pca", n_components=2).fit(correlated())
    with pytest.raises(ValueError, match="X has 6 columns, but transform of Whitening returns 2"):
        whitening.inverse_transform(correlated())
    with pytest.raises(ValueError, match="NaN"):
        whitening.transform(np.full((2, 6), np.nan))


def test_a_refused_fit_leaves_no_half_fitted_object():
    whitening = Whitening(n_components=7)
    with pytest.raises(ValueError, match="rank 6"):
        whitening.fit(correlated())
    with pytest.raises(NotFittedError):
        clone(whitening).transform(correlated())
    with pytest.raises(NotFittedError):
        whitening.inverse_transform(correlated())


@pytest.mark.parametrize("method", METHODS)
def test_wide_samples_are_whitened_as_by_their_covariance(method):
    X = correlated(12, 40)
    whitening = Whitening(method, regularization=0.2).fit(X)
    values, vectors = np.linalg.eigh(covariance(X))
    kept = vectors[:, :-12:-1] / np.sqrt(values[:-12:-1] + 0.2)
    M = whitening.whitening_matrix_
    np.testing.assert_allclose(M.T @ M, kept @ kept.T, atol=1e-8)
    Z = whitening.transform(X)
    np.testing.assert_allclose(Z, (X - X.mean(axis=0)) @ M.T, atol=1e-8)
    np.testing.assert_allclose(whitening.inverse_transform(Z), X, atol=1e-8)
    np.testing.assert_allclose(whitening.dewhitening_matrix_, np.linalg.pinv(M), atol=1e-7)
