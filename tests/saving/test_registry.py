"""Classes of a user's own in model files."""

from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

from sparsebp import ReconstructionICA, load_model, save_model
from sparsebp.penalties import LogCosh, Penalty, Topographic
from sparsebp.saving import Maybe, Numbers, Size, register, registry

X = np.random.default_rng(0).laplace(size=(60, 6))


@dataclass(frozen=True, eq=False)
class Weighted(Penalty):
    """A number, a flag and an array among its fields."""

    sharpness: float = 3.0
    flag: bool = True
    weights: np.ndarray | None = None

    @property
    def layers(self):
        return LogCosh(self.sharpness).layers


class Doubler(TransformerMixin, BaseEstimator):
    def __init__(self, factor=2.0):
        self.factor = factor

    def fit(self, X, y=None):
        self.mean_, self.n_features_in_ = X.mean(axis=0), X.shape[1]
        return self

    def transform(self, X):
        return self.factor * (X - self.mean_)


@pytest.fixture
def registered():
    """Forget afterwards what a test registers."""
    with patch.dict(registry.ESTIMATORS), patch.dict(registry.PENALTIES):
        yield


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


def test_a_penalty_of_ones_own_comes_back(path, registered):
    assert register(Weighted) is Weighted
    penalty = Weighted(2.0, False, np.arange(3.0))
    model = ReconstructionICA(3, penalty=penalty, tol=1e-2, random_state=0).fit(X)
    save_model(model, path)
    loaded = load_model(path)
    assert type(loaded.penalty_) is Weighted
    assert (loaded.penalty_.sharpness, loaded.penalty_.flag) == (2.0, False)
    np.testing.assert_array_equal(loaded.penalty.weights, penalty.weights)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
    assert loaded.score(X) == model.score(X)


def test_an_estimator_of_ones_own_comes_back_and_its_files_are_checked(path, registered):
    table = {
        "n_features_in_": Size("features"),
        "mean_": Numbers(("features",)),
        "extra_": Maybe(Numbers()),
    }
    register(Doubler, table)
    model = Doubler(3.0).fit(X)
    save_model(model, path)
    np.testing.assert_array_equal(load_model(path).transform(X), model.transform(X))
    model.mean_ = model.mean_[:3]
    with pytest.raises(
        ValueError, match="the number of features of mean_ must be 6 as elsewhere, got 3"
    ):
        save_model(model, path)


def test_a_file_with_an_unknown_class_says_what_to_import(path, registered):
    register(Weighted)
    save_model(ReconstructionICA(3, penalty=Weighted(), tol=1e-2, random_state=0).fit(X), path)
    del registry.PENALTIES["Weighted"]
    with pytest.raises(ValueError, match="contains a Weighted, which is not registered; import"):
        load_model(path)


def test_what_cannot_be_registered_is_refused(registered):
    class Cauchy(Penalty):
        """A name that is taken."""

    with pytest.raises(TypeError, match="neither a penalty that is a dataclass nor"):
        register(Cauchy)
    with pytest.raises(ValueError, match="Cauchy is registered for"):
        register(dataclass(frozen=True)(Cauchy))
    for kind in (Doubler, dict, 3):
        with pytest.raises(TypeError, match="nor an estimator with its fitted attributes"):
            register(kind)


def test_a_scaler_without_means_or_scales_comes_back(path):
    for options in ({"with_mean": False}, {"with_std": False}):
        model = StandardScaler(**options).fit(X)
        save_model(model, path)
        np.testing.assert_array_equal(load_model(path).transform(X), model.transform(X))


def test_parameters_of_any_plain_type_come_back(path, registered):
    register(Doubler, {"n_features_in_": Size("features"), "mean_": Numbers(("features",))})
    for factor in ([1, 2.5], (True, None), ("a", [1, (2,)]), "x", None, np.arange(3.0)):
        model = Doubler(factor)
        model.mean_, model.n_features_in_ = np.zeros(6), 6
        save_model(model, path)
        found = load_model(path).factor
        assert type(found) is type(factor)
        assert np.array_equal(found, factor) if isinstance(factor, np.ndarray) else found == factor
    with pytest.raises(TypeError, match="objects that are not all text"):
        save_model(Doubler(np.array([1, None])).fit(X), path)


def test_names_of_functions_and_unregistered_subclasses_are_no_penalties(path):
    assert all(issubclass(kind, Penalty) for kind in registry.PENALTIES.values())

    class Map(Topographic):
        pass

    model = ReconstructionICA(4, penalty=Map((2, 2)), tol=1e-2, random_state=0).fit(X)
    with pytest.raises(TypeError, match="Map is not one of sparsebp's own"):
        save_model(model, path)


def test_none_agrees_with_sizes_wherever_it_stands_in_the_table(path, registered):
    square = Numbers(("features", "features"), none=True)
    register(Doubler, {"mean_": square, "n_features_in_": Size("features")})
    model = Doubler()
    model.mean_, model.n_features_in_ = None, 3
    save_model(model, path)
    assert load_model(path).mean_ is None
