"""scikit-learn's own checks, none of them expected to fail."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.penalties import L1

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    SparseCoding(max_iter=10),
    ReconstructionICA(),
    OrthonormalICA(),
    SparseFiltering(max_iter=20),
]
VARIANTS = [
    SparseCoding(penalty="l1", max_iter=10),
    SparseCoding(penalty="topographic", solver="exact", gamma=0.1, max_iter=10),
    SparseCoding(penalty="cauchy", max_iter=10),
    SparseCoding(penalty="l1", solver="online", batch_size=50, max_iter=10),
    SparseCoding(penalty=L1(), batch_size=None, max_iter=10),
    ReconstructionICA(penalty="topographic", unit_norm=True),
    OrthonormalICA(penalty="welsch"),
    OrthonormalICA(penalty="log_cosh", solver="manifold"),
    OrthonormalICA(whiten=False),
]


@parametrize_with_checks(ESTIMATORS)
def test_scikit_learn_check(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(VARIANTS)
def test_scikit_learn_check_of_variants(estimator, check):
    check(estimator)
