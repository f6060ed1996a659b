import importlib.util
from pathlib import Path

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import SparseCoding, basis_names, load_basis, read_metadata
from sparsebp.bases import basis_file
from sparsebp.datasets import make_dead_leaves
from sparsebp.metrics import coefficient_kurtosis, gabor_fit
from sparsebp.recipe import Recipe

SCRIPT = Path(__file__).parents[2] / "scripts" / "learn_bases.py"


def fresh_samples(name):
    """Held-out patches."""
    metadata = read_metadata(basis_file(name))
    recipe = Recipe.from_metadata(metadata)
    if metadata["images"] == "bundled":
        return recipe.draw(recipe.load(None), 80, seed=99)[0]
    leaves = make_dead_leaves(1, (128, 128), min_radius=4.0, random_state=99)
    return recipe.draw(recipe.ready({"leaves": leaves[0]}), 80, seed=99)[0]


ATOMS = [name for name in basis_names() if isinstance(load_basis(name), SparseCoding)]


@pytest.mark.parametrize("name", first_fast(ATOMS, 2))
def test_atoms_code_fresh_patches_better_than_with_their_pixels_exchanged(name):
    samples, basis, chance = fresh_samples(name), load_basis(name), load_basis(name)
    order = np.random.default_rng(0).permutation(basis.n_features_in_)
    chance.components_ = basis.components_[:, order]  # as long, at the same angles
    assert chance.score(samples) < 1.1 * basis.score(samples) < 0


@pytest.mark.parametrize("name", sorted(set(basis_names()) - set(ATOMS)))
def test_filters_respond_more_sparsely_to_fresh_patches_than_mixtures_of_them(name):
    codes = load_basis(name).transform(fresh_samples(name))
    mixing = np.linalg.qr(np.random.default_rng(0).standard_normal((codes.shape[1],) * 2))[0]
    assert coefficient_kurtosis(codes) > 1.5 * coefficient_kurtosis(codes @ mixing)


@pytest.mark.parametrize("name", first_fast(basis_names()))
def test_a_basis_looks_at_edges_and_bars(name):
    estimator, metadata = load_basis(name), read_metadata(basis_file(name))
    assert estimator.components_.dtype == np.float32
    r_squared = gabor_fit(estimator.features_[::4], metadata["patch_shape"]).r_squared
    assert np.median(r_squared) > 0.85


def test_the_script_makes_all_of_them_and_says_how(tmp_path):
    spec = importlib.util.spec_from_file_location("learn_bases", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert sorted(script.BASES) == basis_names()
    for name, how in script.BASES.items():
        metadata = read_metadata(basis_file(name))
        assert metadata["command"] == script.command(how)
        assert metadata["n_patches"] == how.n_patches
        params = load_basis(name).get_params()
        assert {key: params[key] for key in how.options} == how.options


def test_together_they_are_small():
    assert sum(basis_file(name).stat().st_size for name in basis_names()) < 500_000


def test_an_unknown_name_is_refused_with_the_list():
    with pytest.raises(ValueError, match=r"name must be .*, got 'rica'"):
        load_basis("rica")
    with pytest.raises(ValueError, match=r"name must be .*, got '\.\./bases/rica-12x12'"):
        load_basis("../bases/rica-12x12")
