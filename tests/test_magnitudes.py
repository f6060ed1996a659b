"""Numbers at the ends of a data type's range, and masked ones, wherever arrays are taken."""

import warnings
from copy import deepcopy
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    displays,
    images,
    metrics,
)
from sparsebp import preprocessing as prep
from sparsebp._magnitudes import check_magnitude, in_precision, in_range, require_finite
from sparsebp.report import Measurements

RNG = np.random.default_rng(0)
X, CODES, FILTERS, IMAGE = (
    RNG.laplace(size=(30, 9)),
    RNG.laplace(size=(30, 4)),
    RNG.normal(size=(4, 9)),
    RNG.random((12, 12)),
)
SHORT = {"max_iter": 3, "random_state": 0}
MODELS = {
    "turns": SparseCoding(4, batch_size=20, **SHORT),
    "exact": SparseCoding(4, solver="exact", penalty="l1", gamma=0.1, **SHORT),
    "unweighted": SparseCoding(4, solver="exact", gamma=0, **SHORT),
    "online": SparseCoding(4, solver="online", penalty="l1", gamma=10, batch_size=20, **SHORT),
    "cauchy": SparseCoding(4, solver="online", penalty="cauchy", batch_size=20, **SHORT),
    "rica": ReconstructionICA(4, **SHORT),
    "white": ReconstructionICA(4, whiten=True, **SHORT),
    "ica": OrthonormalICA(4, **SHORT),
    "plain": OrthonormalICA(4, whiten=False, **SHORT),
    "filtering": SparseFiltering(4, **SHORT),
    "pca": prep.Whitening("pca"),
    "zca": prep.Whitening(regularization=0.1),
}
SCALES = {
    np.float64: [1e-300, 1e-160, 1e-90, 1e-40, 1.0, 1e40, 1e77, 1e155, 1e300],
    np.float32: [1e-40, 1e-20, 1e-10, 1.0, 1e10, 1e20, 1e38],
}
ALL_SCALES = [(dtype, scale) for dtype, scales in SCALES.items() for scale in scales]
#: Those at which numbers or their squares leave the range, and 1: pictures take long.
PICTURED = [pair for pair in ALL_SCALES if pair[1] not in (1e-90, 1e40, 1e77, 1e-10, 1e10)]


def drawn(display):
    plot = display.plot()
    plot.figure_.draw_without_rendering()
    plt.close(plot.figure_)


def fitted(name, dtype=np.float64):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # after three iterations
        return deepcopy(MODELS[name]).fit(X.astype(dtype))


