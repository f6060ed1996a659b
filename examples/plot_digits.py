"""
Digits classified on learned features
=====================================

The UFLDL tutorial learns filters from patches of handwritten digits by reconstruction ICA,
convolves the digits with them, pools the responses and classifies: the accuracy is 99 %, and 97.5 %
with random filters. Here the same is done with scikit-learn's small digits of 8 × 8 pixels and few
labels.
"""

# %%
# Every digit is cut into overlapping patches of 5 × 5 pixels, whose means are removed and which are
# whitened.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sparsebp import ReconstructionICA
from sparsebp.displays import BasisDisplay
from sparsebp.preprocessing import Whitening, remove_mean

digits = load_digits()
padded = np.pad(digits.images / 16, ((0, 0), (1, 1), (1, 1)))
windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5), axis=(1, 2))
patches = remove_mean(windows.reshape(-1, 25))
drawn_on = patches.std(axis=1) > 0.05
white = Whitening("zca", regularization=1e-2).fit(patches[drawn_on])
patches = white.transform(patches)

# %%
# 16 filters, learned without labels.


def learned(n_filters):
    """Return filters by reconstruction ICA."""
    model = ReconstructionICA(n_filters, alpha=0.1, tol=1e-5, random_state=0)
    return model.fit(patches[drawn_on][::3]).components_


filters = {n: learned(n) for n in (8, 16, 24)}
BasisDisplay(filters[16]).plot(title="16 learned filters")

# %%
# The responses are pooled over the four quarters of a digit: the root of the sum of their squares.
# A linear classifier is trained on 100 labels; every number is the mean over 20 draws of them.


def accuracy(features):
    """Return the percentage of the other digits that are classified correctly."""
    draws = StratifiedShuffleSplit(20, train_size=100, random_state=0)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
    return 100 * cross_val_score(classifier, features, digits.target, cv=draws).mean()


def pooled(filters):
    """Return the responses to all digits, pooled."""
    responses = (patches @ filters.T).reshape(*windows.shape[:3], -1)
    halves = (slice(None, 3), slice(3, None))
    quarters = [np.square(responses[:, r, c]).sum(axis=(1, 2)) for r in halves for c in halves]
    return np.sqrt(np.hstack(quarters) + 1e-6)


raw = accuracy(digits.data)
by_learned = {n: accuracy(pooled(w)) for n, w in filters.items()}
by_random = {
    n: [accuracy(pooled(np.random.default_rng(i).normal(size=w.shape))) for i in range(5)]
    for n, w in filters.items()
}
print(f"pixels: {raw:.1f} %")
for n in filters:
    random = np.array(by_random[n])
    print(
        f"{n:2d} filters: learned {by_learned[n]:.1f} %, random {random.mean():.1f} % "
        f"({random.min():.1f} to {random.max():.1f})"
    )

# %%
# The gain is larger than the tutorial's 1.5 points, and largest with few filters. Whitened patches
# without their mean have 24 directions: 24 random filters span them all, too, and are still worse.

figure, ax = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
sizes = list(filters)
ax.plot(sizes, [by_learned[n] for n in sizes], "ko-", label="learned")
ax.plot(sizes, [np.mean(by_random[n]) for n in sizes], "ks--", mfc="w", label="random, mean of 5")
ax.axhline(raw, color="k", linestyle=":", label="pixels")
ax.set(xscale="log", xlabel="filters", ylabel="accuracy in %, 100 labels")
ax.set_xticks(sizes, labels=map(str, sizes))
ax.minorticks_off()
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
