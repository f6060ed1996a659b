import warnings
from itertools import product

import numpy as np
import pytest
from scipy.stats import kurtosis
from sklearn.exceptions import ConvergenceWarning
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
)
from sparsebp.datasets import load_sample_photographs, make_dictionary_signals
from sparsebp.estimators._units import growth, scale_of
from sparsebp.penalties import L1, Cauchy, LogCosh, Signed, SmoothL1, Welsch
from sparsebp.preprocessing import remove_mean, sample_patches

X = np.random.default_rng(0).laplace(size=(500, 8))
FAST = {"solver": "online", "batch_size": 100, "max_iter": 4, "random_state": 0}


def said(model, X):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X)
    # Unused atoms, which follow from it, are warned of by themselves.
    return [str(w.message) for w in caught if "SparseCoding:" in str(w.message)]


def test_an_alpha_that_leaves_no_coefficient_is_named_with_one_that_does():
    volts = 2e-5 * X
    model = SparseCoding(8, penalty="l1", **FAST)
    (message,) = said(model, volts)
    assert "alpha is 1, and all coefficients" in message
    assert not model.transform(volts).any()
    limit = 2 * np.abs(volts @ model.components_.T).max()
    assert f"below {limit:.2g}" in message
    given = float(message.split("Give about ")[1].split(",")[0])
    better = SparseCoding(8, penalty="l1", alpha=given, **FAST)
    assert said(better, volts) == []
    assert better.transform(volts).any()


@pytest.mark.parametrize("penalty", first_fast(["smooth_l1", "topographic"]))
def test_an_epsilon_that_hides_everything_is_named_with_one_that_does_not(penalty):
    volts = 2e-5 * X
    messages = said(SparseCoding(8, penalty=penalty, **FAST), volts)
    (message,) = messages
    given = float(message.split("epsilon of about ")[1].split()[0])
    better = SparseCoding(8, penalty=penalty, epsilon=given, alpha=2e-5, **FAST)
    assert said(better, volts) == []


FREE, FIXED = ["l1", "smooth_l1", "topographic"], ["log_cosh", "cauchy", "welsch"]
UNITS = [255.0, 2e-5, 0.05]


@pytest.mark.parametrize(
    "case",
    first_fast([*product(FREE, [0.1]), *product(FIXED, [1.0]), *product(FREE, [255.0])], 4),
    ids=str,
)
def test_no_false_alarm(case):
    penalty, unit = case
    assert said(SparseCoding(8, penalty=penalty, alpha=unit, **FAST), unit * X) == []


def test_samples_of_zeros_say_nothing_of_units():
    assert said(SparseCoding(8, penalty="l1", **FAST), np.zeros((50, 8))) == []


@pytest.mark.parametrize(("scale", "words"), [(0.1, "outweighs"), (2e-5, "epsilon is 0.01")])
def test_reconstruction_ica_says_that_samples_are_too_small(scale, words):
    """Photographs' patches from 0 to 1; microvolts in volts for filters that cannot vanish."""
    options = {"epsilon": 0.01, "unit_norm": True} if "epsilon" in words else {}
    X = scale * np.random.default_rng(0).laplace(size=(500, 8))
    with pytest.warns(UserWarning, match=words) as said:
        ReconstructionICA(8, random_state=0, **options).fit(X)
    assert "unit variance" in str(said[0].message)
    assert said[0].filename == __file__


@pytest.mark.slow
@pytest.mark.parametrize("case", list(product(FIXED, UNITS)), ids=str)
def test_penalties_of_one_unit_say_by_what_to_multiply_samples(case):
    penalty, unit = case
    signals = make_dictionary_signals(200, 16, 16, n_nonzero=2, random_state=1)
    X = unit / signals.X.std() * signals.X
    gains = []
    for seed in range(3):
        model = SparseCoding(16, penalty=penalty, **{**FAST, "random_state": seed})
        (message,) = said(model, X)
        dense = kurtosis(model.transform(X), axis=None)
        factor = float(message.split("multiply it by about ")[1].split(",")[0].split(")")[0])
        assert said(model, factor * X) == []
        gains.append(kurtosis(model.transform(factor * X), axis=None) / dense)
    assert np.mean(gains) > 2


@pytest.mark.slow
@pytest.mark.parametrize("penalty", ["l1", "smooth_l1", "topographic"])
@pytest.mark.parametrize("n_components", [64, 121])
def test_an_alpha_of_1_is_too_small_for_gray_levels_without_their_means(penalty, n_components):
    X = 255 * remove_mean(sample_patches(load_sample_photographs(), 8, 2000, random_state=1))
    options = {"max_iter": 10, "batch_size": 500, "random_state": 0}
    (message,) = said(SparseCoding(n_components, penalty=penalty, **options), X)
    assert "alpha=1 is too small" in message


def test_an_alpha_of_1_is_too_small_for_photographs_of_256_gray_levels():
    X = 255 * sample_patches(load_sample_photographs(), 8, 200, random_state=0)
    (message,) = said(SparseCoding(64, penalty="l1", **FAST), X)
    better = float(message.split("Give about ")[1].split(",")[0])
    model = SparseCoding(64, penalty="l1", alpha=better, **FAST)
    assert said(model, X) == []
    assert 1 < (model.transform(X) != 0).sum(axis=1).mean() < 16


def test_an_alpha_far_too_small_is_named_with_one_that_is_not():
    signals = make_dictionary_signals(400, 16, 16, n_nonzero=2, random_state=1)
    X = 255 / signals.X.std() * signals.X
    (message,) = said(SparseCoding(16, penalty="l1", **FAST), X)
    assert "alpha=1 is too small" in message
    better = float(message.split("Give about ")[1].split(",")[0])
    model = SparseCoding(16, penalty="l1", alpha=better, **FAST)
    assert said(model, X) == []
    assert (model.transform(X) != 0).mean() < 0.5


