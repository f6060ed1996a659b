from itertools import combinations

import numpy as np
import pytest
from scipy.special import gamma

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding
from sparsebp.estimators._subspaces import (
    energy_correlations,
    gaussian_norm,
    grouped,
    sparseness_of_groups,
)
from sparsebp.metrics import amari_distance
from sparsebp.penalties import Subspace
from sparsebp.samples import Samples


def subspaces(n_groups, size, n_samples, seed):
    """Mix spherical subspaces whose radius is that of the density exp(−|s|); return (X, mixing)."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((n_samples, n_groups, size))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    sources = directions * rng.gamma(size, 1, size=(n_samples, n_groups, 1))
    mixing = rng.standard_normal((n_groups * size,) * 2)
    return sources.reshape(n_samples, -1) @ mixing.T, mixing


def distance(model, mixing, size):
    return amari_distance(model.components_, mixing, group_size=size)


@pytest.mark.parametrize(
    "model",
    [
        OrthonormalICA(),
        pytest.param(OrthonormalICA(solver="manifold"), marks=pytest.mark.slow),
        pytest.param(ReconstructionICA(whiten=True), marks=pytest.mark.slow),
    ],
)
def test_planted_subspaces_are_found(model):
    X, mixing = subspaces(3, 2, 1500, seed=0)
    model.set_params(penalty="subspace", group_size=2, tol=1e-5, random_state=0).fit(X)
    assert distance(model, mixing, 2) < 0.1
    assert model.penalty_ == Subspace(3, 2, epsilon=1.0)
    assert model.signs_.tolist() == [1] * 6


@pytest.mark.slow
def test_they_are_found_from_every_start():
    for seed in range(5):
        X, mixing = subspaces(5, 4, 3000, seed)
        model = OrthonormalICA(penalty="subspace", random_state=seed, tol=1e-5).fit(X)
        assert distance(model, mixing, 4) < 0.1


def test_a_given_start_is_kept():
    X, mixing = subspaces(3, 2, 800, seed=1)
    planted = np.linalg.inv(mixing)
    model = OrthonormalICA(penalty="subspace", group_size=2, init=planted, tol=1e-4).fit(X)
    overlap = np.abs(model.components_ @ mixing).reshape(3, 2, 3, 2).sum(axis=(1, 3))
    assert (overlap.argmax(axis=1) == np.arange(3)).all()  # no group has moved


def found(atoms, planted):
    """Count planted groups (n_groups, size, n_features) that a group of atoms spans."""
    bases = [
        [np.linalg.qr(group.T)[0] for group in groups]
        for groups in (planted, atoms.reshape(-1, *planted.shape[1:]))
    ]
    cosines = [
        max((np.linalg.svd(a.T @ b, compute_uv=False) ** 2).mean() for b in bases[1])
        for a in bases[0]
    ]
    return sum(cosine > 0.95 for cosine in cosines)


@pytest.mark.slow
def test_planted_groups_of_atoms_are_found():
    rng = np.random.default_rng(0)
    planted = rng.standard_normal((8, 2, 12))
    active = np.argsort(rng.random((2000, 8)), axis=1) < 2
    codes = rng.standard_normal((2000, 8, 2)) * active[:, :, np.newaxis]
    X = np.einsum("ngs,gsf->nf", codes, planted)
    X = X / X.std() + 0.1 * rng.standard_normal(X.shape)
    options = {"solver": "online", "batch_size": 256, "max_iter": 60, "random_state": 0}
    model = SparseCoding(16, penalty="subspace", group_size=2, alpha=0.3, **options)
    assert found(model.fit(X).components_, planted) == 8


def test_sparse_coding_takes_groups_too():
    X, _ = subspaces(3, 2, 60, seed=0)
    X /= X.std()
    model = SparseCoding(6, penalty="subspace", group_size=3, batch_size=20, max_iter=2).fit(X)
    assert model.penalty_ == Subspace(2, 3, epsilon=1e-3)
    assert model.transform(X[:5]).shape == (5, 6)


@pytest.mark.parametrize("estimator", [SparseCoding, OrthonormalICA, ReconstructionICA])
def test_groups_that_are_not_full_are_refused(estimator):
    X = np.random.default_rng(0).laplace(size=(100, 6))
    with pytest.raises(ValueError, match="n_components is 6, which is not a multiple of group_siz"):
        estimator(penalty="subspace").fit(X)
    with pytest.raises(ValueError, match="n_components is 7, which is not a multiple of group_siz"):
        estimator(7, penalty="subspace").check_parameters()
    with pytest.raises(ValueError, match="group_size must be an integer ≥ 1, got 0"):
        estimator(penalty="subspace", group_size=0).check_parameters()
    estimator(penalty="subspace").check_parameters()


@pytest.mark.parametrize("radius", ["constant", "gaussian"])
def test_what_is_no_sparser_than_a_gaussian_is_told(radius):
    points = np.random.default_rng(0).standard_normal((1000, 3, 2))
    if radius == "constant":
        points /= np.linalg.norm(points, axis=2, keepdims=True)
    model = OrthonormalICA(penalty="subspace", group_size=2, tol=1e-3, random_state=0)
    with pytest.warns(UserWarning, match="the groups may be chance.* 1000 samples in 6 direct"):
        model.fit(points.reshape(1000, 6))


def test_sparseness_is_in_standard_errors():
    penalty, rng = Subspace(400, 3, epsilon=1.0), np.random.default_rng(0)
    drawn = sparseness_of_groups(penalty, Samples.of(rng.standard_normal((1200, 500)), 1))
    assert abs(drawn.mean()) < 0.3
    assert drawn.std() == pytest.approx(1, abs=0.1)
    assert sparseness_of_groups(penalty, Samples.of(rng.laplace(size=(1200, 500)), 1)).min() > 3


def test_norms_of_gaussian_groups_are_those_of_the_chi_distribution():
    for size in (1, 2, 4, 9):
        mean = np.sqrt(2) * gamma((size + 1) / 2) / gamma(size / 2)
        found = gaussian_norm(Subspace(2, size, epsilon=1e-9), np.array([1.0, 9.0]))
        np.testing.assert_allclose(found, [mean, 3 * mean], rtol=0.02 if size == 1 else 1e-3)
    rng = np.random.default_rng(0)
    drawn = np.sqrt((rng.standard_normal((50_000, 3)) ** 2).sum(axis=1) + 1).mean()
    assert gaussian_norm(Subspace(1, 3, epsilon=1.0), np.ones(1))[0] == pytest.approx(
        drawn, rel=6e-3
    )


def test_correlations_are_those_of_squares():
    codes = np.random.default_rng(0).laplace(size=(4, 3000))
    codes[1] *= np.abs(codes[0])
    found = energy_correlations(Samples.of(codes, 1))
    expected = np.corrcoef(codes**2)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    codes[2] = 0
    assert (energy_correlations(Samples.of(codes, 1))[2] == 0).all()


def test_similar_items_are_grouped():
    rng = np.random.default_rng(0)
    for n_groups, size in ((1, 1), (1, 4), (5, 1), (4, 3), (10, 4)):
        labels = rng.permutation(np.repeat(np.arange(n_groups), size))
        noise = rng.uniform(0, 0.9, size=(len(labels),) * 2)
        similarity = (labels[:, None] == labels) + (noise + noise.T) / 2
        np.fill_diagonal(similarity, 0)
        order = grouped(similarity, size)
        assert sorted(order) == list(range(len(labels)))
        assert (np.ptp(labels[order].reshape(n_groups, size), axis=1) == 0).all()


def within(similarity, order, size):
    return sum(similarity[np.ix_(group, group)].sum() for group in np.reshape(order, (-1, size)))


def test_no_exchange_improves_the_groups():
    rng = np.random.default_rng(0)
    for size in (2, 3, 4):
        similarity = rng.standard_normal((12, 12))
        similarity = np.where(np.eye(12) > 0, 0, similarity + similarity.T)
        order = grouped(similarity, size)
        for first, second in combinations(range(12), 2):
            exchanged = order.copy()
            exchanged[[first, second]] = order[[second, first]]
            assert within(similarity, exchanged, size) <= within(similarity, order, size) + 1e-9


def test_exchanges_improve_greedy_groups():
    similarity = np.zeros((4, 4))
    for (i, j), value in {(0, 1): 5, (0, 2): 4, (1, 3): 4, (2, 3): 0}.items():
        similarity[i, j] = similarity[j, i] = value
    assert sorted(grouped(similarity, 2).reshape(2, 2).tolist()) == [[0, 2], [1, 3]]
