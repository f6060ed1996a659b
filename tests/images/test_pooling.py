"""Pooled features against loops over patches, and what a stranger may give to them."""

import pickle
import re
from functools import lru_cache

import numpy as np
import pytest
from scikit_learn_checks import run_checks
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from thinning import first_fast

from sparsebp import OrthonormalICA, SparseCoder, load_basis, load_model, save_model
from sparsebp.displays import BasisDisplay
from sparsebp.images import PooledFeatures, _stacks
from sparsebp.preprocessing import normalize_contrast, remove_mean

RNG = np.random.default_rng(0)
STACK = RNG.normal(size=(7, 9, 11, 2)).cumsum(axis=1)
CELLS = {"average": np.mean, "max": np.max, "rms": lambda c, axis: np.sqrt((c**2).mean(axis=axis))}


def a_coder(n_pixels, **options):
    atoms = np.random.default_rng(1).normal(size=(5, n_pixels))
    return SparseCoder(atoms / np.linalg.norm(atoms, axis=1, keepdims=True), **options)


def pooled_features(estimator=None, **options):
    options = {"patch_shape": (3, 4), "grid": (2, 3), "random_state": 0, **options}
    return PooledFeatures(a_coder(24, alpha=0.5) if estimator is None else estimator, **options)


@lru_cache
def fitted():
    return pooled_features().fit(STACK)


def by_a_loop(model, image, stride, grid, pool):
    """One patch after the other, with the public functions for patches."""
    (h, w), (down, right) = model.patch_shape_, stride
    rows = range(0, image.shape[0] - h + 1, down)
    columns = range(0, image.shape[1] - w + 1, right)
    patches = np.array([image[r : r + h, c : c + w].ravel() for r in rows for c in columns])
    noise = 0.01 * model.scale_**2
    normalized = normalize_contrast(remove_mean(patches), regularization=noise)
    spectrum = model.whitening_.eigenvalues_
    kept = spectrum / (spectrum + 0.1 * spectrum.sum() / patches.shape[1])
    white = model.whitening_.transform(normalized) / np.sqrt(kept.sum() / patches.shape[1])
    codes = model.estimator_.transform(white)
    cells = {}
    for number, code in enumerate(codes):
        row, column = divmod(number, len(columns))
        cell = (row + 0.5) * grid[0] // len(rows), (column + 0.5) * grid[1] // len(columns)
        cells.setdefault(cell, []).append([*np.maximum(code, 0), *np.maximum(-code, 0)])
    return np.concatenate([pool(np.array(cells[cell]), axis=0) for cell in sorted(cells)])