def test_the_first_batch_says_it_once():
    model = SparseCoding(8, penalty="l1")
    with pytest.warns(UserWarning, match="alpha is 1, and all coefficients") as caught:
        model.partial_fit(2e-5 * X)
    assert caught[0].filename == __file__
    model.partial_fit(2e-5 * X)


@pytest.mark.parametrize(("unit", "words"), [(1e-4, "is a parabola"), (1e4, "hardly grows")])
def test_orthonormal_ica_without_whitening(unit, words):
    model = OrthonormalICA(whiten=False, penalty="welsch", tol=1e-3, random_state=0)
    with pytest.warns(UserWarning, match=f"OrthonormalICA: penalty is .*{words}") as caught:
        model.fit(unit * X)
    factor = float(str(caught[0].message).split("multiply it by about ")[1].split(")")[0])
    model.fit(factor * unit * X)
    OrthonormalICA(penalty="welsch", tol=1e-3, random_state=0).fit(unit * X)


def test_sparse_filtering_says_that_epsilon_hides_responses():
    with pytest.warns(UserWarning, match="SparseFiltering: epsilon is 100, .* Give about 1e-8"):
        SparseFiltering(4, epsilon=100.0, tol=1e-2, random_state=0).fit(X)
    SparseFiltering(4, tol=1e-2, random_state=0).fit(1e-5 * X)


@pytest.mark.parametrize(("factor", "said"), [(255, True), (5, False), (0.1, False), (1e-4, True)])
@pytest.mark.parametrize(
    "model",
    [
        OrthonormalICA(4, tol=1e-1, random_state=0),
        SparseCoding(8, penalty="l1", **FAST),
        SparseFiltering(4, tol=1e-1, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_samples_on_another_scale_than_those_of_fit(recwarn, model, factor, said):
    model.fit(X)
    model.transform(factor * X)
    model.transform(1e-4 * X[:50])  # a few samples may have no contrast
    messages = [str(w.message) for w in recwarn]
    assert [m.startswith("X has another scale") for m in messages] == [True] * said
    assert not said or float(messages[0].split("by about ")[1].split(",")[0]) == pytest.approx(
        1 / factor, rel=0.1
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_more_atoms_than_samples_are_reported_where_no_more_samples_follow():
    model = SparseCoding(9, penalty="l1", **FAST)
    with pytest.warns(UserWarning, match="9 atoms are learned from 8 samples") as caught:
        model.fit(X[:8])
    assert [w.filename for w in caught if "atoms are learned" in str(w.message)] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X[:9])
        SparseCoding(9, penalty="l1", **FAST).partial_fit(X[:8])


@pytest.mark.parametrize(
    "model",
    [
        SparseCoding(8, penalty="l1", **FAST),
        SparseFiltering(4, epsilon=100.0, tol=1e-2, random_state=0),
        OrthonormalICA(whiten=False, penalty="welsch", tol=1e-3, random_state=0),
        ReconstructionICA(8, tol=1e-2, random_state=0),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_warning_that_is_an_error_leaves_a_model_that_can_be_saved(model, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.raises(UserWarning):
            model.fit(2e-5 * X)
    save_model(model, tmp_path / "model.npz")
    assert np.isfinite(load_model(tmp_path / "model.npz").objective_)


def test_growth_of_any_penalty():
    s = np.random.default_rng(0).normal(size=(5, 40))
    assert growth(L1(), s) == pytest.approx(2)
    for penalty in (LogCosh(), Cauchy(), Welsch(), SmoothL1()):
        assert growth(penalty, 1e-5 * s) == pytest.approx(4, abs=0.01)
        assert growth(penalty, 1e-20 * s) == 4
        assert growth(penalty, 1e6 * s) < 2.01
    assert growth(Welsch(), 1e4 * s) == pytest.approx(1, abs=1e-3)
    assert growth(Signed(Cauchy(), (1, -1, 1, -1, 1)), s) == growth(Cauchy(), s)


@pytest.mark.parametrize(
    "model", [OrthonormalICA(4, tol=1e-1, random_state=0), SparseCoding(8, penalty="l1", **FAST)]
)
def test_models_saved_without_a_scale_of_samples_code_in_silence(model):
    model.fit(X)
    del model.sample_scale_
    assert np.isfinite(model.transform(255 * X)).all()
    if hasattr(model, "partial_fit"):
        model.partial_fit(X)


def test_the_scale_of_samples_is_told_at_the_ends_of_the_range():
    samples = np.array([[1.0, -1.0], [-1.0, 1.0]])
    for size in (1.7e308, 1.0, 1e-300):
        assert scale_of(size * samples) == pytest.approx(size)


def test_a_weight_that_leaves_most_samples_without_code_is_reported():
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(12, 8))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    codes = rng.laplace(size=(600, 12)) * (rng.random((600, 12)) < 0.2)
    X = 0.2 * codes @ atoms
    model = SparseCoding(12, penalty="l1", batch_size=200, max_iter=5, random_state=0)
    with pytest.warns(UserWarning, match=r"alpha=1 is too large .* no coefficient in use"):
        model.fit(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.set_params(alpha=0.1).fit(X)


def test_a_weight_that_is_too_large_is_told_with_a_smaller_one():
    """An outlier is far above the weight, and few atoms leave much in any case."""
    X = np.random.default_rng(0).normal(size=(300, 16))
    X[0] *= 40
    (message,) = said(SparseCoding(2, penalty="l1", alpha=4.0, **FAST), X)
    assert "alpha=4 is too large" in message
    assert float(message.split("Give about ")[1].rstrip(".").split(",")[0]) < 1
    assert "scale X" not in message  # it has more than unit variance
