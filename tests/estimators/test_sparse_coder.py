"""Codes for a dictionary that is given."""

from inspect import signature
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import sklearn.decomposition
from scipy import sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.decomposition import sparse_encode
from sklearn.linear_model import orthogonal_mp
from sklearn.pipeline import make_pipeline
from thinning import first_fast

import sparsebp
from sparsebp import SparseCoder, SparseCoding
from sparsebp.penalties import L1
from sparsebp.preprocessing import Whitening

rng = np.random.default_rng(0)
X, ATOMS = rng.laplace(size=(50, 8)), rng.normal(size=(12, 8))


def test_codes_are_those_of_the_given_dictionary():
    given = ATOMS.copy()
    given.flags.writeable = False
    coder = SparseCoder(given, alpha=0.8)
    codes = coder.fit_transform(X)
    expected = sparse_encode(X, ATOMS, algorithm="lasso_lars", alpha=0.4)
    np.testing.assert_allclose(codes, expected, atol=1e-8)
    assert coder.dictionary is given
    np.testing.assert_array_equal(coder.components_, ATOMS)
    np.testing.assert_allclose(coder.inverse_transform(codes), codes @ ATOMS)


def test_there_is_nothing_to_fit():
    coder = SparseCoder(ATOMS, penalty="cauchy", alpha=0.5)
    before = vars(coder).copy()
    codes = coder.transform(X)
    assert coder.fit(X) is coder
    assert vars(coder) == before
    np.testing.assert_array_equal(coder.transform(X), codes)
    assert list(coder.get_feature_names_out()[:2]) == ["sparsecoder0", "sparsecoder1"]


@pytest.mark.parametrize("penalty", first_fast(["l1", "smooth_l1"]))
def test_it_codes_as_the_model_whose_atoms_it_takes(penalty):
    model = SparseCoding(
        10, penalty=penalty, alpha=0.7, max_iter=3, batch_size=25, random_state=0
    ).fit(X)
    coder = SparseCoder(model.components_, penalty=penalty, alpha=0.7)
    np.testing.assert_array_equal(coder.transform(X), model.transform(X))
    assert coder.score(X) == model.score(X)


def test_the_score_is_minus_the_mean_objective():
    coder = SparseCoder(ATOMS, alpha=0.8)
    codes = coder.transform(X)
    objective = ((codes @ ATOMS - X) ** 2).sum() + 0.8 * np.abs(codes).sum()
    assert coder.score(X) == pytest.approx(-objective / len(X))


def test_another_weight_is_a_parameter_away():
    coder = SparseCoder(ATOMS, alpha=0.1)
    few = clone(coder).set_params(alpha=9.0).transform(X)
    assert np.count_nonzero(few) < np.count_nonzero(coder.transform(X)) / 2
    limit = 2 * np.abs(ATOMS @ X.T).max()
    assert not SparseCoder(ATOMS, alpha=limit).transform(X).any()


def test_it_ends_a_pipeline_and_takes_lists_and_penalties():
    coder = SparseCoder(np.eye(8).tolist(), penalty=L1(positive=True), alpha=0.5)
    codes = make_pipeline(Whitening(), coder).fit_transform(X)
    assert codes.shape == X.shape
    assert codes.min() == 0 < codes.max()


