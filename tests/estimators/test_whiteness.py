import warnings

import numpy as np
import pytest

from sparsebp import OrthonormalICA, ReconstructionICA
from sparsebp.datasets import load_sample_photographs, make_mixtures
from sparsebp.estimators._whiteness import anisotropy, variances_of, warn_if_not_white
from sparsebp.preprocessing import (
    Whitening,
    remove_mean,
    sample_patches,
    unit_norm,
    whiten_images,
)

PHOTOGRAPHS = load_sample_photographs()


def patches(images=PHOTOGRAPHS, size=8):
    return sample_patches(images, size, 1500, random_state=0)


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


@pytest.mark.parametrize(
    "X",
    [patches(), 255 * patches(), patches() - 0.5, 1 + Whitening("zca").fit_transform(patches())],
    ids=["gray levels", "0 to 255", "means kept", "mean 1"],
)
def test_patches_that_are_not_white(X):
    assert len(said(X)) == 1


@pytest.mark.parametrize(
    "X",
    [
        Whitening("zca").fit_transform(patches()),
        Whitening("pca", n_components=0.9).fit_transform(patches()),
        Whitening("zca", n_components=0.9).fit_transform(patches()),
        Whitening("zca", regularization=0.1).fit_transform(remove_mean(patches())),
        unit_norm(Whitening("zca", regularization=0.01).fit_transform(remove_mean(patches()))),
        patches(whiten_images(PHOTOGRAPHS)),
        remove_mean(patches(whiten_images(PHOTOGRAPHS))),
        patches(whiten_images(PHOTOGRAPHS), 12),
        np.random.default_rng(0).laplace(size=(20, 8)),
        np.random.default_rng(0).laplace(size=(20, 80)),
        np.zeros((9, 3)),
        np.ones((1, 3)),
        np.arange(9.0)[:, np.newaxis],
    ],
    ids=lambda X: str(X.shape),
)
def test_what_is_white_or_nearly_so(X):
    assert said(X) == []


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
