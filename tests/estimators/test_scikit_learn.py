"""scikit-learn's own checks, none of them expected to fail."""

import re

import numpy as np
import pytest
from scikit_learn_checks import run_checks
from sklearn.utils.estimator_checks import check_estimator
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoder, SparseCoding, SparseFiltering
from sparsebp.penalties import L1

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    # The checks' samples are few and in small units.
    pytest.mark.filterwarnings("ignore:ReconstructionICA. alpha=1 outweighs:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*X is not white:UserWarning"),
    pytest.mark.filterwarnings("ignore:SparseCoding. alpha=1 is too large:UserWarning"),
    pytest.mark.filterwarnings("ignore:SparseCoding. alpha is 1, and :UserWarning"),
]

#: One that codes by atoms, in the fast suite, and one that responds by filters.
ESTIMATORS = [
    SparseCoding(3, penalty="l1", max_iter=2),
    OrthonormalICA(random_state=0),  # older checks compare two fits
]
VARIANTS = [
    SparseCoding(max_iter=10),
    SparseCoding(penalty=L1(), batch_size=None, max_iter=10),
    SparseCoding(penalty="topographic", solver="exact", gamma=0.1, max_iter=10),
    SparseCoding(penalty="l1", solver="online", batch_size=50, max_iter=10),
    SparseCoding(n_nonzero=1, max_iter=10),
    SparseCoding(error=0.1, n_nonzero=1, solver="online", batch_size=50, max_iter=10),
    ReconstructionICA(),
    SparseFiltering(max_iter=20),
    ReconstructionICA(penalty="topographic", unit_norm=True),
    OrthonormalICA(penalty="log_cosh", solver="manifold"),
    OrthonormalICA(whiten=False),
]


@pytest.mark.parametrize("estimator", first_fast(ESTIMATORS), ids=repr)
def test_scikit_learn_checks(estimator):
    run_checks(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("estimator", VARIANTS, ids=repr)
def test_scikit_learn_checks_of_variants(estimator):
    check_estimator(estimator, on_skip=None)


def coder(n_features):
    return SparseCoder(np.random.default_rng(0).normal(size=(4, n_features)), alpha=0.1)


def test_scikit_learn_checks_of_a_given_dictionary():
    """The checks draw samples of any width; each is given a dictionary that fits its own."""

    def run(check, estimator):
        try:
            check(estimator)
        except Exception as error:
            causes = [str(e) for e in (error, error.__cause__, error.__context__)]
            refusals = [re.match(r"X has (\d+) features, but SparseCoder is", c) for c in causes]
            width = next((match.group(1) for match in refusals if match), None)
            if width is None:
                raise
            check(coder(int(width)))

    failing = {"check_n_features_in": "the dictionary has as many features before fit, too"}
    run_checks(coder(3), run, expected_failed_checks=failing, mark="skip")
