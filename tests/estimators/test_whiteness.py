import warnings
from functools import cache

import numpy as np
import pytest

from sparsebp import OrthonormalICA, ReconstructionICA
from sparsebp.datasets import load_sample_photographs, make_mixtures
from sparsebp.estimators._units import anisotropy, variances_of, warn_if_not_white
from sparsebp.preprocessing import (
    Whitening,
    remove_mean,
    sample_patches,
    unit_norm,
    whiten_images,
)


@cache
def patches(*, whitened=False, size=8):
    images = load_sample_photographs()
    return sample_patches(whiten_images(images) if whitened else images, size, 800, random_state=0)


def whitened(X, method="zca", **parameters):
    return Whitening(method, **parameters).fit_transform(X)


def said(X):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_if_not_white("ICA", X)
    return [str(w.message) for w in caught]


@pytest.mark.parametrize("kind", [OrthonormalICA, ReconstructionICA])
def test_mixtures_are_not_white(kind):
    X = make_mixtures(300, 3, random_state=0).X
    with pytest.warns(UserWarning, match=f"{kind.__name__}: whiten=False, but X is not white") as w:
        kind(tol=1e-2, whiten=False, random_state=0).fit(X)
    assert w[0].filename == __file__
    kind(tol=1e-2, whiten=True, random_state=0).fit(X)
    kind(tol=1e-2, whiten=False, random_state=0).fit(Whitening("pca").fit_transform(X))


NOT_WHITE = {
    "gray levels": lambda: patches(),
    "0 to 255": lambda: 255 * patches(),
    "around 0": lambda: patches() - 0.5,
    "white but for the mean": lambda: 1 + whitened(patches()),
}
WHITE = {
    "zca": lambda: whitened(patches()),
    "pca": lambda: whitened(patches(), "pca", n_components=0.9),
    "zca of fewer directions": lambda: whitened(patches(), n_components=0.9),
    "regularized": lambda: whitened(remove_mean(patches()), regularization=0.1),
    "unit norm": lambda: unit_norm(whitened(remove_mean(patches()), regularization=0.01)),
    "images": lambda: patches(whitened=True),
    "images, no means": lambda: remove_mean(patches(whitened=True)),
    "images, 12 × 12": lambda: patches(whitened=True, size=12),
    "few": lambda: np.random.default_rng(0).laplace(size=(20, 8)),
    "wide": lambda: np.random.default_rng(0).laplace(size=(20, 80)),
    "zeros": lambda: np.zeros((9, 3)),
    "one sample": lambda: np.ones((1, 3)),
    "one feature": lambda: np.arange(9.0)[:, np.newaxis],
}


@pytest.mark.parametrize("name", list(NOT_WHITE))
def test_patches_that_are_not_white(name):
    assert len(said(NOT_WHITE[name]())) == 1


@pytest.mark.parametrize("name", list(WHITE))
def test_what_is_white_or_nearly_so(name):
    assert said(WHITE[name]()) == []


@pytest.mark.parametrize("scale", [1e-150, 1.0, 1e150])
@pytest.mark.parametrize("shape", [(40, 5), (5, 40)])
def test_variances_are_those_of_a_singular_value_decomposition(shape, scale):
    X = np.random.default_rng(0).normal(size=shape)
    expected = np.sort(np.linalg.svd(X / np.abs(X).max(), compute_uv=False)) ** 2 / len(X)
    np.testing.assert_allclose(variances_of(scale * X), expected)


def test_anisotropy_is_the_mean_square_of_correlations():
    X = np.random.default_rng(0).normal(size=(10_000, 4)) @ np.random.default_rng(1).normal(
        size=(4, 4)
    )
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    correlations = np.corrcoef(X.T)[~np.eye(4, dtype=bool)]
    assert anisotropy(variances_of(X), len(X)) == pytest.approx(
        np.square(correlations).mean(), abs=1e-3
    )


def test_few_samples_are_no_reason_for_a_warning():
    rng = np.random.default_rng(0)
    found = [len(said(rng.normal(size=(20, 2)))) for _ in range(100)]
    assert sum(found) < 10
    assert anisotropy(variances_of(rng.normal(size=(50, 40))), 50) < 0.01
