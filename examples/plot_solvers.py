"""
The solvers of sparse coding
============================

The same objective several ways: by turns with SciPy's L-BFGS, by turns with a search of each
sample's own and the exact basis, and online, from many small batches.
"""

# %%
# How good a basis is after how many seconds, by its objective on patches that none has seen. Every
# point is a fit of its own, from the same start.

from time import perf_counter

import matplotlib.pyplot as plt

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 11_000, random_state=0))
patches /= patches.std()
others, patches = patches[:1_000], patches[1_000:]


def curve(turns, **options):
    """Return seconds and the objective on other patches, after so many turns."""
    seconds, objectives = [], []
    model = SparseCoding(64, random_state=0, **options)
    model.set_params(max_iter=2).fit(patches[:2_000])  # what is compiled once is not counted
    for n_turns in turns:
        begun = perf_counter()
        model.set_params(max_iter=n_turns).fit(patches)
        seconds.append(perf_counter() - begun)
        objectives.append(-model.score(others))
    return seconds, objectives


# %%
# Left, atoms of length one and exact L1. Right, the tutorial's weight decay and smoothed L1:
# ``solver="exact"`` needs the weight decay. ("online" can have it too, but keeps all atoms in use,
# where the decay would let some of them vanish.)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
l1 = {"penalty": "l1"}
left.plot(*curve((5, 15, 40), solver="lbfgs", **l1), "ko:", label='"lbfgs"')
left.plot(*curve((20, 60, 200), solver="online", batch_size=256, **l1), "k^-", label='"online"')
left.set_title("atoms of length one, L1")
right.plot(*curve((4, 8, 16), solver="lbfgs", gamma=0.1), "ko:", label='"lbfgs"')
right.plot(*curve((4, 8, 16, 24), solver="exact", gamma=0.1), "ks--", label='"exact"')
right.set_title("γ = 0.1, smoothed L1")
for ax in (left, right):
    ax.set(xlim=(0, None), xlabel="seconds", ylabel="objective on other patches")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
