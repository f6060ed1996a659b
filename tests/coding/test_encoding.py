from itertools import product

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from thinning import first_fast

from sparsebp.coding import Pursuit, encode, pursue, starting_codes
from sparsebp.penalties import L1, Cauchy, LogCosh, SmoothL1, Subspace, Topographic, Welsch
from sparsebp.problems import sparse_coding

SMOOTH = [
    SmoothL1(),
    SmoothL1(epsilon=1e-4),
    LogCosh(),
    Cauchy(),
    Topographic((3, 4)),
    Subspace(4, 3),
    Topographic((2, 6), wrap=False, epsilon=1e-1),
    Topographic.from_groups(np.eye(5, 12) + np.eye(5, 12, 4)),
]
EVERY = [L1(), *SMOOTH]
#: One of each kind in the fast suite: an exact one, a convex, a concave and a grouped one.
KINDS = first_fast(sorted(EVERY, key=[L1(), SmoothL1(), Cauchy(), SMOOTH[4]].count)[::-1], 4)
CONVEX = [p for p in EVERY if not isinstance(p, Cauchy)]


def name(penalty):
    return repr(penalty)[:40] if not isinstance(penalty, int | float) else None


def a_problem(n_samples=40, *, n_features=8, n_components=12, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(n_features, n_components))
    basis /= np.linalg.norm(basis, axis=0)
    return rng.normal(size=(n_features, n_samples)).astype(dtype), basis.astype(dtype)


def assert_optimal(codes, x, basis, penalty, alpha, tol=1e-6):
    """Compare each sample's gradient, or minimum-norm subgradient for L1, with that at s = 0."""
    pull = 2 * basis.T @ (basis @ codes - x)
    if isinstance(penalty, L1):
        shrunk = np.sign(pull) * np.maximum(np.abs(pull) - alpha, 0)
        gradient = np.where(codes == 0, shrunk, pull + alpha * np.sign(codes))
    else:
        gradient = pull + alpha * penalty.values_and_gradient(codes)[1]
    scale = np.maximum(np.abs(2 * basis.T @ x).max(axis=0), alpha)
    assert (np.abs(gradient).max(axis=0) <= 1.001 * tol * scale).all()


@pytest.mark.parametrize("alpha", first_fast([0.05, 2.0]))
@pytest.mark.parametrize("penalty", KINDS, ids=name)
def test_every_sample_is_at_an_optimum(penalty, alpha):
    x, basis = a_problem(10)
    x[:, ::3] *= 10
    found = encode(x, basis, penalty, alpha, max_iter=5000)
    assert found.n_unfinished == 0
    assert_optimal(found.points, x, basis, penalty, alpha)


@pytest.mark.parametrize("alpha", [0.02, 0.3, 2.0])
@pytest.mark.parametrize(("n_features", "n_components"), [(8, 12), (12, 5), (6, 6)])
def test_l1_equals_scikit_learns_lasso(n_features, n_components, alpha):
    """‖As − x‖² + α‖s‖₁ is 2 n_features times Lasso's objective with α / (2 n_features)."""
    x, basis = a_problem(15, n_features=n_features, n_components=n_components)
    lasso = Lasso(alpha / (2 * n_features), fit_intercept=False, tol=1e-10, max_iter=100_000)
    expected = lasso.fit(basis, x).coef_.T
    codes = encode(x, basis, L1(), alpha, tol=1e-9, max_iter=20_000).points
    np.testing.assert_allclose(codes, expected, atol=1e-5)
    strong = np.abs(expected) > 1e-4
    assert ((codes != 0) == strong).mean() > 0.99


def test_l1_on_an_orthonormal_basis_is_soft_thresholding():
    x, _ = a_problem(n_features=6)
    basis = np.linalg.qr(np.random.default_rng(1).normal(size=(6, 6)))[0]
    pull = basis.T @ x
    expected = np.sign(pull) * np.maximum(np.abs(pull) - 0.4, 0)
    np.testing.assert_allclose(encode(x, basis, L1(), 0.8).points, expected, atol=1e-6)


def test_l1_with_a_large_weight_is_exactly_zero():
    x, basis = a_problem()
    alpha = 1.001 * np.abs(2 * basis.T @ x).max()
    found = encode(x, basis, L1(), alpha)
    assert found.n_unfinished == 0
    np.testing.assert_array_equal(found.points, 0)


def test_smooth_l1_tends_to_l1():
    x, basis = a_problem(15)
    exact = encode(x, basis, L1(), 0.5, tol=1e-9).points
    smooth = encode(x, basis, SmoothL1(epsilon=1e-6), 0.5, tol=1e-5).points
    np.testing.assert_allclose(smooth, exact, atol=2e-2)


