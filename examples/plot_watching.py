"""
Watching a fit on held-out samples
==================================

Many atoms and few patches: the objective on the training patches always decreases, while on
held-out patches it rises again. A callback detects this and stops the fit.
"""

# %%
# 150 patches are far too few for 64 atoms, so the fit overfits. The monitor measures the model
# after every iteration on 500 held-out patches (scikit-learn 1.9 and later). A callback function is
# also called after each iteration and stops the fit by returning True.

import matplotlib.pyplot as plt

from sparsebp import SparseCoding
from sparsebp.callbacks import ObjectiveMonitor
from sparsebp.datasets import load_sample_photographs
from sparsebp.preprocessing import remove_mean, sample_patches, whiten_images

images = whiten_images(load_sample_photographs())
patches = remove_mean(sample_patches(images, 8, 650, random_state=0))
patches /= patches.std()
few, validation = patches[:150], patches[150:]

model = SparseCoding(64, gamma=0.1, solver="exact", batch_size=None, random_state=0)
model.set_params(callback=lambda iteration, objective: iteration >= 30)
monitor = ObjectiveMonitor(validation)
model.set_callbacks(monitor).fit(few)

# %%

iterations = [measured.iteration for measured in monitor.history_]
held_out = [measured.objective for measured in monitor.history_]
best = min(monitor.history_, key=lambda measured: measured.objective)
figure, ax = plt.subplots(figsize=(5.5, 3.5), layout="constrained")
ax.plot(iterations, held_out, "k--", label="held-out patches")
ax.plot(iterations, model.objective_history_[1:], "k", label="training patches")
ax.plot(best.iteration, best.objective, "ko", mfc="w", label=f"best, iteration {best.iteration}")
ax.set(xlabel="iteration", ylabel="objective", ylim=(0, None))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="center right")

# %%
# With ``patience`` the fit ends after that many measurements without an improvement.

model.set_callbacks(ObjectiveMonitor(validation, patience=5)).fit(few)
print(f"{model.status_} after {model.n_iter_} iterations")
