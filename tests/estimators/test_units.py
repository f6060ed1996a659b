import warnings

import numpy as np
import pytest

from sparsebp import ReconstructionICA, SparseCoding

X = np.random.default_rng(0).laplace(size=(500, 8))
FAST = {"solver": "online", "batch_size": 100, "max_iter": 10, "random_state": 0}


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
    assert "alpha is 1, and no coefficient" in message
    assert not model.transform(volts).any()
    limit = 2 * np.abs(volts @ model.components_.T).max()
    assert f"below {limit:.2g}" in message
    given = float(message.split("Give about ")[1].split(",")[0])
    better = SparseCoding(8, penalty="l1", alpha=given, **FAST)
    assert said(better, volts) == []
    assert better.transform(volts).any()


@pytest.mark.parametrize("penalty", ["smooth_l1", "topographic"])
def test_an_epsilon_that_hides_everything_is_named_with_one_that_does_not(penalty):
    volts = 2e-5 * X
    messages = said(SparseCoding(8, penalty=penalty, **FAST), volts)
    (message,) = messages
    given = float(message.split("epsilon of about ")[1].split()[0])
    better = SparseCoding(8, penalty=penalty, epsilon=given, alpha=2e-5, **FAST)
    assert said(better, volts) == []


@pytest.mark.parametrize("unit", [0.1, 1.0, 255.0])
@pytest.mark.parametrize("penalty", ["l1", "smooth_l1", "topographic", "cauchy", "welsch"])
def test_no_false_alarm(penalty, unit):
    assert said(SparseCoding(8, penalty=penalty, alpha=unit, **FAST), unit * X) == []


def test_samples_of_zeros_say_nothing_of_units():
    assert said(SparseCoding(8, penalty="l1", **FAST), np.zeros((50, 8))) == []


@pytest.mark.parametrize(("scale", "words"), [(0.1, "outweighs"), (2e-5, "epsilon is 0.01")])
def test_reconstruction_ica_says_that_samples_are_too_small(scale, words):
    """Photographs' patches from 0 to 1, and microvolts in volts."""
    X = scale * np.random.default_rng(0).laplace(size=(500, 8))
    with pytest.warns(UserWarning, match=words) as said:
        ReconstructionICA(8, random_state=0).fit(X)
    assert "unit variance" in str(said[0].message)
    assert said[0].filename == __file__
