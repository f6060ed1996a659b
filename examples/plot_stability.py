"""
Which components are reproducible
=================================

A fit returns as many components as it was asked for. Those of the data are found again in other
samples; the others belong to this sample or to this start.
"""

# %%
# Patches that are sums of a few of 16 dark lines, with noise, and 24 atoms. Each of eight fits gets
# another start and other patches, drawn with replacement. Their atoms are clustered, and 16
# clusters have an atom from each fit:

import matplotlib.pyplot as plt
import numpy as np

from sparsebp import OrthonormalICA, SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.displays import ComparisonDisplay, StabilityDisplay
from sparsebp.metrics import compare_dictionaries, stability
from sparsebp.penalties import L1
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

rng = np.random.default_rng(0)
rows = np.eye(8)[:, :, np.newaxis] * np.ones(8)
lines = np.concatenate([rows, rows.transpose(0, 2, 1)]).reshape(16, 64)
codes = rng.exponential(size=(2_000, 16)) * (rng.random((2_000, 16)) < 0.15)
X = codes @ -lines + 0.2 * rng.normal(size=(2_000, 64))

options = {"penalty": L1(positive=True), "solver": "online", "batch_size": 100, "max_iter": 100}
model = SparseCoding(24, alpha=0.5, patch_shape=8, **options)
StabilityDisplay.from_estimator(model, X, n_runs=8, random_state=0).plot()

# %%
# Four Laplacian and two Gaussian sources. No ICA can separate the two: any rotation of them is as
# good. But with the same samples the same rotation is found from other starts, too. So the samples
# have to change.

sources = np.hstack([rng.laplace(size=(2_000, 4)), rng.normal(size=(2_000, 2))])
mixtures = sources @ rng.normal(size=(6, 6))

figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.8), layout="constrained")
titles = {False: "Other starts", True: "Other starts and samples"}
for ax, (bootstrap, title) in zip(axes, titles.items(), strict=True):
    found = stability(OrthonormalICA(), mixtures, bootstrap=bootstrap, random_state=0)
    StabilityDisplay(found).plot(ax)
    ax.set_title(title)

# %%
# Does ICA learn the same from two sets of patches? The filters that detect the components seem to
# agree better than the features, what the components add to a patch. But so do random filters with
# the same second moments: whitening amplifies the highest frequencies, so that all filters lie
# close to a few directions. More than by chance, the features agree.

patches = remove_mean(
    sample_patches(whiten_images(load_sample_photographs()), 8, 10_000, random_state=0)
)
first, second = (
    OrthonormalICA(tol=1e-4, random_state=0).fit(half) for half in np.split(patches, 2)
)
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharey=True)
for ax, kind in zip(axes, ("components_", "features_"), strict=True):
    pair = (getattr(model, kind) for model in (first, second))
    ComparisonDisplay(compare_dictionaries(*pair, random_state=0)).plot(ax)
    ax.set_title({"components_": "Filters", "features_": "Features"}[kind])