@pytest.mark.parametrize("penalty", KINDS, ids=name)
def test_a_sample_does_not_see_its_neighbors(penalty):
    x, basis = a_problem(12)
    together = encode(x, basis, penalty, 0.3).points
    rng = np.random.default_rng(0)
    for order in ([4], rng.permutation(12)):
        codes = encode(x[:, order], basis, penalty, 0.3).points
        np.testing.assert_allclose(codes, together[:, order], atol=1e-9)


@pytest.mark.parametrize("penalty", first_fast([L1(), SmoothL1(), Welsch()], 2), ids=name)
@pytest.mark.parametrize("dtype", first_fast([np.float64, np.float32]))
def test_the_last_bit_of_a_sample_does_not_depend_on_others(penalty, dtype):
    # Of a size at which kernels for the edges of products and for their middles differ.
    rng = np.random.default_rng(0)
    x, basis = (rng.normal(size=(48, n)).astype(dtype) for n in (160, 64))
    together = encode(x, basis, penalty, 0.5).points
    for i in range(0, 160, 20):
        alone = encode(x[:, i : i + 1], basis, penalty, 0.5).points
        np.testing.assert_array_equal(alone[:, 0], together[:, i])


@pytest.mark.parametrize("penalty", [L1(), SmoothL1()], ids=name)
def test_more_samples_than_a_block_holds(penalty):
    x, basis = a_problem(1100)
    found = encode(x, basis, penalty, 0.5)
    assert found.n_unfinished == 0
    assert found.points.shape == (12, 1100)
    assert_optimal(found.points, x, basis, penalty, 0.5)
    assert encode(x, basis, penalty, 0.5, max_iter=1).n_unfinished == 1100
    for first in (505, 1020, 1099):
        few = slice(first, first + 10)
        alone = encode(x[:, few], basis, penalty, 0.5).points
        np.testing.assert_allclose(alone, found.points[:, few], atol=1e-9)


@pytest.mark.parametrize("penalty", EVERY, ids=name)
def test_no_samples(penalty):
    x, basis = a_problem(0)
    found = encode(x, basis, penalty, 0.5)
    assert (found.points.shape, found.n_unfinished) == ((12, 0), 0)


@pytest.mark.parametrize("penalty", KINDS, ids=name)
def test_samples_of_zeros_have_codes_of_zeros(penalty):
    x, basis = a_problem()
    x[:, 5] = 0
    for alpha in (0.0, 50.0):
        found = encode(x, basis, penalty, alpha, max_iter=5000)
        assert found.n_unfinished == 0
        np.testing.assert_array_equal(found.points[:, 5], 0)


@pytest.mark.parametrize("penalty", KINDS, ids=name)
def test_atoms_of_zeros_are_not_used(penalty):
    for dtype, alpha in product((np.float32, np.float64), (0.0, 50.0)):
        x, basis = a_problem(10, dtype=dtype)
        basis[:, 3] = 0
        found = encode(x, basis, penalty, alpha, max_iter=50)
        assert np.isfinite(found.points).all()
        np.testing.assert_allclose(found.points[3], 0, atol=1e-6)


@pytest.mark.parametrize("penalty", KINDS, ids=name)
def test_a_basis_of_zeros_is_not_used(penalty):
    for dtype, alpha in product((np.float32, np.float64), (0.0, 0.5, 50.0)):
        x, basis = a_problem(dtype=dtype)
        nothing = encode(x, np.zeros_like(basis), penalty, alpha)
        assert nothing.n_unfinished == 0
        np.testing.assert_array_equal(nothing.points, 0)


@pytest.mark.parametrize("penalty", [L1(), SmoothL1(), Cauchy(), Topographic((1, 5))], ids=name)
def test_without_a_penalty_least_squares_is_reached(penalty):
    x, basis = a_problem(n_components=5)
    found = encode(x, basis, penalty, 0.0, tol=1e-9)
    assert found.n_unfinished == 0
    np.testing.assert_allclose(found.points, np.linalg.lstsq(basis, x)[0], atol=1e-7)
    x, basis = a_problem()
    found = encode(x, basis, penalty if penalty != Topographic((1, 5)) else L1(), 0.0, tol=1e-9)
    np.testing.assert_allclose(basis @ found.points, x, atol=1e-7)


@pytest.mark.parametrize("penalty", first_fast([*CONVEX[::2], *CONVEX[1::2]], 3), ids=name)
def test_a_convex_problem_forgets_where_it_began(penalty):
    x, basis = a_problem(15)
    start = 5 * np.random.default_rng(9).normal(size=(12, 15))
    near = encode(x, basis, penalty, 0.5, tol=1e-9, max_iter=5000)
    far = encode(x, basis, penalty, 0.5, tol=1e-9, max_iter=5000, start=start)
    np.testing.assert_allclose(far.points, near.points, atol=1e-5)


