"""
Digits classified on learned features
=====================================

The UFLDL tutorial learns filters from patches of handwritten digits by reconstruction ICA,
convolves the digits with them, pools the responses and classifies. Here the same is done with
scikit-learn's small digits of 8 × 8 pixels and few labels, and compared with other filters.
"""

# %%
# `PooledFeatures` learns filters from patches of the images, without labels, and returns for every
# quarter of an image how strongly each filter responds, for both signs of the response.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.random_projection import GaussianRandomProjection

from sparsebp import OrthonormalICA, ReconstructionICA, SparseCoding
from sparsebp.displays import BasisDisplay
from sparsebp.images import PooledFeatures

digits = load_digits()
images = np.pad(digits.images, ((0, 0), (1, 1), (1, 1)))


def pooled(estimator):
    """Return the features of all images by a model of 5 × 5 patches."""
    features = PooledFeatures(estimator, patch_shape=5, pooling="rms", grid=2, random_state=0)
    return features.fit(images)


strokes = pooled(ReconstructionICA(16, alpha=0.1, tol=1e-5))
BasisDisplay.from_estimator(strokes).plot(title="16 learned features")

# %%
# A linear classifier is trained on 100 labels; every number is the mean over 10 draws of them.


def accuracy(features):
    """Return the percentage of the other digits that are classified correctly."""
    draws = StratifiedShuffleSplit(10, train_size=100, random_state=0)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return 100 * cross_val_score(classifier, features, digits.target, cv=draws).mean()


def models(k):
    """Return models of k components."""
    return {
        "random filters": GaussianRandomProjection(k),
        "k-means": KMeans(k, n_init=3),
        "principal components": PCA(k),
        "sparse coding": SparseCoding(k, penalty="l1", alpha=0.5, solver="online", batch_size=256),
        "orthonormal ICA": OrthonormalICA(k, tol=1e-4),
        "reconstruction ICA": ReconstructionICA(k, alpha=0.1, tol=1e-5),
    }


SIZES = (8, 24)
by_pixels = accuracy(digits.data)
accuracies = {}
for k in SIZES:
    for name, model in models(k).items():
        accuracies.setdefault(name, []).append(accuracy(pooled(model).transform(images)))
print(f"pixels: {by_pixels:.1f} %")
for name, found in accuracies.items():
    print(f"{name}:", ", ".join(f"{value:.1f} %" for value in found))

# %%
# Pooling makes a large difference: even random filters are better than pixels. Learned ones need
# fewer. 24 filters span all directions of patches without their mean, and so do 24 random ones;
# which directions they are is still worth about a point.

figure, ax = plt.subplots(figsize=(6.5, 3.5), layout="constrained")
rows = np.arange(len(accuracies))
for column, (k, color) in enumerate(zip(SIZES, ("0.75", "0.4"), strict=True)):
    values = [found[column] for found in accuracies.values()]
    bars = ax.barh(rows + 0.4 * column, values, 0.4, color=color, label=f"{k} filters")
    ax.bar_label(bars, fmt="%.1f", padding=3, fontsize="small")
ax.axvline(by_pixels, color="k", linestyle=":", label="pixels")
ax.set_yticks(rows + 0.2, labels=list(accuracies))
ax.set(xlim=(80, 97), xlabel="accuracy in %, 100 labels")
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
