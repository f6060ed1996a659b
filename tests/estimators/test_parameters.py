import re

import numpy as np
import pytest
from thinning import first_fast

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding, SparseFiltering
from sparsebp.penalties import L1, SmoothL1, Topographic

X = np.random.default_rng(0).laplace(size=(60, 6))
ALL = [SparseCoding, ReconstructionICA, OrthonormalICA]

NOT_REAL = [-1.0, np.nan, np.inf, -np.inf, "0.1", True, None, 1j, [0.1], np.array([0.1])]
NOT_POSITIVE = [*NOT_REAL, 0, 0.0]
NOT_WHOLE = [-1, 0, 2.0, 2.5, np.nan, "2", True, [2], np.array([2])]


BAD = {
    "alpha": (ALL[:2], NOT_REAL),
    "gamma": (ALL[:1], [value for value in NOT_REAL if value is not None]),
    "tol": (ALL, NOT_REAL),
    "epsilon": (ALL, NOT_POSITIVE),
    "max_iter": (ALL, [*NOT_WHOLE, None]),
    "n_components": (ALL, NOT_WHOLE),
    "batch_size": (ALL[:1], NOT_WHOLE),
    "solver": (ALL, ["newton", "", None, 3, True]),
    "penalty": (ALL, ["l2", "", None, 3, SmoothL1]),
    "callback": (ALL, [3, "print"]),
}
CASES = [(estimator, name) for name, (estimators, _) in BAD.items() for estimator in estimators]


@pytest.mark.parametrize(("estimator", "name"), CASES)
def test_a_bad_value_is_refused_by_name_in_fit_and_nowhere_else(estimator, name):
    for value in BAD[name][1]:
        model = estimator(**{name: value}).set_params(**{name: value})
        assert model.get_params()[name] is value
        with pytest.raises(
            (ValueError, TypeError), match=rf"^{name} must be .*, got {re.escape(repr(value))}\."
        ):
            model.fit(X)
        assert not hasattr(model, "components_")


def test_partial_fit_refuses_bad_values_too():
    for name, value in {"alpha": -1.0, "batch_size": 0, "epsilon": 0, "solver": "newton"}.items():
        with pytest.raises(ValueError, match=f"^{name} must be"):
            SparseCoding(**{name: value}).partial_fit(X)


@pytest.mark.parametrize("estimator", ALL)
def test_a_bad_random_state_is_refused(estimator):
    with pytest.raises(TypeError, match="random_state must be"):
        estimator(random_state="seven").fit(X)


@pytest.mark.parametrize("estimator", ALL)
def test_a_grid_for_another_number_of_components_is_refused(estimator):
    with pytest.raises(ValueError, match=r"n_components is 5 .*\(2, 3\) grid holds 6"):
        estimator(5, penalty=Topographic((2, 3))).fit(X)


@pytest.mark.parametrize(
    "parameters",
    [
        {"alpha": np.float32(0.5), "gamma": np.int64(1), "epsilon": np.float64(0.1)},
        {"n_components": np.int32(3), "max_iter": np.int64(2), "batch_size": np.uint8(20)},
        {"alpha": 0, "gamma": 0, "tol": 0},
        {"alpha": 1, "epsilon": 1, "penalty": "l1"},
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", first_fast([np.float32, np.float64]))
def test_numpys_numbers_and_whole_ones_are_taken(parameters, dtype):
    model = SparseCoding(**{"max_iter": 2, "batch_size": 30, "random_state": 0, **parameters})
    model.fit(X.astype(dtype))
    assert model.components_.dtype == dtype
    assert np.isfinite(model.components_).all()


REFUSED = {
    "closed form": (SparseCoding(solver="exact"), r"'exact' .* give a gamma"),
    "positive": (SparseCoding(positive_basis=True), "requires solver='online'"),
    "penalty": (SparseCoding(penalty="l2"), "got 'l2'"),
    "no penalty": (OrthonormalICA(penalty=SmoothL1), "or a Penalty object, got"),
    "grid": (SparseCoding(5, penalty=Topographic((2, 3))), "grid holds 6"),
    "signs": (ReconstructionICA(3, signs=(1, 2, 3)), "signs are"),
    "other signs": (OrthonormalICA(3, signs=(1, 1)), "2 signs for 3 components"),
    "two signs": (ReconstructionICA(2, penalty=L1(positive=True)), "coefficients to be ≥ 0"),
    "signs of any": (OrthonormalICA(signs=(1, 2)), "signs are"),
    "signs of groups": (ReconstructionICA(penalty="topographic", signs=(1, -1)), "share a sign"),
    "two signs of any": (OrthonormalICA(penalty=L1(positive=True)), "coefficients to be ≥ 0"),
    "seed": (SparseCoding(random_state=2**32), "random_state must be"),
    "init": (SparseFiltering(init=[[1.0], [2.0, 3.0]]), "init must have rows of equal length"),
    "patch_shape": (OrthonormalICA(patch_shape=(8, 0)), "patch_shape"),
    "n_jobs": (SparseCoding(n_jobs=0), "n_jobs must be .* got 0"),
}


@pytest.mark.parametrize("name", list(REFUSED))
def test_what_needs_no_samples_to_be_refused_is_refused_without_them(name):
    model, message = REFUSED[name]
    for refusing in (model.check_parameters, lambda: model.fit(X)):
        with pytest.raises((ValueError, TypeError), match=message):
            refusing()


def test_a_number_of_components_that_no_memory_holds_is_refused_at_once():
    model = SparseCoding(10**18 + 9, penalty="topographic")  # a prime, whose grid is looked for
    for refusing in (model.check_parameters, lambda: model.fit(X)):
        with pytest.raises(MemoryError, match="n_components=1000000000000000009 needs"):
            refusing()
