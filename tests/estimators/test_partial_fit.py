"""`partial_fit` resumes from everything learned before, from any source."""

import pickle
from copy import deepcopy
from functools import cache

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import SparseCoding, load_model, save_model
from sparsebp._checks import draw_seed
from sparsebp.coding import BasisState
from sparsebp.coding.search import rng_of_step
from sparsebp.datasets import make_dictionary_signals
from sparsebp.estimators import sparse_coding
from sparsebp.metrics import dictionary_recovery

PLANTED = make_dictionary_signals(3000, 6, 8, n_nonzero=1, random_state=0)
X = PLANTED.X
SOLVERS = [
    {"solver": "online", "batch_size": 100, "max_iter": 20},
    {"max_iter": 10, "batch_size": 200},
    {"solver": "exact", "gamma": 0.01, "max_iter": 40, "batch_size": 500},
]


@cache
def _learned(number):
    return SparseCoding(8, alpha=0.1, tol=0, random_state=0, **SOLVERS[number]).fit(X)


def learned(number):
    return deepcopy(_learned(number))


def saved(model, tmp_path):
    save_model(model, tmp_path / "model.npz")
    return load_model(tmp_path / "model.npz")


WAYS = {
    "as it is": lambda model, path: model,
    "pickle": lambda model, path: pickle.loads(pickle.dumps(model)),
    "deepcopy": lambda model, path: deepcopy(model),
    "file": saved,
}


@pytest.mark.parametrize("number", first_fast(range(3)))
def test_a_batch_after_fit_changes_the_atoms_a_little_only(number, tmp_path):
    model = learned(number)
    seen = model.state_.n_samples
    found = []
    for way in WAYS.values():
        resumed = way(deepcopy(model), tmp_path).partial_fit(X[:10])
        assert resumed.state_.n_samples == seen + 10
        assert np.abs(resumed.components_ - model.components_).max() < 0.05
        found.append(resumed.components_)
    for components in found[1:]:
        np.testing.assert_array_equal(components, found[0])


def test_a_warm_start_adds_to_the_sums(tmp_path):
    model = saved(learned(0).set_params(warm_start=True, max_iter=2), tmp_path)
    before, seen = model.components_, model.state_.n_samples
    model.fit(X[:100])
    assert model.state_.n_samples == seen + 200
    assert np.abs(model.components_ - before).max() < 0.1
    model.set_params(warm_start=False).fit(X[:100])
    assert model.state_.n_samples == 200


@pytest.mark.parametrize("options", SOLVERS[:2], ids=str)
def test_a_fit_that_is_interrupted_is_resumed_from_where_it_was(options):
    def interrupt(turn, value):
        if turn == 8:
            raise KeyboardInterrupt

    model = SparseCoding(8, alpha=0.1, tol=0, random_state=1, callback=interrupt, **options)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X)
    assert model.state_.n_samples in (7 * options["batch_size"], 8 * options["batch_size"])
    np.testing.assert_array_equal(model.state_.basis, model.components_.T)


@pytest.mark.parametrize("how", ["an old file", "atoms that were set"])
def test_atoms_without_sums_count_as_many_samples(how):
    model = learned(1)
    if how == "an old file":
        model.state_ = None
    else:
        model.components_ = PLANTED.dictionary.copy()
    before = model.components_
    model.partial_fit(X[:50])
    assert model.state_.n_samples == 100_050
    assert 0 < np.abs(model.components_ - before).max() < 0.05
    model.state_ = None
    assert np.isfinite(model.partial_fit(np.zeros((3, 6))).components_).all()


def test_sums_follow_atoms_whose_lengths_change():
    rng = np.random.default_rng(0)
    basis, codes = rng.normal(size=(4, 3)), rng.normal(size=(3, 30))
    lengths = np.linalg.norm(basis, axis=0)
    long = BasisState.fitted(basis, basis @ codes, codes, 30)
    unit = long.moved_to(basis / lengths)
    scaled = codes * lengths[:, None]
    np.testing.assert_allclose(unit.codes_moments, scaled @ scaled.T / 30)
    np.testing.assert_allclose(unit.cross_moments, basis @ codes @ scaled.T / 30)


