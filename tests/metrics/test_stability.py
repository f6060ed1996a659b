import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import ortho_group
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA, FastICA
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.datasets import make_dictionary_signals
from sparsebp.metrics import dictionary_recovery, stability, stability_of_fits
from sparsebp.metrics.stability import _known
from sparsebp.samples import ArraySamples

TRUE = ortho_group.rvs(12, random_state=0)


class Planted(BaseEstimator):
    """Finds some rows of TRUE in each fit, in any order and sign, others once in four fits."""

    def __init__(self, always=5, often=0, never=0, noise=0.0, random_state=None):
        self.always = always
        self.often = often
        self.never = never
        self.noise = noise
        self.random_state = random_state

    seen: list = []  # noqa: RUF012 - what all clones were given

    def fit(self, X):
        self.seen.append((self, X))
        rng = np.random.default_rng(self.random_state)
        often = TRUE[self.always :][: self.often] * (len(self.seen) % 4 != 0)
        found = [TRUE[: self.always], often, rng.normal(size=(self.never, 12))]
        atoms = rng.permutation(np.concatenate(found))
        atoms = atoms + self.noise * rng.normal(size=atoms.shape)
        self.components_ = atoms * rng.choice([-3.0, 0.2], size=(len(atoms), 1))
        return self


class Filters(BaseEstimator):
    """Finds the two coordinates; its filters differ in a third, which has little variance."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def fit(self, X):
        rng = np.random.default_rng(self.random_state)
        self.components_ = np.hstack([np.eye(2), 10 * rng.normal(size=(2, 1))])
        self.mixing_ = -self.components_.T
        return self


@pytest.fixture(autouse=True)
def _nothing_seen():
    Planted.seen.clear()


X = np.random.default_rng(0).normal(size=(40, 12))


@pytest.mark.parametrize("bootstrap", [True, False, np.repeat(np.arange(10), 4)])
def test_planted_components_are_counted(bootstrap):
    model = Planted(always=5, never=4)
    result = stability(model, X, 8, bootstrap=bootstrap, random_state=0)
    assert result.n_reproducible == 5
    np.testing.assert_allclose(result.within[:5], 1)
    np.testing.assert_allclose(result.index[:5], 1)
    assert (result.index[5:] < 0.5).all()
    assert (np.diff(result.index) <= 0).all()
    assert dictionary_recovery(TRUE[:5], result.components[:5]).n_found == 5
    np.testing.assert_array_equal(result.features, result.components)


def test_components_of_some_runs_have_the_share_of_pairs_as_their_index():
    """Each fourth fit lacks them."""
    result = stability(Planted(always=3, often=2), X, 8, random_state=0)
    np.testing.assert_allclose(result.within[3:5], (6 * 5) / (8 * 7))
    np.testing.assert_allclose(result.index[3:5], (6 * 5) / (8 * 7))
    assert result.n_reproducible == 3


def test_index_and_labels_are_as_defined():
    result = stability(Planted(always=4, never=2, noise=0.05), X, 6, random_state=1)
    rows = np.concatenate([model.components_ for model, _ in Planted.seen])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    similarity, labels = np.abs(rows @ rows.T), result.labels.ravel()
    run = np.repeat(np.arange(6), 6)
    assert result.labels.shape == (6, 6)
    for cluster in range(len(result.index)):
        inside = labels == cluster
        between = similarity[np.ix_(inside, ~inside)].mean()
        pairs = [
            similarity[np.ix_(inside & (run == i), inside & (run == j))].max(initial=0)
            for i in range(6)
            for j in range(i)
        ]
        np.testing.assert_allclose(result.between[cluster], between)
        np.testing.assert_allclose(result.within[cluster], np.mean(pairs))
        index = (np.mean(pairs) - between) / (1 - between)
        np.testing.assert_allclose(result.index[cluster], index)
        central = np.flatnonzero(inside)[similarity[np.ix_(inside, inside)].sum(axis=1).argmax()]
        cosine = result.components[cluster] @ rows[central]
        np.testing.assert_allclose(np.abs(cosine), np.linalg.norm(result.components[cluster]))


def test_samples_are_drawn_with_replacement():
    numbered = np.arange(41.0)[:, np.newaxis]
    stability(Planted(), numbered, 4, random_state=0)
    drawn = [samples.ravel() for _, samples in Planted.seen]
    assert all(len(samples) == 41 and 18 < len(set(samples)) < 35 for samples in drawn)
    assert len({tuple(samples) for samples in drawn}) == 4
    Planted.seen.clear()
    stability(Planted(), numbered, 2, bootstrap=False, random_state=0)
    assert all(samples is numbered for _, samples in Planted.seen)


def test_groups_are_drawn_as_wholes():
    epochs = np.array(list("aabbbcddddeab"))
    stability(Planted(), np.arange(13.0)[:, np.newaxis], 3, bootstrap=epochs, random_state=0)
    sizes = {"a": 3, "b": 4, "c": 1, "d": 4, "e": 1}
    for _, samples in Planted.seen:
        drawn = epochs[samples.ravel().astype(int)]
        counts = [np.sum(drawn == name) / size for name, size in sizes.items()]
        assert all(count == int(count) for count in counts)
        assert sum(counts) == 5
    assert any(np.sum(epochs[s.ravel().astype(int)] == "d") != 4 for _, s in Planted.seen)


def test_tables_keep_their_names():
    pandas = pytest.importorskip("pandas")
    names = [f"channel {i}" for i in range(12)]
    stability(Planted(), pandas.DataFrame(X, columns=names), 2, random_state=0)
    assert list(Planted.seen[0][1].columns) == names


def test_seeds_differ_and_are_drawn_from_random_state():
    model = Planted(never=3, random_state=7)
    once, again = (stability(model, X, 4, random_state=5) for _ in range(2))
    np.testing.assert_array_equal(once.index, again.index)
    seeds = [run.random_state for run, _ in Planted.seen]
    assert len(set(seeds[:4])) == 4
    assert seeds[:4] == seeds[4:]
    assert model.random_state == 7
    assert not hasattr(model, "components_")


def test_filters_are_compared_by_their_responses():
    samples = np.random.default_rng(0).normal(size=(500, 3)) * [1, 1, 1e-3]
    assert stability(Filters(), samples, 6, random_state=0).n_reproducible == 2
    by_cosine = stability(Filters(), samples, 6, similarity="cosine", random_state=0)
    assert by_cosine.n_reproducible < 2
    result = stability(Filters(), samples + np.array([9, 9, 0]), 6, random_state=0)
    assert result.n_reproducible == 2
    assert (result.between < 0.2).all()  # a mean is no response that filters share
    np.testing.assert_array_equal(result.features, -result.components)


def test_earlier_steps_of_a_pipeline_are_fitted_once():
    model = make_pipeline(StandardScaler(), Planted())
    assert stability(model, 5 * X + 3, 4, bootstrap=False, random_state=0).n_reproducible == 5
    given = [samples for _, samples in Planted.seen]
    assert all(samples is given[0] for samples in given)
    np.testing.assert_allclose(given[0].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(given[0].std(axis=0), 1)
    assert not hasattr(model[0], "mean_")


def test_runs_can_be_followed():
    labels = []

    def track(runs, label):
        labels.append((len(runs), label))
        return runs

    stability(Planted(), X, 4, track=track)
    assert labels == [(4, "Fitting")]


def test_atoms_of_zeros_are_not_reproducible():
    model = Planted(always=0, often=2)
    Planted.seen.extend([(None, None)] * 3)
    result = stability(model, X, 2, random_state=0)
    assert result.n_reproducible == 0
    assert np.isfinite(result.index).all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:.*(X is not white|is a parabola)")
@pytest.mark.parametrize(
    "model",
    first_fast(
        [
            OrthonormalICA(3),
            PCA(3, svd_solver="randomized"),
            ReconstructionICA(3),
            SparseCoding(3, alpha=0.1),
            SparseFiltering(3),
            FastICA(3),
        ],
        2,
    ),
    ids=lambda model: type(model).__name__,
)
def test_all_estimators_can_be_given(model, tmp_path):
    sources = np.random.default_rng(0).laplace(size=(120, 3)) @ np.diag([3, 2, 1]) @ TRUE[:3, :5]
    if "checkpoint" in model.get_params():
        model.set_params(checkpoint=tmp_path / "fit")
    if "max_iter" in model.get_params():
        model.set_params(max_iter=3)
    result = stability(model, np.asfortranarray(sources.astype(np.float32)), 2, random_state=0)
    assert result.labels.shape == (2, 3)
    assert result.components.shape == result.features.shape
    assert np.isfinite(result.index).all()
    assert not list(tmp_path.iterdir())


def test_samples_in_a_file_are_fitted_as_they_are(tmp_path):
    stored = np.memmap(tmp_path / "x", np.float64, "w+", shape=(60, 3))
    stored[:] = np.random.default_rng(0).laplace(size=(60, 3))
    for samples in (stored, ArraySamples(np.asarray(stored).T)):
        with pytest.raises(ValueError, match="bootstrap must be False for samples in a file"):
            stability(OrthonormalICA(), samples, 2)
        model = OrthonormalICA(max_iter=500)
        assert stability(model, samples, 2, bootstrap=False, random_state=0).n_reproducible == 3


@pytest.mark.parametrize(
    ("model", "options", "match"),
    [
        (Planted(), {"n_runs": 1}, "n_runs must be an integer ≥ 2, got 1"),
        (Planted(), {"bootstrap": None}, "bootstrap must be True, False or 40 labels.* got None"),
        (Planted(), {"bootstrap": np.arange(3)}, "at least two groups, got an array of shape .3,"),
        (Planted(), {"bootstrap": [[1], [2, 3]]}, "at least two groups, got an array"),
        (Planted(), {"bootstrap": [1] * 40}, "at least two groups, got an array of shape .40,"),
        (Planted(), {"similarity": "angle"}, "similarity must be one of 'auto', .* got 'angle'"),
        (PCA(0.9), {}, "The fits have 8 to 9 components; give the estimator n_components"),
        (PCA(2, svd_solver="full"), {"bootstrap": False}, "All fits have the same components"),
        (StandardScaler(), {"bootstrap": False}, "bootstrap must be True for StandardScaler"),
        (StandardScaler(), {}, "StandardScaler has no components_ after fit"),
        ("ica", {}, "Cannot clone object"),
    ],
)
def test_refusals_say_what_came(model, options, match):
    with pytest.raises((TypeError, ValueError, AttributeError), match=match):
        stability(model, X, **{"n_runs": 6, "random_state": 0, **options})


@pytest.mark.parametrize("given", [None, "a", 3.0, [], np.empty((0, 3)), np.ones((1, 3))])
@pytest.mark.parametrize("bootstrap", [True, False])
def test_what_is_no_samples_is_refused_by_the_estimator(given, bootstrap):
    with pytest.raises(
        (TypeError, ValueError), match=r"Expected 2D|Found array|X has 1 sa|could not conv"
    ):
        stability(OrthonormalICA(), given, 2, bootstrap=bootstrap)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*did not (settle|converge)")
@pytest.mark.parametrize("kind", [OrthonormalICA, FastICA])
@pytest.mark.parametrize("n_gaussian", [2, 6])
def test_the_number_of_sources_among_gaussian_ones_is_found(kind, n_gaussian):
    """Of two Gaussian sources each is within 45° of one of any other orthogonal pair."""
    rng = np.random.default_rng(n_gaussian)
    sources = np.hstack([rng.laplace(size=(3000, 12)), rng.normal(size=(3000, n_gaussian))])
    samples = sources @ rng.normal(size=2 * (12 + n_gaussian,))
    result = stability(kind(tol=1e-4), samples, 10, random_state=0)
    assert result.n_reproducible == 12


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_number_of_planted_atoms_is_found():
    """With more atoms learned than there are."""
    signals = make_dictionary_signals(2000, 20, 50, snr_db=20, random_state=0)
    options = {"penalty": "l1", "solver": "online", "batch_size": 100, "max_iter": 60}
    result = stability(SparseCoding(70, alpha=0.4, **options), signals.X, 6, random_state=0)
    assert 48 <= result.n_reproducible <= 52
    stable = result.components[: result.n_reproducible]
    assert dictionary_recovery(signals.dictionary, stable, threshold=0.95).n_found >= 48


def test_fits_that_are_there_already_are_compared_as_those_of_stability():
    found = stability(Planted(often=2, never=2), X, 5, random_state=0)
    fits = [model for model, _ in Planted.seen]
    again = stability_of_fits(fits, X)
    np.testing.assert_array_equal(again.index, found.index)
    np.testing.assert_array_equal(again.labels, found.labels)
    with pytest.raises(ValueError, match="two or more fitted estimators, got 1"):
        stability_of_fits(fits[:1], X)
    with pytest.raises(TypeError, match="fits must be a sequence of fitted estimators"):
        stability_of_fits(fits[0], X)
    with pytest.raises(NotFittedError, match=r"fits\[0\] is not fitted; call fit of this Planted"):
        stability_of_fits([Planted(), *fits], X)
    with pytest.raises(AttributeError, match="StandardScaler has no components_"):
        stability_of_fits([StandardScaler().fit(X), *fits], X)
    with pytest.raises(TypeError, match=r"fits\[0\] must be a fitted estimator.*got a ndarray"):
        stability_of_fits([np.eye(3), np.eye(3)], X)
    assert stability_of_fits(fits, None, similarity="cosine").n_reproducible == 5
    with pytest.raises(ValueError, match="similarity must be one of"):
        stability_of_fits(fits, X, similarity="cos")


class TakesMissing(Planted):
    """Sparse coding without its codes."""

    _takes_missing = True


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, np.ma.masked_invalid])
def test_missing_values_have_no_responses(kind):
    holed = X.copy()
    holed[0, 1] = np.nan
    with pytest.raises(ValueError, match=r'X must have no missing .* Set similarity="cosine"'):
        stability(TakesMissing(), kind(holed), 2, bootstrap=False, similarity="correlation")
    assert not Planted.seen
    fits = [TakesMissing(random_state=seed).fit(X) for seed in range(2)]
    with pytest.raises(ValueError, match='Set similarity="cosine"'):
        stability_of_fits(fits, kind(holed), similarity="correlation")
    assert stability(TakesMissing(), kind(holed), 2, bootstrap=False).n_reproducible == 5


def test_masked_samples_are_drawn_as_those_with_nan():
    holed = np.where(np.eye(*X.shape), np.nan, X)
    for bootstrap in (True, np.arange(len(X)) // 2):
        found = [
            stability(TakesMissing(), given, 3, bootstrap=bootstrap, random_state=0).index
            for given in (holed, np.ma.masked_invalid(holed), np.ma.array(X, mask=np.isnan(holed)))
        ]
        np.testing.assert_array_equal(found[1], found[0])
        np.testing.assert_array_equal(found[2], found[0])


def test_a_feature_that_a_bootstrap_sample_lacks_is_named():
    holed = X.copy()
    holed[1:, 2] = np.nan
    match = "X has a value of feature 2 in only 1 of 40 samples.* set bootstrap=False"
    with pytest.raises(ValueError, match=match):
        stability(TakesMissing(), holed, 9, random_state=0)
    assert not Planted.seen
    assert stability(TakesMissing(), holed, 3, bootstrap=False, random_state=0).n_reproducible == 5


@pytest.mark.parametrize("given", [[np.nan, 1.0], csr_array(np.eye(4)), np.eye(4, dtype=bool)])
def test_only_floats_in_matrices_are_missing(given):
    assert _known(given) is None
