"""
The solvers of sparse coding
============================

The same objective minimized in three ways: alternating with SciPy's L-BFGS, alternating with one
L-BFGS per sample and the exact basis, and online, from many small batches.
"""

# %%
# The objective on held-out patches against the CPU time of the fit. Every point is a separate fit
# from the same start.

from time import process_time

import matplotlib.pyplot as plt

from sparsebp import SparseCoding
from sparsebp.datasets import load_sample_photographs
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 11_000, random_state=0))
patches /= patches.std()
held_out, patches = patches[:1_000], patches[1_000:]


def curve(iterations, **options):
    """Return CPU seconds and the objective on held-out patches for numbers of iterations."""
    seconds, objectives = [], []
    model = SparseCoding(64, random_state=0, **options)
    model.set_params(max_iter=2).fit(patches[:2_000])  # compile before timing
    for max_iter in iterations:
        start = process_time()
        model.set_params(max_iter=max_iter).fit(patches)
        seconds.append(process_time() - start)
        objectives.append(-model.score(held_out))
    return seconds, objectives


# %%
# Left, unit-norm atoms and exact L1. Right, the tutorial's weight decay and smoothed L1:
# ``solver="exact"`` requires the weight decay. ("online" supports it too, but keeps all atoms in
# use, while weight decay alone would let some of them vanish.)

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
l1 = {"penalty": "l1"}
left.plot(*curve((5, 15, 40), solver="lbfgs", **l1), "ko:", label='"lbfgs"')
left.plot(*curve((20, 60, 200), solver="online", batch_size=256, **l1), "k^-", label='"online"')
left.set_title("unit-norm atoms, L1")
right.plot(*curve((4, 8, 16), solver="lbfgs", gamma=0.1), "ko:", label='"lbfgs"')
right.plot(*curve((4, 8, 16, 24), solver="exact", gamma=0.1), "ks--", label='"exact"')
right.set_title("γ = 0.1, smoothed L1")
for ax in (left, right):
    ax.set(xlim=(0, None), xlabel="CPU seconds", ylabel="objective on held-out patches")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