def test_batches_of_any_size_count_by_their_samples():
    rng = np.random.default_rng(0)
    x, codes = rng.normal(size=(4, 60)), rng.normal(size=(3, 60))
    state = BasisState.empty(np.eye(4, 3)).including(x[:, :40], codes[:, :40])
    np.testing.assert_allclose(state.codes_moments, codes[:, :40] @ codes[:, :40].T / 40)
    whole = state.including(x[:, 40:], codes[:, 40:])
    kept = (2 / 3) ** 48
    expected = kept * state.cross_moments + (1 - kept) * x[:, 40:] @ codes[:, 40:].T / 20
    np.testing.assert_allclose(whole.cross_moments, expected)


def test_a_seed_does_not_replace_by_the_same_sample_in_every_batch(monkeypatch):
    draws = []
    monkeypatch.setattr(sparse_coding, "draw_seed", lambda rng: draws.append(draw_seed(rng)) or 0)
    model = SparseCoding(2, alpha=0.1, solver="online", random_state=0)
    for _ in range(3):
        model.partial_fit(np.random.default_rng(0).normal(size=(40, 6)))
    assert len(set(draws)) == 3


def test_a_large_batch_is_learned_from_in_steps():
    model = SparseCoding(8, alpha=0.1, random_state=1).partial_fit(X[:399])
    assert (model.state_.n_samples, model.n_iter_, len(model.objective_history_)) == (399, 1, 2)
    search, x = model._online(8), X.T
    together, value = search.learn(x[:, :399], model.state_, 3)
    state, values = model.state_, []
    for first in range(3):  # of a hundred samples or more
        share = np.ascontiguousarray(x[:, first:399:3])
        state, found = search.step(share, state, rng_of_step(3, first))
        values.append(found)
    np.testing.assert_array_equal(together.basis, state.basis)
    assert value == pytest.approx(np.mean(values))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 2])
def test_few_large_batches_find_a_planted_dictionary(seed):
    planted = make_dictionary_signals(30_000, 20, 50, n_nonzero=3, random_state=seed)
    model = SparseCoding(50, alpha=0.2, random_state=seed + 10)
    for batch in np.split(planted.X, 30):
        model.partial_fit(batch)
    # In one step for each batch 15 to 26 of them are found.
    assert dictionary_recovery(model.components_, planted.dictionary).n_found >= 38


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "n_seeds"),
    [
        ({"penalty": "l1", "solver": "online", "batch_size": 256, "max_iter": 300}, 1),
        ({"penalty": "l1", "max_iter": 60}, 1),
        ({}, 2),
    ],
    ids=str,
)
def test_a_learned_dictionary_stays_over_300_small_batches(options, n_seeds, tmp_path):
    """At most one atom is lost; in the mean, where a fit leaves some that are barely found."""
    lost = []
    for seed in range(n_seeds):
        planted = make_dictionary_signals(30_000, 20, 50, n_nonzero=3, random_state=seed)
        model = SparseCoding(50, alpha=0.2, random_state=seed, **options).fit(planted.X[:20_000])
        found = [dictionary_recovery(model.components_, planted.dictionary).n_found]
        assert found[0] >= 47
        for i, batch in enumerate(np.split(planted.X, 300)):
            if i % 60 == 0:
                model = list(WAYS.values())[i // 60 % 4](model, tmp_path)
            model.partial_fit(batch)
            found.append(dictionary_recovery(model.components_, planted.dictionary).n_found)
        lost.append(found[0] - min(found))
    assert np.mean(lost) <= 1, lost


@pytest.mark.filterwarnings("error")
def test_a_warning_raised_before_anything_is_learned_leaves_the_model_as_it_was():
    X = make_dictionary_signals(300, 6, 8, n_nonzero=2, random_state=0).X
    model = SparseCoding(8, alpha=0.1, solver="online", batch_size=50, max_iter=5, random_state=0)
    model.fit(X)
    before = vars(model).copy()
    with pytest.raises(UserWarning, match="another scale"):
        model.partial_fit(1e4 * X)
    assert vars(model).keys() == before.keys()
    assert all(value is before[name] for name, value in vars(model).items())


def test_verbose_prints_each_batch(capsys):
    X = make_dictionary_signals(60, 6, 8, n_nonzero=2, random_state=0).X
    model = SparseCoding(8, alpha=0.1, verbose=True, random_state=0)
    model.partial_fit(X).partial_fit(X)
    assert "iteration    2  objective" in capsys.readouterr().out
