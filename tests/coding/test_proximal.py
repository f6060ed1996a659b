"""Codes by proximal steps, and of samples of which a part is missing."""

from dataclasses import dataclass

import numpy as np
import pytest
from foreign import assert_same, everywhere
from scipy.optimize import minimize
from thinning import first_fast

from sparsebp._namespaces import to_numpy
from sparsebp.coding import encode
from sparsebp.coding.l1 import encode_together
from sparsebp.metrics import duality_gap
from sparsebp.penalties import L1, Cauchy, LogCosh, Penalty, SmoothL1, Topographic

SMOOTH = [SmoothL1(1e-2), LogCosh(), Cauchy(), Topographic((3, 4), epsilon=0.1)]


@dataclass(frozen=True)
class ElasticNet(Penalty):
    """S(s) = Σ |s| + s² / 2: a corner, and a proximal map, but none of L1's equations."""

    is_smooth = False

    @property
    def layers(self):
        raise AssertionError("codes need the proximal map alone")

    def proximal(self, codes, step):
        return L1().proximal(codes, step) / (1 + step)


def problem(seed=0, n_features=8, n_components=12, n_samples=15, known=0.6, dtype=float):
    rng = np.random.default_rng(seed)
    basis = rng.normal(size=(n_features, n_components))
    basis /= np.linalg.norm(basis, axis=0)
    x = rng.normal(size=(n_features, n_samples))
    mask = rng.random((n_features, n_samples)) < known
    return x.astype(dtype), basis.astype(dtype), mask.astype(dtype)


def holed(x, mask):
    """Return samples with NaN where a mask is 0."""
    return np.where(mask > 0, x, x.dtype.type(np.nan))


def without_missing_rows(x, basis, mask, penalty, alpha, **options):
    """Encode each sample with the rows of the basis that it has: the slow obvious way."""
    codes = []
    for sample, known in zip(x.T, mask.T > 0, strict=True):
        codes.append(encode(sample[known, None], basis[known], penalty, alpha, **options).points)
    return np.concatenate(codes, axis=1)


@pytest.mark.parametrize(
    "penalty", first_fast([L1(), L1(positive=True), SMOOTH[3], *SMOOTH[:2]], 3), ids=repr
)
@pytest.mark.parametrize("seed", first_fast(range(3)))
def test_equals_encoding_what_is_known(penalty, seed):
    x, basis, mask = problem(seed, n_samples=3)
    mask[:, 0], mask[0] = 1, 1
    found = encode(holed(x, mask), basis, penalty, 0.3, tol=1e-9, max_iter=20_000)
    expected = without_missing_rows(x, basis, mask, penalty, 0.3, tol=1e-9, max_iter=20_000)
    assert found.n_unfinished == 0
    np.testing.assert_allclose(found.points, expected, atol=1e-5)


@pytest.mark.parametrize("penalty", first_fast(SMOOTH[:2]), ids=repr)
def test_equals_scipy_on_the_formula(penalty):
    x, basis, mask = problem(1, n_samples=3)

    def value(s, j):
        residual = mask[:, j] * (basis @ s - x[:, j])
        return residual @ residual + 0.3 * penalty.values_and_gradient(s[:, None])[0][0]

    found = encode(holed(x, mask), basis, penalty, 0.3, tol=1e-9).points
    for j in range(3):
        best = minimize(value, np.zeros(12), args=(j,), tol=1e-12).fun
        assert value(found[:, j], j) <= best + 1e-8


@pytest.mark.parametrize("penalty", [L1(), L1(positive=True), SmoothL1(1e-2)], ids=repr)
def test_nothing_known_gives_codes_of_zero(penalty):
    x, basis, _ = problem()
    np.testing.assert_array_equal(encode(np.nan * x, basis, penalty, 0.3).points, 0)


@pytest.mark.parametrize("penalty", [L1(), SmoothL1(1e-2)], ids=repr)
@pytest.mark.parametrize("n_threads", first_fast([2, 1]))
def test_every_sample_by_itself(penalty, n_threads):
    x, basis, mask = problem(n_samples=300)
    together = encode(holed(x, mask), basis, penalty, 0.3, n_threads=n_threads).points
    singles = [holed(x, mask)[:, [j]] for j in (3, 150, 299)]
    alone = [encode(one, basis, penalty, 0.3).points for one in singles]
    np.testing.assert_allclose(together[:, [3, 150, 299]], np.concatenate(alone, axis=1), atol=1e-9)


@pytest.mark.parametrize("penalty", [ElasticNet(), SmoothL1(1e-2)], ids=repr)
def test_keeps_float32_and_says_who_did_not_finish(penalty):
    x, basis, mask = problem(dtype=np.float32)
    assert encode(holed(x, mask), basis, penalty, 0.3).points.dtype == np.float32
    assert encode(holed(x, mask), basis, penalty, 0.3, tol=1e-5, max_iter=1).n_unfinished > 0


