"""Estimators on arrays of other libraries, under scikit-learn's array_api_dispatch."""

import numpy as np
import pytest
import sklearn
from foreign import assert_same, everywhere, on_second_device, strict
from numpy.testing import assert_allclose
from sklearn import config_context
from sklearn.utils import estimator_checks
from sklearn.utils.fixes import parse_version
from thinning import first_fast

from sparsebp import (
    OrthonormalICA,
    ReconstructionICA,
    SparseCoder,
    SparseCoding,
    SparseFiltering,
    load_model,
    save_model,
)
from sparsebp._namespaces import is_foreign, to_numpy
from sparsebp.datasets import make_dictionary_signals, make_mixtures
from sparsebp.images import encode_image
from sparsebp.metrics import duality_gap
from sparsebp.preprocessing import Whitening

X = make_mixtures(300, 3, random_state=0).X
ATOMS = np.random.default_rng(0).normal(size=(5, 3))

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:SparseCoding. alpha:UserWarning"),
]


@pytest.fixture(autouse=True)
def dispatched(monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")  # scikit-learn requires it
    with config_context(array_api_dispatch=True):
        yield


def online(**parameters):
    settings = {"penalty": "l1", "alpha": 0.3, "solver": "online", "random_state": 0}
    return SparseCoding(6, **settings, **parameters)


@everywhere
@pytest.mark.parametrize(
    "model",
    first_fast(
        [
            OrthonormalICA(2, solver="manifold", max_iter=20, random_state=0),
            ReconstructionICA(
                4, penalty="subspace", group_size=2, whiten=True, max_iter=20, random_state=0
            ),
            Whitening("pca"),
            Whitening(n_components=2),
            OrthonormalICA(random_state=0),
            ReconstructionICA(4, whiten=True, max_iter=20, random_state=0),
        ],
        4,
    ),
    ids=lambda model: type(model).__name__,
)
def test_fits_and_results_equal_those_of_numpy(foreign, model):
    here, there = sklearn.clone(model).fit(X), sklearn.clone(model).fit(foreign(X))
    for name, value in vars(here).items():
        if isinstance(value, np.ndarray):
            assert_same(getattr(there, name), value, foreign, rtol=1e-5)
    Z = here.transform(X)
    assert_same(there.transform(foreign(X)), Z, foreign, rtol=1e-5)
    assert_same(there.inverse_transform(foreign(Z)), here.inverse_transform(Z), foreign, rtol=1e-5)
    if hasattr(model, "score"):
        assert there.score(foreign(X)) == pytest.approx(here.score(X), rel=1e-6)
        assert isinstance(there.features_, np.ndarray)
        assert there.silent_components(foreign(Z)).size == 0
        assert (there.signs_ == here.signs_).all()


@everywhere
def test_dictionaries_are_learned_online(foreign):
    signals = make_dictionary_signals(100, 8, 6, random_state=0).X
    settings = {"max_iter": 4, "batch_size": 50}
    here, there = online(**settings).fit(signals), online(**settings).fit(foreign(signals))
    assert there.score(foreign(signals)) == pytest.approx(here.score(signals), rel=0.05)
    codes = there.transform(foreign(signals))
    found, atoms = to_numpy(codes), to_numpy(there.components_)
    assert_same(codes, found, foreign)
    assert duality_gap(signals, atoms, found, 0.3).max() < 1e-6
    before = to_numpy(there.components_)
    there.partial_fit(foreign(signals[:50]))
    assert is_foreign(there.components_)
    assert 0 < np.abs(to_numpy(there.components_) - before).max() < 0.5


@everywhere
def test_unused_atoms_are_replaced_by_residuals(foreign):
    flat = np.hstack([X, np.zeros((len(X), 1))])
    model = SparseCoding(
        4, penalty="l1", solver="online", init=np.eye(4), max_iter=2, random_state=0
    )
    model.fit(foreign(flat))
    assert abs(to_numpy(model.components_)[3, 3]) < 0.5


@pytest.mark.slow
@everywhere
def test_models_in_numpy_encode_arrays_where_they_are(foreign):
    coder = SparseCoder(ATOMS, alpha=0.3)
    codes = coder.transform(foreign(X))
    assert_allclose(to_numpy(codes), coder.transform(X), atol=1e-3)
    assert_same(coder.inverse_transform(codes), to_numpy(codes) @ ATOMS, foreign)
    split = SparseCoder(ATOMS, alpha=0.3, split_sign=True)
    parts = split.transform(foreign(X))
    assert_same(parts, np.hstack([to_numpy(codes).clip(0), (-to_numpy(codes)).clip(0)]), foreign)
    assert_same(split.inverse_transform(parts), to_numpy(codes) @ ATOMS, foreign)
    ica = OrthonormalICA(random_state=0).fit(X)
    assert_same(ica.transform(foreign(X)), ica.transform(X), foreign)
    assert coder.score(foreign(X)) == pytest.approx(coder.score(X), rel=1e-6)


@everywhere
def test_precision_follows_x(foreign):
    model = OrthonormalICA(random_state=0, max_iter=5).fit(foreign(X.astype(np.float32)))
    assert_same(model.components_, to_numpy(model.components_), foreign)
    assert to_numpy(model.components_).dtype == np.float32
    assert to_numpy(model.transform(foreign(X))).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: SparseCoding(2, max_iter=1).fit(strict(X)), "learns on the host"),
        (lambda: SparseFiltering(2, max_iter=1).fit(strict(X)), "learns on the host"),
        (lambda: SparseCoder(ATOMS, penalty="smooth_l1").transform(strict(X)), "with L1 only"),
        (lambda: SparseCoder(ATOMS, n_nonzero=2).transform(strict(X)), "with L1 only"),
        (lambda: SparseCoder(ATOMS, sparse_output=True).transform(strict(X)), "X is not of NumPy"),
        (lambda: SparseCoder(ATOMS).transform(strict(X), np.empty((300, 5))), "out is given"),
        (lambda: OrthonormalICA().fit(strict(X * np.nan)), "NaN"),
        (lambda: SparseCoder(ATOMS).transform(strict(X * np.nan)), "contains NaN. Missing values"),
        (lambda: OrthonormalICA().fit(strict(X[0])), "1D array"),
        (lambda: OrthonormalICA().fit(strict(1j * X)), "Complex"),
        (lambda: SparseCoder(ATOMS).inverse_transform(strict(1j * ATOMS)), "Complex"),
        (lambda: OrthonormalICA().fit(strict(X)).transform(strict(X[:, :2])), "2 features"),
    ],
)
def test_what_stays_on_the_host_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_x_must_be_where_that_of_fit_was():
    model = OrthonormalICA(max_iter=5, random_state=0).fit(on_second_device(X))
    for other in (X, strict(X)):
        with pytest.raises(ValueError, match=r"ICA.transform\(\) must use the same name"):
            model.transform(other)
    with config_context(array_api_dispatch=False):
        assert isinstance(model.transform(X), np.ndarray)


