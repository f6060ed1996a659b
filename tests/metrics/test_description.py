import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

from sparsebp import ReconstructionICA, SparseCoder, SparseCoding, SparseFiltering
from sparsebp.datasets import make_dictionary_signals
from sparsebp.metrics import DescriptionLength, description_length, dictionary_recovery


@pytest.mark.parametrize("bits", [0, 1, 5])
@pytest.mark.parametrize("precision", [0.01, 3.0])
def test_so_many_equally_frequent_steps_are_so_many_bits(bits, precision):
    column = precision * np.arange(2**bits)[:, np.newaxis]
    nothing = np.zeros_like(column)
    assert description_length(column, column, column, precision=precision) == pytest.approx(bits)
    assert description_length(column, nothing, nothing, precision=precision) == pytest.approx(bits)


@pytest.mark.parametrize("seed", range(3))
def test_columns_add_up(seed):
    rng = np.random.default_rng(seed)
    x, s, back = rng.normal(size=(500, 3)), rng.normal(size=(500, 2)), rng.normal(size=(500, 3))

    def entropy(values):
        _, counts = np.unique(np.round(values / 0.3), return_counts=True)
        return -(counts / 500 * np.log2(counts / 500)).sum()

    expected = sum(map(entropy, s.T)) + sum(map(entropy, (x - back).T))
    assert description_length(x, s, back, precision=0.3) == pytest.approx(expected, rel=1e-12)


def test_half_the_precision_is_a_bit_more_for_each_number():
    rng = np.random.default_rng(0)
    x, s = rng.normal(size=(200_000, 2)), rng.normal(size=(200_000, 3))
    lengths = [description_length(x, s, 0 * x, precision=step) for step in (0.2, 0.1)]
    assert lengths[1] - lengths[0] == pytest.approx(5, abs=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_chooses_a_weight_with_which_the_planted_atoms_are_found(seed):
    signals = make_dictionary_signals(2000, 10, 15, n_nonzero=2, snr_db=20, random_state=seed)
    model = SparseCoding(
        15, penalty="l1", solver="online", batch_size=100, max_iter=100, random_state=seed
    )
    alphas = {"alpha": [0.003, 0.03, 0.3, 1.0]}
    scoring = DescriptionLength(0.1 * signals.X.std())
    chosen = GridSearchCV(model, alphas, scoring=scoring, cv=2).fit(signals.X)
    found = dictionary_recovery(chosen.best_estimator_.components_, signals.dictionary).n_found
    assert chosen.best_params_ == {"alpha": 0.3}
    assert found >= 12
    by_objective = GridSearchCV(model, alphas, cv=2).fit(signals.X)
    assert by_objective.best_params_ == {"alpha": 0.003}
    least = dictionary_recovery(by_objective.best_estimator_.components_, signals.dictionary)
    assert least.n_found < 5


@pytest.mark.filterwarnings("ignore:.*X is not white")
def test_scores_any_estimator_that_can_go_back():
    X = make_dictionary_signals(200, 6, 6, random_state=0).X
    model = ReconstructionICA(6, alpha=0.1, tol=1e-3, random_state=0).fit(X)
    codes = model.transform(X)
    length = description_length(X, codes, model.inverse_transform(codes), precision=0.1)
    assert DescriptionLength(0.1)(model, X) == -length


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 2)), np.ones((2, 2)), np.ones((3, 2)), 1.0), r"\(3, 2\), codes \(2, 2\)"),
        ((np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 1)), 1.0), "the same shape"),
        (
            (np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), 0.0),
            r"precision must be a finite number > 0, got 0\.0",
        ),
        ((np.ones((3, 2)), np.ones((3, 2)), np.ones((3, 2)), -1.0), "precision"),
        ((np.ones((3, 2)), np.full((3, 2), np.nan), np.ones((3, 2)), 1.0), "codes"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        description_length(*arguments[:3], precision=arguments[3])


@pytest.mark.parametrize("precision", [0, -1, np.nan, "a", None, [1, 2]])
def test_a_scorer_refuses_at_once_what_is_no_precision(precision):
    with pytest.raises((ValueError, TypeError), match="precision"):
        DescriptionLength(precision)


def test_what_cannot_go_back_has_no_description_length():
    model = SparseFiltering(2, max_iter=5, tol=1.0).fit(np.eye(4))
    with pytest.raises(TypeError, match="SparseFiltering, which has no inverse_transform"):
        DescriptionLength(0.1)(model, np.eye(4))


def test_codes_may_be_a_sparse_matrix():
    X = np.random.default_rng(0).laplace(size=(40, 5))
    coder = SparseCoder(np.eye(5), n_nonzero=2)
    expected = DescriptionLength(0.1)(coder, X)
    assert DescriptionLength(0.1)(coder.set_params(sparse_output=True), X) == expected


def test_missing_values_are_told_what_to_give():
    X = np.where(np.eye(4, 3) > 0, np.nan, 1.0)
    with pytest.raises(ValueError, match=r"NaN .* complete samples, X\[np\.isfinite\(X\)\.all"):
        DescriptionLength(0.1)(SparseCoder(np.eye(3)), X)
    with pytest.raises(ValueError, match=r"reconstruction must be finite.* Compute it again"):
        description_length(np.ones((4, 3)), np.ones((4, 3)), X, precision=0.1)
