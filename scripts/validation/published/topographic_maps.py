"""Topographic maps of natural images.

[Hyvärinen & Hoyer, *Vision Research* 41, 2001](https://doi.org/10.1016/S0042-6989(01)00114-6), and
Hyvärinen, Hoyer & Inki, *Neural Computation* 13, 2001, learned topographic ICA from patches of 16 ×
16 pixels, in their 160 largest directions, on a torus of 16 × 10 with neighborhoods of 3 × 3 and ε
= 0.005. Neighbors on the map are similar in orientation, frequency and place, and their phases are
random.

We learn from nine of their photographs. The figure is the mean difference of neighbors divided by
that of all pairs: 1 for a map in random order, such as that of ICA.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from sklearn.decomposition import FastICA

from sparsebp import OrthonormalICA
from sparsebp.displays import MapDisplay
from sparsebp.metrics import gabor_fit, topography_index
from sparsebp.penalties import Topographic
from sparsebp.preprocessing import remove_mean, sample_patches
from validation.finding import Finding
from validation.setting import Setting

DATA = "hyvarinen"
PICTURE = "The map of the first seed, the orientation and the frequency of each feature"
_SIDE = 16
_QUANTITIES = ("orientation", "frequency", "place", "phase")


def rows(setting: Setting) -> Iterator[Finding]:
    """Measure how similar neighbors are, and compare with features in random order."""
    images, grid = setting.photographs(DATA), setting.size((10, 16), (3, 4))
    ours, theirs = [], []
    for seed in setting.seeds(3):
        patches = sample_patches(images, _SIDE, setting.size(8_000, 400), random_state=seed)
        X = remove_mean(patches)
        model = _learned(setting, X, grid, seed)
        if seed == 0:
            display = MapDisplay(model.features_, (_SIDE, _SIDE), grid_shape=grid)
            setting.save(display.plot().figure_, "topographic-maps.png")
        ours.append(_indices(model.features_, grid))
        theirs.append(_indices(_fast_ica(X, int(np.prod(grid)), seed), grid))
    columns = zip(_QUANTITIES, np.transpose(ours), np.transpose(theirs), strict=True)
    for quantity, index, random in columns:
        ordered = quantity != "phase"
        yield Finding(
            f"difference in {quantity} of neighbors over that of all pairs",
            "similar" if ordered else "random",
            index.tolist(),
            at_least=None if ordered else 0.9,
            at_most=0.8 if ordered else 1.1,
            others={"FastICA, no map": random.tolist()},
        )


def _learned(setting: Setting, X: np.ndarray, grid: tuple[int, int], seed: int) -> OrthonormalICA:
    model = OrthonormalICA(
        int(np.prod(grid)),
        penalty=Topographic(grid, neighborhood=3, wrap=True, epsilon=0.005),
        max_iter=setting.size(150, 3),
        tol=1e-4,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations, at a toy size
        return model.fit(X)


def _fast_ica(X: np.ndarray, n_components: int, seed: int) -> np.ndarray:
    """Return the features of FastICA, in rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations
        model = FastICA(n_components, max_iter=30, random_state=seed).fit(X)
    return model.mixing_.T


def _indices(features: np.ndarray, grid: tuple[int, int]) -> list[float]:
    index = topography_index(gabor_fit(features, (_SIDE, _SIDE)), grid)
    return [getattr(index, quantity) for quantity in _QUANTITIES]
