import warnings

import numpy as np
import pytest
from scipy.signal import correlate2d
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils import get_tags
from thinning import first_fast

from sparsebp import ConvolutionalSparseCoding, load_model, save_model
from sparsebp.coding import ConvolutionalSearch
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


@pytest.mark.parametrize(
    "options", first_fast([{"window": 5, "batch_size": 3}, {"batch_size": 1}]), ids=str
)
def test_threads_change_nothing_and_a_seed_determines_all(options):
    one, two = (small(n_jobs=n, **options) for n in (1, 2))
    np.testing.assert_array_equal(one.fit(IMAGES).components_, two.fit(IMAGES).components_)
    for a, b in zip(one.transform(IMAGES), two.transform(IMAGES), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", first_fast([np.float64, np.float32]))  # which is compiled, too
def test_color_images_have_color_atoms(dtype):
    images = np.random.default_rng(0).laplace(size=(2, 9, 10, 3)).astype(dtype)
    model = small().fit(images)
    assert model.components_.shape == (4, 27)
    assert model.components_.dtype == dtype
    maps = model.transform(images)
    assert {m.dtype for m in maps} == {np.dtype(dtype)}
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


@pytest.mark.parametrize(
    "penalty", first_fast([Topographic((2, 2)), "subspace", LogCosh()]), ids=str
)
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
    assert broken.contributions_.sum() == pytest.approx(1)
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
    with (
        pytest.warns(ConvergenceWarning, match="4 of 4 atoms are unused: .* nothing"),
        pytest.warns(UserWarning, match="alpha is 100, and all coefficients are zero"),
    ):
        small(alpha=100.0).fit(IMAGES)


def test_an_offset_is_told():
    wrong = [100 * (image + 3) for image in IMAGES]
    (message,) = told(wrong, tol=1.0, started="")[1]  # not of alpha, before the mean is removed
    assert "The images have means of about 3.1e+02, which take" in message


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
        ([np.zeros((3, 9, 9))], r"channels, which are last here, give np.moveaxis\(image, 0, -1\)"),
        ([np.zeros((1, 9, 9))], r"give image\[0\]"),
        ([np.zeros((9, 9, 1))], r"give image\[..., 0\]"),
        ([1j * IMAGES[0]], "Complex data not supported$"),
    ],
    ids=range(11),
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
        ({"window": 2}, "window must be at least 3, a side of the atoms"),
        ({"checkpoint": 3}, "checkpoint must be a path"),
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


@pytest.mark.parametrize("method", ["inverse_transform", "silent_components"])
def test_what_is_no_list_of_maps_raises_an_error(fitted, method):
    wrong = [[np.zeros(shape)] for shape in ((5, 5, 3), (5, 5), (0, 5, 4))]
    wrong += [[np.full((5, 5, 4), v)] for v in (np.nan, 1j, "a")]
    wrong += [np.zeros((5, 5, 4)), [[[1], [1, 2]]], [], None, "maps"]
    for maps in wrong:
        with pytest.raises((ValueError, TypeError), match=r"^X"):
            getattr(fitted, method)(maps)
    with pytest.raises(ValueError, match="smaller than an atom"):
        fitted.inverse_transform([np.zeros((2, 5, 4))])


def test_maps_say_which_atoms_are_silent(fitted):
    maps = fitted.transform(IMAGES)
    for m in maps:
        m[..., 1] = 0
    assert fitted.silent_components(maps).tolist() == [1]


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


def test_images_may_be_given_in_many_ways(fitted):
    expected = small(max_iter=1).fit(IMAGES).components_
    array = np.empty(2, dtype=object)
    array[:] = IMAGES
    strided = [np.repeat(image, 2, axis=1)[:, ::2] for image in IMAGES]
    for images in (tuple(IMAGES), array, strided, [np.asfortranarray(i) for i in IMAGES]):
        np.testing.assert_array_equal(small(max_iter=1).fit(images).components_, expected)
    maps = small().fit_transform(image for image in IMAGES)
    np.testing.assert_array_equal(maps[1], fitted.transform(IMAGES[1:])[0])