FUNCTIONS = {
    "remove_mean": lambda s: prep.remove_mean(s(X)),
    "normalize_contrast": lambda s: prep.normalize_contrast(s(X)),
    "unit_norm": lambda s: prep.unit_norm(s(X)),
    "whiten_images": lambda s: prep.whiten_images([s(IMAGE)]),
    "sample_patches": lambda s: prep.sample_patches([s(IMAGE)], 3, 9, min_contrast=0.5),
    "two eyes": lambda s: prep.sample_patches([s(IMAGE)], 3, 9, disparity=2),
    "make_movies": lambda s: prep.make_movies([s(IMAGE)], 2, (2, 3, 3)).movies,
    "color_tuning": lambda s: metrics.color_tuning(s(FILTERS[:, :3])).hue,
    "motion_tuning": lambda s: list(
        metrics.motion_tuning(s(FILTERS), (3, 3, 1)).to_dict().values()
    ),
    "binocular_tuning": lambda s: metrics.binocular_tuning(s(FILTERS[:, :8]), (2, 2, 2)).disparity,
    "kurtosis": lambda s: metrics.coefficient_kurtosis(s(CODES)),
    "near_zero": lambda s: metrics.near_zero_fraction(s(CODES)),
    "signal_fraction": lambda s: metrics.signal_fraction(s(FILTERS), s(CODES)),
    "silent": lambda s: metrics.silent_components(s(FILTERS), s(CODES)),
    "explained": lambda s: metrics.explained_variance(s(X), s(0.9 * X)),
    "entropy": lambda s: metrics.coefficient_entropy(s(CODES)),
    "recovery": lambda s: metrics.dictionary_recovery(s(FILTERS), FILTERS).similarity,
    "comparison": lambda s: metrics.compare_dictionaries(s(FILTERS), FILTERS).chance_similarity,
    "amari": lambda s: metrics.amari_distance(s(FILTERS[:, :4]), s(FILTERS[:, :4])),
    "gap": lambda s: metrics.duality_gap(s(X), FILTERS, s(CODES), 1.0),
    "gap of atoms": lambda s: metrics.duality_gap(X, s(FILTERS), CODES, 1.0),
    "description": lambda s: metrics.description_length(s(X), s(CODES), s(X), precision=0.1),
    "gabor_fit": lambda s: metrics.gabor_fit(s(FILTERS), (3, 3)).amplitude,
    "estimate_sigma": lambda s: images.estimate_sigma(s(IMAGE)),
    "denoise": lambda s: images.denoise(s(IMAGE), fitted("exact")),
    "denoise by sigma": lambda s: images.denoise(IMAGE, fitted("exact"), sigma=s(np.ones(1))[0]),
    "inpaint": lambda s: images.inpaint(s(IMAGE), fitted("exact"), IMAGE < 0.1),
    "encode_image": lambda s: images.encode_image(s(IMAGE), fitted("filtering")),
    "mosaic": lambda s: displays.filter_mosaic(s(FILTERS)),
    "BasisDisplay": lambda s: drawn(displays.BasisDisplay(s(FILTERS))),
    "GaborDisplay": lambda s: drawn(displays.GaborDisplay(s(FILTERS))),
    "MapDisplay": lambda s: drawn(displays.MapDisplay(s(FILTERS))),
    "ObjectiveDisplay": lambda s: drawn(displays.ObjectiveDisplay(s(X[:, 0]))),
    "ReconstructionDisplay": lambda s: drawn(displays.ReconstructionDisplay(s(X[:4]), s(X[:4]))),
    "ShapeDisplay": lambda s: drawn(displays.ShapeDisplay(s(FILTERS))),
    "CoefficientsDisplay": lambda s: drawn(displays.CoefficientsDisplay(s(CODES[:, :1]))),
    "SpectrumDisplay": lambda s: displays.SpectrumDisplay.from_samples(s(X)).cumulative,
    "SparseCoder": lambda s: SparseCoder(s(FILTERS)).transform(s(X)),
    "init": lambda s: ReconstructionICA(4, init=s(FILTERS), **SHORT).fit(X).components_,
    "report": lambda s: numbers_of(Measurements.of(fitted("ica"), s(X))),
}


def numbers_of(measurements):
    found = vars(measurements.summary.features).values()
    return [value for value in found if value is not None and value != -np.inf]


def scaled_by(dtype, scale):
    def scaled(array):
        limit = float(np.finfo(dtype).max)
        return np.clip(np.asarray(array, float) * scale, -limit, limit).astype(dtype)

    return scaled


def finite(result):
    if result is None:
        return True
    if isinstance(result, list | tuple):
        return all(map(finite, result))
    return bool(np.isfinite(result).all())


