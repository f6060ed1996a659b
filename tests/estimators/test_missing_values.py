"""NaN means missing in sparse coding, and in nothing else."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.utils import get_tags
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
    sparse_encode,
)
from sparsebp.datasets import make_dictionary_signals
from sparsebp.metrics import dictionary_recovery
from sparsebp.preprocessing import Whitening

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

PLANTED = make_dictionary_signals(300, 6, 8, n_nonzero=1, snr_db=30, random_state=0)
KNOWN = np.random.default_rng(0).random(PLANTED.X.shape) < 0.8
X = np.where(KNOWN, PLANTED.X, np.nan)
MODELS = {
    "online": SparseCoding(8, alpha=0.1, penalty="l1", solver="online", batch_size=60, max_iter=9),
    "lbfgs": SparseCoding(8, alpha=0.1, batch_size=100, max_iter=3),
    "l1": SparseCoding(8, alpha=0.1, penalty="l1", batch_size=None, max_iter=3),
    "exact": SparseCoding(8, alpha=0.1, solver="exact", gamma=0.01, batch_size=100, max_iter=3),
    "count": SparseCoding(8, n_nonzero=1, solver="exact", batch_size=None, max_iter=3),
    "error": SparseCoding(8, error=0.05, n_nonzero=4, solver="online", batch_size=60, max_iter=9),
}


def fresh(kind, **parameters):
    model = SparseCoding(**MODELS[kind].get_params())
    return model.set_params(**{"random_state": 0, **parameters})


@cache
def learned(kind):
    """Return a model that no test changes."""
    return fresh(kind).fit(X)


@pytest.mark.parametrize("kind", first_fast(MODELS))
def test_all_solvers_and_rules_learn_from_known_values(kind, tmp_path):
    model = fresh(kind).fit(X)
    assert model.score(X) > fresh(kind, max_iter=1).fit(X).score(X)
    codes = model.transform(X)
    complete = KNOWN.all(axis=1)
    assert 0 < complete.sum() < len(X)
    np.testing.assert_array_equal(codes[complete], model.transform(PLANTED.X)[complete])
    left = np.where(KNOWN, model.inverse_transform(codes) - PLANTED.X, 0)
    value = np.square(left).sum(axis=1).mean()
    if model.penalty_ is not None:
        value += model.alpha_ * model.penalty_.values_and_gradient(codes.T)[0].mean()
    if model.gamma_ is not None:
        value += model.gamma_ * np.square(model.components_).sum()
    assert model.score(X) == pytest.approx(-value)
    save_model(model, tmp_path / "model.npz")
    again = load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(again.state_.feature_moments, model.state_.feature_moments)
    for one in (model, again):
        one.partial_fit(X[:50])
    np.testing.assert_array_equal(again.components_, model.components_)
    assert np.isfinite(model.components_).all()


def test_complete_samples_need_no_moments_of_each_feature():
    model = fresh("online").fit(PLANTED.X)
    assert model.state_.feature_moments is None
    model.partial_fit(X)
    assert model.state_.feature_moments.shape == (6, 8, 8)
    model.partial_fit(PLANTED.X)
    counts = 540 + KNOWN.sum(axis=0) + 300
    np.testing.assert_array_equal(model.state_.n_known, counts)


def test_a_sample_without_known_values_has_codes_of_zero():
    some = X[:4].copy()
    some[1] = np.nan
    for model in (SparseCoder(PLANTED.dictionary, alpha=0.1), learned("error")):
        codes = model.transform(some)
        assert codes[[0, 2, 3]].any()
        np.testing.assert_array_equal(codes[1], 0)


def test_a_mask_without_missing_values_changes_nothing():
    whole = np.ma.array(PLANTED.X, mask=np.zeros(PLANTED.X.shape, dtype=bool))
    model = fresh("online").fit(PLANTED.X)
    np.testing.assert_array_equal(fresh("online").fit(whole).components_, model.components_)
    np.testing.assert_array_equal(model.transform(whole), model.transform(PLANTED.X))
    assert model.score(whole) == model.score(PLANTED.X)


@pytest.mark.slow
def test_a_sample_without_known_values_teaches_nothing():
    some = np.insert(X, [0, 7, 300], np.nan, axis=0)
    model = fresh("count").fit(some)
    np.testing.assert_allclose(model.components_, learned("count").components_, atol=1e-9)
    assert 303 * model.score(some) == pytest.approx(300 * learned("count").score(X))


@pytest.mark.parametrize("rule", [{"alpha": 0.1}, {"penalty": "l1"}, {"n_nonzero": 2}], ids=str)
@pytest.mark.parametrize("precision", ["f8", "f4"])
def test_a_feature_that_no_sample_knows_is_left_out(rule, precision):
    atoms, rest = PLANTED.dictionary.astype(precision), [0, 1, 3, 4, 5]
    some = PLANTED.X[:20].astype(precision)
    expected = sparse_encode(some[:, rest], atoms[:, rest], **rule)
    some[:, 2] = np.nan
    coder = SparseCoder(atoms, **rule)
    codes = coder.transform(some)
    assert codes.dtype == precision
    assert codes.any()
    np.testing.assert_allclose(codes, expected, atol=1e-5)
    left = coder.inverse_transform(codes)[:, rest] - some[:, rest]
    assert -coder.score(some) >= np.square(left).sum(axis=1).mean() * (1 - 1e-6)


@pytest.mark.slow
def test_missing_values_are_filled_in():
    model = fresh("count", solver="online", batch_size=60, max_iter=30).fit(X)
    assert dictionary_recovery(model.components_, PLANTED.dictionary).n_found == 8
    filled = model.inverse_transform(model.transform(X))
    wrong = np.square(filled - PLANTED.X)[~KNOWN].mean() / np.square(PLANTED.X)[~KNOWN].mean()
    assert wrong < 0.05


def test_a_feature_missing_everywhere_is_named():
    empty = X.copy()
    empty[:, 4] = np.nan
    with pytest.raises(ValueError, match=r"got NaN in all samples for feature 4\. Remove these"):
        fresh("lbfgs").fit(empty)
    frame = pd.DataFrame(empty, columns=list("abcdef"))
    with pytest.raises(ValueError, match=r"for feature 4 \('e'\)\."):
        fresh("online").partial_fit(frame)
    with pytest.raises(ValueError, match=r"for features 0, 1, 2, 3, 4 and 1 more\."):
        fresh("online").fit(np.nan * X)
    later = fresh("online").fit(X)
    counted = later.state_.n_known
    assert later.partial_fit(empty).state_.n_known[4] == counted[4]


@pytest.mark.parametrize("kind", first_fast(MODELS))
def test_infinity_is_an_error(kind):
    broken = X.copy()
    broken[0, 0] = np.inf
    for call in (fresh(kind).fit, learned(kind).transform):
        with pytest.raises(ValueError, match="infinity"):
            call(broken)


def test_missing_values_may_be_masked_or_na_or_in_any_precision():
    model = learned("online")
    codes = model.transform(X)
    masked = np.ma.array(np.where(KNOWN, X, 1e9), mask=~KNOWN)
    np.testing.assert_array_equal(model.transform(masked), codes)
    np.testing.assert_array_equal(fresh("online").fit(masked).components_, model.components_)
    whole = np.ma.masked_equal(np.array([[1, 2, 3, 4, 5, 99]]), 99)
    expected = model.transform([[1, 2, 3, 4, 5, np.nan]])
    np.testing.assert_array_equal(model.transform(whole), expected)
    frame = pd.DataFrame(X).convert_dtypes()
    np.testing.assert_array_equal(model.transform(frame.to_numpy(float, na_value=np.nan)), codes)
    np.testing.assert_array_equal(model.transform(frame), codes)
    narrow = fresh("online").fit(X.astype(np.float32))
    assert narrow.components_.dtype == np.float32
    np.testing.assert_allclose(narrow.transform(X.astype(np.float32)), codes, atol=0.02)
    with pytest.raises(ValueError, match="beyond the range of float32"):
        narrow.transform(np.where(KNOWN, 1e300, np.nan))


def test_a_scale_is_measured_on_known_values():
    complete, holed = (
        model.sample_scale_ for model in (fresh("online").fit(PLANTED.X), learned("online"))
    )
    assert holed == pytest.approx(complete, rel=0.1)
    with pytest.warns(UserWarning, match="unit variance|another scale"):
        fresh("lbfgs").fit(1e-4 * X)
    with pytest.warns(UserWarning, match="another scale"):
        learned("online").transform(1e4 * X)


def test_a_given_dictionary_takes_missing_values_too():
    codes = sparse_encode(X, PLANTED.dictionary, n_nonzero=1)
    assert (codes != 0).sum(axis=1).max() == 1
    coder = SparseCoder(PLANTED.dictionary, n_nonzero=1, sparse_output=True, split_sign=True)
    found = coder.fit(X).transform(X).toarray()
    np.testing.assert_array_equal(found[:, :8] - found[:, 8:], codes)
    assert coder.score(X) < 0


def test_only_sparse_coding_says_that_it_takes_nan():
    for estimator in (SparseCoding(), SparseCoder(np.eye(2))):
        assert get_tags(estimator).input_tags.allow_nan
    others = (OrthonormalICA(), ReconstructionICA(), SparseFiltering(), Whitening())
    for estimator in others:
        assert not get_tags(estimator).input_tags.allow_nan
        with pytest.raises(ValueError, match="SparseCoding and SparseCoder take missing values"):
            estimator.fit(X)


@pytest.mark.parametrize("kind", first_fast(["online", "l1"]))
def test_a_fit_with_missing_values_resumes_to_the_last_bit(kind, tmp_path):
    class Killed(BaseException):
        pass

    def kill(iteration, _):
        if iteration == 2:
            raise Killed

    undisturbed = learned(kind)
    interrupted = fresh(kind, checkpoint=tmp_path / "fit", callback=kill)
    with pytest.raises(Killed):
        interrupted.fit(X)
    resumed = interrupted.set_params(callback=None).fit(X)
    np.testing.assert_array_equal(resumed.components_, undisturbed.components_)
    sums = (m.state_.feature_moments for m in (resumed, undisturbed))
    np.testing.assert_array_equal(*sums)


def test_moments_that_do_not_fit_into_memory_are_refused(monkeypatch):
    monkeypatch.setattr("sparsebp._memory.available_bytes", lambda: 1e6)
    monkeypatch.setattr("sparsebp._memory._SMALL", 1000)
    with pytest.raises(MemoryError, match="With missing values n_components=200 needs"):
        SparseCoding(200, n_nonzero=1, solver="online", max_iter=1).fit(X)


def test_missing_values_in_files(tmp_path):
    model = learned("online")
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    np.testing.assert_array_equal(model.transform(mapped), model.transform(X))
    assert model.score(mapped) == pytest.approx(model.score(X))
    assert np.isfinite(fresh("online").fit(mapped).components_).all()
    unknown = np.lib.format.open_memmap(tmp_path / "e.npy", "w+", float, (2000, 6))
    unknown[:], unknown[:, 2], unknown[1500, 2] = 1, np.nan, np.inf
    with pytest.raises(ValueError, match="X contains infinity"):
        fresh("online").fit(unknown)
    unknown[1500, 2] = np.nan
    with pytest.raises(ValueError, match="for feature 2"):
        fresh("online").fit(unknown)


@pytest.mark.slow
def test_missing_values_in_clusters():
    da, model = pytest.importorskip("dask.array"), learned("online")
    chunks = da.from_array(X, chunks=(100, 6))
    np.testing.assert_array_equal(model.transform(chunks).compute(), model.transform(X))
    np.testing.assert_array_equal(fresh("online").fit(chunks).components_.shape, (8, 6))
    unknown = da.from_array(np.where(np.arange(6) == 3, np.nan, X), chunks=(100, 6))
    with pytest.raises(ValueError, match="for feature 3"):
        fresh("online").fit(unknown)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rule", "least"),
    [
        ({"n_nonzero": 3, "solver": "online", "batch_size": 256}, 45),
        ({"penalty": "l1", "alpha": 0.5, "solver": "online", "batch_size": 256}, 45),
        ({"max_iter": 60}, 42),  # the default: 44 to 48 after 100 iterations
    ],
    ids=str,
)
def test_a_planted_dictionary_is_found_with_a_third_of_the_values_missing(rule, least):
    planted = make_dictionary_signals(3000, 20, 50, n_nonzero=3, snr_db=20, random_state=0)
    known = np.random.default_rng(0).random(planted.X.shape) < 0.7
    holed = np.where(known, planted.X / planted.X.std(), np.nan)
    model = SparseCoding(50, random_state=0, **rule).fit(holed)
    assert dictionary_recovery(model.components_, planted.dictionary).n_found >= least
