import warnings

import numpy as np
import pytest
from scipy.signal import correlate2d
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import get_tags

from sparsebp import ConvolutionalSparseCoding, load_model, save_model
from sparsebp.displays import BasisDisplay
from sparsebp.network import Convolution
from sparsebp.penalties import LogCosh, Topographic

IMAGES = [np.random.default_rng(n).laplace(size=(11 + n, 14 - n)) for n in range(2)]


def small(**options):
    defaults = {"alpha": 1.0, "max_iter": 3, "random_state": 0, "n_jobs": 1}
    return ConvolutionalSparseCoding(4, 3, **{**defaults, **options})


@pytest.fixture(autouse=True)
def _no_convergence_warning():
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "ConvolutionalSparseCoding stopped")
        yield


@pytest.fixture(scope="module")
def fitted():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return small().fit(IMAGES)


def planted(n_images=5, shape=(40, 40), n_atoms=5, side=5):
    """Images of atoms at few places, with noise of 2 % of a typical coefficient."""
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(n_atoms, side**2))
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    weight = Convolution("A", patch_shape=(side, side), image_shape=shape)
    images = []
    for _ in range(n_images):
        maps = 2 * rng.normal(size=(n_atoms, np.prod(weight.map_shape)))
        maps *= rng.random(maps.shape) < 0.003
        clean = weight(maps, {"A": atoms.T}).reshape(shape)
        images.append(clean + 0.02 * rng.normal(size=shape))
    return atoms.reshape(-1, side, side), images


@pytest.mark.slow
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_planted_atoms_are_found_up_to_sign_and_shift(missing):
    atoms, images = planted()
    rng = np.random.default_rng(0)
    for image in images:
        image[rng.random(image.shape) < missing] = np.nan
    model = ConvolutionalSparseCoding(6, 9, alpha=0.2, max_iter=30, random_state=0).fit(images)
    found = model.components_.reshape(-1, 9, 9)
    best = [max(np.abs(correlate2d(f, atom)).max() for f in found) for atom in atoms]
    assert np.min(best) > 0.99
    assert model.objective_history_[-1] < 0.2 * model.objective_history_[0]


def test_maps_and_images_have_their_shapes(fitted):
    maps = fitted.transform(IMAGES)
    assert [m.shape for m in maps] == [(13, 16, 4), (14, 15, 4)]
    images = fitted.inverse_transform(maps)
    assert [i.shape for i in images] == [i.shape for i in IMAGES]
    assert fitted.components_.shape == (4, 9)
    np.testing.assert_allclose(np.linalg.norm(fitted.components_, axis=1), 1)
    assert BasisDisplay.from_estimator(fitted).patch_shape == (3, 3)
    error = sum(np.sum((a - b) ** 2) for a, b in zip(images, IMAGES, strict=True))
    penalty = sum(np.abs(m).sum() for m in maps)
    expected = -(error + penalty) / sum(i.size for i in IMAGES)
    assert fitted.score(IMAGES) == pytest.approx(expected)


def test_a_map_says_where_its_atom_is(fitted):
    """At [u, v] is the atom whose last row and column are there."""
    maps = np.zeros((10, 10, 4))
    maps[4, 5, 2] = 1
    (image,) = fitted.inverse_transform([maps])
    np.testing.assert_array_equal(image[2:5, 3:6].ravel(), fitted.components_[2])
    assert np.count_nonzero(image) == 9


def test_learning_lowers_the_objective_of_the_same_images():
    history = small(max_iter=8).fit(IMAGES).objective_history_
    assert len(history) == 9
    assert (np.diff(history) < 1e-3 * history[0]).all()
    assert history[-1] < 0.8 * history[0]


@pytest.mark.parametrize("options", [{"window": 5, "batch_size": 3}, {"batch_size": 1}], ids=str)
def test_threads_change_nothing_and_a_seed_determines_all(options):
    one, two = (small(n_jobs=n, **options) for n in (1, 2))
    np.testing.assert_array_equal(one.fit(IMAGES).components_, two.fit(IMAGES).components_)
    for a, b in zip(one.transform(IMAGES), two.transform(IMAGES), strict=True):
        np.testing.assert_array_equal(a, b)


def test_color_images_have_color_atoms():
    images = np.random.default_rng(0).laplace(size=(2, 9, 10, 3)).astype(np.float32)
    model = small().fit(images)
    assert model.components_.shape == (4, 27)
    assert model.components_.dtype == np.float32
    maps = model.transform(images)
    assert {m.dtype for m in maps} == {np.dtype(np.float32)}
    assert model.inverse_transform(maps)[0].shape == (9, 10, 3)
    assert BasisDisplay.from_estimator(model).patch_shape == (3, 3, 3)
    with pytest.raises(ValueError, match="1 channel"):
        model.transform(IMAGES)


def test_missing_pixels_do_not_count():
    image = IMAGES[0].copy()
    image[2:4, 3:8] = np.nan
    wild = np.where(np.isnan(image), np.nan, image)
    model = small().fit([wild])
    (maps,) = model.transform([wild])
    (filled,) = model.inverse_transform([maps])
    assert np.isfinite(filled).all()
    known = ~np.isnan(image)
    expected = (np.sum((filled - image)[known] ** 2) + np.abs(maps).sum()) / image.size
    assert model.score([wild]) == pytest.approx(-expected)


