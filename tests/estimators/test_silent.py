"""Silent filters and unused atoms: found, counted, and said."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp._unused import unused_components

X = np.random.default_rng(0).laplace(size=(300, 6))
SEEDED = {"tol": 1e-4, "random_state": 0}
GOOD = [
    SparseCoding(8, alpha=0.5, max_iter=8, batch_size=100, random_state=0),
    SparseCoding(8, penalty="l1", alpha=0.5, solver="online", max_iter=20, random_state=0),
    ReconstructionICA(**SEEDED),
    ReconstructionICA(18, **SEEDED),
    OrthonormalICA(4, **SEEDED),
    SparseFiltering(9, **SEEDED),
]


@pytest.mark.parametrize("model", first_fast(GOOD[::-1], 4), ids=str)
def test_nothing_is_said_where_everything_is_used(model):
    assert model.fit(X).silent_components(model.transform(X)).size == 0


def test_silent_filters_are_counted():
    model = ReconstructionICA(15, unit_norm=False, whiten=True, **SEEDED)
    with pytest.warns(ConvergenceWarning, match=r"9 of 15 filters.*directions \(6\).*auto"):
        model.fit(X)
    lengths = np.linalg.norm(model.whitened_components_, axis=1)
    silent = model.silent_components(model.transform(X))
    np.testing.assert_array_equal(silent, np.flatnonzero(lengths < 0.1 * lengths.max()))
    np.testing.assert_array_equal(silent, unused_components(model.contributions_))
    assert model.contributions_.sum() == pytest.approx(1)
    codes, features = model.transform(X), model.whitened_components_
    energies = (codes**2).mean(axis=0) * (features**2).sum(axis=1)
    np.testing.assert_allclose(model.contributions_, energies / energies.sum(), rtol=1e-9)


def test_contributions_are_not_known_of_a_fit_that_has_not_ended():
    def interrupt(iteration, value):
        raise KeyboardInterrupt

    model = ReconstructionICA(4, **SEEDED).fit(X)
    assert model.contributions_.shape == (4,)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(callback=interrupt, max_iter=3).fit(X)
    assert not hasattr(model, "contributions_")
    atoms = SparseCoding(4, max_iter=2, batch_size=200, random_state=0).fit(X).partial_fit(X)
    assert not hasattr(atoms, "contributions_")


@pytest.mark.filterwarnings("ignore:.*all coefficients are zero")
def test_where_nothing_is_used_all_are_counted():
    model = SparseCoding(8, penalty="l1", alpha=1e3, solver="online", max_iter=3, random_state=0)
    with pytest.warns(ConvergenceWarning, match="8 of 8 atoms are unused: they contribute nothing"):
        model.fit(X)


def test_whitening_does_not_count():
    """Features of little variance are as alive as others, since their filters are."""
    model = OrthonormalICA(**SEEDED).fit(X * np.geomspace(1, 1e-4, 6))
    assert model.silent_components(model.transform(X * np.geomspace(1, 1e-4, 6))).size == 0


@pytest.mark.slow
def test_unused_atoms_are_counted():
    """With weight decay, atoms that are not needed fade away."""
    model = SparseCoding(12, alpha=1.0, gamma=0.3, max_iter=60, batch_size=200, random_state=0)
    with pytest.warns(ConvergenceWarning, match="atoms are unused.*set gamma=None") as said:
        model.fit(X)
    lengths = np.linalg.norm(model.components_, axis=1)
    silent = model.silent_components(model.transform(X))
    np.testing.assert_array_equal(silent, np.flatnonzero(lengths < 0.1 * lengths.max()))
    assert str(said[0].message).startswith(f"{len(silent)} of 12")


@pytest.mark.parametrize(("unit", "epsilon"), [(0.0, 1e-8), (1e-9, 1e9)])
def test_filters_that_epsilon_hides_are_counted(unit, epsilon):
    with pytest.warns(ConvergenceWarning, match="5 of 5 filters are silent.*epsilon"):
        SparseFiltering(5, epsilon=epsilon, **SEEDED).fit(unit * X)


def test_partial_fit_says_nothing_of_silent_atoms():
    with pytest.warns(UserWarning, match="alpha is 100") as said:
        SparseCoding(8, alpha=100.0).partial_fit(X)
    assert len(said) == 1


def test_codes_of_another_model_are_refused():
    model = GOOD[4].fit(X)
    with pytest.raises(ValueError, match=r"columns, but transform of .* returns 4"):
        model.silent_components(X)