def test_a_device_requires_dispatch():
    class Tensor:
        shape, dtype, device = (3, 2), "float32", "cuda:0"

    off = config_context(array_api_dispatch=False)
    with off, pytest.raises(TypeError, match="array_api_dispatch"):
        OrthonormalICA().fit(Tensor())


def test_models_of_a_device_are_saved_and_resumed(tmp_path):
    model = OrthonormalICA(random_state=0, warm_start=True).fit(on_second_device(X))
    save_model(model, tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    assert_allclose(loaded.components_, to_numpy(model.components_))
    assert encode_image(np.eye(3), model, patch_shape=(1, 3)).shape == (3, 1, 3)
    assert model.fit(on_second_device(X)).n_iter_ <= 3
    components = model.components_
    with pytest.raises(ValueError, match="NaN"):
        model.fit(on_second_device(X * np.nan))
    assert model.components_ is components


IS_OLD = parse_version(sklearn.__version__) < parse_version("1.9")
CHECKED = (
    OrthonormalICA(max_iter=5),
    OrthonormalICA(3, solver="manifold", max_iter=20),
    ReconstructionICA(max_iter=3),
    ReconstructionICA(14, whiten=True, max_iter=3),
    Whitening(),
    Whitening("pca", n_components=3),
    SparseCoding(4, penalty="l1", solver="online", max_iter=5),
)
PLACES = (("array_api_strict", "CPU_DEVICE"), ("array_api_strict", "device1"), ("torch", "cpu"))


@pytest.mark.slow
@pytest.mark.skipif(IS_OLD, reason="scikit-learn has other checks")
@pytest.mark.parametrize("place", PLACES, ids="-".join)
@pytest.mark.parametrize("model", CHECKED, ids=lambda model: type(model).__name__)
def test_scikit_learn_array_api_checks(model, place):
    name = type(model).__name__
    for dtype in ("float64", "float32"):
        estimator_checks.check_array_api_input(name, model, *place, dtype)
        if not isinstance(model, SparseCoding):  # whose codes are approximate, in other steps
            estimator_checks.check_array_api_input_and_values(name, model, *place, dtype)
    estimator_checks.check_array_api_same_namespace(name, model, *place)


@pytest.mark.slow
@everywhere
def test_a_given_dictionary_may_be_in_another_library(foreign):
    here, there = (SparseCoder(atoms, alpha=0.3) for atoms in (ATOMS, foreign(ATOMS)))
    assert_same(there.transform(foreign(X)), to_numpy(here.transform(foreign(X))), foreign)
    np.testing.assert_array_equal(there.transform(X), here.transform(X))
