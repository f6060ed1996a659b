from copy import deepcopy
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding

MODELS = {
    "lbfgs": SparseCoding(8, max_iter=2, batch_size=30, epsilon=0.1, random_state=0),
    "exact": SparseCoding(
        8, max_iter=2, batch_size=30, solver="exact", gamma=0.1, penalty="l1", random_state=0
    ),
    "rica": ReconstructionICA(8, tol=1e-4, random_state=0),
    "unit": ReconstructionICA(8, tol=1e-4, unit_norm=True, random_state=0),
    "ica": OrthonormalICA(4, random_state=0),
    "manifold": OrthonormalICA(whiten=False, solver="manifold", random_state=0),
}
few = pytest.mark.parametrize("kind", ["exact", "ica"])
#: "unit" is "rica" with another constraint, and "manifold" is "ica" with other steps.
scarce = pytest.mark.filterwarnings("ignore:SparseCoding. .* atoms are learned from")
every = pytest.mark.parametrize(
    "kind", first_fast(sorted(MODELS, key=["unit", "manifold"].__contains__), 4)
)
METHODS = ["fit", "transform", "score", "partial_fit", "inverse_transform"]
unconverged = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def samples():
    rng = np.random.default_rng(0)
    return 3 * rng.laplace(size=(40, 6)) @ np.linalg.qr(rng.normal(size=(6, 6)))[0]


@pytest.fixture
def X():
    return samples()


def model(kind):
    return clone(MODELS[kind])


@cache
def _fitted(kind):
    return model(kind).fit(samples())


def fitted_model(kind):
    return deepcopy(_fitted(kind))


def methods_of(kind):
    return [m for m in METHODS[:4] if hasattr(MODELS[kind], m)]


filters = pytest.mark.parametrize("kind", ["rica", "ica"])


@filters
def test_missing_values_are_counted_and_what_to_do_is_said(kind, X):
    X = X.copy()
    X[::4, 1] = np.nan
    count = len(X[::4])
    message = rf"NaN for {count} value\(s\) in {count} of {len(X)} samples and 1 of {X.shape[1]} "
    with pytest.raises(ValueError, match=message + "features. Remove these samples"):
        model(kind).fit(X)


@every
def test_nan_and_infinity_are_refused_everywhere(kind, X):
    fitted = fitted_model(kind)
    codes = np.ones((3, fitted.components_.shape[0]))
    for value in (np.nan, np.inf, -np.inf):
        X[3, 2] = codes[1, 1] = value
        takes_it = np.isnan(value) and isinstance(fitted, SparseCoding)  # as a missing value
        for method in [] if takes_it else methods_of(kind):
            with pytest.raises(ValueError, match=r"NaN|infinity"):
                getattr(fitted, method)(X)
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            fitted.inverse_transform(codes)


NO_TABLE = {
    "1-D": (np.ones(6), "Expected 2D array"),
    "3-D": (np.ones((2, 3, 6)), "dim|Expected"),
    "no rows": (np.empty((0, 6)), "0 sample"),
    "no columns": (np.empty((6, 0)), "0 feature"),
    "sparse": (sparse.csr_array(np.eye(6)), "[Ss]parse"),
    "complex": (np.ones((6, 6), dtype=complex), "[Cc]omplex"),
    "text": ([["a", "b"], ["c", "d"]], "convert|numeric|string"),
    "ragged": ([[1.0, 2.0], [3.0]], "X must have rows of equal length"),
    "objects": ([[{}, 1.0]], "X must be real numbers: .* not .dict"),
    "durations": (np.ones((2, 2), "m8[s]"), "dates or durations of type timedelta64"),
    "objects of dates": ([[np.datetime64("2000-01-01"), 1.0]], "dates .* type datetime64"),
    "dates": (pd.DataFrame({"a": pd.to_datetime(["NaT"] * 2)}), "column 'a' .* dates"),
    "pandas.NA": (pd.DataFrame({"a": [1.0, pd.NA]}), r"column 'a' .* \.astype\('Float64'\)"),
    "None": (None, "Expected|None|numeric|NoneType"),
}


@every
def test_what_is_no_table_of_numbers_is_refused(kind):
    fitted = fitted_model(kind)
    for bad, words in NO_TABLE.values():
        for method in methods_of(kind):
            with pytest.raises((ValueError, TypeError), match=words):
                getattr(fitted, method)(bad)


@every
def test_another_number_of_features_is_refused(kind, X):
    fitted = fitted_model(kind)
    for method in ("transform", "score"):
        with pytest.raises(ValueError, match=r"5 features.*expecting 6"):
            getattr(fitted, method)(X[:, :5])
    n = fitted.components_.shape[0]
    with pytest.raises(ValueError, match=rf"X has {n + 1} columns, but .* returns {n}\. Give"):
        fitted.inverse_transform(np.ones((2, n + 1)))


@every
def test_nothing_works_before_fit(kind, X):
    for method in ("transform", "score", "inverse_transform"):
        with pytest.raises(NotFittedError):
            getattr(model(kind), method)(X)
    with pytest.raises(NotFittedError):
        model(kind).get_feature_names_out()


@every
@unconverged
@scarce
def test_samples_that_hold_next_to_nothing(kind, X):
    """They are learned from, with finite results, or refused in words."""
    for poor in (X[:1], X[:2], np.full((9, 6), 3.0), 0 * X):
        estimator = model(kind)
        if kind == "ica":
            with pytest.raises(ValueError, match=r"minimum of 2|are equal|have 1 directions"):
                estimator.fit(poor)
            continue
        codes = estimator.fit_transform(poor)
        for array in (estimator.components_, codes, estimator.objective_history_):
            assert np.isfinite(array).all()
        assert np.isfinite(estimator.score(poor))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*X is not white")
