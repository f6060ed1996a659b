"""Shapes of receptive fields.

[Ringach, *Journal of Neurophysiology* 88, 2002](https://doi.org/10.1152/jn.2002.88.1.455) fitted
Gabor functions to the receptive fields of simple cells in macaques, and to the features that ICA
and sparse coding learn from natural images. With n_x = σ_x f and n_y = σ_y f, the envelope's width
and length in periods of the wave, most cells have both between about 0.2 and 0.5. The features of
both models have more subfields than the cells, and hardly any are broadly tuned, which cells near
the origin are.

We fit the features of ICA and of sparse coding, of whitened patches of 10 × 10 pixels of the
photographs of Olshausen & Field. The frequency is that of the peak of the fitted function's
spectrum, since edges of one period are fitted with an arbitrarily slow wave.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sklearn.decomposition import FastICA, MiniBatchDictionaryLearning

from sparsebp import OrthonormalICA, SparseCoding
from sparsebp.displays import ShapeDisplay
from sparsebp.metrics import GaborFit, gabor_fit
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images
from validation.finding import Finding
from validation.setting import Setting

DATA = "olshausen_field"
PICTURE = (
    "Features of the first seed; dashed square: where most cells of macaques are, by the recalled "
    "figures; diagonal: as long as wide"
)
_SIDE = 10
#: Where most receptive fields of macaques are.
_LOW, _HIGH = 0.2, 0.5
_LONG = (
    "the features are longer than most cells, by the recalled range; the source, too, finds that "
    "the features of both models differ from cells in shape."
)
#: Shorter and narrower than this is broadly tuned.
_BLOB = 0.2


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure n_x and n_y of ICA's features and of atoms, compared with other packages'."""
    images = whiten_images(setting.photographs(DATA))
    learn = {"ICA": (_ica, _fast_ica), "sparse coding": (_sparse_coding, _dictionary)}
    fits: dict[str, list[tuple[GaborFit, GaborFit]]] = {name: [] for name in learn}
    for seed in setting.seeds(2):
        patches = sample_patches(images, _SIDE, setting.size(20_000, 600), random_state=seed)
        X = remove_mean(patches)
        X /= X.std()
        for name, both in learn.items():
            ours, theirs = (_fitted(method, setting, X, seed) for method in both)
            fits[name].append((ours, theirs))
    for name, peer in (("ICA", "FastICA"), ("sparse coding", "MiniBatchDictionaryLearning")):
        yield from _shapes(name, peer, fits[name])
    first = {name: found[0][0] for name, found in fits.items()}
    setting.save(_picture(first), "receptive-fields.png")


def _fitted(
    method: Callable[[Setting, np.ndarray, int], np.ndarray],
    setting: Setting,
    X: np.ndarray,
    seed: int,
) -> GaborFit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations
        return gabor_fit(method(setting, X, seed), (_SIDE, _SIDE))


def _shapes(name: str, peer: str, fits: list[tuple[GaborFit, GaborFit]]) -> Iterator[Finding]:
    for quantity in ("n_x", "n_y"):
        medians = np.array([[_median(fit, quantity) for fit in both] for both in fits])
        yield Finding(
            f"{name}: median {quantity}",
            "0.2 to 0.5",
            medians[:, 0].tolist(),
            at_least=_LOW,
            at_most=_HIGH,
            others={peer: medians[:, 1].tolist()},
            recalled=True,
            remark="" if quantity == "n_x" else _LONG,
        )
    blobs = np.array([[_blobs(fit) for fit in both] for both in fits])
    yield Finding(
        f"{name}: share of features with n_x and n_y below {_BLOB}, %",
        "hardly any",
        blobs[:, 0].tolist(),
        at_most=5.0,
        others={peer: blobs[:, 1].tolist()},
    )


def _median(fit: GaborFit, quantity: str) -> float:
    return float(np.median(getattr(fit, quantity)[_good(fit)]))


def _blobs(fit: GaborFit) -> float:
    return float(100 * ((fit.n_x < _BLOB) & (fit.n_y < _BLOB))[_good(fit)].mean())


def _good(fit: GaborFit) -> np.ndarray:
    """Return which features are Gabor functions; all if none is, as at a toy size."""
    good = fit.r_squared > 0.8
    return good if good.any() else np.full(len(good), True)


def _ica(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    limits = {"max_iter": setting.size(500, 3), "tol": 1e-5}
    return OrthonormalICA(whiten=0.99, random_state=seed, **limits).fit(X).features_


def _fast_ica(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    model = FastICA(setting.size(80, 12), max_iter=setting.size(50, 3), random_state=seed)
    return model.fit(X[:10_000]).mixing_.T


def _sparse_coding(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    options = {"penalty": "l1", "solver": "online", "batch_size": 256, "random_state": seed}
    n_atoms, n_batches = setting.size((100, 400), (16, 3))
    return SparseCoding(n_atoms, max_iter=n_batches, tol=0.0, **options).fit(X).components_


def _dictionary(setting: Setting, X: np.ndarray, seed: int) -> np.ndarray:
    model = MiniBatchDictionaryLearning(
        setting.size(100, 16), alpha=0.5, batch_size=256, fit_algorithm="cd", max_iter=1,
        random_state=seed,
    )  # fmt: skip
    return model.fit(X[: setting.size(5_000, 300)]).components_


def _picture(fits: dict[str, GaborFit]) -> Figure:
    figure, ax = plt.subplots(figsize=(7, 4), layout="constrained")
    for name, fit in fits.items():
        features = np.zeros((len(fit.r_squared), _SIDE * _SIDE))  # only their fits are drawn
        ShapeDisplay(features, (_SIDE, _SIDE), fit=fit).plot(ax, label=name)
    side = _HIGH - _LOW
    ax.add_patch(Rectangle((_LOW, _LOW), side, side, fill=False, linestyle="--"))
    return figure