def test_atoms_of_zeros_one_sample_and_the_precision_of_the_dictionary():
    atoms = np.vstack([ATOMS, np.zeros(8)]).astype(np.float32)
    codes = SparseCoder(np.asfortranarray(atoms), alpha=0.1).transform(X[:1])
    assert codes.dtype == np.float32
    assert np.isfinite(codes).all()
    assert codes[0, -1] == 0


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"dictionary": ATOMS[0]}, r"dictionary must have two dimensions, got shape \(8,\)"),
        ({"dictionary": np.full((2, 8), np.nan)}, "dictionary must be finite, got NaN or infinity"),
        ({"dictionary": ATOMS.T}, "X has 8 features, but SparseCoder is expecting 12"),
        ({"alpha": -1}, "alpha must be a finite number ≥ 0, got -1"),
        ({"epsilon": 0, "penalty": "smooth_l1"}, "epsilon must be a finite number > 0, got 0"),
        ({"n_jobs": 0}, r"n_jobs must be .*, got 0"),
        ({"penalty": "l2"}, r"penalty must be .*, got 'l2'"),
        ({"n_nonzero": 0}, "n_nonzero must be an integer ≥ 1, or None .*, got 0"),
        ({"error": -1.0}, "error must be a finite number ≥ 0, or None .*, got -1"),
        (
            {"n_nonzero": 2, "alpha": 0.5},
            "^n_nonzero=2 selects a pursuit, which has no alpha, but alpha is 0.5. Leave alpha "
            "at its default, 1.0, or remove n_nonzero.$",
        ),
        (
            {"n_nonzero": 2, "error": 1.0, "penalty": "cauchy"},
            "^n_nonzero=2 and error=1.0 select a pursuit, .* or remove n_nonzero and error.$",
        ),
    ],
)
def test_what_is_unusable_is_refused_with_a_message(parameters, message):
    coder = SparseCoder(**{"dictionary": ATOMS, **parameters})
    with pytest.raises(ValueError, match=message):
        coder.fit(X)
    with pytest.raises(ValueError, match=message):
        coder.transform(X)


def test_a_table_with_missing_values_is_no_dictionary():
    table = pd.DataFrame([[1.0, pd.NA]], dtype=object)
    with pytest.raises(TypeError, match="dictionary must be real numbers: "):
        SparseCoder(table).transform(X[:, :2])


@pytest.mark.parametrize(
    "name", ["alpha", "epsilon", "n_jobs", "n_nonzero", "error", "split_sign", "sparse_output"]
)
def test_values_of_another_type_are_refused_by_name(name):
    coder = SparseCoder(ATOMS, penalty="smooth_l1").set_params(**{name: []})
    for use in (coder.fit, coder.transform, lambda _: coder.penalty_, lambda _: coder.alpha_):
        with pytest.raises(TypeError, match=rf"{name} must be .*, got \[\]"):
            use(X)


def test_a_coder_at_another_weight_keeps_shape_names_and_output():
    X = pd.DataFrame(np.random.default_rng(0).laplace(size=(60, 6)), columns=list("abcdef"))
    model = SparseCoding(4, patch_shape=(2, 3), max_iter=3, batch_size=20, random_state=0).fit(X)
    coder = model.set_output(transform="pandas").with_alpha(0.5)
    assert coder.patch_shape == (2, 3)
    codes = coder.transform(X)  # without a warning about names
    assert isinstance(codes, pd.DataFrame)
    assert coder.with_alpha(0.2).patch_shape == (2, 3)


UNIT = ATOMS / np.linalg.norm(ATOMS, axis=1, keepdims=True)


def test_pursuit_is_that_of_scikit_learn():
    options = {"transform_algorithm": "omp", "transform_n_nonzero_coefs": 3, "split_sign": True}
    theirs = sklearn.decomposition.SparseCoder(UNIT, **options).transform(X)
    ours = SparseCoder(UNIT, n_nonzero=3, split_sign=True).fit_transform(X)
    np.testing.assert_allclose(ours, theirs, atol=1e-10)
    expected = orthogonal_mp(UNIT.T, X.T, tol=1.5).T
    np.testing.assert_allclose(SparseCoder(UNIT, error=1.5).transform(X), expected, atol=1e-10)


def test_pursuit_in_orthonormal_atoms_finds_the_best_choice_of_all():
    atoms = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))[0]
    x = X[:6, :5]
    errors = [x - x @ atoms[list(some)].T @ atoms[list(some)] for some in combinations(range(5), 2)]
    best = np.square(errors).sum(axis=2).min(axis=0)
    coder = SparseCoder(3.0 * atoms, n_nonzero=2)
    found = np.square(x - coder.inverse_transform(coder.transform(x))).sum(axis=1)
    np.testing.assert_allclose(found, best)
    assert coder.score(x) == pytest.approx(-best.mean())
    assert coder.penalty_ is None
    assert coder.alpha_ == 0