def is_finite_or_refused(call):
    """Call; return whether the result is finite, or it was refused in words of this package."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return finite(call())
        except np.linalg.LinAlgError:
            return False
        except (ValueError, TypeError) as error:
            return "array must not contain" not in str(error)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FUNCTIONS))
def test_functions_at_all_scales(name):
    wrong = []
    for dtype, scale in PICTURED if "Display" in name else ALL_SCALES:
        call = partial(FUNCTIONS[name], scaled_by(dtype, scale))
        if not is_finite_or_refused(call):
            wrong.append((dtype.__name__, scale))
    assert not wrong


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(MODELS))
def test_models_at_all_scales(name):
    wrong = []
    for dtype in SCALES:
        known = fitted(name, dtype)
        codes = known.transform(X.astype(dtype)).astype(float)
        for given, scale in ALL_SCALES:
            s = scaled_by(given, scale)
            calls = {
                "fit": lambda s=s: own(name, s(X)),
                "transform": lambda s=s, known=known: known.transform(s(X)),
                "back": lambda s=s, known=known, codes=codes: back(known, s(codes)),
                "score": lambda s=s, known=known: score(known, s(X)),
                "partial_fit": lambda s=s, known=known: one_batch(known, s(X)),
            }
            wrong += [
                (what, dtype.__name__, given.__name__, scale)
                for what, call in calls.items()
                if not is_finite_or_refused(call)
            ]
    assert not wrong


def own(name, samples):
    model = deepcopy(MODELS[name]).fit(samples)
    found = vars(model).values()
    arrays = [a for a in found if isinstance(a, np.ndarray) and a.dtype.kind == "f"]
    return [*arrays, model.transform(samples), back(model, model.transform(samples))]


def back(model, codes):
    return model.inverse_transform(codes) if hasattr(model, "inverse_transform") else None


def score(model, samples):
    found = model.score(samples) if hasattr(model, "score") else 0.0
    return 0.0 if found == -np.inf else found  # as documented, where F overflows


def one_batch(model, samples):
    if hasattr(model, "partial_fit"):
        return deepcopy(model).partial_fit(samples).components_
    return None


MASKED = np.ma.masked_greater(X, 2.0)
TAKE_ARRAYS = {
    "fit": lambda: OrthonormalICA().fit(MASKED),
    "inverse_transform": lambda: SparseCoder(FILTERS).inverse_transform(MASKED[:, :4]),
    "dictionary": lambda: SparseCoder(MASKED).transform(X),
    "init": lambda: SparseCoding(4, init=MASKED[:4]).fit(X),
    "Whitening": lambda: prep.Whitening().fit(MASKED),
    "remove_mean": lambda: prep.remove_mean(MASKED),
    "sample_patches": lambda: prep.sample_patches([MASKED], 3, 9),
    "stack": lambda: prep.whiten_images(np.ma.masked_less(np.stack([IMAGE, IMAGE]), 0.5)),
    "metric": lambda: metrics.coefficient_kurtosis(MASKED),
    "display": lambda: displays.CoefficientsDisplay(MASKED),
    "history": lambda: displays.ObjectiveDisplay(MASKED.ravel()),
    "denoise": lambda: images.denoise(np.ma.masked_less(IMAGE, 0.5)),
    "report": lambda: Measurements.of(fitted("ica"), MASKED),
}


@pytest.mark.parametrize("name", list(TAKE_ARRAYS))
def test_masked_values_are_not_taken_for_known(name):
    with pytest.raises(ValueError, match=r"a masked array with \d+ of \d+ values missing"):
        TAKE_ARRAYS[name]()


def test_an_array_with_nothing_masked_is_an_array():
    same = prep.remove_mean(np.ma.asarray(X))
    assert type(same) is np.ndarray
    np.testing.assert_array_equal(same, prep.remove_mean(X))


def test_masked_pixels_are_filled_in():
    holes = IMAGE < 0.2
    model = fitted("exact")
    expected = images.inpaint(IMAGE, model, holes)
    for given in (np.ma.array(IMAGE, mask=holes), np.ma.array(1e9 * holes + IMAGE, mask=holes)):
        np.testing.assert_allclose(images.inpaint(given, model), expected)
    both = images.inpaint(np.ma.array(IMAGE, mask=holes), model, IMAGE > 0.9)
    np.testing.assert_allclose(both, images.inpaint(IMAGE, model, holes | (IMAGE > 0.9)))


def test_masked_values_are_missing_values_of_codes():
    coder = SparseCoder(2 * FILTERS, alpha=0.5)
    expected = coder.transform(MASKED.filled(np.nan))
    np.testing.assert_array_equal(coder.transform(MASKED), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_power_of_two_brings_numbers_into_range(dtype):
    limits = np.finfo(dtype)
    for size in (float(limits.smallest_subnormal), 1e-30, 1.0, 1e30, float(limits.max)):
        given = np.array([1.0, -0.5, 0.0], dtype) * dtype(size)
        scaled, exponent = in_range(given)
        np.testing.assert_array_equal(np.ldexp(scaled, exponent), given)
        assert scaled.dtype == dtype
        assert 0 < np.square(scaled).sum() < np.inf
    ordinary = np.array([255.0, -1e-5], dtype)
    assert in_range(ordinary)[0] is ordinary


def test_what_leaves_the_range_is_refused_with_its_size():
    assert check_magnitude("X", np.zeros(3)) == 0
    with pytest.raises(ValueError, match=r"X contains numbers as large as 2e\+200, .* in float64"):
        check_magnitude("X", np.array([1.0, -2e200]))
    with pytest.raises(ValueError, match=r"as large as 1e-30, .* underflow in float32\. Scale X"):
        check_magnitude("X", np.array([1e-30, 0], np.float32))
    with pytest.raises(ValueError, match=r"1e\+39, beyond the range of float32"):
        in_precision("X", np.array([1e39]), np.dtype(np.float32))
    with pytest.raises(ValueError, match=r"The codes overflow float64: X contains numbers"):
        require_finite("The codes", np.array([np.inf]))


def test_tiny_white_samples_in_single_precision():
    tiny = (1e-39 * X).astype(np.float32)
    whitening = prep.Whitening("pca").fit(tiny)
    white = whitening.transform(tiny)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(9), atol=1e-4)
    np.testing.assert_allclose(
        1e39 * whitening.inverse_transform(white).astype(float), X, atol=1e-4
    )


def test_tiny_samples_are_not_called_equal():
    with pytest.raises(ValueError, match=r"differ by no more than .* scale X"):
        prep.Whitening().fit(1e-200 * X)
    with pytest.raises(ValueError, match="are equal"):
        prep.Whitening().fit(np.full((3, 2), 1e-200))


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e160, 1e300])
def test_normalization_goes_with_the_scale(scale):
    np.testing.assert_allclose(prep.remove_mean(scale * X) / scale, prep.remove_mean(X), atol=1e-12)
    normal = prep.normalize_contrast(scale * X, regularization=0)
    np.testing.assert_allclose(normal, prep.normalize_contrast(X, regularization=0), rtol=1e-12)


def test_sparse_filtering_codes_samples_of_any_size_alike():
    model = fitted("filtering", np.float32)
    codes = [model.transform((scale * X).astype(np.float32)) for scale in (1e4, 1e25)]
    np.testing.assert_allclose(*codes, rtol=1e-3)


def fails(*_, **__):
    raise np.linalg.LinAlgError("Eigenvalues did not converge")


DECOMPOSED = {
    "whitening": ("scipy.linalg.eigh", lambda: prep.Whitening().fit(X)),
    "exact codes": ("numpy.linalg.eigh", lambda: SparseCoder(FILTERS).transform(X)),
    "moments": ("numpy.linalg.eigh", lambda: own("rica", X)),
    "orthonormal rows": ("numpy.linalg.svd", lambda: own("plain", X)),
    "exact basis": ("numpy.linalg.lstsq", lambda: own("unweighted", X)),
    "color": ("numpy.linalg.eigh", lambda: metrics.gabor_fit(np.eye(2, 12), (2, 2, 3))),
}


@pytest.mark.parametrize("name", list(DECOMPOSED))
def test_a_decomposition_that_fails_says_what_to_do(name, monkeypatch):
    function, call = DECOMPOSED[name]
    monkeypatch.setattr(function, fails)
    with pytest.raises(ValueError, match=r"could not be decomposed \(Eigen.*\)\. Scale X to about"):
        call()