def test_a_start_at_the_optimum_is_returned():
    x, basis = a_problem()
    codes = encode(x, basis, SmoothL1(), 0.5).points
    np.testing.assert_array_equal(encode(x, basis, SmoothL1(), 0.5, start=codes).points, codes)


@pytest.mark.parametrize("penalty", KINDS, ids=name)
def test_float32_stays_and_finishes(penalty):
    x, basis = a_problem(20, dtype=np.float32)
    found = encode(x, basis, penalty, 0.5)
    wide = encode(x.astype(float), basis.astype(float), penalty, 0.5).points
    assert found.points.dtype == np.float32
    assert found.n_unfinished == 0
    near = np.isclose(found.points, wide, atol=2e-3).all(axis=0)
    assert near.mean() > (0.99 if penalty in CONVEX else 0.8)


@pytest.mark.parametrize("penalty", EVERY, ids=name)
def test_few_iterations_leave_samples_unfinished_and_no_worse(penalty):
    x, basis = a_problem()
    x[:, 0] = 0
    start = starting_codes(x, basis)
    found = encode(x, basis, penalty, 0.5, start=start, max_iter=2, tol=1e-10)
    assert 30 <= found.n_unfinished <= 39
    objective = sparse_coding(penalty, 0.5).objective("s", {"x": x, "A": basis}, scale=1)
    before = objective.values_and_gradient(start)[0]
    assert (objective.values_and_gradient(found.points)[0] <= before + 1e-12).all()


@pytest.mark.parametrize("penalty", [SmoothL1(), Cauchy(), Topographic((3, 4))], ids=name)
def test_what_cannot_be_computed_is_counted_as_unfinished(penalty):
    x, basis = a_problem()
    x[:, 7] = 1e200
    with np.errstate(all="ignore"):
        found = encode(x, basis, penalty, 0.5)
    assert found.n_unfinished == 1
    alone = encode(x[:, 8:9], basis, penalty, 0.5).points
    np.testing.assert_allclose(found.points[:, 8:9], alone, atol=1e-9)


@pytest.mark.parametrize("penalty", CONVEX, ids=name)
def test_float32_finishes_where_the_penalty_rules(penalty):
    x, basis = a_problem(dtype=np.float32)
    assert encode(x, basis, penalty, 50.0, max_iter=100).n_unfinished == 0


@pytest.mark.parametrize("penalty", [L1(), SmoothL1()], ids=name)
def test_inputs_are_left_alone(penalty):
    arrays = (*a_problem(), np.ones((12, 40)))
    before = [a.copy() for a in arrays]
    for array in arrays:
        array.flags.writeable = False
    x, basis, start = arrays
    found = encode(x, basis, penalty, 0.5, start=start)
    assert not np.shares_memory(found.points, start)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_starting_codes_are_projections_on_the_atoms_directions(dtype):
    x, basis = a_problem(dtype=dtype)
    basis = basis * np.arange(12, dtype=dtype)
    codes = starting_codes(x, basis)
    assert codes.dtype == dtype
    np.testing.assert_array_equal(codes[0], 0)
    for r in range(1, 12):
        expected = basis[:, r] @ x / np.linalg.norm(basis[:, r])
        np.testing.assert_allclose(codes[r], expected, rtol=0, atol=1e-5)


def test_a_pursuit_is_a_rule_for_codes_too():
    x, basis = a_problem()
    found = encode(x, basis, Pursuit(n_nonzero=2), 0.0)
    np.testing.assert_array_equal(found.points, pursue(x, basis, n_nonzero=2))
    assert found.n_unfinished == 0


@pytest.mark.parametrize(
    "penalty",
    first_fast([SmoothL1(), L1(), LogCosh(), Cauchy(), Welsch()], 2),
    ids=lambda penalty: type(penalty).__name__,
)
@pytest.mark.parametrize("dtype", first_fast([np.float64, np.float32]))
def test_the_layout_of_the_basis_changes_no_bit(penalty, dtype):
    rng = np.random.default_rng(0)
    components, x = rng.normal(size=(24, 16)).astype(dtype), rng.laplace(size=(16, 200))
    expected = encode(x.astype(dtype), components.T, penalty, 0.2).points
    for basis in (np.ascontiguousarray(components.T), np.repeat(components, 2, axis=0)[::2].T):
        found = encode(x.astype(dtype), basis, penalty, 0.2).points
        np.testing.assert_array_equal(found, expected)