@pytest.mark.parametrize("seed", first_fast(range(3)))
def test_momentum_restarts_where_a_step_went_against_it(seed):
    """With it some 20 of 200 samples need more than 400 steps, without it more than 95."""
    x, basis, mask = problem(seed, n_samples=200)
    codes = encode(holed(x, mask), basis, ElasticNet(), 0.05, tol=1e-6, max_iter=400)
    assert codes.n_unfinished < 60


@pytest.mark.parametrize("masked", [False, True])
def test_a_penalty_with_a_proximal_map_is_minimized_exactly(masked):
    """The squares are an L1 problem's with √(α/2) I below the basis and zeros below the samples."""
    x, basis, mask = problem(2, n_samples=40)
    alpha, size = 0.3, basis.shape[1]
    below = np.sqrt(alpha / 2) * np.eye(size)
    taller = np.vstack([basis, below]), np.vstack([x, np.zeros((size, 40))])
    known = np.vstack([mask, np.ones((size, 40))])
    options = {"tol": 1e-10, "max_iter": 20_000}
    if not masked:
        mask, known = np.ones_like(mask), np.ones_like(known)
    found = encode(holed(x, mask), basis, ElasticNet(), alpha, **options)
    expected = encode(holed(taller[1], known), taller[0], L1(), alpha, **options)
    assert found.n_unfinished == 0
    assert (found.points == 0).mean() > 0.2
    np.testing.assert_allclose(found.points, expected.points, atol=1e-8)


@everywhere
@pytest.mark.parametrize("penalty", first_fast([L1(), L1(positive=True)]), ids=repr)
def test_batches_in_any_library_are_encoded_to_a_duality_gap(foreign, penalty):
    x, basis, _ = problem(3, n_samples=60)
    x *= np.geomspace(0.01, 10, 60)  # they finish at different times, and some at once
    for dtype, tol in ((np.float64, 1e-9), (np.float32, 1e-4)):
        found, n_unfinished = encode_together(
            foreign(x.astype(dtype)), basis, penalty, 0.3, tol=tol
        )
        assert n_unfinished == 0
        codes = to_numpy(found)
        assert_same(found, codes, foreign)
        assert codes.dtype == dtype
        limits = {"alpha": 0.3, "positive": penalty.positive}
        gaps = duality_gap(x.T, basis.T, codes.T.astype(float), **limits)
        assert gaps.max() <= 1.1 * tol
        exact = encode(x, basis, penalty, 0.3, tol=1e-12).points
        np.testing.assert_allclose(codes, exact, atol=30 * np.abs(exact).max() * tol**0.5)


def test_a_batch_says_how_many_samples_hit_the_limit():
    x, basis, _ = problem(4, n_samples=20)
    x[:, :5] = 0  # done at once
    assert encode_together(x, basis, L1(), 0.1, tol=1e-12, max_iter=3)[1] == 15
    assert encode_together(x[:, :5], basis, L1(), 0.1, max_iter=0)[1] == 0


def coherent(rng):
    return np.abs(rng.normal(size=(8, 16))) + 1


def nearly_rank_deficient(rng):
    return rng.normal(size=(8, 3)) @ rng.normal(size=(3, 16)) + 0.01 * rng.normal(size=(8, 16))


def orthogonal(rng):
    return np.linalg.qr(rng.normal(size=(8, 8)))[0]


def of_zeros(rng):
    return np.zeros((8, 4))


@pytest.mark.parametrize("make", [coherent, nearly_rank_deficient, orthogonal, of_zeros])
def test_reflections_converge_for_any_basis(make):
    rng = np.random.default_rng(5)
    basis, x = make(rng), rng.laplace(size=(8, 30))
    found, n_unfinished = encode_together(x, basis, L1(), 0.3, tol=1e-4, max_iter=20_000)
    assert n_unfinished == 0
    assert duality_gap(x.T, basis.T, found.T, 0.3).max() <= 1.1e-4


@pytest.mark.parametrize("penalty", first_fast([L1(), L1(positive=True)]), ids=repr)
def test_a_batch_without_a_penalty_is_a_least_squares_problem(penalty):
    x, basis, _ = problem(6, n_samples=10)
    codes, n_unfinished = encode_together(x, basis[:, :5], penalty, 0.0, tol=1e-12, max_iter=20_000)
    expected = encode(x, basis[:, :5], penalty, 0.0, tol=1e-10).points
    assert n_unfinished == 0
    np.testing.assert_allclose(codes, expected, atol=1e-4)


@pytest.mark.parametrize("alpha", [0.3, 0.03])
def test_the_tolerance_can_be_reached_in_single_precision(alpha):
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(64, 96))
    basis /= np.linalg.norm(basis, axis=0)
    x = rng.normal(size=(64, 16))
    narrow = x.astype(np.float32), basis.astype(np.float32)
    assert encode_together(*narrow, L1(), alpha, tol=0, max_iter=3000)[1] == 0