def test_no_fewer_atoms_would_meet_the_bound_on_the_error():
    error = 1.5
    codes = SparseCoder(ATOMS, error=error).transform(X)
    assert np.square(X - codes @ ATOMS).sum(axis=1).max() <= error
    for x, n_used in zip(X, np.count_nonzero(codes, axis=1), strict=True):
        if n_used > 1:
            fewer = SparseCoder(ATOMS, n_nonzero=n_used - 1).transform([x])
            assert np.square(x - fewer @ ATOMS).sum() > error
    both = SparseCoder(ATOMS, n_nonzero=2, error=error).transform(X)
    np.testing.assert_array_equal(
        np.count_nonzero(both, axis=1), np.minimum(np.count_nonzero(codes, axis=1), 2)
    )
    assert not SparseCoder(ATOMS, error=1e6).transform(X).any()
    of_numpy = SparseCoder(ATOMS, n_nonzero=np.int32(2), error=np.float32(error)).transform(X)
    np.testing.assert_array_equal(of_numpy, both)


def test_pursuit_with_more_atoms_than_directions_duplicates_and_zeros():
    atoms = np.vstack([ATOMS, ATOMS, np.zeros((1, 8))]).astype(np.float32)
    atoms.flags.writeable = False
    for x in (X, X[:1], np.zeros((2, 8)), np.asfortranarray(X, np.float32)):
        codes = SparseCoder(atoms, n_nonzero=100).transform(x)
        assert codes.dtype == np.float32
        assert np.count_nonzero(codes, axis=1).max() <= 8
        assert not codes[:, -1].any()
        np.testing.assert_allclose(codes @ atoms, x, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_pursuit_works_at_any_scale(scale):
    codes = SparseCoder(ATOMS, n_nonzero=2).transform(X)
    np.testing.assert_allclose(
        SparseCoder(ATOMS, n_nonzero=2).transform(scale * X) / scale, codes, rtol=1e-9
    )
    unit = scale**0.5  # of a bound that is neither 0 nor infinite
    bounded = SparseCoder(ATOMS, error=1.5 * unit**2).transform(unit * X)
    expected = SparseCoder(ATOMS, error=1.5).transform(X)
    np.testing.assert_allclose(bounded / unit, expected, rtol=1e-9)


@pytest.mark.parametrize("rule", [{"n_nonzero": 3}, {"penalty": "l1", "alpha": 0.5}])
@pytest.mark.parametrize("split_sign", [False, True])
def test_sparse_output_has_the_same_numbers_and_goes_back(rule, split_sign, monkeypatch, tmp_path):
    monkeypatch.setattr("sparsebp.samples.samples._LARGE", 1)  # blocks of 1,024
    x = np.random.default_rng(0).laplace(size=(1100, 8))
    coder = SparseCoder(ATOMS, split_sign=split_sign, **rule)
    plain, dense = SparseCoder(ATOMS, **rule).transform(x), coder.transform(x)
    if split_sign:
        np.testing.assert_array_equal(dense, np.hstack([plain.clip(0), (-plain).clip(0)]))
    sparsely = clone(coder).set_params(sparse_output=True)
    stored = np.memmap(tmp_path / "x", "f8", mode="w+", shape=x.shape)
    stored[:] = x
    for found in (sparsely.fit_transform(x), sparsely.transform(stored)):
        assert isinstance(found, sparse.csr_array)
        np.testing.assert_array_equal(found.toarray(), dense)
        assert found.nnz == np.count_nonzero(dense)
    assert len(sparsely.get_feature_names_out()) == dense.shape[1]
    for codes in (found, dense):
        np.testing.assert_allclose(sparsely.inverse_transform(codes), plain @ ATOMS, atol=1e-10)
        np.testing.assert_array_equal(sparsely.silent_components(0 * codes), range(12))
    assert sparsely.score(x) == SparseCoder(ATOMS, **rule).score(x)


def test_sparse_output_is_refused_where_it_cannot_be():
    coder = SparseCoder(ATOMS, n_nonzero=2, split_sign=True, sparse_output=True)
    with pytest.raises(ValueError, match=r"sparse_output=True .* but out is given. Set sparse"):
        coder.transform(X, np.empty((50, 24)))
    message = r"sparse_output=True returns a matrix of SciPy, but set_output asks for data frames\."
    for container in ("pandas", "polars"):
        with pytest.raises(ValueError, match=message + " Set sparse_output=False"):
            clone(coder).set_output(transform=container).transform(X)
    globally = message.replace("set_output", r"set_config\(transform_output='pandas'\)")
    with config_context(transform_output="pandas"):
        with pytest.raises(ValueError, match=globally):
            coder.transform(X)
        with pytest.raises(ValueError, match=message):
            clone(coder).set_output(transform="polars").transform(X)
    with config_context(transform_output="pandas"):
        assert sparse.issparse(clone(coder).set_output(transform="default").transform(X))
    with pytest.raises(ValueError, match=r"X has 12 columns, but .* returns 24"):
        coder.inverse_transform(sparse.csr_array((3, 12)))
    table = coder.set_params(sparse_output=False).set_output(transform="pandas").transform(X)
    assert list(table.columns) == [f"sparsecoder{number}" for number in range(24)]


def test_a_pursuit_has_no_weight_of_a_penalty():
    with pytest.raises(ValueError, match=r"found by pursuit, .* Write SparseCoder"):
        SparseCoder(ATOMS, n_nonzero=2).with_alpha(1.0)


@pytest.mark.parametrize("rule", [{"n_nonzero": 3}, {"penalty": "cauchy", "alpha": 0.5}])
def test_the_function_returns_what_the_coder_does(rule):
    options = {"split_sign": True, "sparse_output": True, "n_jobs": 1, **rule}
    found = sparsebp.sparse_encode(X, ATOMS, **options)
    assert (found != SparseCoder(ATOMS, **options).transform(X)).nnz == 0
    own, coders = (
        {name: p.default for name, p in signature(f).parameters.items()}
        for f in (sparsebp.sparse_encode, SparseCoder)
    )
    assert own.keys() - {"X"} == coders.keys() - {"patch_shape"}
    assert all(coders[name] == default for name, default in own.items() if name != "X")


def test_sparse_encode_returns_arrays_whatever_transformers_return():
    with config_context(transform_output="pandas"):
        codes = sparsebp.sparse_encode(X, ATOMS, n_nonzero=2)
        few = sparsebp.sparse_encode(X, ATOMS, n_nonzero=2, sparse_output=True)
    assert type(codes) is np.ndarray
    np.testing.assert_array_equal(few.toarray(), codes)


@pytest.mark.parametrize(
    "rule",
    first_fast(
        [
            {"n_nonzero": 3},
            {"penalty": "smooth_l1"},
            {"penalty": "log_cosh"},
            {"penalty": "cauchy"},
        ],
        2,
    ),
    ids=str,
)
def test_the_layout_of_the_dictionary_changes_no_bit(rule):
    rng = np.random.default_rng(0)
    atoms, samples = rng.normal(size=(24, 16)), rng.laplace(size=(200, 16))
    in_rows, in_columns = (
        SparseCoder(dictionary, **rule) for dictionary in (atoms, np.asfortranarray(atoms))
    )
    codes = in_rows.transform(samples)
    np.testing.assert_array_equal(in_columns.transform(samples), codes)
    np.testing.assert_array_equal(
        in_columns.inverse_transform(codes), in_rows.inverse_transform(codes)
    )
    if "penalty" in rule:
        assert in_columns.score(samples) == in_rows.score(samples)
