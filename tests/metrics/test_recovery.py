from itertools import permutations

import numpy as np
import pytest

from sparsebp.metrics import dictionary_recovery


def atoms(n_components, n_features, seed=0):
    return np.random.default_rng(seed).standard_normal((n_components, n_features))


@pytest.mark.parametrize("seed", range(3))
def test_order_sign_and_scale_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    true = atoms(7, 5, seed)
    order = rng.permutation(7)
    learned = (true * rng.choice([-3.0, 0.2], size=(7, 1)))[order]
    result = dictionary_recovery(true, learned)
    assert (result.n_found, result.fraction) == (7, 1.0)
    np.testing.assert_allclose(result.similarity, 1.0)
    np.testing.assert_array_equal(order[result.assignment], np.arange(7))


@pytest.mark.parametrize("n_learned", [4, 5])
def test_assignment_is_the_best_of_all_permutations(n_learned):
    true, learned = atoms(4, 3, 1), atoms(n_learned, 3, 2)
    cosine = [[abs(d @ a) / np.linalg.norm(d) / np.linalg.norm(a) for a in learned] for d in true]
    best = max(
        permutations(range(n_learned), 4), key=lambda p: sum(cosine[i][p[i]] for i in range(4))
    )
    result = dictionary_recovery(true, learned)
    np.testing.assert_array_equal(result.assignment, best)
    np.testing.assert_allclose(result.similarity, [cosine[i][best[i]] for i in range(4)])


def test_one_learned_atom_counts_once():
    result = dictionary_recovery([[1.0, 0.0], [1.0, 1e-3]], [[1.0, 0.0], [1.0, 0.0]])
    assert result.n_found == 2
    result = dictionary_recovery([[1.0, 0.0], [1.0, 1e-3]], [[1.0, 0.0], [0.0, 1.0]])
    assert result.n_found == 1


def test_fewer_learned_atoms_leave_true_atoms_without():
    true = np.eye(4)
    result = dictionary_recovery(true, true[[2]])
    assert (result.n_found, result.fraction) == (1, 0.25)
    np.testing.assert_array_equal(result.assignment, [-1, -1, 0, -1])
    np.testing.assert_array_equal(result.similarity, [0, 0, 1, 0])


def test_zero_atoms_are_never_found():
    true = np.array([[0.0, 0.0], [1.0, 0.0]])
    result = dictionary_recovery(true, [[0.0, 0.0], [2.0, 0.0]])
    np.testing.assert_array_equal(result.similarity, [0.0, 1.0])


def test_threshold_divides_found_from_not():
    angle = np.arccos(0.95)
    learned = [[np.cos(angle), np.sin(angle)]]
    assert dictionary_recovery([[1, 0]], learned, threshold=0.9499).n_found == 1
    assert dictionary_recovery([[1, 0]], learned, threshold=0.9501).n_found == 0
    assert dictionary_recovery(atoms(6, 9), 3 * atoms(6, 9), threshold=1.0).n_found == 6


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_extreme_scales_neither_overflow_nor_vanish(scale):
    assert dictionary_recovery(atoms(3, 4), scale * atoms(3, 4)).n_found == 3


def test_inputs_of_any_layout_stay_untouched():
    true = np.asfortranarray(atoms(3, 4).astype(np.float32))
    true.setflags(write=False)
    assert dictionary_recovery(true, true).n_found == 3
    assert dictionary_recovery(np.eye(3, dtype=int), np.eye(3, dtype=bool)).n_found == 3


@pytest.mark.parametrize(
    ("dictionary", "learned", "options", "match"),
    [
        (np.ones(3), np.eye(3), {}, r"dictionary must have two dimensions, got shape \(3,\)"),
        (
            np.eye(3),
            np.ones((0, 3)),
            {},
            "at least one row and column, got shape .0, 3.",
        ),
        (np.eye(3), np.full((3, 3), np.nan), {}, "learned must be finite, got NaN or infinity"),
        (np.eye(3), np.eye(3) * 1j, {}, "learned must be real numbers, got dtype complex128"),
        (np.eye(3), [["a"]], {}, "learned must be real numbers, got dtype <U1"),
        ([[1], [1, 2]], np.eye(3), {}, "dictionary must have rows of equal length"),
        (np.eye(3), np.eye(4), {}, "dictionary has 3 features but learned has 4"),
        (
            np.eye(3),
            np.eye(3),
            {"threshold": 1.5},
            r"threshold must be a finite number > 0 and ≤ 1, got 1\.5",
        ),
        (np.eye(3), np.eye(3), {"threshold": float("nan")}, "threshold must be .* got nan"),
        (np.eye(3), np.eye(3), {"threshold": "high"}, "threshold must be .* got 'high'"),
    ],
)
def test_refusals_say_what_came(dictionary, learned, options, match):
    with pytest.raises((TypeError, ValueError), match=match):
        dictionary_recovery(dictionary, learned, **options)
