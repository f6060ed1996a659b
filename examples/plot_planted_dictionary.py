"""
Recovering a planted dictionary
===============================

A method can be tested on data with a known truth: signals that are sums of 3 of 50 random atoms,
with noise. How many of the atoms are recovered?
"""

# %%
# An atom counts as found if the absolute cosine with the nearest learned atom is above 0.99.

import matplotlib.pyplot as plt
import numpy as np

from sparsebp import SparseCoding
from sparsebp.datasets import make_dictionary_signals
from sparsebp.metrics import dictionary_recovery

levels = (5, 10, 20, 30)
model = SparseCoding(
    50, penalty="l1", solver="online", batch_size=100, max_iter=250, random_state=1
)
found = []
for decibels in levels:
    X, dictionary, _ = make_dictionary_signals(1_500, 20, 50, snr_db=decibels, random_state=0)
    recovery = dictionary_recovery(dictionary, model.set_params(alpha=0.4).fit(X).components_)
    found.append(recovery)
    print(f"{decibels:2d} dB: {recovery.n_found} of 50 atoms")

# %%
# Noise does not lose single atoms; it rotates all of them slightly. The sorted cosines:

figure, ax = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
for recovery, decibels, style in zip(found, levels, (":", "-.", "--", "-"), strict=True):
    ax.plot(np.sort(recovery.similarity)[::-1], "k", linestyle=style, label=f"{decibels} dB")
ax.axhline(0.99, color="0.7", linewidth=0.8)
ax.set(xlabel="atom, best first", ylabel="cosine with the nearest learned atom", ylim=(0.7, 1.005))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False)