@unconverged
def test_more_components_than_dimensions(X):
    flat = X.copy()
    flat[:, 5] = flat[:, :5].sum(axis=1)
    with pytest.raises(ValueError, match=r"n_components is 6 .* have 5 directions"):
        OrthonormalICA(6).fit(flat)
    with pytest.raises(ValueError, match=r"n_components is 7 .* have 6 directions"):
        OrthonormalICA(7, whiten=False).fit(X)
    with pytest.raises(ValueError, match=r"n_samples=4"):
        OrthonormalICA(5).fit(X[:4])
    assert OrthonormalICA(random_state=0).fit(flat).components_.shape == (5, 6)
    for kind in ("lbfgs", "rica"):
        estimator = model(kind).set_params(n_components=20).fit(flat)
        assert estimator.components_.shape == (20, 6)
        assert np.isfinite(estimator.transform(flat)).all()


@every
@unconverged
@scarce
def test_fewer_samples_than_components(kind, X):
    if kind != "ica":
        assert np.isfinite(model(kind).fit(X[:3]).transform(X)).all()


@every
@unconverged
@pytest.mark.filterwarnings("ignore:.*unit variance:UserWarning")
def test_absurd_scales_are_learned_or_refused_with_a_message(kind, X):
    for size in (1e-200, 1e30, 1e155):
        estimator, refusal = model(kind), None
        try:
            codes = estimator.fit_transform(size * X)
        except ValueError as error:
            refusal = error
        if refusal is None:
            assert np.isfinite(estimator.components_).all()
            assert np.isfinite(codes).all()
            assert np.isfinite(estimator.score(size * X))
        else:
            assert not isinstance(refusal, np.linalg.LinAlgError)
            assert any(word in str(refusal).lower() for word in ("scale", "overflow", "equal"))


@unconverged
@pytest.mark.parametrize("size", [1e155, 1e200])
def test_absurd_scales_are_refused_with_a_message_by_partial_fit(size, X):
    with pytest.raises(ValueError, match=r"[Ss]cale"):
        SparseCoding(8).partial_fit(size * X)


@unconverged
@every
def test_an_absurd_sample_does_not_warn_of_arithmetic_when_scored(kind, X):
    assert fitted_model(kind).score(1e200 * X) < 0


def test_coefficients_that_cannot_be_found_are_warned_of(X):
    with pytest.warns(ConvergenceWarning, match="1 of 40 samples"):
        fitted_model("lbfgs").transform(np.vstack([X[:39], 1e200 * X[:1]]))


@every
def test_a_refused_fit_leaves_the_estimator_unfitted(kind, X):
    estimator = model(kind)
    with pytest.raises(ValueError, match=r"[Ss]cale"):
        estimator.fit(1e200 * X)
    assert not hasattr(estimator, "components_")


VARIANTS = {
    "Fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "list": lambda X: X.tolist(),
    "longdouble": lambda X: X.astype(np.longdouble),
    "object": lambda X: X.astype(object),
    "big-endian": lambda X: X.astype(">f8"),
    "DataFrame": lambda X: pd.DataFrame(X, columns=list("abcdef")),
}


@few
@pytest.mark.parametrize("variant", list(VARIANTS))
def test_the_same_numbers_in_another_guise(kind, variant, X):
    expected = fitted_model(kind)
    given = VARIANTS[variant](X)
    got = model(kind)
    codes = got.fit_transform(given)
    # Another memory order rounds the sums in another way.
    np.testing.assert_allclose(got.objective_, expected.objective_, rtol=1e-2)
    np.testing.assert_allclose(got.transform(given), codes, atol=1e-8)
    if variant not in ("Fortran", "DataFrame"):
        np.testing.assert_array_equal(got.components_, expected.components_)


@few
def test_integers_are_taken(kind, X):
    whole = np.round(3 * X).astype(np.int16)
    codes = model(kind).fit_transform(whole)
    assert codes.dtype == np.float64
    expected = model(kind).fit_transform(whole.astype(float))
    np.testing.assert_allclose(codes, expected, atol=1e-8)


@every
def test_float32_stays_and_is_near(kind, X):
    narrow = X.astype(np.float32)
    estimator = model(kind).fit(narrow)
    assert estimator.components_.dtype == np.float32
    codes = estimator.transform(narrow)
    assert codes.dtype == np.float32
    assert estimator.inverse_transform(codes).dtype == np.float32
    assert estimator.objective_ == pytest.approx(model(kind).fit(X).objective_, rel=5e-2)
    assert estimator.score(narrow) == pytest.approx(estimator.score(X), rel=1e-3)


@every
@pytest.mark.parametrize(("dtype", "order"), [(np.float64, "C"), (np.float32, "F")])
def test_inputs_are_never_modified(kind, dtype, order, X):
    X = np.array(X, dtype=dtype, order=order)
    before = X.copy()
    X.flags.writeable = False
    estimator = model(kind)
    codes = estimator.fit_transform(X)
    copy = codes.copy()
    codes.flags.writeable = False
    estimator.inverse_transform(codes)
    estimator.score(X)
    if kind == "lbfgs":
        estimator.partial_fit(X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(codes, copy)
    if kind != "manifold":
        assert not np.shares_memory(estimator.components_, X)


@every
def test_feature_names_are_kept_and_compared(kind, X):
    frame = pd.DataFrame(X, columns=list("abcdef"))
    estimator = model(kind).fit(frame)
    assert list(estimator.feature_names_in_) == list("abcdef")
    with pytest.raises(ValueError, match="feature names"):
        estimator.transform(frame[list("fedcba")])
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        estimator.transform(X)
