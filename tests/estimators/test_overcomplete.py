"""Reconstruction ICA with more filters than directions."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from thinning import first_fast

from sparsebp import ReconstructionICA, load_model, save_model
from sparsebp.datasets import load_sample_photographs, make_mixtures
from sparsebp.metrics import gabor_fit
from sparsebp.preprocessing import Whitening, remove_mean, sample_patches, whiten_images
from sparsebp.problems import UnitRows

X = make_mixtures(1000, 6, random_state=0).X
WHITE = Whitening().fit_transform(X)


@pytest.mark.parametrize("whiten", [False, True])
def test_filters_have_length_one_and_reconstruct(whiten):
    samples = X + 3 if whiten else WHITE
    model = ReconstructionICA(20, tol=1e-5, whiten=whiten, random_state=0).fit(samples)
    lengths = np.linalg.norm(model.whitened_components_, axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-12)
    assert model.decoder_scale_ == 6 / 20
    whitening = model.whitening_ if whiten else np.eye(6)
    white = whitening @ (samples - model.mean_).T
    codes = model.transform(samples)
    np.testing.assert_allclose(codes.T, model.whitened_components_ @ white, atol=1e-10)
    back = model.inverse_transform(codes)
    np.testing.assert_allclose(back, codes @ model.features_ + model.mean_, atol=1e-10)
    in_white = 6 / 20 * model.whitened_components_.T @ codes.T
    np.testing.assert_allclose(whitening @ (back - model.mean_).T, in_white, atol=1e-10)
    assert ((back - samples) ** 2).sum() < 0.02 * ((samples - samples.mean(axis=0)) ** 2).sum()


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_score_is_minus_the_objective(dtype):
    samples = WHITE.astype(dtype)
    model = ReconstructionICA(8, alpha=0.3, tol=1e-3, random_state=0).fit(samples)
    assert model.components_.dtype == model.mixing_.dtype == dtype
    w, x = model.components_.astype(float), WHITE
    errors = ((0.75 * x @ w.T @ w - x) ** 2).sum(axis=1)
    expected = (errors + 0.3 * np.sqrt((x @ w.T) ** 2 + 1e-2).sum(axis=1)).mean()
    rel = 1e-9 if dtype == np.float64 else 1e-4
    assert model.score(samples) == pytest.approx(-expected, rel=rel)
    assert model.objective_ == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("n_components", [None, 3, 6])
def test_up_to_as_many_filters_as_directions_the_objective_is_the_tutorials(n_components):
    settings = {"alpha": 0.3, "tol": 1e-3, "random_state": 0}
    auto, plain = (
        ReconstructionICA(n_components, unit_norm=unit_norm, **settings).fit(WHITE)
        for unit_norm in ("auto", False)
    )
    assert auto.decoder_scale_ == plain.decoder_scale_ == 1
    np.testing.assert_array_equal(auto.components_, plain.components_)


def test_directions_are_counted_after_whitening():
    flat = np.hstack([X, X[:, :2] - X[:, 2:4]])
    model = ReconstructionICA(7, whiten=True, tol=1e-3, random_state=0).fit(flat)
    assert model.decoder_scale_ == 6 / 7


@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
def test_the_tutorials_objectives_stay_available():
    """Free lengths leave k − n filters silent, lengths of one make Wᵀ W x too large."""
    settings = {"n_components": 12, "tol": 1e-5, "random_state": 0}
    free = ReconstructionICA(unit_norm=False, **settings).fit(WHITE)
    unit = ReconstructionICA(unit_norm=True, **settings).fit(WHITE)
    assert free.decoder_scale_ == unit.decoder_scale_ == 1
    lengths = np.linalg.norm(free.components_, axis=1)
    assert (lengths < 0.01 * lengths.max()).sum() == 6
    back = unit.inverse_transform(unit.transform(WHITE))
    assert np.vdot(back, WHITE) > 1.5 * np.vdot(WHITE, WHITE)


def test_the_problem_is_that_of_the_fit_whatever_is_set_later(tmp_path):
    for fitted, later in ((True, False), (False, True), ("auto", True)):
        model = ReconstructionICA(3, unit_norm=fitted, tol=1e-2, random_state=0).fit(WHITE)
        save_model(model, tmp_path / "model.npz")
        loaded = load_model(tmp_path / "model.npz")
        for one in (model, loaded):
            constraint = one.set_params(unit_norm=later).problem_.constraint
            assert constraint is (UnitRows if fitted is True else None)
            assert one.unit_norm_ is (fitted is True)
        del loaded.unit_norm_  # as in files written before it was kept
        assert (loaded.problem_.constraint is UnitRows) is (later is True)


@pytest.mark.parametrize("unit_norm", ["always", None, 1, "True"])
def test_other_values_are_refused(unit_norm):
    with pytest.raises(
        (TypeError, ValueError), match="unit_norm must be 'auto', True or False, got "
    ):
        ReconstructionICA(3, unit_norm=unit_norm).fit(X)


def matched(features, truth):
    """Mean cosine between features and true ones, each matched with another one."""
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = np.abs(features @ truth)
    return cosines[linear_sum_assignment(cosines, maximize=True)].mean()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*(is|are) silent")
@pytest.mark.parametrize("seed", first_fast([0, 1]))
def test_more_sources_than_features_are_found_much_better_than_by_chance(seed):
    """16 mixtures of 32 Laplace sources, which no square unmixing matrix can take apart."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(16, 32))
    mixing /= np.linalg.norm(mixing, axis=0)
    samples = rng.laplace(size=(10_000, 32)) @ mixing.T
    model = ReconstructionICA(32, whiten=True, tol=1e-4, random_state=seed).fit(samples)
    assert matched(rng.normal(size=(32, 16)), mixing) < 0.65
    assert matched(model.features_, mixing) > 0.8
    plain = ReconstructionICA(32, unit_norm=False, whiten=True, tol=1e-4, random_state=seed)
    assert matched(plain.fit(samples).features_, mixing) < 0.75


@pytest.mark.slow
@pytest.mark.parametrize(("times", "seed"), [(2, 0), (4, 0)])
def test_overcomplete_features_of_photographs_are_used_and_gabor_like(times, seed):
    images = whiten_images(load_sample_photographs())
    patches = remove_mean(sample_patches(images, 8, 10_000, random_state=seed))
    model = ReconstructionICA(63 * times, whiten=True, tol=1e-5, random_state=seed).fit(patches)
    codes = model.transform(patches)
    assert codes.std(axis=0).min() > 0.9  # of 1, by its filter's length
    lost = np.square(patches - model.inverse_transform(codes)).sum()
    assert lost < 0.05 * np.square(patches).sum()
    r_squared = gabor_fit(model.features_, (8, 8)).r_squared
    assert np.median(r_squared) > 0.88
    assert (r_squared > 0.5).mean() > 0.9
