"""
Choosing α by description length
================================

An objective cannot choose the weight α of its own penalty: a smaller α always lowers it. The number
of bits needed for the codes and the residuals together can.
"""

# %%
# Signals are sums of 3 of 50 planted atoms with noise of known variance, so the truth is known.

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV

from sparsebp import SparseCoding
from sparsebp.datasets import make_dictionary_signals
from sparsebp.metrics import DescriptionLength, dictionary_recovery

X, dictionary, codes = make_dictionary_signals(1_500, 20, 50, snr_db=20, random_state=0)
noise = float((X - codes @ dictionary).std())

# %%
# For each α a model is fitted to one half of the signals and evaluated on the other, and vice
# versa. The largest α is too large on purpose, of which `fit` warns.

warnings.filterwarnings("ignore", message=".* is too large for these samples")
alphas = np.geomspace(0.03, 3, 7)
model = SparseCoding(
    50, penalty="l1", solver="online", batch_size=100, max_iter=150, random_state=0
)
search = GridSearchCV(model, {"alpha": alphas}, scoring=DescriptionLength(noise), cv=2).fit(X)
bits = -search.cv_results_["mean_test_score"]
print(f"the shortest description has α = {search.best_params_['alpha']:.2f}")

# %%
# The fewest bits coincide with the most recovered atoms; the objective only decreases with α.

found, objective = [], []
for alpha in alphas:
    fitted = model.set_params(alpha=alpha).fit(X)
    found.append(dictionary_recovery(dictionary, fitted.components_).n_found)
    objective.append(-fitted.score(X))

figure, axes = plt.subplots(3, 1, figsize=(5.5, 6), sharex=True, layout="constrained")
curves = (("bits per signal", bits), ("atoms found of 50", found), ("objective", objective))
for ax, (label, values) in zip(axes, curves, strict=True):
    ax.semilogx(alphas, values, "k.-")
    ax.axvline(search.best_params_["alpha"], color="0.6", linestyle="--")
    ax.set_ylabel(label)
    ax.spines[["top", "right"]].set_visible(False)
axes[-1].set_xlabel("α")
