import numpy as np
import pytest
from scipy import stats

from sparsebp.datasets import make_dictionary_signals, make_mixtures

RANDOM_STATES = [0, np.random.RandomState(0), np.random.default_rng(0)]


@pytest.mark.parametrize(
    ("sizes", "n_nonzero"), [((300, 20, 50), 3), ((40, 7, 5), 5), ((1, 1, 1), 1)]
)
@pytest.mark.parametrize("random_state", RANDOM_STATES)
def test_signals_are_sparse_sums_of_unit_atoms(sizes, n_nonzero, random_state):
    n_samples, n_features, n_components = sizes
    signals = make_dictionary_signals(*sizes, n_nonzero=n_nonzero, random_state=random_state)
    assert signals.X.shape == (n_samples, n_features)
    assert signals.codes.shape == (n_samples, n_components)
    np.testing.assert_allclose(np.linalg.norm(signals.dictionary, axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal((signals.codes != 0).sum(axis=1), n_nonzero)
    np.testing.assert_allclose(signals.X, signals.codes @ signals.dictionary, atol=1e-14)


def test_coefficients_are_normal_and_atoms_equally_frequent():
    codes = make_dictionary_signals(20000, 5, 10, n_nonzero=4, random_state=0).codes
    used = codes[codes != 0]
    assert stats.kstest(used, "norm").pvalue > 0.01
    np.testing.assert_allclose((codes != 0).mean(axis=0), 0.4, atol=0.015)
    together = (codes != 0).astype(float).T @ (codes != 0) / 20000
    off_diagonal = together[~np.eye(10, dtype=bool)]
    np.testing.assert_allclose(off_diagonal, 4 * 3 / (10 * 9), atol=0.015)


@pytest.mark.parametrize("snr_db", [-3, 0, 10.5, 30, np.float32(20)])
def test_noise_has_the_exact_ratio(snr_db):
    X, dictionary, codes = make_dictionary_signals(200, snr_db=snr_db, random_state=0)
    clean = codes @ dictionary
    ratio = 10 * np.log10(np.sum(clean**2) / np.sum((X - clean) ** 2))
    assert ratio == pytest.approx(float(snr_db), abs=1e-9)
    assert abs(np.mean(X - clean)) < 0.05 * np.std(X - clean)


def test_noise_changes_neither_dictionary_nor_codes():
    clean, noisy = (make_dictionary_signals(50, snr_db=s, random_state=3) for s in (None, 10))
    np.testing.assert_array_equal(clean.dictionary, noisy.dictionary)
    np.testing.assert_array_equal(clean.codes, noisy.codes)


def test_defaults_are_the_classical_experiment():
    signals = make_dictionary_signals(random_state=0)
    assert (signals.X.shape, signals.dictionary.shape) == ((1500, 20), (50, 20))


@pytest.mark.parametrize(
    ("error", "arguments", "message"),
    [
        (ValueError, {"n_samples": 0}, "n_samples must be an integer ≥ 1, got 0"),
        (TypeError, {"n_features": 2.5}, r"n_features must be an integer ≥ 1, got 2\.5"),
        (ValueError, {"n_components": -1}, "n_components must be an integer ≥ 1, got -1"),
        (ValueError, {"n_nonzero": 0}, "n_nonzero must be an integer ≥ 1, got 0"),
        (ValueError, {"n_nonzero": 51}, "n_nonzero=51 is more than n_components=50"),
        (ValueError, {"snr_db": np.inf}, "snr_db must be a finite number.*, got inf"),
        (
            ValueError,
            {"snr_db": -1e6},
            r"snr_db must be a finite number.*, got -1000000\.0",
        ),
        (TypeError, {"snr_db": "loud"}, "snr_db must be a finite number.*, got 'loud'"),
        (ValueError, {"random_state": -1}, "random_state must be an integer"),
    ],
)
def test_bad_signals(error, arguments, message):
    with pytest.raises(error, match=message):
        make_dictionary_signals(**arguments)


@pytest.mark.parametrize(
    ("distribution", "kurtosis"), [("laplace", 6), ("uniform", 1.8), ("student_t", 9)]
)
def test_sources_are_standardized_and_independent(distribution, kurtosis):
    sources = make_mixtures(100000, 4, distribution=distribution, random_state=0).sources
    np.testing.assert_allclose(sources.mean(axis=0), 0, atol=0.015)
    np.testing.assert_allclose(np.cov(sources.T), np.eye(4), atol=0.03)
    # The eighth moment of Student's distribution is infinite, so its kurtosis converges badly.
    tolerance = 0.5 if distribution == "student_t" else 0.05
    assert np.mean(sources**4) == pytest.approx(kurtosis, rel=tolerance)
    energies = np.corrcoef(np.abs(sources.T))
    np.testing.assert_allclose(energies, np.eye(4), atol=0.02)


@pytest.mark.parametrize("n_sources", [1, 2, 8, 60])
def test_mixing_is_square_and_well_conditioned(n_sources):
    for seed in range(5):
        X, mixing, sources = make_mixtures(50, n_sources, random_state=seed)
        assert mixing.shape == (n_sources, n_sources)
        assert np.linalg.cond(mixing) < 10 * (1 + 1e-12)
        np.testing.assert_allclose(X, sources @ mixing.T)


def test_mixing_has_gaussian_entries():
    entries = np.concatenate(
        [make_mixtures(1, 8, random_state=seed).mixing.ravel() for seed in range(40)]
    )
    assert stats.kstest(entries, "norm").pvalue > 0.01


@pytest.mark.parametrize("random_state", RANDOM_STATES)
def test_every_kind_of_generator(random_state):
    for distribution in ("laplace", "uniform", "student_t"):
        mixtures = make_mixtures(9, 2, distribution=distribution, random_state=random_state)
        assert np.isfinite(mixtures.X).all()


def test_seeds():
    first, again, other = (make_mixtures(9, 2, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.X, again.X)
    assert (first.X != other.X).any()


def test_bad_mixtures():
    with pytest.raises(
        ValueError,
        match="distribution must be one of 'laplace', 'student_t', 'uniform', got 'normal'",
    ):
        make_mixtures(distribution="normal")
    with pytest.raises(ValueError, match="n_samples must be an integer ≥ 1, got 0"):
        make_mixtures(0)
    with pytest.raises(TypeError, match=r"n_sources must be an integer ≥ 1, got 2\.0"):
        make_mixtures(9, 2.0)
