"""Codes for a dictionary that is given."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.decomposition import sparse_encode
from sklearn.pipeline import make_pipeline

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


@pytest.mark.parametrize("penalty", ["l1", "smooth_l1"])
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
    ],
)
def test_what_is_unusable_is_refused_with_a_message(parameters, message):
    coder = SparseCoder(**{"dictionary": ATOMS, **parameters})
    with pytest.raises(ValueError, match=message):
        coder.fit(X)
    with pytest.raises(ValueError, match=message):
        coder.transform(X)


@pytest.mark.parametrize("name", ["alpha", "epsilon", "n_jobs"])
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
