import numpy as np
import pytest

from sparsebp.metrics import compare_dictionaries, dictionary_recovery


def atoms(n_components, n_features, seed=0, spectrum=1.0):
    return np.random.default_rng(seed).normal(size=(n_components, n_features)) * spectrum


def test_order_sign_and_scale_do_not_matter():
    rng = np.random.default_rng(0)
    first, order = atoms(7, 5), rng.permutation(7)
    second = (first * rng.choice([-3.0, 0.2], size=(7, 1)))[order]
    result = compare_dictionaries(first, second, n_draws=1, threshold=1.0)
    np.testing.assert_allclose(result.similarity, 1.0)
    np.testing.assert_array_equal(order[result.pairs[:, 1]], result.pairs[:, 0])
    assert result.share == 1.0


@pytest.mark.parametrize(("n_first", "n_second"), [(4, 9), (9, 4)])
def test_the_pairs_are_those_of_recovery_in_decreasing_order(n_first, n_second):
    first, second = atoms(n_first, 3, 1), atoms(n_second, 3, 2)
    found = dictionary_recovery(first, second)
    result = compare_dictionaries(first, second, threshold=0.9, n_draws=3, random_state=0)
    expected = [(i, j) for i, j in enumerate(found.assignment) if j >= 0]
    assert sorted(map(tuple, result.pairs)) == expected
    np.testing.assert_allclose(result.similarity, found.similarity[result.pairs[:, 0]])
    assert (np.diff(result.similarity) <= 0).all()
    assert result.share == np.mean(result.similarity >= 0.9)
    assert result.chance_similarity.shape == (3, 4)
    assert result.chance_share == np.mean(result.chance_similarity >= 0.9)


@pytest.mark.parametrize("decay", [1.0, 0.6])
def test_unrelated_dictionaries_are_as_similar_as_chance(decay):
    """Of white atoms, and of atoms that have most of their variance in few directions."""
    spectrum = decay ** np.arange(20)
    means = []
    for seed in range(10):
        pair = (atoms(50, 20, (seed, i), spectrum) for i in range(2))
        result = compare_dictionaries(*pair, n_draws=2, random_state=seed)
        means.append([result.similarity.mean(), result.chance_similarity.mean()])
    observed, chance = np.mean(means, axis=0)
    assert abs(observed - chance) < 0.04
    assert (0.45 < chance < 0.55) if decay == 1 else (0.85 < chance < 0.9)


def test_the_control_stays_in_the_span_of_the_atoms():
    one = np.outer([1.0, -2.0], atoms(1, 9))
    np.testing.assert_allclose(compare_dictionaries(one, 3 * one).chance_similarity, 1.0)
    plane = atoms(6, 2) @ np.eye(2, 50)
    assert compare_dictionaries(plane, plane[:3], random_state=0).chance_similarity.mean() > 0.9


def test_long_atoms_count_as_much_in_the_control_as_short_ones():
    first, second = atoms(9, 6), atoms(8, 6, 1)
    long = first * np.where(np.arange(9) < 2, 1e4, 1)[:, np.newaxis]
    once, again = (compare_dictionaries(a, second, random_state=0) for a in (first, long))
    np.testing.assert_allclose(once.chance_similarity, again.chance_similarity)


def test_a_seed_gives_the_same_control():
    first, second = atoms(5, 4), atoms(6, 4, 1)
    once, again = (compare_dictionaries(first, second, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(once.chance_similarity, again.chance_similarity)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_scales_neither_overflow_nor_vanish(scale):
    result = compare_dictionaries(atoms(5, 8), scale * atoms(5, 8), random_state=0)
    assert result.share == 1.0
    assert np.isfinite(result.chance_similarity).all()


def test_atoms_of_zeros_match_nothing():
    result = compare_dictionaries(np.eye(3, 5), np.zeros((2, 5)), n_draws=2)
    np.testing.assert_array_equal(result.similarity, [0, 0])
    assert np.isfinite(result.chance_similarity).all()
    assert not compare_dictionaries(np.zeros((2, 5)), np.zeros((2, 5))).chance_similarity.any()


@pytest.mark.parametrize(
    ("second", "options", "match"),
    [
        (np.eye(4), {}, "first has 3 features but second has 4"),
        (np.full((2, 3), np.nan), {}, "second must be finite"),
        (np.eye(3), {"threshold": 0}, "threshold must be a finite number > 0 and ≤ 1, got 0"),
        (np.eye(3), {"n_draws": 0}, "n_draws must be an integer ≥ 1, got 0"),
        (np.eye(3), {"n_draws": 1.5}, "n_draws must be an integer ≥ 1, got 1.5"),
        (np.eye(3), {"random_state": "a"}, "random_state must be .* got 'a'"),
    ],
)
def test_refusals_say_what_came(second, options, match):
    with pytest.raises((TypeError, ValueError), match=match):
        compare_dictionaries(np.eye(3), second, **options)
