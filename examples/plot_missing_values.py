"""
Learning from samples with missing values
=========================================

Half of the pixels of every handwritten digit are missing. Sparse coding learns from the others: NaN
means missing, and the squared error is a sum over the known values. Filled with means first, the
same digits teach the atoms these means.
"""

# %%
# The digits of 8 × 8 pixels that come with scikit-learn. Half of the pixels become NaN, and the
# means of the known ones are subtracted, so that 0 is the mean of each pixel.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.impute import KNNImputer

from sparsebp import SparseCoding
from sparsebp.displays import BasisDisplay

digits = load_digits().data
digits /= digits.std()
missing = np.random.default_rng(0).random(digits.shape) < 0.5
holed = np.where(missing, np.nan, digits)
means = np.nanmean(holed, axis=0)

# %%
# The same fit three times: of complete digits, of those with NaN, and with means in place of NaN.

samples = {
    "complete": digits - means,
    "half missing, as NaN": holed - means,
    "half missing, as means": np.nan_to_num(holed - means),
}
models = {
    name: SparseCoding(
        64,
        penalty="l1",
        alpha=0.5,
        solver="online",
        batch_size=256,
        max_iter=60,
        random_state=0,
    ).fit(X)
    for name, X in samples.items()
}

figure, axes = plt.subplots(1, 3, figsize=(10, 3.6), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    BasisDisplay(model.components_).plot(ax=ax)
    ax.set_title(name)

# %%
# All models are given the digits with NaN, and fill in what is missing. The error is a share of the
# missing pixels' variance: with means in their place it is 1. Nearest neighbors are another way to
# fill in.

filled = {"means": means + 0 * digits, "nearest neighbors": KNNImputer().fit_transform(holed)}
for name, model in models.items():
    filled[f"learned from\n{name}"] = (
        model.inverse_transform(model.transform(holed - means)) + means
    )


def error(pictures):
    """Squared error of the missing pixels, a share of their variance."""
    return np.square(pictures - digits)[missing].sum() / np.square(means - digits)[missing].sum()


for name, pictures in filled.items():
    print(f"{' '.join(name.split()):<40} {error(pictures):.2f}")

# %%
# Some digits, what is known of them (the rest is blue), and what they are filled in with:

rows = {"digits": digits, "known": holed}
rows |= {name: np.where(missing, pictures, digits) for name, pictures in filled.items()}
colors = plt.get_cmap("gray_r").with_extremes(bad="lightsteelblue")
figure, axes = plt.subplots(len(rows), 10, figsize=(9, 6.5), layout="constrained")
for line, (name, pictures) in zip(axes, rows.items(), strict=True):
    for ax, picture in zip(line, pictures, strict=False):
        ax.imshow(picture.reshape(8, 8), cmap=colors, vmin=0, vmax=digits.max())
        ax.set(xticks=[], yticks=[])
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
