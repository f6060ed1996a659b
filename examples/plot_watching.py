"""
Watching a fit on samples it does not see
=========================================

Many atoms and few patches: the objective on the patches learned from falls all the time, while on
others it rises again. A callback sees it and stops.
"""

# %%
# 150 patches are much too few for 64 atoms, which is the point here. The monitor measures the
# model after every turn on 500 patches that it does not learn from (scikit-learn 1.9 and later). A
# function may be told of each turn as well, and stops the fit by returning True.

import matplotlib.pyplot as plt

from sparsebp import SparseCoding
from sparsebp.callbacks import ObjectiveMonitor
from sparsebp.datasets import load_sample_photographs
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 650, random_state=0))
patches /= patches.std()
few, others = patches[:150], patches[150:]

model = SparseCoding(64, gamma=0.1, solver="exact", batch_size=None, random_state=0)
model.set_params(callback=lambda turn, objective: turn >= 30)
monitor = ObjectiveMonitor(others)
model.set_callbacks(monitor).fit(few)

# %%

turns = [measured.iteration for measured in monitor.history_]
held_out = [measured.objective for measured in monitor.history_]
best = min(monitor.history_, key=lambda measured: measured.objective)
figure, ax = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
ax.plot(turns, held_out, "k--", label="patches held out")
ax.plot(turns, model.objective_history_[1:], "k", label="patches learned from")
ax.plot(best.iteration, best.objective, "ko", mfc="w", label=f"best, turn {best.iteration}")
ax.set(xlabel="turn", ylabel="objective", ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="center right")

# %%
# With ``patience`` the fit ends where so many measurements have gained nothing.

model.set_callbacks(ObjectiveMonitor(others, patience=5)).fit(few)
print(f"{model.status_} after {model.n_iter_} turns")