def test_masked_pixels_are_missing():
    unknown = [np.abs(image) > 1.5 for image in IMAGES]
    nan = [np.where(m, np.nan, image) for m, image in zip(unknown, IMAGES, strict=True)]
    masked = [np.ma.array(i, mask=m) for m, i in zip(unknown, IMAGES, strict=True)]
    model = small().fit(masked)
    np.testing.assert_array_equal(model.components_, small().fit(nan).components_)
    np.testing.assert_array_equal(model.transform(masked)[0], model.transform(nan)[0])
    stack = np.ma.masked_greater(np.stack([IMAGES[0]] * 2), 1.5)
    assert len(small().fit_transform(stack)) == 2


def test_a_moved_image_has_moved_maps(fitted):
    spot = np.zeros((30, 30))
    spot[10:14, 12:15] = IMAGES[0][:4, :3]
    here, there = fitted.transform([spot, np.roll(spot, (5, -3), axis=(0, 1))])
    assert here.any()
    np.testing.assert_allclose(np.roll(here, (5, -3), axis=(0, 1)), there, atol=1e-3)


def told(images, started="Conv", **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        model = small(max_iter=2, **options).fit(images)
    return model, [str(w.message) for w in caught if str(w.message).startswith(started)]


def given(message):
    return float(message.split("Give about ")[1].rstrip(".").split(",")[0])


@pytest.mark.slow
def test_an_alpha_that_does_not_suit_the_images_is_told_with_one_that_does():
    assert told(IMAGES)[1][1:] == []  # the first is about convergence
    _, (_, message) = told([100 * image for image in IMAGES])
    assert "alpha=1 is too small for these images: " in message
    assert "coefficients per pixel are in use" in message
    assert len(told([100 * image for image in IMAGES], alpha=given(message))[1]) == 1
    model, (message,) = told([0.01 * image for image in IMAGES])
    assert "alpha is 1, and all coefficients are zero; for these images" in message
    assert not model.transform([0.01 * IMAGES[0]])[0].any()
    assert len(told([0.01 * image for image in IMAGES], alpha=given(message))[1]) == 1
    few = [np.where(np.abs(image) == np.abs(image).max(), 2, 0.3 * image) for image in IMAGES]
    (message,) = told(few, alpha=3.0, tol=1.0)[1]
    assert "alpha=3 is too large for these images: their codes leave 9" in message
    assert given(message) < 1


def test_other_units_after_the_fit_are_told(fitted):
    for factor in (50, 1e-3):
        with pytest.warns(UserWarning, match="X has another scale than the samples of fit"):
            fitted.transform([factor * IMAGES[0]])
    model = small().fit([np.where(IMAGES[0] > 2, np.nan, IMAGES[0])])
    assert 0.5 < model.sample_scale_ / fitted.sample_scale_ < 1


def test_a_window_of_a_large_image_needs_memory_for_a_window_only(monkeypatch):
    available = 32 * (71 * 71 * 8) * 4 * 5.0  # maps and slopes in float32, eight windows
    monkeypatch.setattr("sparsebp._memory.available_bytes", lambda: available)
    monkeypatch.setattr("sparsebp._memory._SMALL", 0)
    images = [np.random.default_rng(0).laplace(size=(300, 300)).astype(np.float32)]
    model = ConvolutionalSparseCoding(32, 8, max_iter=1, alpha=9.0, random_state=0, n_jobs=1)
    model._samples_to_learn(images)
    with pytest.raises(MemoryError, match="n_components"):
        model.set_params(batch_size=40)._samples_to_learn(images)
    with pytest.raises(MemoryError, match="n_components"):
        model.set_params(batch_size=8, window=None)._samples_to_learn(images)


@pytest.mark.parametrize("options", [{}, {"window": 6, "batch_size": 3}], ids=str)
def test_partial_fit_goes_on_from_all_that_was_learned(options, tmp_path):
    model = small(tol=0.0, **options).fit(IMAGES)
    before, shares = (model.components_, model.n_pixels_seen_), model.contributions_
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    tiny = [IMAGES[0][:3, :4]]
    for learner in (model, loaded):
        learner.partial_fit(tiny)
        assert learner.n_pixels_seen_ == before[1] + 12
        assert learner.status_ == "partial"
        assert learner.n_iter_ == 4
        assert len(learner.objective_history_) == 5
    np.testing.assert_array_equal(model.components_, loaded.components_)
    assert 0 < np.abs(model.components_ - before[0]).max() < 0.5
    assert model.contributions_.sum() == pytest.approx(1)
    assert (model.contributions_ > 0.7 * shares).all()  # a tiny image does not use all atoms
    model.partial_fit(tiny)
    assert not np.array_equal(model.components_, loaded.components_)


def test_partial_fit_learns_from_nothing_and_image_by_image():
    model = small().partial_fit(IMAGES[:1])
    assert (model.n_iter_, model.n_pixels_seen_) == (1, IMAGES[0].size)
    first = model.score(IMAGES)
    for _ in range(4):
        model.partial_fit(IMAGES)
    assert model.score(IMAGES) > first
    assert len(model.objective_history_) == 6
    with pytest.raises(ValueError, match="smaller than an atom"):
        model.partial_fit([np.zeros((2, 2))])
    with pytest.raises(ValueError, match=r"3 channel\(s\)"):
        model.partial_fit(np.ones((1, 9, 9, 3)))
    assert model.n_iter_ == 5


def test_atoms_of_unknown_origin_hardly_move():
    model = small().fit(IMAGES)
    given = model.components_ = np.eye(9)[:4]
    model.n_pixels_seen_ = None
    model.partial_fit(IMAGES)
    assert 0 < np.abs(model.components_ - given).max() < 0.01


@pytest.mark.parametrize(
    "options",
    [{}, pytest.param({"window": 6, "batch_size": 3}, marks=pytest.mark.slow)],
    ids=str,
)
def test_a_killed_fit_resumes_to_the_last_bit(options, tmp_path, monkeypatch):
    monkeypatch.setattr("sparsebp._checkpoint.PAUSE", 0.0)
    path = tmp_path / "fit.checkpoint"
    options = {"max_iter": 5, "tol": 0.0, **options}
    whole = small(**options).fit(IMAGES)

    def kill(iteration, value):
        if iteration == 3:
            raise SystemExit

    with pytest.raises(SystemExit):
        small(**options, checkpoint=path, callback=kill).fit(IMAGES)
    assert path.exists()
    with pytest.raises(ValueError, match=r"checksum of X was .* and is"):
        small(**options, checkpoint=path).fit(IMAGES[::-1])
    with pytest.raises(ValueError, match=r"max_iter was 5 and is 6"):
        small(**{**options, "max_iter": 6}, checkpoint=path).fit(IMAGES)
    resumed = small(**options, checkpoint=path).fit(IMAGES)
    assert not path.exists()
    np.testing.assert_array_equal(resumed.components_, whole.components_)
    np.testing.assert_array_equal(resumed.objective_history_, whole.objective_history_)
    with pytest.warns(UserWarning, match="partial_fit writes none"):
        small(checkpoint=path).partial_fit(IMAGES)


@pytest.mark.slow
def test_windows_without_known_pixels_and_empty_maps_end_no_fit():
    holed = np.random.default_rng(0).laplace(size=(40, 30))
    holed[3:] = np.nan
    model = small(window=5, batch_size=1, max_iter=9).fit([holed])
    assert model.n_iter_ == 9
    assert model.n_pixels_seen_ <= 9 * 15
    spots = np.zeros((60, 60))
    spots[:6, :6] = IMAGES[0][:6, :6]
    model = small(window=8, batch_size=1, max_iter=12, init=model.components_).fit([spots])
    assert model.n_iter_ == 12  # most windows are empty
    before = model.components_
    empty = model.partial_fit([np.zeros((20, 20))]).components_
    np.testing.assert_array_equal(empty, before)


def test_an_interrupt_of_partial_fit_keeps_the_windows_before(monkeypatch):
    model, calls = small(window=5), []
    search = ConvolutionalSearch.step

    def step(self, batch, state, *, is_fresh):
        calls.append(state)
        if len(calls) == limit:
            raise KeyboardInterrupt
        return search(self, batch, state, is_fresh=is_fresh)

    monkeypatch.setattr(ConvolutionalSearch, "step", step)
    limit = 1
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(IMAGES)
    assert not hasattr(model, "components_")
    limit = 4
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(IMAGES)
    assert (model.status_, model.n_iter_, model.n_pixels_seen_) == ("interrupted", 1, 2 * 25)
    np.testing.assert_array_equal(model.components_, calls[-1].basis.T)