@pytest.mark.parametrize("penalty", [LogCosh(), Topographic((2, 2)), "subspace"], ids=str)
def test_other_penalties_learn_too(penalty):
    model = small(penalty=penalty, group_size=2).fit(IMAGES)
    assert model.objective_history_[-1] < model.objective_history_[0]
    assert model.penalty_ == small(penalty=penalty, group_size=2)._make_penalty(4)


def test_a_saved_model_is_the_same(fitted, tmp_path):
    save_model(fitted, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    for a, b in zip(loaded.transform(IMAGES), fitted.transform(IMAGES), strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded.get_params() == fitted.get_params()


def test_a_callback_stops_and_an_interrupt_keeps_the_last_atoms():
    model = small(callback=lambda iteration, value: iteration == 2, max_iter=9).fit(IMAGES)
    assert (model.n_iter_, model.status_) == (2, "stopped")

    def interrupt(iteration, value):
        if iteration == 2:
            raise KeyboardInterrupt

    broken = small(callback=interrupt, max_iter=9)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(IMAGES)
    assert broken.status_ == "interrupted"
    np.testing.assert_array_equal(broken.components_, model.components_)


def test_a_warm_start_goes_on_where_the_last_fit_ended(fitted):
    model = small(warm_start=True, max_iter=1, init=fitted.components_).fit(IMAGES)
    first = model.components_
    assert not np.array_equal(model.fit(IMAGES).components_, first)
    assert np.sum(model.components_ * first) > 3.5  # of 4 atoms of unit norm


def test_unused_atoms_are_replaced_and_a_large_alpha_is_told():
    init = np.eye(9)[:4]
    init[3] = np.ones(9)  # of checkerboards it explains nothing
    images = [np.indices((12, 12)).sum(axis=0) % 2 * 2.0 - 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = small(init=init, max_iter=6, alpha=0.5).fit(images)
    assert abs(model.components_[3].sum()) < 2
    with pytest.warns(ConvergenceWarning, match="4 of 4 atoms are unused: .* nothing"):
        small(alpha=100.0).fit(IMAGES)


def test_an_offset_is_told():
    with pytest.warns(UserWarning, match=r"means of about 3.1, which take"):
        small().fit([image + 3 for image in IMAGES])


def test_another_alpha_needs_a_copy(fitted):
    other = fitted.with_alpha(3.0)
    assert other.alpha_ == 3
    assert fitted.alpha_ == 1
    counts = [np.count_nonzero(m.transform(IMAGES)[0]) for m in (fitted, other)]
    assert counts[0] > counts[1]
    changed = fitted.with_alpha(1.0).set_params(alpha=2.0)
    with pytest.warns(UserWarning, match=r"with_alpha\(2.0\)"):
        changed.transform(IMAGES)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "at least one image"),
        (IMAGES[0], "put it into a list"),
        ([np.zeros((2, 9))], r"X\[0\] of shape \(2, 9\) is smaller than an atom of 3 × 3"),
        ([np.full((5, 5), np.nan)], "no known pixel"),
        ([np.full((5, 5), np.inf)], "finite"),
        ([np.full((5, 5), 1e200)], "overflow"),
        ([IMAGES[0], np.zeros((5, 5, 3))], "partly gray and partly color"),
    ],
    ids=range(7),
)
def test_unusable_images_raise_errors(images, message):
    with pytest.raises(ValueError, match=message):
        small().fit(images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": -1}, "alpha must be"),
        ({"batch_size": 0}, "batch_size must be"),
        ({"window": 0}, "window must be"),
        ({"patch_shape": (2, 3, 4)}, "patch_shape must be"),
        ({"patch_shape": (3, 3, 3)}, r"is not for images of 1 channel\(s\)"),
        ({"init": np.ones((4, 8))}, r"init has shape \(4, 8\)"),
        ({"n_components": 10**9}, "n_components=1000000000 needs"),
    ],
    ids=str,
)
def test_unusable_parameters_raise_errors(options, message):
    with pytest.raises((ValueError, TypeError, MemoryError), match=message):
        small().set_params(**options).fit(IMAGES)


def test_another_shape_of_atoms_after_the_fit_is_told(fitted):
    changed = fitted.with_alpha(1.0).set_params(patch_shape=4)
    with pytest.raises(ValueError, match=r"patch_shape=\(4, 4\) has 16 values but each atom has 9"):
        changed.transform(IMAGES)


def test_maps_are_no_table(fitted):
    with pytest.raises(AttributeError, match="set_output"):
        fitted.set_output(transform="pandas")


def test_maps_of_another_shape_raise_an_error(fitted):
    for wrong in (np.zeros((5, 5, 3)), np.zeros((2, 5, 4)), np.zeros((5, 5))):
        with pytest.raises(ValueError, match=r"X\[0\] has shape"):
            fitted.inverse_transform([wrong])


def test_constant_images_leave_nothing_to_learn():
    with pytest.warns(ConvergenceWarning, match="unused"):
        model = small().fit([np.zeros((5, 5))])
    assert not model.transform([np.zeros((5, 5))])[0].any()


def test_the_interface_is_scikit_learns(fitted):
    assert clone(fitted).get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        small().transform(IMAGES)
    tags = get_tags(fitted).input_tags
    assert tags.three_d_array
    assert tags.allow_nan
    assert not tags.two_d_array
    assert len(fitted.get_feature_names_out()) == 4