@pytest.mark.parametrize(
    ("pooling", "stride", "grid"),
    [("average", (1, 1), (1, 2)), ("max", (2, 1), (3, 4)), ("rms", (1, 3), (7, 3))],
)
def test_features_are_those_of_a_loop_over_patches(pooling, stride, grid):
    model = clone(fitted()).set_params(pooling=pooling, stride=stride, grid=grid).fit(STACK)
    for image, features in zip(STACK[:2], model.transform(STACK[:2]), strict=True):
        expected = by_a_loop(model, image, stride, grid, CELLS[pooling])
        np.testing.assert_allclose(features, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pooling", first_fast(CELLS))
def test_strips_of_large_images_do_not_show(pooling, monkeypatch):
    model = clone(fitted()).set_params(pooling=pooling).fit(STACK)
    whole = model.transform(STACK)
    monkeypatch.setattr(_stacks, "_BLOCK", 17)  # two rows of patches of one image
    np.testing.assert_allclose(model.transform(STACK), whole, rtol=1e-12)


def test_every_patch_is_in_one_cell():
    patches = _stacks.StackPatches.of((20, 31, 1), (4, 5), (1, 2), (3, 5))
    for n, edges in zip(patches.counts, patches.edges, strict=True):
        assert (edges[0], edges[-1]) == (0, n)
        assert np.ptp(np.diff(edges)) <= 1


def test_an_image_has_the_same_features_in_any_company(monkeypatch):
    model = fitted()
    together = model.transform(STACK)
    monkeypatch.setattr(_stacks, "_BLOCK", 130)  # two images
    for chosen in ([0], [3, 1], [6, 5, 4, 3, 2, 1, 0]):
        for n_jobs in (1, 2):
            model = clone(fitted()).set_params(n_jobs=n_jobs).fit(STACK)
            np.testing.assert_array_equal(model.transform(STACK[chosen]), together[chosen])


def test_a_single_patch_has_the_same_features_in_any_company():
    model = pooled_features(a_coder(198), patch_shape=(9, 11), grid=1).fit(STACK)
    together = model.transform(STACK)
    for number in range(7):
        np.testing.assert_array_equal(model.transform(STACK[[number]])[0], together[number])


def test_stacks_and_rows_of_any_layout_are_alike():
    expected = fitted().transform(STACK)
    rows = STACK.reshape(7, -1)
    for given in (np.asfortranarray(STACK), rows, np.asfortranarray(rows), rows.tolist()):
        model = pooled_features(image_shape=(9, 11, 2)).fit(given)
        np.testing.assert_array_equal(model.transform(given), expected)
    frozen = STACK.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(fitted().transform(frozen), expected)


@pytest.mark.parametrize("n_channels", [1, 3])
def test_rows_are_square_images_by_default(n_channels):
    images = RNG.random((4, 6, 6, n_channels))
    model = pooled_features(PCA(3), patch_shape=3).fit(images.reshape(4, -1))
    assert model.image_shape_ == (6, 6, n_channels)
    np.testing.assert_array_equal(model.transform(images), model.transform(images.reshape(4, -1)))


@pytest.mark.parametrize("unit", [1e-6, 255.0])
def test_the_unit_of_the_images_does_not_matter(unit):
    scaled = pooled_features().fit(unit * STACK).transform(unit * STACK)
    np.testing.assert_allclose(scaled, fitted().transform(STACK), rtol=1e-6, atol=1e-9)


def test_the_precision_of_images_is_kept():
    narrow = pooled_features().fit(STACK.astype("f4")).transform(STACK.astype("f4"))
    assert narrow.dtype == np.float32
    np.testing.assert_allclose(narrow, fitted().transform(STACK), rtol=1e-3, atol=1e-4)
    whole = np.clip(40 * STACK, 0, 255).astype(np.uint8)
    model = pooled_features().fit(whole)
    np.testing.assert_array_equal(model.transform(whole), model.transform(whole.astype(float)))


@pytest.mark.parametrize(
    ("estimator", "activation", "n_codes"),
    [
        (a_coder(24), "split", 10),
        (a_coder(24, split_sign=True, sparse_output=True), None, 10),
        (KMeans(4, n_init=1), "triangle", 4),
        (make_pipeline(StandardScaler(), KMeans(4, n_init=1)), "triangle", 4),
        (PCA(4), "split", 8),
    ],
)
def test_the_activation_suits_the_model(estimator, activation, n_codes):
    model = pooled_features(estimator).fit(STACK)
    assert (model.activation_, model.n_codes_) == (activation, n_codes)
    assert model.transform(STACK).shape == (7, 2 * 3 * n_codes)


def test_triangles_are_how_much_nearer_a_center_is_than_the_average():
    model = pooled_features(KMeans(4, n_init=1), patch_shape=(9, 11), grid=1).fit(STACK)
    distances = model.estimator_.transform(model._preparation(STACK.reshape(7, -1)))
    expected = np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0)
    np.testing.assert_allclose(model.transform(STACK), expected)


def test_white_patches_have_unit_variance():
    seen = []

    class Seeing(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            seen.append(X)
            return self

        def transform(self, X):
            return X

    pooled_features(Seeing()).fit(STACK)
    assert seen[0].var(axis=0).mean() == pytest.approx(1, abs=1e-6)
    pooled_features(Seeing(), whiten=None, normalize="mean").fit(STACK)
    np.testing.assert_allclose(seen[1].mean(axis=1), 0, atol=1e-12)
    pooled_features(Seeing(), whiten=None, normalize=None, n_patches=10**6).fit(STACK)
    assert {*seen[2].ravel()} == {*STACK.ravel()}


def test_a_fitted_model_is_used_as_it_is():
    basis = load_basis("sparse-coding-8x8")
    images = RNG.normal(size=(3, 12, 12))
    model = PooledFeatures(FrozenEstimator(basis), patch_shape=8, whiten=None, normalize="mean")
    assert clone(model.fit(images)).fit(images).estimator_.estimator is basis
    np.testing.assert_array_equal(model.features_, basis.features_)


def test_it_is_reproducible_and_leaves_the_estimator_alone():
    estimator = OrthonormalICA(3, tol=1e-2)
    once, twice = (pooled_features(estimator).fit_transform(STACK) for _ in range(2))
    np.testing.assert_array_equal(once, twice)
    assert estimator.random_state is None
    assert not hasattr(estimator, "components_")


@pytest.mark.slow
def test_pipelines_and_searches_reach_the_estimator():
    X, y = load_digits(return_X_y=True)
    pooled = PooledFeatures(OrthonormalICA(4, tol=1e-2), patch_shape=4, grid=2, n_patches=500)
    pipeline = make_pipeline(pooled, StandardScaler(), LogisticRegression(C=0.1))
    options = {"pooledfeatures__estimator__n_components": [1, 8]}
    search = GridSearchCV(pipeline, options, cv=2, error_score="raise").fit(X[:300], y[:300])
    assert search.best_params_ == {"pooledfeatures__estimator__n_components": 8}
    assert search.score(X[300:600], y[300:600]) > 0.8


def test_names_and_containers():
    model = clone(fitted()).set_output(transform="pandas").fit(STACK)
    table = model.transform(STACK)
    assert list(table.columns) == list(model.get_feature_names_out())
    np.testing.assert_array_equal(table.to_numpy(), fitted().transform(STACK))


def test_components_vary_fastest_then_signs_then_cells():
    atoms = np.eye(4)[:3] - 0.25
    rng, images = np.random.default_rng(0), np.zeros((1, 6, 6))
    images[0, :2, 4:] = -3 * (np.eye(4)[1] - 0.25).reshape(2, 2)  # a negative second atom
    coder = FrozenEstimator(SparseCoder(atoms, n_nonzero=1))
    options = {"patch_shape": 2, "stride": 2, "normalize": None, "whiten": None, "grid": 3}
    model = PooledFeatures(coder, activation="split", pooling="max", **options)
    found = model.fit(rng.normal(size=(20, 6, 6))).transform(images).reshape(3, 3, 2, 3)
    assert np.argwhere(found).tolist() == [[0, 2, 1, 1]]
    assert model.get_feature_names_out().reshape(3, 3, 2, 3)[0, 2, 1, 1] == "pooledfeatures16"


def test_features_are_drawn_as_patches():
    model = pooled_features(PCA(3), patch_shape=4).fit(STACK[..., 0])
    back = model._preparation.matrix @ model.features_.T
    np.testing.assert_allclose(back.T, model.estimator_.components_, atol=1e-8)
    BasisDisplay.from_estimator(model).plot()


@pytest.mark.parametrize("estimator", first_fast([FrozenEstimator(a_coder(24)), None, PCA(3)]))
def test_it_comes_back_from_files(estimator, tmp_path):
    model = pooled_features(estimator).fit(STACK)
    save_model(model, tmp_path / "model.npz")
    for loaded in (load_model(tmp_path / "model.npz"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(loaded.transform(STACK), model.transform(STACK))
        assert repr(loaded) == repr(model)
    refit = load_model(tmp_path / "model.npz").fit(STACK)
    np.testing.assert_array_equal(refit.transform(STACK), model.transform(STACK))


def test_a_file_of_parts_that_do_not_fit_is_damaged(tmp_path):
    for changes in ({"n_codes_": 3}, {"image_shape_": (9, 11, 1)}, {"patch_shape_": (3, 3)}):
        model = pooled_features().fit(STACK)
        vars(model).update(changes)
        save_model(model, tmp_path / "model.npz")
        with pytest.raises(ValueError, match="damaged"):
            load_model(tmp_path / "model.npz")


WRONG = [
    ({"estimator": PCA}, TypeError, "estimator must be a transformer"),
    ({"estimator": LogisticRegression()}, TypeError, "estimator must be a transformer"),
    ({"patch_shape": (3, 0)}, ValueError, "patch_shape must be"),
    ({"patch_shape": 10}, ValueError, "smaller than patch_shape"),
    ({"patch_shape": 3}, ValueError, r"patch_shape=\(3, 3\) .* = 18 .* estimator takes 24"),
    ({"stride": 0}, ValueError, "stride must be"),
    ({"grid": 8}, ValueError, "more cells than"),
    ({"normalize": "none"}, ValueError, "normalize must be"),
    ({"whiten": -1}, ValueError, "whiten must be"),
    ({"whiten": True}, TypeError, "whiten must be"),
    ({"activation": "relu"}, ValueError, "activation must be"),
    ({"pooling": "sum"}, ValueError, "pooling must be"),
    ({"n_patches": 1}, ValueError, "n_patches must be"),
    ({"image_shape": (8, 8)}, ValueError, "image_shape is"),
    ({"n_jobs": 0}, ValueError, "n_jobs must be"),
]


@pytest.mark.parametrize(("options", "error", "words"), WRONG, ids=str)
def test_a_wrong_parameter_is_named(options, error, words):
    model = fitted()
    before = vars(clone(model).set_params(**options))
    wrong = PooledFeatures(**before)
    with pytest.raises(error, match=words):
        wrong.fit(STACK)
    assert vars(wrong) == before


NOT_STACKS = [
    (np.zeros((0, 9, 11)), "minimum of 1"),
    (np.zeros((2, 9, 0)), "shape of X"),
    (np.zeros((2, 2, 2, 2, 2)), "shape of X"),
    (np.zeros(5), "1D array"),
    (np.zeros((3, 20)), "image_shape"),
    (np.zeros((3, 9, 11)), "has no contrast"),
    (np.full((3, 9, 11), np.nan), "NaN in 3 of 3 .* sparsebp.images.inpaint"),
    (1e200 * STACK, "overflow"),
    (np.ones((5, 2, 2)), "single image"),
    (STACK[0, :, :, :1], "number last"),
    (np.ones((9, 11, 3)), "one color image"),
    (np.ones((2, 3, 9, 11)), r"channels first: give np.moveaxis\(X, 1, -1\)"),
    (np.ones((9, 11, 100)), "number last"),
    (STACK + 1j, "Complex"),
    (np.full((3, 9, 11), "a"), "numeric|real numbers|convert"),
]


@pytest.mark.parametrize(
    ("X", "words"),
    NOT_STACKS,
    ids=lambda value: value if isinstance(value, str) else str(np.shape(value)),
)
def test_what_is_no_stack_of_images_is_refused(X, words):
    with pytest.raises(ValueError, match=words):
        pooled_features(PCA(2)).fit(X)


def test_other_images_than_those_of_fit_are_refused():
    with pytest.raises(ValueError, match="those of fit had"):
        fitted().transform(STACK.swapaxes(1, 2))
    with pytest.raises(ValueError, match="is expecting 198 features"):
        fitted().transform(np.zeros((2, 30)))
    for refused in (pooled_features().transform, pooled_features(FrozenEstimator(PCA(2))).fit):
        with pytest.raises(NotFittedError):
            refused(STACK)


def test_other_units_than_those_of_fit_are_told():
    with pytest.warns(UserWarning, match="Multiply X by 2.*55"):
        fitted().transform(STACK / 255)
    assert not fitted().transform(np.zeros_like(STACK)).any()


def test_codes_that_are_no_rows_of_patches_are_refused():
    class Summing(PCA):
        def transform(self, X):
            return super().transform(X).sum(axis=1)

    with pytest.raises(ValueError, match="a row for each patch"):
        pooled_features(Summing(2)).fit(STACK)


def test_patches_without_contrast_are_not_learned_from():
    images = np.zeros((40, 9, 11))
    images[:2] = STACK[:2, ..., 0]
    few = pooled_features(PCA(2), patch_shape=4, n_patches=10**6).fit(images[:2])
    many = pooled_features(PCA(2), patch_shape=4, n_patches=10**6).fit(images)
    assert many.scale_ == pytest.approx(few.scale_, rel=1e-3)


def test_one_patch_cannot_be_whitened():
    one = pooled_features(grid=1)
    images = STACK[:1, :3, :4]
    with pytest.raises(ValueError, match=r"Only 1 of 1 patches .* or set whiten=None"):
        one.fit(images)
    assert one.set_params(whiten=None).fit_transform(images).shape == (1, 10)


PIXELS = {"patch_shape": 1, "grid": 1, "normalize": None, "image_shape": (1, 3)}


@pytest.mark.slow
def test_scikit_learn_checks():
    """The checks draw rows of any width; each is given images of one row that fit its own."""

    def run(check, estimator):
        try:
            check(estimator)
        except Exception as error:
            texts = [str(e) for e in (error, error.__cause__, error.__context__)]
            found = [re.search(r"but X has rows of (\d+) numbers", text) for text in texts]
            width = next((match.group(1) for match in found if match), None)
            if width is None:
                raise
            check(clone(estimator).set_params(image_shape=(1, int(width))))

    run_checks(PooledFeatures(a_coder(1), **PIXELS), run)
